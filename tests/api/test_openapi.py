"""The OpenAPI document: what it allows is taken, what it does not is refused, and responses fit."""

import json
from concurrent.futures import Future
from typing import Any

import pandas as pd
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from sklearn.tree import DecisionTreeClassifier

from python.api import openapi
from python.app import create_app
from python.model.base import Model
from python.settings import Settings
from tests.artifacts import X, content, features_with, load
from tests.described import DESCRIBED, OTHER_RESPONSES, model_of
from tests.laws import strict
from tests.models import build
from tests.problems import problem
from tests.serving import Client, served

OPEN = {"/health", "/ready"}
# Pages for people, and the document itself.
NOT_DESCRIBED = {
    "/openapi.json",
    "/docs",
    "/docs/<name>",
    "/",
    "/page/model",
}
BODY = ("/predict", "post", "requestBody")


def document_of(client: FlaskClient) -> Any:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    return strict(response.data)


def client_of(name: str, **settings: Any) -> FlaskClient:
    return create_app(Settings(**settings), model_of(name)).test_client()


def validator(document: Any, schema: Any) -> Draft202012Validator:
    """Return what validates a schema of the document, whose references it finds."""
    whole = {**schema, "components": document["components"]}
    return Draft202012Validator(whole)


def check_response(document: Any, path: str, response: Any) -> None:
    """Assert that the document has this response, and that its body fits."""
    (operation,) = document["paths"][path.partition("?")[0]].values()
    responses = operation["responses"]
    described = responses[str(response.status_code)]
    schema = described["content"][response.mimetype]["schema"]
    body = response.text
    if response.is_json:
        body = strict(response.data)
    validator(document, schema).validate(body)


def takes(document: Any, body: Any) -> bool:
    """Return whether a body fits the document."""
    operation = document["paths"]["/predict"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return bool(validator(document, schema).is_valid(body))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*DESCRIBED, *OTHER_RESPONSES])
def test_the_document_is_valid_and_every_response_fits_it(name: str) -> None:
    client = client_of(name)
    document = document_of(client)
    validate(document)
    for path in ("/health", "/ready", "/service-info", "/info", "/features"):
        check_response(document, path, client.get(path))
    record = model_of(name).example()
    bodies = [
        record,
        [record, record],
        {"_data": record, "_samples": [record]},
    ]
    for body in bodies:
        assert takes(document, body)
        for query in ("", "?proba=1", "?explain=1", "?proba=1&explain=1"):
            response = client.post(f"/predict{query}", json=body)
            assert response.status_code in (200, 422)
            check_response(document, f"/predict{query}", response)
        response = client.post("/preprocess", json=body)
        assert response.status_code == 200
        check_response(document, "/preprocess", response)
    table = client.post(
        "/predict", json=bodies[1], headers={"Accept": "text/csv"}
    )
    assert table.mimetype == "text/csv"
    check_response(document, "/predict", table)


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_examples_work(name: str) -> None:
    client = client_of(name)
    document = document_of(client)
    for path in ("/predict", "/preprocess"):
        operation = document["paths"][path]["post"]
        for media_type, described in operation["requestBody"][
            "content"
        ].items():
            for example in described["examples"].values():
                body = example["value"]
                if media_type == "application/json":
                    assert takes(document, body)
                    body = json.dumps(body)
                response = client.post(
                    path, data=body, content_type=media_type
                )
                assert response.status_code == 200, response.text
    operation = document["paths"]["/predict"]["post"]
    bodies = operation["requestBody"]["content"]
    returned = operation["responses"]["200"]["content"]
    answers = {
        "prediction": "",
        "probabilities": "?proba=1",
        "explanation": "?explain=1",
    }
    examples = returned["application/json"]["examples"]
    assert set(examples) <= set(answers)
    record = bodies["application/json"]["examples"]["record"]["value"]
    needs_samples = (
        client.get("/info").get_json()["model"].get("needs_samples")
    )
    envelope = bodies["application/json"]["examples"]["envelope"]["value"]
    for kind, query in answers.items():
        has_background = kind == "explanation" and needs_samples
        body = envelope if has_background else record
        response = client.post(f"/predict{query}", json=body)
        assert (response.status_code == 200) == (kind in examples)
        if kind in examples:
            assert strict(response.data) == examples[kind]["value"]
    table = bodies["text/csv"]["examples"]["table"]["value"]
    response = client.post(
        "/predict",
        data=table,
        content_type="text/csv",
        headers={"Accept": "text/csv"},
    )
    assert response.mimetype == "text/csv"
    example = returned["text/csv"]["examples"]["table"]["value"]
    assert response.text == example


