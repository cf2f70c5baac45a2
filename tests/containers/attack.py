"""An attack on the running containers, in bounds.

`python -m tests.containers.attack` writes the table of what came back.

Each attack says what is tried, and which outcomes are right. `test_attack.py` runs the same ones.
"""

import json
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from tests.acting import SLEEPS_OR_DIES, acting
from tests.containers.stack import (
    IMAGE,
    Answer,
    Stack,
    docker,
    freeze,
    inspect,
)
from tests.models import ROOT, build

KEY = "the-key-of-the-attack"
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
NGINX_PORT = 8080
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
MEBIBYTE = 1024 * 1024
PROBLEM = b"application/problem+json"
BROKEN = "broken connection"
NO_PROBLEM = "no problem document"
CLIENT_REQUESTS = 200
MOST_BYTES_OF_AN_ERROR = 64_000
# In each of two workers the C library keeps a buffer of one body, for the next one.
MOST_GROWTH_MEGABYTES = 36
LARGE_MODEL_BYTES = 320_000_000
PLACE = ROOT / "docs" / "attack-table.md"
Outcomes = Counter[str]
"""How often each came back: a status, or what was wrong."""


def send(
    stack: Stack,
    method: str,
    path: str,
    body: bytes | None = None,
    **headers: str,
) -> str:
    """Return the status of a request with the key; an error without a document is no status."""
    sent = {"X-API-Key": KEY}
    for name, value in headers.items():
        sent[name.replace("_", "-")] = value
    connection = HTTPConnection("127.0.0.1", stack.port, timeout=150)
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException):
        return BROKEN
    finally:
        connection.close()
    is_problem = response.headers["Content-Type"] == PROBLEM.decode()
    if response.status >= 400 and not is_problem:
        return NO_PROBLEM
    waits = response.headers["Retry-After"] is not None
    if response.status in (429, 503) and not waits:
        return "no Retry-After"
    return str(response.status)


def send_raw(stack: Stack, request: bytes) -> str:
    """Return the status of a request that no HTTP library would send."""
    received = b""
    try:
        address = ("127.0.0.1", stack.port)
        with socket.create_connection(address, timeout=30) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
    except OSError:
        pass
    if not received:
        return BROKEN
    head = received.partition(b"\r\n\r\n")[0]
    status = head.split()[1].decode()
    if int(status) >= 400 and PROBLEM not in head:
        return NO_PROBLEM
    return status


def together(calls: Sequence[Callable[[], str]], clients: int) -> Outcomes:
    """Make the calls from so many threads, and count what they return."""
    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(lambda call: call(), calls))


def refuse_large_bodies(stack: Stack) -> Outcomes:
    """Send bodies to where nobody reads them; each outcome is `expected: status`."""
    kinds = [
        ("POST", "/nowhere", {}, "404"),
        ("PUT", "/predict", {}, "405"),
        ("POST", "/predict", {"Content_Type": "image/png"}, "415"),
        ("POST", "/predict", {"X_API_Key": "another"}, "401"),
    ]

    def refuse(kind: tuple[str, str, dict[str, str], str], size: int) -> str:
        method, path, headers, expected = kind
        status = send(stack, method, path, b" " * size, **headers)
        return "right" if status == expected else status

    calls = []
    for mebibytes in (1, 4, 16):
        for kind in kinds * 45:
            calls.append(partial(refuse, kind, mebibytes * MEBIBYTE))
    return together(calls, clients=6)


def send_many_headers(stack: Stack) -> Outcomes:
    calls = []
    for count in range(50, 1001, 25):
        for size in (1, 60, 300):
            value = "x" * size
            headers = {f"X_{number}": value for number in range(count)}
            calls.append(partial(send, stack, "GET", "/info", None, **headers))
    return together(calls, clients=4)


MALFORMED = (
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/3.0\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../.. HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    # Two lengths, which two servers may understand in two ways.
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /info HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: braille\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc",
    b"GET / HTTP/1.1\r\nHost: x\r\nFolded: a\r\n b\r\n\r\n",
    # A large body of a request that is refused for another reason, and nginx's own places.
    b"TRACE / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /=problem/400 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /=problem/400 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /=problem/no HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
)


