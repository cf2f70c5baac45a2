"""The id of a request, and the version of the model."""

from concurrent.futures import Future
from typing import Any

import pytest
from flask import Flask

from python.api.exchange import (
    Exchange,
    current_exchange,
    follow_exchanges,
)
from python.app import create_app
from python.model.base import Model
from python.settings import Settings
from tests.serving import Client, load_odd


def test_a_request_id_that_is_sent_comes_back(client: Client) -> None:
    sent = "Root=1-67891233-abcdef012345678912345678"
    response = client().get("/health", headers={"X-Request-ID": sent})
    assert response.headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "é"])
def test_a_request_id_that_is_none_is_replaced(
    sent: str, client: Client
) -> None:
    given = (
        client()
        .get("/health", headers={"X-Request-ID": sent})
        .headers["X-Request-ID"]
    )
    assert given != sent
    assert len(given) == 32


def test_each_response_names_the_model_once_there_is_one() -> None:
    model = load_odd()
    future: Future[Model] = Future()
    client = create_app(Settings(), future).test_client()
    assert "X-Model-Version" not in client.get("/health").headers
    future.set_result(model)
    for path in ("/health", "/info", "/nowhere"):
        assert client.get(path).headers["X-Model-Version"] == model.version


def test_without_a_request_there_is_no_id() -> None:
    assert current_exchange() is None


def test_a_request_that_has_not_come_in_from_outside_has_no_id() -> None:
    with create_app(Settings(), load_odd()).test_request_context():
        assert current_exchange() is None


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "sent",
    [
        f"00-{TRACE}-00f067aa0ba902b7-01",
        f"cc-{TRACE}-00f067aa0ba902b7-01-more",
    ],
)
def test_the_trace_of_a_traceparent_comes_back(
    sent: str, client: Client
) -> None:
    response: Any = client().get("/nowhere", headers={"traceparent": sent})
    assert response.headers["X-Trace-ID"] == TRACE
    assert response.json["trace_id"] == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        "",
        TRACE,
        f"00-{TRACE}-00f067aa0ba902b7",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01" * 200,
        f"00-{TRACE}-00f067aa0ba902b7-é1",
    ],
)
def test_a_traceparent_that_is_none_is_replaced(
    sent: str, client: Client
) -> None:
    headers = client().get("/health", headers={"traceparent": sent}).headers
    assert headers["X-Trace-ID"] not in (TRACE, "0" * 32)
    assert len(headers["X-Trace-ID"]) == 32
    assert headers["X-Request-ID"] == headers["X-Trace-ID"]


def test_a_follower_that_fails_takes_no_response_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Flask(__name__)
    told = []

    def fail(exchange: Exchange) -> None:
        raise OSError(f"no room for {exchange.request_id}")

    follow_exchanges(
        app,
        lambda: "1",
        [fail, lambda exchange: told.append(exchange.status)],
    )
    assert app.test_client().get("/nowhere").status_code == 404
    assert told == [404]
    assert "could not be followed" in caplog.text
