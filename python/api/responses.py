"""Responses: strict JSON of everything that leaves, be it an array or a problem document."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from http import HTTPStatus
from itertools import starmap
from typing import Any

import msgspec
from flask import Response

from python.errors import ArtifactError
from python.model.base import Explanation, Model, Predictions
from python.model.tabular.lines import write_header, write_rows
from python.model.tabular.results import Results, list_cells
from python.model.types import Matrix

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv"

SHOWN_CHARACTERS = 20

Content = dict[str, object]
"""The members of a JSON object."""


def respond(
    content: object,
    status: int = HTTPStatus.OK,
    mimetype: str = JSON_TYPE,
) -> Response:
    """Return a response with the content as strict JSON.

    The order of keys is kept; NaN and infinity become null.
    """
    return Response(ENCODER.encode(content), status, mimetype=mimetype)


def respond_csv(results: Results) -> Response:
    """Return a response of CSV."""
    return Response(encode_csv(results), mimetype=CSV_TYPE)


def encode_csv(results: Results) -> bytes:
    """Return CSV with a header; an empty cell is what JSON has null for."""
    columns = {}
    for name, column in results.items():
        columns[name] = list_cells(column)
    return write_header(list(columns)) + write_rows(columns)


def info_content(model: Model) -> Content:
    """Return what the model is, and the features that it takes."""
    metadata = {**model.metadata, "features": encode_features(model)}
    return {"metadata": metadata, "model": model.info()}


def check_info(model: Model) -> None:
    """Raise ArtifactError if what the service says of a model cannot be written as JSON."""
    try:
        ENCODER.encode([info_content(model), model.labels, model.profile])
    except UnicodeEncodeError as error:
        text = ascii(error.object[: error.end][-SHOWN_CHARACTERS:])
        raise ArtifactError(
            f"a text of the artifact has half of a surrogate pair, the last of {text}; "
            "was the data read in another encoding than its own?"
        ) from error
    except RecursionError as error:
        raise ArtifactError(
            "the artifact's metadata or profile holds itself, or is too deep for JSON"
        ) from error


# There is one model, and its features stay what they are: hundreds take as long as all else.
@lru_cache(maxsize=1)
def encode_features(model: Model) -> msgspec.Raw:
    """Return the features that the model takes, as JSON."""
    return msgspec.Raw(ENCODER.encode(model.features()))


def prediction_content(
    model: Model,
    predictions: Predictions,
    *,
    proba: bool,
) -> Content:
    """Return labels or numbers; with `proba`, probabilities by class name.

    There is an object of probabilities for each record, or a list of them, one for each output,
    where the model has several. Labels come with scores where the model has some.
    """
    if proba:
        return {"prediction": _name_probabilities(model, predictions)}
    content: Content = {"prediction": predictions.prediction.tolist()}
    if predictions.scores is not None:
        content["score"] = predictions.scores.tolist()
    return content


def _name_probabilities(model: Model, predictions: Predictions) -> list[Any]:
    if model.class_names_by_output is None:
        classes = model.class_names or []
        return name_columns(classes, predictions.probabilities)
    by_output = zip(
        model.class_names_by_output,
        predictions.probabilities_by_output,
        strict=True,
    )
    named = [name_columns(classes, table) for classes, table in by_output]
    return list(zip(*named, strict=True))


def explanation_content(
    model: Model,
    explanation: Explanation,
    *,
    single: bool,
) -> Content:
    """Return the SHAP values of each record, the base value, and what they add up to.

    The values of each class are an object of their own where there are several, and those of each
    output an item of a list. `single` records are not in a list. Values that are sampled come with
    their standard errors.
    """
    content: Content = {
        "explanation": name_values(model, explanation.values, single=single),
        "base_value": name_base_value(model, explanation.base_value),
        "explained_output": explanation.output,
    }
    if explanation.standard_error is not None:
        content["standard_error"] = name_values(
            model, explanation.standard_error, single=single
        )
    return content


def name_values(model: Model, values: Matrix, *, single: bool) -> object:
    """Return an object of the features for each record, or one by class where there are several.

    `values` is (n_records, n_features), or (n_records, n_features, n_classes). The classes of
    several outputs stand side by side; each record then has a list.
    """
    features = model.schema.names
    by_output = []
    for classes, table in _split_outputs(model, values):
        if classes:
            by_output.append(name_classes(classes, features, table))
        else:
            by_output.append(name_columns(features, table[..., 0]))
    records: list[object] = by_output[0]
    if len(by_output) > 1:
        records = list(zip(*by_output, strict=True))
    return records[0] if single else records


def name_base_value(model: Model, base_value: Matrix) -> object:
    """Return a number, an object by class where there are several, or a list of these by output."""
    by_output: list[object] = []
    for classes, numbers in _split_outputs(model, base_value[None, None]):
        of_classes = numbers[0, 0].tolist()
        if classes:
            by_output.append(dict(zip(classes, of_classes, strict=True)))
        else:
            by_output += of_classes
    return by_output if len(by_output) > 1 else by_output[0]


def _split_outputs(
    model: Model, values: Matrix
) -> Iterator[tuple[Sequence[str], Matrix]]:
    """Yield for each output its classes and its part of the values, (n_records, n_features, n)."""
    by_class = values.reshape(*values.shape[:2], -1)
    start = 0
    for classes in model.explained_classes:
        stop = start + max(1, len(classes))
        yield classes, by_class[..., start:stop]
        start = stop


def records_content(
    names: Sequence[str],
    columns: Iterable[Sequence[object]],
) -> list[Content]:
    """Return a record for each row of the columns."""
    records: list[Content] = []
    for row in zip(*columns, strict=True):
        records.append(dict(zip(names, row, strict=True)))
    return records


def name_columns(names: Sequence[str], table: Matrix) -> list[object]:
    """Return an object of the names for each row of the table, (n_rows, n_names)."""
    make_object = object_maker(tuple(names))
    return list(starmap(make_object, table.tolist()))


def name_classes(
    classes: Sequence[str],
    features: Sequence[str],
    values: Matrix,
) -> list[object]:
    """Return an object of the classes for each record of (n_records, n_features, n_classes)."""
    records: list[object] = []
    for by_class in values.swapaxes(1, 2):
        named = name_columns(features, by_class)
        records.append(dict(zip(classes, named, strict=True)))
    return records


# To make such a struct takes 20 microseconds.
@lru_cache(maxsize=16)
def object_maker(names: tuple[str, ...]) -> Callable[..., object]:
    """Return a function from the values that belong to the names to an object of both.

    The object is a struct, which takes a fifth of the time that a dict takes; it is a dict for
    names that a struct cannot have: with a quotation mark, a backslash or a control character.
    """

    def make_dict(*values: object) -> Content:
        return dict(zip(names, values, strict=True))

    fields = [f"value{number}" for number in range(len(names))]
    renamed = dict(zip(fields, names, strict=True))
    try:
        return msgspec.defstruct("Object", fields, rename=renamed, gc=False)
    except ValueError:
        return make_dict


def _encode_other(value: object) -> object:
    """Return what JSON has for a value of another library: its items, or else its text.

    Metadata may bring values of any kind.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


ENCODER = msgspec.json.Encoder(enc_hook=_encode_other)