def test_an_explanation_is_shown_once_it_is_proven() -> None:
    model = load(content(samples=X))
    client = create_app(Settings(), model).test_client()

    def shown() -> dict[str, Any]:
        operation = document_of(client)["paths"]["/predict"]["post"]
        returned = operation["responses"]["200"]["content"]
        examples: dict[str, Any] = returned["application/json"]["examples"]
        return examples

    assert "explanation" not in shown()
    model.prepare_explanations()
    explanation = shown()["explanation"]["value"]
    total = sum(explanation["explanation"].values())
    row = pd.DataFrame([model.example()])[list(X)]
    (margin,) = model.estimator.decision_function(row)
    assert explanation["base_value"] + total == pytest.approx(margin)


def test_no_document_waits_for_an_explanation_that_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = load(content(samples=X))
    model.prepare_explanations()
    monkeypatch.setattr(model, "explained_at_once", lambda _: 99)
    monkeypatch.delattr(type(model), "explain")
    client = create_app(Settings(), model).test_client()
    operation = document_of(client)["paths"]["/predict"]["post"]
    returned = operation["responses"]["200"]["content"]
    assert "explanation" not in returned["application/json"]["examples"]


LABELS: dict[str, tuple[list[Any], Any]] = {
    "texts": (["no", "yes", "yes"], {"type": "string", "enum": ["no", "yes"]}),
    "whole numbers": ([3, 7, 7], {"type": "integer", "enum": [3, 7]}),
    "booleans": ([False, True, True], {"type": "boolean"}),
    "floats": ([1.0, 2.0, 2.0], {"type": ["number", "null"]}),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("names", [{}, {"class_names": ["first", "second"]}])
def test_the_labels_are_listed_where_they_are_known(
    kind: str, names: dict[str, list[str]]
) -> None:
    labels, expected = LABELS[kind]
    estimator = DecisionTreeClassifier().fit(X, labels)
    assert label_schema(content(model=estimator, **names)) == expected


def label_schema(whole: Any) -> Any:
    """Return what the document says of a label that is predicted."""
    client = create_app(Settings(), load(whole)).test_client()
    schema = document_of(client)["components"]["schemas"]["Prediction"]
    return schema["properties"]["prediction"]["items"]["oneOf"][0]


class Shouting(DecisionTreeClassifier):  # type: ignore[misc]
    """A classifier that predicts texts, and lists numbers, as CatBoost may."""

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        return super().predict(*args, **kwargs).astype(str)


def test_labels_of_another_type_than_listed_are_no_enum() -> None:
    estimator = Shouting().fit(X, [0, 1, 1])
    assert label_schema(content(model=estimator)) == {"type": "string"}


def test_examples_are_those_of_the_file() -> None:
    document = document_of(client_of("build_pipeline_regression"))
    operation = document["paths"]["/preprocess"]["post"]
    examples = operation["requestBody"]["content"]["application/json"][
        "examples"
    ]
    rows = build("build_pipeline_regression").content["examples"]["records"]
    first_rows = rows.head(2).astype(object).to_dict("records")
    assert examples["records"]["value"] == first_rows
    assert examples["record"]["value"] == first_rows[0]


CASES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "numeric": ({}, [0, 1.5, -1e308, 10**30, "1", True, None, [], {}]),
    "float32": ({"dtype": "float32"}, [3.4e38, 3.5e38, -3.5e38, 1]),
    "integer": (
        {"type": "integer"},
        [3, 3.0, 3.5, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, True, "3"],
    ),
    "int8": ({"type": "integer", "dtype": "int8"}, [127, 128, -129, 1e2]),
    "boolean": ({"type": "boolean"}, [True, False, 0, 1, "true", None]),
    "default": ({"type": "boolean", "default": False}, [None, True, 0]),
    "string": ({"type": "string"}, ["", "\0é", 1, None]),
    "texts": (
        {"type": "category", "categories": ["a", "b"]},
        ["a", "c", 1, None],
    ),
    "numbers": (
        {"type": "category", "categories": [1, 2.5], "accepts_missing": True},
        [1, 1.0, 2.5, 2, "1", True, None],
    ),
    "a mixture": (
        {"type": "category", "categories": ["a", 1], "default": "a"},
        ["a", 1, "1", True, None],
    ),
    "nanoseconds": (
        {"type": "datetime", "dtype": "datetime64[ns]"},
        [
            "1677-12-31",
            "1678-01-01",
            "1900-02-29",
            "2000-02-29",
            "2261-12-31",
            "2262-01-01",
            "2024-02-30",
        ],
    ),
    "microseconds": (
        {"type": "datetime", "dtype": "datetime64[us]"},
        [
            "0001-12-31",
            "0002-01-01",
            "9998-12-31",
            "9999-01-01",
            "0400-02-29",
            "0300-02-29",
            "2023-02-29",
            "2024-02-29",
        ],
    ),
    "times": (
        {"type": "datetime"},
        [
            "2024-05-31T12:30",
            "2024-05-31 12:30:15.25",
            "2024-05-31T12:30:00+02:00",
            "2024-05-31T10:30:00Z",
            "2024-05-31T24:00",
            "2024-05-31T12",
            "2024-05-31T12:60",
            "2024-05-31T12:30+24:00",
            "2024-05-31T12:30+0200",
            "2024-05-31T12:30+01:60",
            "20240531",
            "31.05.2024",
            0,
        ],
    ),
}


