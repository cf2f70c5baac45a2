"""OpenAPI 3.1: the document that says what a service takes and returns, made from its model."""

from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from python.api.auth import OPEN_PATHS
from python.api.examples import list_records
from python.api.operations import (
    BODY,
    HEADERS,
    READY,
    SECURITY_SCHEMES,
    flag,
    flag_schema,
    json_content,
    name_examples,
    operation,
    problems,
    text_content,
)
from python.api.responses import (
    CSV_TYPE,
    ENCODER,
    Content,
    encode_csv,
    explanation_content,
    prediction_content,
)
from python.api.schemas import (
    TEXT,
    array_of,
    list_schemas,
    predict_examples,
    ref,
)
from python.errors import ServiceError
from python.model.base import Model, Predictions
from python.model.tabular.lines import write_header, write_rows
from python.model.tabular.results import make_results

OPENAPI_VERSION = "3.1.0"
UNVERSIONED = "unversioned"
# A record is explained for the document if so many are within a request's time: in a tenth of a
# second, as 10 seconds are the default. Sampled values may take all of them.
QUICK_RECORDS = 100
ABOUT = """\
Each prediction is the model's own, and stands at the place of its record.
A record that does not fit is refused, with a pointer to each fault.
The body is read as JSON whatever its Content-Type is, unless that names another format."""
PROBA = "Return the probability of each class."
EXPLAIN = (
    "Return SHAP values, one for each feature. A model that needs a background refuses without "
    "`_samples`; `/info` says whether it does."
)
BODIES: Content = {"oneOf": [ref("Record"), ref("Records"), ref("Envelope")]}
QUESTIONS: dict[str, tuple[str, Content, Sequence[HTTPStatus]]] = {
    "/features": (
        "Which features does the model take?",
        json_content(array_of(ref("Feature"))),
        READY,
    ),
    "/info": ("What is the model?", json_content(ref("Info")), READY),
    "/service-info": (
        "What is this service?",
        json_content(ref("ServiceInfo")),
        (),
    ),
    "/ready": ("Is the model ready?", text_content(), READY),
    "/health": ("Is the process up?", text_content(), ()),
}
"""The paths that take no body: what they tell, how, and with which problems."""


class Terms(NamedTuple):
    """What the settings say of a service: its name, which features it takes, who may use it.

    `prefix` is the path before all paths.
    """

    name: str
    reject_unknown: bool
    needs_key: bool
    prefix: str = ""


def encode_document(model: Model, terms: Terms) -> bytes:
    """Return the OpenAPI document of a service with the model, as JSON.

    It is made once for a model; and once more when it is known whether the model is explainable,
    which is found out while it is served already.
    """
    is_explainable = model.info()["is_explainable"]
    return _encode(model, terms, is_explainable)


@lru_cache(maxsize=2)
def _encode(model: Model, terms: Terms, is_explainable: bool | None) -> bytes:
    document = make_document(model, terms, is_explainable=is_explainable)
    return ENCODER.encode(document)


def make_document(
    model: Model, terms: Terms, *, is_explainable: bool | None
) -> Content:
    """Return the OpenAPI document of a service with the model.

    `is_explainable` is None as long as it is not known.
    """
    records = list_records(model)
    schemas = list_schemas(
        model, records[0], reject_unknown=terms.reject_unknown
    )
    schemas["Flag"] = flag_schema()
    components: Content = {"headers": HEADERS, "schemas": schemas}
    paths = _list_paths(model, records, is_explainable=is_explainable)
    if terms.needs_key:
        components["securitySchemes"] = SECURITY_SCHEMES
        _require_key(paths)
    document: Content = {
        "openapi": OPENAPI_VERSION,
        "info": _describe(model, terms),
        "paths": paths,
        "components": components,
    }
    if terms.prefix:
        document["servers"] = [{"url": terms.prefix}]
    return document


def _require_key(paths: dict[str, dict[str, Any]]) -> None:
    """Say of each path that it needs a key, unless it is open to everybody."""
    for path, methods in paths.items():
        if path not in OPEN_PATHS:
            for method in methods.values():
                method["security"] = [{name: []} for name in SECURITY_SCHEMES]
                method["responses"] |= problems([HTTPStatus.UNAUTHORIZED])


