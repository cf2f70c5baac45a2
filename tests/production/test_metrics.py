"""What `/metrics` says of four processes, compared with what their clients have counted."""

import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from threading import Event, Lock, Thread

import joblib
import pytest

from tests.acting import SLEEPS, acting
from tests.metrics.scrapes import scrape
from tests.production.replicas import (
    RECORD,
    SlowToLoad,
    command,
    find_workers,
    kill,
    model_version,
    run,
    save_example,
    serving,
    wait_for_workers,
)
from tests.servers import DEVELOPMENT, Server, free_port, started

pytestmark = pytest.mark.slow

N_CLIENTS = 32
N_REQUESTS = 10_000
N_AFTER_THE_SWAP = 1_000
WORKERS = 4
MAX_BODY_BYTES = 20_000
MODEL = "model.joblib"
KEY = "a-key-of-the-test"
STATUS_LINE = b"HTTP/1.1 "
SECONDS_FOR_A_RESPONSE = 60
SECONDS_TO_BE_READY = 60
SECONDS_BETWEEN_KILLS = 0.4


def make(method: str, path: str, body: bytes = b"", key: str = KEY) -> bytes:
    """Return a request as it is sent."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        f"X-API-Key: {key}",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


KINDS = [
    ("/predict", make("POST", "/predict", RECORD)),
    ("/predict", make("POST", "/predict?proba=1", RECORD)),
    ("/predict", make("POST", "/predict", b"[" + RECORD + b"]")),
    ("/predict", make("POST", "/predict?explain=1", RECORD)),
    ("/predict", make("POST", "/predict", b"{")),
    ("/predict", make("POST", "/predict", b'{"zz": 1}')),
    ("/predict", make("POST", "/predict", b" " * (MAX_BODY_BYTES + 1))),
    ("/predict", make("POST", "/predict", RECORD, key="another")),
    ("/predict", make("GET", "/predict")),
    ("/predict", make("POST", "/predict?nonsense=1", RECORD)),
    ("/preprocess", make("POST", "/preprocess", RECORD)),
    ("/info", make("GET", "/info")),
    ("/health", make("GET", "/health")),
    ("none", make("GET", "/nowhere")),
]


class Clients:
    """Clients that send requests of all kinds at once, and count what they receive."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: Counter[tuple[str, str]] = Counter()
        self.broken: Counter[str] = Counter()
        self.may_send = Event()
        self.may_send.set()
        self._lock = Lock()
        self._sending = 0
        self._draw = random.Random(7)
        self._kinds = [
            self._draw.choice(KINDS) for _ in range(N_REQUESTS - len(KINDS))
        ] + KINDS

    def run(self, n_requests: int = N_REQUESTS) -> None:
        """Send all requests, or the first of them."""
        with ThreadPoolExecutor(N_CLIENTS) as threads:
            list(threads.map(self._request, self._kinds[:n_requests]))

    def _request(self, kind: tuple[str, bytes]) -> None:
        route, request = kind
        while True:
            self.may_send.wait()
            with self._lock:
                if self.may_send.is_set():
                    self._sending += 1
                    break
        try:
            status = send(self.port, request)
        finally:
            with self._lock:
                self._sending -= 1
        with self._lock:
            if status:
                self.received[route, status] += 1
            else:
                self.broken[route] += 1

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let no request be on its way."""
        with self._lock:
            self.may_send.clear()
        while self._sending:
            time.sleep(0.01)
        yield
        self.may_send.set()


def send(port: int, request: bytes) -> str:
    """Return the status of a complete response; nothing if the connection was broken."""
    received = b""
    try:
        with socket.create_connection(
            ("127.0.0.1", port), SECONDS_FOR_A_RESPONSE
        ) as connection:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                received += chunk
    except ConnectionError:
        pass
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length" and len(body) == int(value):
            return head[len(STATUS_LINE) :][:3].decode()
    return ""


@contextmanager
def replica(folder: Path) -> Iterator[tuple[Server, int]]:
    """Run a replica of four workers, and yield it and the port of its metrics."""
    save_example(folder, "build_rf_binary")
    port = free_port()
    with serving(
        folder,
        WORKERS=WORKERS,
        METRICS_PORT=port,
        API_KEY=KEY,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
    ) as server:
        wait_for_workers(folder, WORKERS)
        yield server, port


def swap_beside(folder: Path, server: Server) -> Thread:
    """Swap the model while requests are sent; the thread ends with the swap."""

    def swap() -> None:
        save_example(folder, "build_linear_binary")
        assert run(folder, "swap", server).returncode == 0

    thread = Thread(target=swap)
    thread.start()
    return thread


def test_metrics_are_what_clients_have_counted_to_the_last_request(
    folder: Path,
) -> None:
    """Workers are killed while they have no request, and the model is swapped while they have."""
    with replica(folder) as (server, port):
        old = model_version(server)
        clients = Clients(server.port)
        sending = Thread(target=clients.run)
        sending.start()
        killed: set[int] = set()
        for number in range(6):
            time.sleep(SECONDS_BETWEEN_KILLS)
            with clients.paused():
                killed |= kill(find_workers(folder)[: number % 3 + 1])
            wait_for_workers(folder, WORKERS, killed)
            if number == 2:
                swapping = swap_beside(folder, server)
        sending.join()
        swapping.join()
        # Where clients are quick, they were done before the swap was.
        clients.run(N_AFTER_THE_SWAP)
        new = model_version(server)
        assert new != old
        # Those two of `model_version`.
        clients.received["/health", "200"] += 2
        said = scrape(port)
        counted = dict(said.requests())
        # `serving` has asked until there was a response.
        assert counted.pop(("/ready", "200")) == 1
        assert not clients.broken
        assert counted == clients.received
        sent = N_REQUESTS + N_AFTER_THE_SWAP
        assert clients.received.total() == sent + 2
        for (route, status), count in clients.received.items():
            assert count > 20, (route, status)
        duration = "service_request_duration_seconds"
        assert said.by("route", f"{duration}_count")["/info"] == (
            counted["/info", "200"] + counted.get(("/info", "401"), 0)
        )
        by_version = said.by("version", "model_records_total")
        assert by_version.keys() == {old, new}
        assert min(by_version.values()) > 100
        assert sum(by_version.values()) == said.get(
            "service_prediction_duration_seconds_count"
        )
        assert said.get("model_workers", version=new) == WORKERS
        assert said.get("service_swaps_total", result="done") == 1
        # A killed process and one that still runs have each been started.
        assert len(killed) >= 6
        assert said.get("service_worker_starts_total") >= len(killed) + WORKERS


def test_what_a_killed_worker_had_is_all_that_is_not_certain(
    folder: Path,
) -> None:
    """Workers are killed while they compute; a broken request may have been counted or not."""
    with replica(folder) as (server, port):
        clients = Clients(server.port)
        swapping = swap_beside(folder, server)
        clients.run()
        swapping.join()
        sending = Thread(target=clients.run)
        sending.start()
        while sending.is_alive():
            time.sleep(SECONDS_BETWEEN_KILLS)
            if len(find_workers(folder)) == WORKERS:
                kill(find_workers(folder, "busy")[:1])
        sending.join()
        counted = Counter(dict(scrape(port).requests()))
        del counted["/ready", "200"]
        assert clients.broken
        assert clients.received - counted == Counter()
        uncertain: Counter[str] = Counter()
        for (route, _), count in (counted - clients.received).items():
            uncertain[route] += int(count)
        assert uncertain - clients.broken == Counter()
        total = clients.received.total() + clients.broken.total()
        assert total == 2 * N_REQUESTS


def test_the_port_of_metrics_tells_of_a_start_a_refused_swap_and_a_harakiri(
    folder: Path,
) -> None:
    joblib.dump(acting(SLEEPS) | {"slow": SlowToLoad(0, 3)}, folder / MODEL)
    port = free_port()
    settings = {"METRICS_PORT": port, "REQUEST_TIMEOUT": 1}
    with started(command("serve"), folder, **settings) as server:
        assert wait_for_workers_of(port) == {"": 0}
        server.wait()
        said = scrape(port)
        assert said.get("service_workers_ready") == 1
        assert said.by("result", "service_swaps_total") == {
            "done": 0,
            "failed": 0,
            "refused": 0,
        }
        assert said.total("model_load_duration_seconds") > 1
        (folder / MODEL).write_bytes(b"half of the next mod")
        assert run(folder, "swap", server).returncode == 1
        slow = b'{"feature1": 160, "feature2": 1, "feature3": 2}'
        with pytest.raises((OSError, HTTPException)):
            server.post("/predict", slow)
        assert server.post("/predict", RECORD)[0] == 200
        said = scrape(port)
        assert said.get("service_swaps_total", result="refused") == 1
        assert said.get("service_harakiris_total") == 1
        assert said.get("service_worker_starts_total") == 2
        assert said.get("service_queue_limit_connections") >= 1024
        assert said.requests()["/predict", "200"] == 1


@pytest.mark.parametrize(
    "odd", [b"a\tb", b"\xff\xe9", b'"\\"}', b"\x01"], ids=repr
)
def test_a_request_hides_no_workers_whatever_its_headers(
    folder: Path, odd: bytes
) -> None:
    """uWSGI's statistics have the headers of a request that is being computed as they are."""
    joblib.dump(acting(SLEEPS), folder / MODEL)
    port = free_port()
    body = b'{"feature1": 103, "feature2": 1, "feature3": 2}'
    lines = f"POST /predict HTTP/1.1\r\nContent-Length: {len(body)}\r\nX: "
    request = lines.encode() + odd + b"\r\n\r\n" + body
    with (
        serving(folder, WORKERS=2, METRICS_PORT=port) as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.sendall(request)
        wait_until_busy(port)
        assert run(folder, "version", server).returncode == 0
        assert scrape(port).get("service_workers") == 2
        assert scrape(port).get("service_workers_busy") == 1
        assert client.recv(65536).startswith(STATUS_LINE + b"200")


def wait_until_busy(port: int) -> None:
    deadline = time.monotonic() + SECONDS_FOR_A_RESPONSE
    while scrape(port).by("", "service_workers_busy") != {"": 1}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_workers_of(port: int) -> dict[str, float]:
    """Return how many workers are ready, of the first scrape that has workers."""
    deadline = time.monotonic() + SECONDS_TO_BE_READY
    while time.monotonic() < deadline:
        with suppress(OSError):
            ready = scrape(port).by("", "service_workers_ready")
            if ready:
                return ready
        time.sleep(0.05)
    raise AssertionError("no worker has been started")


def test_the_port_of_metrics_is_there_in_development(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    port = free_port()
    with started(DEVELOPMENT, folder, METRICS_PORT=port) as server:
        server.wait()
        assert server.post("/predict", RECORD)[0] == 200
        assert scrape(port).requests()["/predict", "200"] == 1


def test_an_address_of_metrics_that_is_taken_is_said_in_a_sentence(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started(command("serve"), folder, METRICS_PORT=port) as server:
            assert server.process.wait(30) == 1
            last = server.log.read_text().splitlines()[-1]
    assert last.startswith("serve failed: ")
    assert "in use" in last
