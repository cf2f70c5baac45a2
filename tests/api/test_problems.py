"""Problem documents: the pointers in them, and faults of ours."""

import logging

import pytest

from python.api.problems import pointer
from python.app import create_app
from python.settings import Settings
from tests.problems import problem
from tests.serving import Client, load_odd

# Its point keeps it from being found by chance in an id or an address.
VALUE = 7654.25


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), "#"),
        ((0,), "#/0"),
        (("_data", 1, "feature2"), "#/_data/1/feature2"),
        (("a/b",), "#/a~1b"),
        (("m~n",), "#/m~0n"),
        (("~1",), "#/~01"),
        ((" ",), "#/%20"),
        (("%",), "#/%25"),
        (("c^d",), "#/c%5Ed"),
        (('k"l',), "#/k%22l"),
        (("größe",), "#/gr%C3%B6%C3%9Fe"),
        (("a:b@c?d",), "#/a:b@c?d"),
        (("",), "#/"),
    ],
)
def test_a_pointer_is_a_fragment_as_rfc_6901_has_it(
    steps: tuple[str | int, ...], expected: str
) -> None:
    assert pointer(*steps) == expected


def test_what_flask_refuses_keeps_its_headers(client: Client) -> None:
    response = client().get("/predict")
    document = problem(response, 405)
    assert set(document) == {"title", "status", "detail", "trace_id"}
    assert response.headers["Allow"]
    assert response.content_length == len(response.data)


def test_a_fault_of_ours_shows_an_id_and_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = load_odd()
    model.estimator.broken = True
    client = create_app(Settings(), model).test_client()
    response = client.post(
        "/predict", json={"x": VALUE}, headers={"X-Request-ID": "abc-1"}
    )
    document = problem(response, 500)
    assert (
        document["request_id"] == response.headers["X-Request-ID"] == "abc-1"
    )
    assert "RuntimeError" not in response.text
    logged = next(
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.ERROR
    )
    assert "RuntimeError" in logged
    assert "in predict" in logged
    assert str(VALUE) not in caplog.text
    model.estimator.broken = False
    assert client.post("/predict", json={"x": 1}).status_code == 200


def test_a_value_that_a_model_stumbles_over_is_pointed_at_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = create_app(Settings(), load_odd()).test_client()
    errors = {"#/0/x": "the model does not take this value"}
    problem(
        client.post("/predict", json=[{"x": VALUE}, {"x": 1}]),
        422,
        "the model does not take these values",
        errors,
    )
    assert "RuntimeError" in caplog.text
    assert str(VALUE) not in caplog.text