def _describe(model: Model, terms: Terms) -> Content:
    name = model.metadata.get("name") or terms.name
    version = model.metadata.get("version") or model.version or UNVERSIONED
    about = f"{ABOUT}\nThe model is made for this task: {model.task}."
    if not model.offers_probabilities:
        about += f"\nIt has no probabilities: {model.no_probabilities}."
    return {
        "title": f"Predictions of {name}",
        "version": str(version),
        "description": about,
    }


def _list_paths(
    model: Model, records: list[Content], *, is_explainable: bool | None
) -> dict[str, dict[str, Any]]:
    predict = _predict(model, records, is_explainable=is_explainable)
    paths = {
        "/predict": {"post": predict},
        "/preprocess": {"post": _preprocess(records)},
    }
    for path, (summary, content, statuses) in QUESTIONS.items():
        name = path.strip("/").replace("-", "_")
        paths[path] = {"get": operation(name, summary, content, statuses)}
    return paths


def _predict(
    model: Model, records: list[Content], *, is_explainable: bool | None
) -> Content:
    predictions = predict_examples(model, records[:1])
    examples = _predict_examples(model, predictions)
    if is_explainable:
        examples |= _explain_example(model, records)
    returned = json_content(ref("Prediction"), **examples)
    returned[CSV_TYPE] = _csv_results(model, records)
    body = _body(records)
    body["content"][CSV_TYPE] = _csv_content(records)
    parameters = []
    if model.offers_probabilities:
        parameters.append(flag("proba", PROBA))
    if is_explainable is not False:
        parameters.append(flag("explain", EXPLAIN))
    summary = "Predict one record or several."
    return {
        **operation("predict", summary, returned, BODY),
        "parameters": parameters,
        "requestBody": body,
    }


def _predict_examples(model: Model, predictions: Predictions) -> Content:
    """Return examples of the predictions, with labels and with probabilities."""
    examples: Content = {
        "prediction": prediction_content(model, predictions, proba=False)
    }
    if model.offers_probabilities:
        examples["probabilities"] = prediction_content(
            model, predictions, proba=True
        )
    return examples


def _explain_example(model: Model, records: list[Content]) -> Content:
    """Return the prediction of one record with its explanation; nothing where it takes too long.

    A model that needs a background gets the one of the envelope among the examples of a request.
    """
    predictions = predict_examples(model, records[:1])
    background = None
    if not model.offers_explanations:
        background = predict_examples(model, records).records
    try:
        if model.explained_at_once(background) < QUICK_RECORDS:
            return {}
        explanation = model.explain(predictions, background)
    except ServiceError:
        return {}
    content = prediction_content(model, predictions, proba=False)
    content |= explanation_content(model, explanation, single=True)
    return {"explanation": content}


def _csv_results(model: Model, records: list[Content]) -> Content:
    """Return the content of a table of results: a row for each record, after a header."""
    content: Content = {
        "schema": TEXT
        | {"description": "A header, then a row for each record."}
    }
    predictions = predict_examples(model, records)
    try:
        results = make_results(model, predictions, None, proba=False)
    except ServiceError:
        # Two columns would have the same name.
        return content
    table = encode_csv(results).decode()
    return content | {"examples": name_examples({"table": table})}


def _preprocess(records: list[Content]) -> Content:
    preprocessed = operation(
        "preprocess",
        "Return records as the last step of the model sees them.",
        json_content(array_of(ref("PreprocessedRecord"))),
        BODY,
    )
    return preprocessed | {"requestBody": _body(records)}


def _body(records: list[Content]) -> dict[str, Any]:
    envelope = {"_data": records[0], "_samples": records}
    content = json_content(
        BODIES, record=records[0], records=records, envelope=envelope
    )
    return {"required": True, "content": content}


def _csv_content(records: list[Content]) -> Content:
    """Return the content of a table: one row for each record, after a header."""
    columns = {}
    for name in records[0]:
        columns[name] = [record.get(name) for record in records]
    text = write_header(list(columns)) + write_rows(columns)
    return {
        "schema": TEXT
        | {"description": "A header of features, then a row for each record."},
        "examples": name_examples({"table": text.decode()}),
    }
