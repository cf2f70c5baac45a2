"""The port of the metrics, and clients that hold it."""

import os
import resource
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from python.metrics import server as module
from python.metrics.server import MAX_CONNECTIONS, MetricsServer
from tests.servers import fetch

TEXT = b"a_total 1.0\n" * 400_000
SECONDS_TO_WAIT = 10


@pytest.fixture
def port() -> Iterator[int]:
    yield from serve()


def serve() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = MetricsServer(listener, lambda: TEXT)
    server.open()
    yield listener.getsockname()[1]
    server.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SECONDS_TO_WAIT)


def test_a_scrape_gets_all_of_it(port: int) -> None:
    url = f"http://127.0.0.1:{port}/metrics"
    for query in ("", "?x=1"):
        with urllib.request.urlopen(url + query) as response:
            assert response.read() == TEXT
            assert response.headers["Content-Type"] == (
                "text/plain; version=0.0.4; charset=utf-8"
            )
    head = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(head) as response:
        assert response.read() == b""
        assert response.headers["Content-Length"] == str(len(TEXT))


def test_there_is_nothing_else(port: int) -> None:
    assert fetch(f"http://127.0.0.1:{port}/")[0] == 404
    assert fetch(f"http://127.0.0.1:{port}/metrics/x")[0] == 404
    assert fetch(f"http://127.0.0.1:{port}/metrics", b"x")[0] == 405


@pytest.mark.parametrize(
    "request_bytes",
    [b"\0" * 99 + b"\r\n\r\n", b"\r\n\r\n", b"x" * 70_000, b"GET\r\n\r\n"],
)
def test_what_is_no_request_gets_an_error_or_nothing(
    port: int, request_bytes: bytes
) -> None:
    with connect(port) as client:
        client.sendall(request_bytes)
        try:
            received = client.recv(100)
        except ConnectionResetError:
            received = b""
    assert received[:13] in (b"", b"HTTP/1.1 405 ")
    assert fetch(f"http://127.0.0.1:{port}/metrics")[0] == 200


def test_many_clients_that_hold_a_connection_hold_no_scrape(port: int) -> None:
    """Some have sent nothing, some a part, and some do not read what they get."""
    held = []
    try:
        for number in range(5 * MAX_CONNECTIONS):
            client = connect(port)
            part = (b"", b"GET /met", b"GET /metrics HTTP/1.1\r\n\r\n")
            client.sendall(part[number % 3])
            held.append(client)
        assert fetch(f"http://127.0.0.1:{port}/metrics")[0] == 200
    finally:
        for client in held:
            client.close()


def test_a_client_that_is_slow_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_SECONDS", 0.2)
    for port in serve():
        with (
            connect(port) as client,
            pytest.raises(OSError, match=r"reset|pipe"),
        ):
            drip(client)


def drip(client: socket.socket) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        client.sendall(b"G")
        time.sleep(0.05)


def test_what_fails_to_be_read_is_a_500_and_the_next_scrape_is_served() -> (
    None
):
    listener = socket.create_server(("127.0.0.1", 0))
    failures = [ValueError("s3cret")]

    def expose() -> bytes:
        if failures:
            raise failures.pop()
        return b"a_total 1.0\n"

    server = MetricsServer(listener, expose)
    server.open()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
    assert fetch(url) == (500, "ValueError\n")
    assert fetch(url) == (200, "a_total 1.0\n")
    server.close()


class CountingListener(socket.socket):
    """A listener that counts how often a connection is to be accepted."""

    n_tries = 0

    def accept(self) -> tuple[socket.socket, Any]:
        self.n_tries += 1
        return super().accept()


def test_without_free_files_it_waits_and_does_not_spin() -> None:
    """It tries ten times a second; once there are files again, a scrape is served."""
    listener = CountingListener()
    listener.bind(("127.0.0.1", 0))
    server = MetricsServer(listener, lambda: TEXT)
    server.open()
    waiting = socket.socket()
    with no_free_files():
        waiting.connect(listener.getsockname())
        time.sleep(1)
        n_tries = listener.n_tries
    waiting.close()
    assert 0 < n_tries < 50
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/metrics"
    assert fetch(url)[0] == 200
    server.close()


@contextmanager
def no_free_files() -> Iterator[None]:
    """Let this process open nothing, as long as the block runs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    largest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (largest + 1, hard))
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(0))
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
