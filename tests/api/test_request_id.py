"""The id of a request, and the version of the model."""

from concurrent.futures import Future

import pytest

from python.api.request_id import request_id
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
    assert request_id() == "-"


def test_a_request_that_has_not_come_in_from_outside_has_no_id() -> None:
    with create_app(Settings(), load_odd()).test_request_context():
        assert request_id() == "-"