class Anything:
    """An estimator that takes whatever its schema takes."""

    def predict(self, X: Any) -> list[int]:
        return [1] * len(X)


class Labels:
    """An estimator of which nobody knows what other labels it has: there is nothing to explain."""

    def predict(self, X: Any) -> list[str]:
        return ["yes"] * len(X)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("policy", ["reject", "ignore"])
def test_the_document_takes_what_the_service_takes(
    name: str, policy: str
) -> None:
    entry, values = CASES[name]
    entry = {"accepts_missing": False} | entry
    model = load(content(features_with(**entry), Anything()))
    settings = Settings(unknown_features=policy)  # type: ignore[arg-type]
    client = create_app(settings, model).test_client()
    document = document_of(client)
    records: list[Any] = [{"x": value, "y": 1} for value in values]
    bodies = [*records, {"y": 1}, {}, [], {"x": values[0]}, 1]
    bodies += [{"_data": records[0]}, {"_data": []}]
    bodies += [records[:2], {"_samples": records[0]}]
    bodies += [records[0] | {"z": 1}, {"z": 1}, {"_data": records[0], "z": 1}]
    for body in bodies:
        response = client.post("/predict", json=body)
        assert response.status_code in (200, 400, 422)
        is_taken = response.status_code == 200
        assert takes(document, body) == is_taken, (body, response.text)


@pytest.mark.parametrize("policy", ["reject", "ignore"])
def test_a_record_of_optional_features_has_at_least_one(policy: str) -> None:
    entry = {"default": 0}
    features = [{"name": name, "type": "numeric", **entry} for name in "xy"]
    settings = Settings(unknown_features=policy)  # type: ignore[arg-type]
    client = create_app(settings, load(content(features))).test_client()
    document = document_of(client)
    for body in ({}, {"x": None}, {"y": 1}, {"z": 1}, {"z": 1, "x": 1}):
        is_taken = client.post("/predict", json=body).status_code == 200
        assert takes(document, body) == is_taken, body


