"""Responses that are there before their body has been read."""

import socket
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

import joblib
import pytest

from tests.models import build
from tests.servers import DEVELOPMENT, UWSGI, Server, project, started

MEBIBYTE = 1024 * 1024
KEY = "secret"
# Method, path, headers and status of what is refused without a look at the body.
EARLY = [
    ("POST", "/nowhere", {"X-API-Key": KEY}, 404),
    ("PUT", "/predict", {"X-API-Key": KEY}, 405),
    (
        "POST",
        "/predict",
        {"X-API-Key": KEY, "Content-Type": "image/png"},
        415,
    ),
    ("POST", "/predict", {"X-API-Key": "another"}, 401),
    ("POST", "/predict?no=1", {"X-API-Key": KEY}, 400),
]
ROUNDS = 6


def status_of(
    server: Server, method: str, path: str, headers: dict[str, str], size: int
) -> int | str:
    """The status, or the name of the exception where none arrived."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request(method, path, b" " * size, headers)
        return connection.getresponse().status
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [DEVELOPMENT, UWSGI], ids=["development", "uwsgi"]
)
def test_every_early_response_arrives(
    command: list[str], tmp_path: Path
) -> None:
    folder = project(tmp_path)
    content = build("build_linear_binary").content
    joblib.dump(content, folder / "model.joblib")
    with started(command, folder, API_KEY=KEY) as server:
        server.wait()
        received: Counter[tuple[int | str, int]] = Counter()
        for size in (MEBIBYTE, 4 * MEBIBYTE, 16 * MEBIBYTE):
            for method, path, headers, expected in EARLY * ROUNDS:
                status = status_of(server, method, path, headers, size)
                received[status, expected] += 1
        too_large = 16 * MEBIBYTE + 1
        own_key = {"X-API-Key": KEY}
        status = status_of(server, "POST", "/predict", own_key, too_large)
    expected_counts = {}
    for _, _, _, expected in EARLY:
        expected_counts[expected, expected] = 3 * ROUNDS
    assert received == expected_counts
    assert status == 413


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [DEVELOPMENT, UWSGI], ids=["development", "uwsgi"]
)
def test_a_client_that_waits_before_its_body_gets_its_response(
    command: list[str], tmp_path: Path
) -> None:
    """The server would give the body up, and respond, only after four seconds."""
    folder = project(tmp_path)
    content = build("build_linear_binary").content
    joblib.dump(content, folder / "model.joblib")
    with started(command, folder) as server:
        server.wait()
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=3) as connection:
            head = (
                b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
            )
            connection.sendall(head + b"\r\n")
            assert b" 404 " in connection.recv(65536).splitlines()[0]
            connection.sendall(b"123456789")
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                continue  # until the server closes, and does not reset
