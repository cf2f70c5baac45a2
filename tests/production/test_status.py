"""What a replica says of itself to HAProxy, while its workers are busy or not."""

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from python.production.shelf import read_digest
from python.production.status import Status
from tests.servers import free_port


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    path.write_bytes(b"a model")
    return path


@pytest.fixture
def status(model: Path) -> Iterator[Status]:
    capacities = {"predictions": 4, "explanations": 0}
    server = Status(free_port(), capacities, model)
    server.open()
    yield server
    server.shutdown()
    server.server_close()


def send(server: Status, request: bytes) -> str:
    address = ("127.0.0.1", server.server_address[1])
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    return received.decode()


def test_a_probe_may_have_the_prefix_or_not(model: Path) -> None:
    server = Status(free_port(), {}, model, "/models/churn")
    try:
        for path in ("/health", "/models/churn/health", "/takes-requests"):
            assert b" 200 " in server.respond(f"GET {path} HTTP/1.1\r\n")
        for path in ("/models/health", "/models/churn", "/models/churnhealth"):
            assert b" 404 " in server.respond(f"GET {path} HTTP/1.1\r\n")
    finally:
        server.server_close()


@pytest.mark.parametrize(
    ("path", "content"),
    [("/health", "up"), ("/ready", "ready"), ("/ready?x=1", "ready")],
)
def test_a_probe_gets_what_the_service_itself_says(
    status: Status, model: Path, path: str, content: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Key: y\r\n\r\n"
    head, _, body = send(status, request.encode()).partition("\r\n\r\n")
    assert head.startswith("HTTP/1.0 200 OK\r\n")
    assert "Content-Type: text/plain; charset=utf-8" in head
    assert f"X-Model-Version: {read_digest(model)[:12]}" in head
    assert body == content
    without_body = send(status, request.replace("GET", "HEAD").encode())
    assert without_body == f"{head}\r\n\r\n"


def test_the_version_is_that_of_the_file_that_is_served(
    status: Status, model: Path
) -> None:
    old = send(status, b"GET /health HTTP/1.0\r\n\r\n")
    new = model.with_name("new")
    new.write_bytes(b"another model")
    os.utime(new, (time.time() + 1, time.time() + 1))
    new.replace(model)
    assert send(status, b"GET /health HTTP/1.0\r\n\r\n") != old


def test_agents_are_told_how_many_requests_there_is_room_for(
    status: Status,
) -> None:
    assert send(status, b"predictions\n") == "maxconn:4\n"
    # HAProxy takes 0 for no limit.
    assert send(status, b"explanations\n") == "maxconn:1\n"


def test_one_that_is_stopping_takes_no_requests(status: Status) -> None:
    request = b"GET /takes-requests HTTP/1.0\r\n\r\n"
    assert send(status, request).startswith("HTTP/1.0 200 ")
    status.is_stopping = True
    assert send(status, request).startswith("HTTP/1.0 404 ")
    assert send(status, b"GET /health HTTP/1.0\r\n\r\n").endswith("up")


def test_a_check_does_not_wait_until_the_model_file_is_read(
    status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file takes seconds, in which HAProxy would leave the replica out."""
    read: list[Path] = []
    may_end = Event()

    def read_slowly(path: Path) -> str:
        read.append(path)
        may_end.wait(10)
        return read_digest(path)

    monkeypatch.setattr("python.production.status.read_digest", read_slowly)
    probe = b"GET /ready HTTP/1.0\r\n\r\n"
    with ThreadPoolExecutor() as clients:
        probes = [clients.submit(send, status, probe) for _ in range(3)]
        while not read:
            time.sleep(0.01)
        check = send(status, b"GET /takes-requests HTTP/1.0\r\n\r\n")
        may_end.set()
        responses = [probe.result() for probe in probes]
    assert check.startswith("HTTP/1.0 200 ")
    assert len(read) == 1
    assert all(response.endswith("ready") for response in responses)


def test_nothing_listens_before_it_is_opened(model: Path) -> None:
    server = Status(free_port(), {}, model)
    with pytest.raises(ConnectionRefusedError):
        send(server, b"predictions\n")
    server.server_close()
