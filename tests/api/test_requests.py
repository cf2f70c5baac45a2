"""Headers, lengths and what an explanation may cost: what is taken, what is refused and how."""

import json
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from sklearn.cluster import KMeans
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from python.api.bodies import reader
from python.app import create_app
from python.settings import Settings
from tests.artifacts import client_of, content, load, post
from tests.laws import ask, ask_info
from tests.models import build
from tests.problems import problem
from tests.serving import Client

BODY = '{"feature1": 1, "feature2": 1, "feature3": 2}'


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "application/json; charset=UTF-8", "application/vnd.api+json", "application/x-www-form-urlencoded", "text/plain", "something/new"],
)  # fmt: skip
def test_a_body_is_json_whatever_it_is_called(
    content_type: str, client: Client
) -> None:
    response = client().post(
        "/predict",
        data=BODY,
        headers={"Content-Type": content_type} if content_type else {},
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (
            {"Content-Type": "text/html"},
            "must be application/json or text/csv, not text/html",
        ),
        ({"Content-Type": "application/xml"}, "not application/xml"),
        ({"Content-Type": "image/svg+xml"}, "not image/svg+xml"),
        ({"Content-Type": "application/atom+xml"}, "not application/atom+xml"),
        (
            {"Content-Type": "application/x-msgpack"},
            "not application/x-msgpack",
        ),
        (
            {"Content-Type": "application/vnd.apache.parquet"},
            "not application/vnd.apache.parquet",
        ),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            "not multipart/form-data",
        ),
        (
            {"Content-Type": "application/json; charset=latin-1"},
            "must be UTF-8, not latin-1",
        ),
        ({"Content-Encoding": "gzip"}, "must not be compressed, and is gzip"),
    ],
)
def test_a_body_that_says_it_is_something_else(
    headers: dict[str, str], detail: str, client: Client
) -> None:
    problem(client().post("/predict", data=BODY, headers=headers), 415, detail)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"Content-Type": "image/" + "x" * 494}, "image/" + "x" * 39),
        ({"Content-Type": f"text/plain; charset={'x' * 500}"}, "x" * 45),
        ({"Content-Encoding": "x" * 500}, "x" * 45),
    ],
)
def test_a_header_that_is_repeated_is_cut(
    headers: dict[str, str], shown: str, client: Client
) -> None:
    response = client().post("/predict", data=BODY, headers=headers)
    end = f" {shown}…{'x' * 15} (500 characters)"
    assert problem(response, 415)["detail"].endswith(end)


@pytest.mark.parametrize("path", ["/predict", "/preprocess"])
def test_a_body_over_the_limit(path: str, client: Client) -> None:
    small = client(max_content_length=len(BODY))
    assert small.post(path, data=BODY).status_code == 200
    problem(
        small.post(path, data=BODY + " "),
        413,
        f"larger than the {len(BODY)} bytes",
    )


@pytest.mark.parametrize("length", ["abc", "-1", "+5", "0x10"])
def test_a_length_that_is_no_number(length: str, client: Client) -> None:
    response = client().post(
        "/predict", data=BODY, environ_overrides={"CONTENT_LENGTH": length}
    )
    problem(response, 400, "the Content-Length is not a number of bytes")


def test_a_body_that_is_cut_short(client: Client) -> None:
    response = client().post(
        "/predict",
        data=BODY,
        environ_overrides={"CONTENT_LENGTH": str(len(BODY) + 1)},
    )
    problem(response, 400, "the body ended before its Content-Length")


@pytest.mark.parametrize(
    "records",
    [
        [{"feature1": 1}] * 4,
        {"_data": {"feature1": 1}, "_samples": [{"feature1": 1}] * 4},
    ],
)
def test_more_rows_to_explain_than_set(
    records: object, client: Client
) -> None:
    few = client(max_explain_rows=3)
    assert few.post("/predict", json=records).status_code == 200
    problem(
        few.post("/predict?explain=1", json=records),
        413,
        "at most 3 of each are taken",
    )


@pytest.mark.parametrize(
    "name",
    [
        "build_rf_regression",
        "linear margin",
        "several outputs",
    ],
)
def test_a_model_without_probabilities(name: str, client: Client) -> None:
    problem(
        client(name).post("/predict?proba=1", json=build(name).records()),
        422,
        "has no probabilities",
    )


def test_a_model_that_cannot_be_explained() -> None:
    names = ["feature1", "feature2"]
    clusters = KMeans(2, n_init=1).fit([[0.0, 1.0], [5.0, 6.0], [0.0, 2.0]])
    entries = [{"name": name, "type": "numeric"} for name in names]
    service = client_of(content(entries, clusters))
    info = ask_info(service)["model"]
    assert info["is_explainable"] is False
    problem(
        service.post(
            "/predict?explain=1", json={"feature1": 1, "feature2": 2}
        ),
        422,
        info["reason"],
    )


