"""The API key."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from python.api.auth import CHALLENGES
from tests.problems import problem
from tests.serving import Client, last_line


@pytest.mark.parametrize(
    "header",
    [
        {"Authorization": "Bearer s3cret"},
        {"Authorization": "bearer  s3cret"},
        {"X-API-Key": "s3cret"},
    ],
)
def test_the_right_key_lets_in(header: dict[str, str], client: Client) -> None:
    assert (
        client(api_key="s3cret").get("/info", headers=header).status_code
        == 200
    )


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic s3cret"},
        {"X-API-Key": ""},
        {"X-API-Key": "é"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/info", "/features", "/service-info", "/nowhere"]
)
def test_another_key_does_not(
    header: dict[str, str], path: str, client: Client
) -> None:
    response = client(api_key="s3cret").get(path, headers=header)
    problem(response, 401, "an API key is needed")
    assert response.headers["WWW-Authenticate"] == CHALLENGES
    assert "s3cret" not in response.text


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_need_none(path: str, client: Client) -> None:
    assert client(api_key="s3cret").get(path).status_code == 200


def test_a_refusal_names_both_headers(client: Client) -> None:
    service = client(api_key="s3cret")
    forms = "Authorization: Bearer <key>, or X-API-Key: <key>"
    problem(service.get("/info"), 401, f"an API key is needed: {forms}")
    wrong = service.get("/info", headers={"X-API-Key": "guess"})
    detail = (
        f"an API key is needed, and the one that was sent is another: {forms}"
    )
    problem(wrong, 401, detail)
    assert "guess" not in wrong.text


CHALLENGE = re.compile(r'(\w+) ((?:\w+="[^"]*"(?:, (?=\w+=))?)+)(?:, |$)')


def test_the_challenges_are_those_of_two_schemes_with_parameters() -> None:
    """As RFC 9110, section 11.6.1, has them, in one header."""
    parsed = CHALLENGE.findall(CHALLENGES)
    assert parsed == [
        ("Bearer", 'realm="service"'),
        ("ApiKey", 'realm="service", header="X-API-Key"'),
    ]
    rejoined = ", ".join(f"{scheme} {rest}" for scheme, rest in parsed)
    assert rejoined == CHALLENGES


def test_the_exchange_has_the_name_of_the_key(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    service = client(api_key="s3cret", api_keys="app=a1,web=w1")
    for headers, name in (
        ({"X-API-Key": "s3cret"}, "default"),
        ({"X-API-Key": "a1"}, "app"),
        ({"Authorization": "Bearer w1"}, "web"),
        ({"Authorization": "Basic w1", "X-API-Key": "a1"}, "app"),
        ({"Authorization": "Bearer token", "X-API-Key": "a1"}, "app"),
        ({"Authorization": "Bearer w1", "X-API-Key": "guess"}, "web"),
        ({"X-API-Key": "guess"}, ""),
        ({"Authorization": "Bearer a1x", "X-API-Key": "guess"}, ""),
        ({}, ""),
    ):
        response = service.get("/info", headers=headers)
        assert last_line(caplog).client == name
        assert response.status_code == (200 if name else 401)


def test_a_key_of_64_kb_is_another_key(client: Client) -> None:
    service = client(api_key="s3cret", api_keys="long=" + "x" * 65536)
    long = {"X-API-Key": "x" * 65536}
    assert service.get("/info", headers=long).status_code == 200
    for key in ("x" * 65535, "x" * 65537):
        response = service.get("/info", headers={"X-API-Key": key})
        problem(response, 401, "an API key is needed, and the one that was")
        assert "xx" not in response.text


@contextmanager
def listening(app: Flask) -> Iterator[int]:
    """Serve the app over a socket, and yield its port."""
    server = make_server("127.0.0.1", 0, app)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def status_with(port: int, name: str, value: bytes) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest("GET", "/info")
    connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("sent", [b"\xff\xfe", b"s3cr\xe9t", "ключ".encode()])
def test_bytes_that_are_no_ascii_are_another_key(
    sent: bytes, client: Client
) -> None:
    with listening(client(api_key="s3cret").application) as port:
        assert status_with(port, "X-API-Key", b"s3cret") == 200
        assert status_with(port, "X-API-Key", sent) == 401
        assert status_with(port, "Authorization", b"Bearer " + sent) == 401
