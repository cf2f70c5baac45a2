"""Whatever is sent, the answer is 200 or a problem of the client's, and the next good request is answered."""

import json
from functools import cache
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from python.api.bodies import Reader
from python.app import create_app
from python.errors import ServiceError
from python.model.data.features import Category
from python.settings import Settings
from tests.laws import strict
from tests.models import build
from tests.serving import served

NAMES = ["build_rf_binary", "logistic", "lightgbm", "pipeline", "poisson"]
READ_NAMES = [
    "build_rf_binary",
    "logistic",
    "lightgbm",
    "catboost",
    "build_pipeline_regression",
]
PATHS = [
    "/predict",
    "/predict?proba=1",
    "/predict?explain=1",
    "/predict?proba=1&explain=1",
    "/preprocess",
]


@cache
def client_of(name: str) -> FlaskClient:
    return create_app(Settings(), served(name)).test_client()


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.sampled_from([1e39, -1e39, 1e308, 5e-324]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5))


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    objects = st.dictionaries(st.text(max_size=5), inner, max_size=3)
    return st.lists(inner, max_size=3) | objects


anything = st.recursive(scalars, nested)
examples = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def record(name: str) -> st.SearchStrategy[Any]:
    """Records that are nearly right: each value is of the right type, of another or absent."""
    features = served(name).schema.features
    right: dict[str, st.SearchStrategy[Any]] = {}
    nearly_right: dict[str, st.SearchStrategy[Any]] = {}
    for feature in features:
        value: st.SearchStrategy[Any] = numbers
        if isinstance(feature, Category):
            value = st.sampled_from(feature.categories)
        right[feature.name] = value
        nearly_right[feature.name] = st.one_of(value, value, value, scalars)
    nearly = st.fixed_dictionaries({}, optional=nearly_right)
    return st.one_of(
        st.fixed_dictionaries(right),
        nearly,
        nearly.map(lambda record: record | {"unknown": 1}),
    )


def payload(name: str) -> st.SearchStrategy[Any]:
    some = st.one_of(record(name), st.lists(record(name), max_size=3))
    return st.one_of(
        some,
        some,
        st.fixed_dictionaries({"_data": some}, optional={"_samples": some}),
        anything,
    )


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bytes]:
    name = draw(st.sampled_from(NAMES))
    path = draw(st.sampled_from(PATHS))
    document = payload(name).map(lambda value: json.dumps(value).encode())
    body = draw(st.one_of(document, st.binary(max_size=40)))
    return name, path, body


@pytest.mark.slow
@examples
@given(requests())
@example(
    (
        "logistic",
        "/predict?explain=1",
        b'{"size": 1e308, "a/b ~c": -1e308, "gr\xc3\xb6\xc3\x9fe": 1e308}',
    )
)
@example(
    (
        "poisson",
        "/predict?explain=1",
        b'{"size": 1e308, "a/b ~c": 1e308, "gr\xc3\xb6\xc3\x9fe": 1e308}',
    )
)
@example(("build_rf_binary", "/predict", b"\x00"))
def test_no_request_is_the_services_fault(
    request: tuple[str, str, bytes],
) -> None:
    name, path, body = request
    client = client_of(name)
    response = client.post(path, data=body)
    assert response.status_code in (200, 400, 422), response.text
    is_answered = response.status_code == 200
    media_type = (
        "application/json" if is_answered else "application/problem+json"
    )
    assert response.mimetype == media_type
    strict(response.data)
    good = client.post("/predict", json=build(name).records(1))
    assert good.status_code == 200


@pytest.mark.slow
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.data())
@pytest.mark.parametrize("reject_unknown", [True, False])
def test_the_fast_and_the_thorough_pass_agree(
    reject_unknown: bool, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(READ_NAMES))
    records_of_model = st.lists(record(name), min_size=1, max_size=3)
    value = data.draw(st.one_of(record(name), records_of_model))
    schema = served(name).schema
    try:
        Reader(schema, reject_unknown=reject_unknown).read(
            json.dumps(value).encode()
        )
        taken = True
    except ServiceError as error:
        assert error.errors
        taken = False
    records = value if isinstance(value, list) else [value]
    assert taken == (not schema.faults(records, reject_unknown=reject_unknown))