def test_a_model_that_needs_a_background(client: Client) -> None:
    service, records = (
        client("neighbours of a search"),
        build("neighbours of a search").records(),
    )
    info = ask_info(service)["model"]
    assert info["needs_samples"]
    assert info["is_explainable"]
    problem(
        service.post("/predict?explain=1", json=records),
        422,
        'send them as "_samples", or put "samples" into its file',
    )
    assert (
        ask(
            service,
            "/predict?explain=1",
            {"_data": records, "_samples": records},
        )["explained_output"]
        == "probability"
    )


def test_a_client_that_goes_away_while_it_sends_is_no_fault_of_the_service(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone:
        def read(self, _: int) -> bytes:
            raise OSError("timeout during read(100) on wsgi.input")

    answer = client().post(
        "/predict",
        environ_overrides={"wsgi.input": Gone(), "CONTENT_LENGTH": "100"},
    )
    assert answer.status_code == 400
    *_, record = caplog.records
    assert record.getMessage().startswith("POST /predict 400 in ")


TEXT = [{"name": "text", "type": "string"}]


def hashing_client(width: int) -> FlaskClient:
    hashing = HashingVectorizer(n_features=width)
    model = make_pipeline(hashing, LogisticRegression())
    return client_of(content(TEXT, model.fit(["good", "bad"], [1, 0])))


def test_preprocess_returns_no_more_values_than_a_response_holds() -> None:
    wide = hashing_client(2**20)
    body = '{"text": "good"}'
    detail = (
        "1 records x 1048576 columns are 1048576 values, "
        "at most 1000000 are returned"
    )
    problem(wide.post("/preprocess", data=body), 413, detail)
    assert wide.post("/predict", data=body).status_code == 200
    narrow = hashing_client(2**10)
    assert len(post(narrow, "/preprocess", [{"text": "good"}] * 9)) == 9
    many = json.dumps([{"text": "good"}] * 1000)
    detail = "1000 records x 1024 columns are 1024000 values"
    problem(narrow.post("/preprocess", data=many), 413, detail)


def test_a_model_without_steps_returns_no_more_values_either() -> None:
    records = [{"x": 1, "y": 2}] * 500_001
    response = client_of(content()).post(
        "/preprocess", data=json.dumps(records)
    )
    problem(response, 413, "500001 records x 2 columns are 1000002 values")


class Wide:
    """Predicts 0 for a record of many features, each of which has a default."""

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


@pytest.mark.parametrize(
    "form", ["%s", '{"_data": {"x1": 1}, "_samples": %s}']
)
def test_defaults_take_no_more_room_than_the_largest_body(form: str) -> None:
    entry = {"type": "numeric", "default": 0}
    features = [{"name": f"x{number}", **entry} for number in range(1000)]
    limit = 100_000
    settings = Settings(max_content_length=limit)
    app = create_app(settings, load(content(features, Wide())))
    client = app.test_client()
    detail = "x 1000 features are"
    records = json.dumps([{"x1": 1}] * 101)
    problem(client.post("/predict", data=form % records), 413, detail)
    fitting = json.dumps([{"x1": 1}] * 90)
    assert client.post("/predict", data=form % fitting).status_code == 200


def test_braces_in_a_text_are_no_records() -> None:
    entry = {"type": "string", "default": ""}
    features = [{"name": f"t{number}", **entry} for number in range(9)]
    settings = Settings(max_content_length=1000)
    model = load(content(features, Wide()))
    client = create_app(settings, model).test_client()
    body = json.dumps([{"t1": '{\\"{"' * 60}, {"t2": "{"}])
    assert body.count("{") * 9 > 1000 > len(body)
    assert client.post("/predict", data=body).status_code == 200


def test_probabilities_take_no_more_room_than_the_largest_body() -> None:
    labels = np.arange(100)
    model = DummyClassifier().fit(labels[:, None], labels)
    settings = Settings(max_content_length=1000)
    features = [{"name": "x", "type": "numeric"}]
    client = create_app(settings, load(content(features, model))).test_client()
    body = json.dumps([{"x": 1}] * 11)
    detail = (
        "11 records x 100 classes are 1100 values, at most 1000 are computed"
    )
    problem(client.post("/predict", data=body), 413, detail)
    body = json.dumps([{"x": 1}] * 10)
    assert client.post("/predict?proba=1", data=body).status_code == 200


def test_shap_values_are_no_more_than_a_response_holds() -> None:
    X = np.random.default_rng(0).normal(size=(60, 1200))
    model = DecisionTreeRegressor(max_depth=2, random_state=0)
    model.fit(X, X[:, 0])
    entry = {"type": "numeric", "default": 0}
    features = [{"name": f"x{number}", **entry} for number in range(1200)]
    client = client_of(content(features, model))
    body = json.dumps([{"x1": 1}] * 1000)
    detail = "1000 records x 1200 SHAP values are 1200000 values"
    problem(client.post("/predict?explain=1", data=body), 413, detail)


@pytest.mark.parametrize("unknown_features", ["reject", "ignore"])
def test_the_first_body_finds_its_reader_made(unknown_features: Any) -> None:
    model = load(build("build_rf_binary").content)
    settings = Settings(unknown_features=unknown_features)
    client = create_app(settings, model).test_client()
    made = reader.cache_info().misses
    assert client.post("/predict", data=BODY).status_code == 200
    assert reader.cache_info().misses == made