def send_malformed(stack: Stack) -> Outcomes:
    calls = [partial(send_raw, stack, request) for request in MALFORMED * 4]
    return together(calls, clients=4)


@contextmanager
def dripping(
    stack: Stack, head: bytes, count: int
) -> Iterator[list[socket.socket]]:
    """Hold so many connections open, with a byte for each now and then.

    They go to nginx itself: Docker's proxy for the published port would refuse thousands of them.
    """
    [nginx] = stack.replicas("nginx")
    address = docker("inspect", "--format", ADDRESS, nginx)
    connections: list[socket.socket] = []
    stop = Event()

    def drip() -> None:
        while not stop.wait(1):
            for connection in tuple(connections):
                try:
                    connection.send(b"x")
                except OSError:  # nginx has ended it
                    continue

    thread = Thread(target=drip)
    thread.start()
    try:
        for _ in range(count):
            connection = socket.create_connection((address, NGINX_PORT))
            connection.sendall(head)
            connections.append(connection)
        yield connections
    finally:
        stop.set()
        thread.join()
        for connection in connections:
            connection.close()


def wait_until_answered(connections: list[socket.socket], count: int) -> None:
    """Wait until so many of the connections have been answered; a request would take a place."""
    for _ in range(100):
        readable, _, _ = select(connections, [], [], 0)
        if len(readable) >= count:
            return
        time.sleep(0.1)
    raise TimeoutError


def predict_in_time(stack: Stack, seconds: float = 1) -> str:
    """Return the status of a prediction; `too slow` after the seconds."""
    start = time.monotonic()
    status = send(stack, "POST", "/predict", RECORD)
    return status if time.monotonic() - start < seconds else "too slow"