def test_what_is_said_of_a_feature() -> None:
    entry = {"description": "In metres.", "default": -1}
    whole = content(features_with(**entry), profile={"x": {"range": [0, 9.5]}})
    document = document_of(create_app(Settings(), load(whole)).test_client())
    record = document["components"]["schemas"]["Record"]
    assert record["properties"]["x"] == {
        "type": ["number", "null"],
        "format": "double",
        "default": -1,
        "description": "In metres. The default stands in for null. "
        "In the training data, it was from 0 to 9.5.",
        "examples": [-1.0],
    }
    assert record["required"] == ["y"]


@pytest.mark.parametrize("profile", [None, 7, {"x": 7}, {"x": {}}])
def test_a_profile_of_another_kind_costs_nothing(profile: Any) -> None:
    model = load(content(profile=profile))
    document = document_of(create_app(Settings(), model).test_client())
    record = document["components"]["schemas"]["Record"]
    assert record["properties"]["x"]["description"] == ""


def test_flags_are_the_four_values(client: Client) -> None:
    document = document_of(client())
    parameters = document["paths"]["/predict"]["post"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == [
        "proba",
        "explain",
    ]
    flag = document["components"]["schemas"]["Flag"]
    assert sorted(flag["enum"]) == ["0", "1", "false", "true"]


def test_a_flag_that_would_be_refused_is_not_there() -> None:
    model = load(content(model=Labels()))
    app = create_app(Settings(), model)
    parameters = document_of(app.test_client())["paths"]["/predict"]["post"][
        "parameters"
    ]
    assert [parameter["name"] for parameter in parameters] == ["explain"]
    model.prepare_explanations()
    assert model.info()["is_explainable"] is False
    operation = document_of(app.test_client())["paths"]["/predict"]["post"]
    assert operation["parameters"] == []


def test_the_version_is_the_model_s() -> None:
    whole = content(versions={})
    whole["metadata"]["version"] = 3
    whole["metadata"]["name"] = "credit"
    model = load(whole)
    info = document_of(create_app(Settings(), model).test_client())["info"]
    assert info["version"] == "3"
    assert info["title"] == "Predictions of credit"
    by_file = served("build_rf_binary")
    client = create_app(Settings(), by_file).test_client()
    response = client.get("/openapi.json")
    version = response.headers["X-Model-Version"]
    assert strict(response.data)["info"]["version"] == version


def test_every_route_is_described(client: Client) -> None:
    service = client()
    routes = {rule.rule for rule in service.application.url_map.iter_rules()}
    assert set(document_of(service)["paths"]) == routes - NOT_DESCRIBED


def test_a_key_is_asked_for_except_by_probes(client: Client) -> None:
    service = client(api_key="s3cret")
    problem(service.get("/openapi.json"), 401)
    service.environ_base["HTTP_X_API_KEY"] = "s3cret"
    document = document_of(service)
    validate(document)
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    for path, methods in document["paths"].items():
        (operation,) = methods.values()
        assert ("401" in operation["responses"]) == (path not in OPEN)
        assert ("security" in operation) == (path not in OPEN)
    assert "s3cret" not in json.dumps(document)
    assert "securitySchemes" not in document_of(client())["components"]


def test_there_is_no_document_without_a_model() -> None:
    future: Future[Model] = Future()
    client = create_app(Settings(), future).test_client()
    response = client.get("/openapi.json")
    problem(response, 503, "not ready")
    assert response.headers["Retry-After"]


def test_the_document_is_made_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client("build_linear_binary", model_name="once.joblib")
    document_of(service)
    monkeypatch.delattr(openapi, "make_document")
    document_of(service)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("GET", "/predict")]
)
def test_who_is_lost_is_led_to_the_document(
    method: str, path: str, client: Client
) -> None:
    link = client().open(path, method=method).headers["Link"]
    assert link == '</openapi.json>; rel="service-desc"'
