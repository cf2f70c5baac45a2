"""Whatever is sent, the answer is 200 or a problem of the client's, and the next good request is answered."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from python.api.bodies import Reader
from python.app import create_app
from python.errors import ServiceError
from python.settings import Settings
from tests.laws import strict
from tests.models import build
from tests.serving import served

NAMES = ["build_rf_binary", "logistic", "lightgbm", "pipeline", "poisson"]
CLIENTS = {name: create_app(Settings(), served(name)).test_client() for name in NAMES}

numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.sampled_from([1e39, -1e39, 1e308, 5e-324]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=5))
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
)
examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def record(name: str) -> st.SearchStrategy[Any]:
    """Records that are nearly right: each value is of the right type, of another or absent."""
    features = served(name).schema.features
    right = {
        feature.name: st.sampled_from(feature.categories)
        if hasattr(feature, "categories")
        else numbers
        for feature in features
    }
    nearly = st.fixed_dictionaries(
        {},
        optional={
            key: st.one_of(value, value, value, scalars) for key, value in right.items()
        },
    )
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
    path = draw(
        st.sampled_from(
            [
                "/predict",
                "/predict?proba=1",
                "/predict?explain=1",
                "/predict?proba=1&explain=1",
                "/preprocess",
            ]
        )
    )
    body = st.one_of(
        payload(name).map(lambda value: json.dumps(value).encode()),
        st.binary(max_size=40),
    )
    return name, path, draw(body)


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
def test_no_request_is_the_services_fault(request: tuple[str, str, bytes]) -> None:
    name, path, body = request
    response = CLIENTS[name].post(path, data=body)
    assert response.status_code in (200, 400, 422), response.text
    assert response.mimetype == (
        "application/json"
        if response.status_code == 200
        else "application/problem+json"
    )
    strict(response.data)
    assert (
        CLIENTS[name].post("/predict", json=build(name).records(1)).status_code == 200
    )


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
@pytest.mark.parametrize("reject_unknown", [True, False])
def test_the_fast_and_the_thorough_pass_agree(
    reject_unknown: bool, data: st.DataObject
) -> None:
    name = data.draw(
        st.sampled_from(
            [
                "build_rf_binary",
                "logistic",
                "lightgbm",
                "catboost",
                "build_pipeline_regression",
            ]
        )
    )
    value = data.draw(
        st.one_of(record(name), st.lists(record(name), min_size=1, max_size=3))
    )
    schema = served(name).schema
    try:
        Reader(schema, reject_unknown=reject_unknown).read(json.dumps(value).encode())
        taken = True
    except ServiceError as error:
        assert error.errors
        taken = False
    records = value if isinstance(value, list) else [value]
    assert taken == (not schema.faults(records, reject_unknown=reject_unknown))