def drip_headers(stack: Stack) -> Outcomes:
    """Predict while five thousand clients never finish their headers."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nX-Drip: "
    with dripping(stack, head, 5000):
        return together([partial(predict_in_time, stack)] * 200, clients=2)


def drip_bodies(stack: Stack) -> Outcomes:
    """Predict from here and elsewhere, while this client has as many requests as it may have."""
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with dripping(stack, head, CLIENT_REQUESTS + 50) as connections:
        wait_until_answered(connections, 50)
        here = together([partial(predict_in_time, stack)] * 50, clients=2)
        there = Counter[str]()
        for _ in range(20):
            there[f"{predict_elsewhere(stack)} elsewhere"] += 1
    return here + there


def predict_elsewhere(stack: Stack) -> str:
    """Return the status of a prediction for a client with another address."""
    [nginx] = stack.replicas("nginx")
    script = (
        "wget -q -O /dev/null --header 'X-API-Key: %s' --post-data '%s' "
        "http://127.0.0.1:8080/predict && echo 200"
    )
    command = script % (KEY, RECORD.decode())
    return docker("exec", nginx, "sh", "-c", command, check=False)


def explain_much(records: int) -> bytes:
    """Return the body of an explanation that takes a tenth of a second or more."""
    numbers = random.Random(0)
    rows = []
    for _ in range(records):
        rows.append(
            {f"feature{one}": 3 * numbers.random() for one in (1, 2, 3)}
        )
    return json.dumps({"_data": rows, "_samples": rows}).encode()


def queue_explanations(stack: Stack) -> Outcomes:
    """Send more explanations at once than may wait."""
    body = explain_much(600)
    call = partial(send, stack, "POST", "/predict?explain=1", body)
    return together([call] * 160, clients=160)


def probe_while_busy(stack: Stack) -> Outcomes:
    """Ask for /health and /ready while every worker is busy, and requests wait for them."""
    body = json.dumps({"feature1": 104, "feature2": 0, "feature3": 0}).encode()
    busy = partial(send, stack, "POST", "/predict", body)

    def probe(path: str) -> str:
        start = time.monotonic()
        status = send(stack, "GET", path)
        return status if time.monotonic() - start < 1 else "too slow"

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(busy) for _ in range(8)]
        time.sleep(1)
        probes = [partial(probe, "/health"), partial(probe, "/ready")] * 50
        outcomes = together(probes, clients=4)
        for future in waiting:
            future.cancel()
    return outcomes


def wait_with_large_bodies(stack: Stack) -> Outcomes:
    """Send small and large bodies while every worker is busy for longer than a client may pause."""
    seconds = 24
    busy_body = json.dumps(
        {"feature1": 100 + seconds, "feature2": 0, "feature3": 0}
    ).encode()
    sizes = (len(RECORD), MEBIBYTE, 8 * MEBIBYTE, 15 * MEBIBYTE)
    with ThreadPoolExecutor(20) as pool:
        for _ in range(4):
            pool.submit(send, stack, "POST", "/predict", busy_body)
        time.sleep(1)
        calls = []
        for size in sizes * 3:
            body = RECORD.ljust(size)
            calls.append(partial(send, stack, "POST", "/predict", body))
        return together(calls, clients=len(calls))


def kill_workers(stack: Stack) -> Outcomes:
    """Send what ends its worker; count how many workers each of them has ended."""
    body = json.dumps({"feature1": 666, "feature2": 0, "feature3": 0}).encode()

    def count_killed() -> int:
        log = stack.compose("logs", "--no-color", "service")
        return log.count("killed by signal 9")

    before = count_killed()
    outcomes = Counter(send(stack, "POST", "/predict", body) for _ in range(3))
    time.sleep(2)
    outcomes["workers ended"] = count_killed() - before
    return outcomes


@dataclass
class Sample:
    """What one request got: when it was sent, its status, and the seconds that it took."""

    sent: float
    status: str
    seconds: float


@contextmanager
def sampling(stack: Stack, clients: int) -> Iterator[list[Sample]]:
    """Send predictions all the time, each client one after the other."""
    samples: list[Sample] = []
    stop = Event()

    def sample() -> None:
        while not stop.is_set():
            start = time.monotonic()
            status = send(stack, "POST", "/predict", RECORD)
            seconds = time.monotonic() - start
            samples.append(Sample(start, status, seconds))
            time.sleep(0.005)

    threads = [Thread(target=sample) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield samples
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def freeze_a_replica(stack: Stack, seconds: int = 45) -> Outcomes:
    """Freeze one of two replicas; after five seconds nobody notices, until it takes part again."""
    frozen = stack.replicas()[0]
    with sampling(stack, clients=8) as samples:
        time.sleep(1)
        freeze(frozen)
        start = time.monotonic()
        try:
            time.sleep(seconds)
        finally:
            docker("unpause", frozen)
            end = time.monotonic()
        is_back = wait_until_used(stack, frozen, end + 10)
    outcomes = Counter[str]()
    for sample in samples:
        # One that was sent in the first five seconds may take as long as it takes to be sent again.
        ended = sample.sent + sample.seconds
        is_late = sample.sent > start + 5 or ended > start + 9
        is_slow = sample.seconds > 1 and is_late
        outcomes["too slow" if is_slow else sample.status] += 1
    outcomes["used again" if is_back else "not used again"] = 1
    return outcomes


def wait_until_used(stack: Stack, replica: str, deadline: float) -> bool:
    """Return whether nginx logs a response of a replica before the deadline."""
    networks = json.loads(
        docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", replica)
    )
    address = networks[f"{stack.name}_private"]["IPAddress"]
    [nginx] = stack.replicas("nginx")
    while time.monotonic() < deadline:
        log = docker("logs", "--since", "1s", nginx)
        if f'"replica":"{address}"' in log:
            return True
        time.sleep(0.5)
    return False


def p99(samples: Sequence[Sample]) -> float:
    seconds = sorted(sample.seconds for sample in samples)
    return seconds[int(0.99 * len(seconds))]


@contextmanager
def explaining(stack: Stack) -> Iterator[None]:
    """Let eight clients explain, one request after the other."""
    command = [sys.executable, "-m", "tests.containers.clients"]
    arguments = [str(stack.port), "/predict?explain=1", KEY]
    clients = subprocess.Popen(
        [*command, *arguments], stdin=subprocess.PIPE, cwd=ROOT
    )
    assert clients.stdin is not None
    with clients.stdin as body:
        body.write(explain_much(1000))
    try:
        time.sleep(1)
        assert clients.poll() is None
        yield
        assert clients.poll() is None
    finally:
        clients.kill()
        clients.wait()


def explain_all_the_time(stack: Stack) -> Outcomes:
    """Compare predictions with and without explanations beside them, in turns."""
    idle: list[Sample] = []
    busy: list[Sample] = []
    for _ in range(6):
        with sampling(stack, clients=2) as samples:
            time.sleep(2)
        idle += samples
        with explaining(stack), sampling(stack, clients=2) as samples:
            time.sleep(2)
        busy += samples
    outcomes = Counter(sample.status for sample in [*idle, *busy])
    ratio = p99(busy) / p99(idle)
    figures = (
        f"p99 {1000 * p99(idle):.0f} ms idle, {1000 * p99(busy):.0f} ms busy"
    )
    sys.stderr.write(f"{figures}\n")
    outcomes["p99 doubled" if ratio > 2 else "p99 kept"] = 1
    return outcomes


def measure_memory(container: str) -> float:
    """Return the megabytes that the processes of a container hold, one by one."""
    _, *kilobytes = docker("top", container, "-o", "pid,rss").splitlines()
    return sum(int(line.split()[1]) for line in kilobytes) / 1000


def measure_most_memory(stack: Stack) -> float:
    return max(measure_memory(replica) for replica in stack.replicas())


def count_ended(stack: Stack) -> int:
    """Return how many workers and containers were ended for their memory, or by anything else."""
    ended = stack.compose("logs", "--no-color", "service").count("killed by")
    for replica in stack.replicas():
        ended += int(inspect(replica, ".RestartCount"))
    return ended


def time_name(stack: Stack, body: bytes) -> tuple[float, Answer]:
    start = time.monotonic()
    answer = stack.ask("/predict", body, X_API_Key=KEY)
    return time.monotonic() - start, answer


def send_long_names(stack: Stack) -> Outcomes:
    """Send a name of 16 MiB one by one and at once, beside good bodies of that size."""
    good = RECORD.ljust(16 * MEBIBYTE)
    longest = b'{"%s": 1}' % (b"x" * (16 * MEBIBYTE - 8))
    for _ in range(8):  # each worker has its buffers now
        time_name(stack, good)
    memory_before = measure_most_memory(stack)
    outcomes = Counter[str]()
    good_seconds = []
    bad_seconds = []
    for _ in range(20):
        seconds, answer = time_name(stack, good)
        good_seconds.append(seconds)
        outcomes[f"good body: {answer.status}"] += 1
        seconds, answer = time_name(stack, longest)
        bad_seconds.append(seconds)
        is_small = len(answer.body) < MOST_BYTES_OF_AN_ERROR
        outcomes[str(answer.status) if is_small else "large answer"] += 1
    calls = [partial(send, stack, "POST", "/predict", longest)] * 20
    outcomes += together(calls, clients=4)
    bad = sorted(bad_seconds)[10]
    ratio = bad / sorted(good_seconds)[10]
    outcomes["slow" if ratio > 5 else "about as fast"] = 1
    time.sleep(2)
    growth = measure_most_memory(stack) - memory_before
    is_back = growth < MOST_GROWTH_MEGABYTES
    outcomes["memory returned" if is_back else "memory kept"] = 1
    if ended := count_ended(stack):
        outcomes["ended"] = ended
    sys.stderr.write(
        f"{bad:.2f} s, {ratio:.1f} x a good body; "
        f"{memory_before:.0f} MB before, {growth:+.0f} MB afterwards\n"
    )
    return outcomes


@dataclass(frozen=True)
class Attack:
    """What is tried on a stack, and which outcomes are right; one of `needed` must be there."""

    title: str
    run: Callable[[Stack], Outcomes]
    right: frozenset[str]
    needed: frozenset[str]


def attack(
    title: str, run: Callable[[Stack], Outcomes], *right: str, also: str = ""
) -> Attack:
    """Return an attack with outcomes that all must be there, and others that may be."""
    needed = frozenset(right)
    return Attack(title, run, needed | frozenset(also.split()), needed)


def make_large() -> Any:
    """Return an artifact that leaves little memory for anything else."""
    content = build("build_rf_binary").content
    estimator = deepcopy(content["model"])
    estimator.ballast_ = bytes(LARGE_MODEL_BYTES)
    return content | {"model": estimator}


@dataclass(frozen=True)
class Target:
    """Two replicas of a model, behind an API key, and what is tried on them one after the other."""

    name: str
    make_artifact: Callable[[], Any]
    attacks: tuple[Attack, ...]

    @contextmanager
    def running(self, image: str, folder: Path) -> Iterator[Stack]:
        """Start the replicas, and end them afterwards."""
        stack = Stack(folder, f"mmd-{self.name}", image=image)
        stack.put(self.make_artifact())
        stack.configure(
            API_KEY=KEY, WORKERS=2, CLIENT_REQUESTS=CLIENT_REQUESTS
        )
        try:
            stack.up()
            yield stack
        finally:
            stack.down()


FOREST = Target(
    "forest",
    lambda: build("build_rf_binary").content,
    (
        attack(
            "404, 405, 415 and 401 for bodies of 1, 4 and 16 MiB",
            refuse_large_bodies,
            "right",
        ),
        attack("50 to 1,000 headers", send_many_headers, "200", "431"),
        attack(
            "what is not HTTP, or HTTP in two ways",
            send_malformed,
            *("400", "404", "405", "413", "414", "501", "505"),
            also="200 401",
        ),
        attack(
            "predictions beside 5,000 clients that never finish their headers",
            drip_headers,
            "200",
        ),
        attack(
            "predictions beside 250 bodies that drip, from the same client and from another",
            drip_bodies,
            "429",
            "200 elsewhere",
        ),
        attack("160 explanations at once", queue_explanations, "200", "503"),
        attack(
            "predictions beside explanations without end",
            explain_all_the_time,
            "200",
            "p99 kept",
        ),
        attack(
            "predictions while one of two replicas is frozen for 45 seconds",
            freeze_a_replica,
            "200",
            "used again",
        ),
    ),
)
ACTOR = Target(
    "actor",
    lambda: acting(SLEEPS_OR_DIES),
    (
        attack(
            "`/health` and `/ready` while every worker is busy",
            probe_while_busy,
            "200",
        ),
        attack(
            "bodies of up to 15 MiB while every worker is busy for 24 seconds",
            wait_with_large_bodies,
            "200",
        ),
        attack(
            "three requests that end their worker",
            kill_workers,
            "502",
            "workers ended",
        ),
    ),
)
LARGE = Target(
    "large",
    make_large,
    (
        attack(
            "a name of 16 MiB, 20 times one by one and 20 times at once, beside a model of 320 MB",
            send_long_names,
            "good body: 200",
            "422",
            "about as fast",
            "memory returned",
        ),
    ),
)
TARGETS = (FOREST, ACTOR, LARGE)


def describe(attack: Attack, outcomes: Outcomes) -> str:
    """Return a row of the table."""
    parts = []
    for outcome, count in sorted(outcomes.items()):
        parts.append(f"{count:,} x {outcome}")
    return f"| {attack.title} | {', '.join(parts)} |"


def main() -> None:
    """Attack the images of the tests, and write the table of the documentation."""
    lines = ["| Tried | What came back |", "| --- | --- |"]
    start = time.monotonic()
    for target in TARGETS:
        with (
            TemporaryDirectory() as folder,
            target.running(IMAGE, Path(folder)) as stack,
        ):
            for one in target.attacks:
                begun = time.monotonic()
                lines.append(describe(one, one.run(stack)))
                sys.stderr.write(
                    f"{time.monotonic() - begun:.0f} s: {lines[-1]}\n"
                )
    sys.stderr.write(f"{time.monotonic() - start:.0f} s in all\n")
    PLACE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
