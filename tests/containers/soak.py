"""Mixed traffic through nginx for minutes, and what the containers take meanwhile.

`python -m tests.containers.soak 600` prints what came back, and of each container the memory, the
open files and the shared memory at the start, at the peak and at the end.
`--processes` does the same with nginx, HAProxy and uWSGI as processes of this machine.
An HAProxy of 2.6 fails it, since its queue may stop for good when clients leave it.
"""

import argparse
import json
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import NamedTuple, TypeAlias

from tests.balancing import balancing
from tests.containers.stack import IMAGE, Stack, docker
from tests.fronting import fronting
from tests.models import build
from tests.production.replicas import save_example, serving
from tests.servers import fetch, free_port, project

MOST_SECONDS = 600
SECONDS_OF_THE_TEST = 120
SECONDS_BETWEEN_MEASUREMENTS = 3
SECONDS_TO_WAIT_FOR_OTHERS = 60
MEBIBYTE = 1024 * 1024
RECORDS_OF_A_LARGE_BODY = 20_000
# What the C library and caches of files may still take after the warm-up.
GROWTH_MEBIBYTES = 32
GROWTH = 1.1
GROWTH_FILES = 64
GROWTH_SHARED_MEBIBYTES = 2
# Orderly refusals say when to come again.
ORDERLY = ("429", "503")
BROKEN = "broken connection"
# More than nginx takes from an address at once, and many more than may wait for an explanation.
N_TOO_MANY = 300
TOO_MANY = f"explained against samples, {N_TOO_MANY} at once"

Outcomes: TypeAlias = Counter[tuple[str, str]]
"""How often a kind of request got a status."""


class Usage(NamedTuple):
    """What a container, or the processes of one kind, take at a moment."""

    memory_mebibytes: float
    files: int
    shared_mebibytes: float


Measure: TypeAlias = Callable[[], dict[str, Usage]]


@dataclass
class Soak:
    """What came back, and what was measured meanwhile."""

    outcomes: Outcomes = field(default_factory=Counter)
    usages: dict[str, list[Usage]] = field(default_factory=dict)

    def failures(self) -> Outcomes:
        """Return what should not have come back: 5xx without an order, and broken connections."""
        found: Outcomes = Counter()
        for (kind, status), count in self.outcomes.items():
            is_refusal = status in ORDERLY
            if not is_refusal and not status.startswith(("2", "4")):
                found[kind, status] = count
        return found

    def growing(self) -> list[str]:
        """Return who takes more in the last third of the time than in the second one."""
        found = []
        for name, usages in self.usages.items():
            third = len(usages) // 3
            before = typical(usages[third : 2 * third])
            after = typical(usages[2 * third :])
            memory = before.memory_mebibytes * GROWTH + GROWTH_MEBIBYTES
            shared = before.shared_mebibytes + GROWTH_SHARED_MEBIBYTES
            is_flat = (
                after.memory_mebibytes < memory
                and after.files < before.files + GROWTH_FILES
                and after.shared_mebibytes < shared
            )
            if not is_flat:
                found.append(f"{name}: {before} and then {after}")
        return found

    def describe(self) -> str:
        """Return both as tables."""
        lines = ["| Request | What came back |", "| --- | --- |"]
        for kind in sorted({kind for kind, _ in self.outcomes}):
            parts = []
            for (one, status), count in sorted(self.outcomes.items()):
                if one == kind:
                    parts.append(f"{count:,} x {status}")
            lines.append(f"| {kind} | {', '.join(parts)} |")
        lines += ["", "| | Taken | Start | Peak | End |"]
        lines.append("| --- | --- | --: | --: | --: |")
        for name, usages in self.usages.items():
            for unit in Usage._fields:
                values = [getattr(usage, unit) for usage in usages]
                figures = (values[0], max(values), values[-1])
                cells = " | ".join(f"{figure:,.0f}" for figure in figures)
                words = unit.replace("_", " ")
                lines.append(f"| {name} | {words} | {cells} |")
        return "\n".join(lines)


def typical(usages: list[Usage]) -> Usage:
    """Return the median of each figure."""
    memory, files, shared = zip(*usages, strict=True)
    return Usage(median(memory), int(median(files)), median(shared))


def record(numbers: random.Random) -> dict[str, float]:
    return {f"feature{one}": 3 * numbers.random() for one in (1, 2, 3)}


def make_bodies() -> dict[str, tuple[str, bytes]]:
    """Return the path and the body of each kind of request that is sent as a whole."""
    numbers = random.Random(0)
    one = json.dumps(record(numbers)).encode()
    rows = [record(numbers) for _ in range(RECORDS_OF_A_LARGE_BODY)]
    background = {"_data": rows[:20], "_samples": rows[:50]}
    return {
        "good": ("/predict?proba=1", one),
        "unknown feature": ("/predict", b'{"nothing": 1}'),
        "no JSON": ("/predict", b'{"feature1": '),
        "nowhere": ("/nowhere", one),
        "large": ("/predict", json.dumps(rows).encode()),
        "too large": ("/predict", b" " * (17 * MEBIBYTE)),
        "explained": ("/predict?explain=1", one),
        "explained against samples": (
            "/predict?explain=1",
            json.dumps(background).encode(),
        ),
    }


def send(
    port: int, path: str, body: bytes, others: Barrier | None = None
) -> str:
    """Return the status, and of a refusal whether it does not say when to come again.

    With `others` the body is sent only once all of them have sent their heads.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=150)
    try:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        if others is not None:
            others.wait(SECONDS_TO_WAIT_FOR_OTHERS)
        connection.send(body)
        response = connection.getresponse()
        response.read()
    except (OSError, HTTPException, BrokenBarrierError):
        return BROKEN
    finally:
        connection.close()
    waits = response.headers["Retry-After"] is not None
    if str(response.status) in ORDERLY and not waits:
        return f"{response.status} without Retry-After"
    return str(response.status)


def send_too_large(port: int, path: str, body: bytes) -> str:
    """Return the status; nginx may close the connection before all of it was sent."""
    status = send(port, path, body)
    return "413" if status == BROKEN else status


def drip(port: int, path: str, body: bytes) -> str:
    """Send a body byte by byte, slowly, and return the status."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
    try:
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
            for number in range(len(body)):
                connection.sendall(body[number : number + 1])
                time.sleep(0.02)
            return connection.recv(4096).split()[1].decode()
    except (OSError, IndexError):
        return BROKEN


def disconnect(port: int, path: str, body: bytes, share: float) -> str:
    """Send a part of a request, or all of it, and do not wait for the response."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
    request = f"{head}\r\n\r\n".encode() + body
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(request[: int(len(request) * share)])
    return "200 or none"


def clients(port: int) -> dict[str, Callable[[], str]]:
    """Return what each client does again and again, by its name."""
    found: dict[str, Callable[[], str]] = {}
    bodies = make_bodies()
    for kind, (path, body) in bodies.items():
        call = send_too_large if kind == "too large" else send
        found[kind] = partial(call, port, path, body)
    path, body = bodies["explained against samples"]
    found[TOO_MANY] = partial(send, port, path, body, Barrier(N_TOO_MANY))
    found["slow"] = partial(drip, port, *bodies["good"])
    for share in (0.5, 1.0):
        for kind in ("good", "large", "explained"):
            name = f"{kind}, and gone after {share:.0%}"
            found[name] = partial(disconnect, port, *bodies[kind], share)
    return found


# Requests that cost more come less often: two processors are to be busy, and not drowned.
SECONDS_BETWEEN = {
    "good": 0.01,
    "large": 1,
    "too large": 1,
    "explained against samples": 1,
    TOO_MANY: 20,
}
AT_ONCE = {TOO_MANY: N_TOO_MANY}


def soak(port: int, seconds: float, measure: Measure) -> Soak:
    """Send everything at once for so many seconds, and measure."""
    done = Soak()
    stop = Event()

    def repeat(kind: str, call: Callable[[], str]) -> None:
        n_calls = AT_ONCE.get(kind, 1)
        with ThreadPoolExecutor(n_calls) as pool:
            while not stop.is_set():
                calls = [pool.submit(call) for _ in range(n_calls)]
                for one in calls:
                    done.outcomes[kind, one.result()] += 1
                stop.wait(SECONDS_BETWEEN.get(kind, 0.2))

    threads = []
    for kind, call in clients(port).items():
        threads.append(Thread(target=repeat, args=(kind, call)))
    end = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    try:
        while time.monotonic() < end:
            for name, usage in measure().items():
                done.usages.setdefault(name, []).append(usage)
            time.sleep(SECONDS_BETWEEN_MEASUREMENTS)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return done


# The memory that cannot be given back: files that are only cached do not count.
MEASURED_IN_A_CONTAINER = (
    "cat /sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat 2>/dev/null; "
    "echo files $(ls /proc/[0-9]*/fd 2>/dev/null | grep -c '^[0-9]'); "
    "echo shared $(du -sk /dev/shm /run/service 2>/dev/null | cut -f1)"
)


def measure_container(container: str) -> Usage:
    """Return what a container takes, as its own files say."""
    text = docker("exec", container, "sh", "-c", MEASURED_IN_A_CONTAINER)
    figures: dict[str, int] = {}
    for line in text.splitlines():
        name, *numbers = line.split()
        figures[name] = sum(int(number) for number in numbers)
    # Of a cgroup of version 1, the same has another name.
    own = figures.get("anon", figures.get("rss", 0))
    memory = own + figures.get("shmem", 0)
    return Usage(memory / MEBIBYTE, figures["files"], figures["shared"] / 1024)


def measure_stack(stack: Stack) -> dict[str, Usage]:
    found = {}
    for service in ("nginx", "balancer", "service"):
        for number, container in enumerate(sorted(stack.replicas(service))):
            found[f"{service} {number + 1}"] = measure_container(container)
    return found


def descendants(parent: int) -> Iterator[int]:
    """Yield a process and all that it has started, and that still run."""
    yield parent
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from descendants(int(child))


def measure_processes(parent: int, folders: tuple[Path, ...]) -> Usage:
    """Return what a process and its children take; a page that they share counts once."""
    kibibytes = 0
    files = 0
    for process in descendants(parent):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            files += len(list(Path(f"/proc/{process}/fd").iterdir()))
        except OSError:  # it has ended
            continue
        for line in rollup.splitlines():
            if line.startswith("Pss:"):
                kibibytes += int(line.split()[1])
    shared = 0
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                shared += path.stat().st_size
    return Usage(kibibytes / 1024, files, shared / MEBIBYTE)


@contextmanager
def containers(folder: Path, image: str) -> Iterator[tuple[int, Measure]]:
    """Run two replicas in containers."""
    stack = Stack(folder, "mmd-soak", image=image)
    stack.put(build("build_rf_binary").content)
    stack.configure(WORKERS=2)
    try:
        stack.up()
        yield stack.port, partial(measure_stack, stack)
    finally:
        stack.down()


@contextmanager
def processes(folder: Path) -> Iterator[tuple[int, Measure]]:
    """Run one replica, with the HAProxy and the nginx of the images, as processes."""
    project(folder)
    save_example(folder, "build_rf_binary")
    run, front_folder = folder / "service", folder / "front"
    run.mkdir()
    front_folder.mkdir()
    status = free_port()
    with ExitStack() as opened:
        replica = opened.enter_context(
            serving(
                folder,
                WORKERS=2,
                SERVICE_STATUS_PORT=status,
                RUN_FOLDER=run,
                METRICS_PORT=free_port(),
            )
        )
        balancer = opened.enter_context(
            balancing(folder, replica.port, status)
        )
        front = opened.enter_context(
            fronting(front_folder, balancer.port, balancer.again)
        )
        wait(front.port)
        owners: dict[str, tuple[int, tuple[Path, ...]]] = {
            "nginx": (front.process, ()),
            "balancer": (balancer.process, ()),
            "service": (replica.process.pid, (run, Path("/dev/shm"))),
        }

        def measure() -> dict[str, Usage]:
            found = {}
            for name, (process, folders) in owners.items():
                found[name] = measure_processes(process, folders)
            return found

        yield front.port, measure


def wait(port: int) -> None:
    """Wait until a prediction is responded to, through nginx and HAProxy."""
    body = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
    for _ in range(300):
        try:
            if fetch(f"http://127.0.0.1:{port}/predict", body)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def main() -> int:
    """Soak, and print what came back and what was taken; return 1 if one of them is not right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "seconds", nargs="?", type=int, default=SECONDS_OF_THE_TEST
    )
    parser.add_argument("--processes", action="store_true")
    arguments = parser.parse_args()
    seconds = min(arguments.seconds, MOST_SECONDS)
    with TemporaryDirectory() as name:
        folder = Path(name)
        started = (
            processes(folder)
            if arguments.processes
            else containers(folder, IMAGE)
        )
        with started as (port, measure):
            done = soak(port, seconds, measure)
    sys.stdout.write(f"{done.describe()}\n")
    failures, growing = done.failures(), done.growing()
    if failures or growing:
        sys.stderr.write(f"not right: {failures} {growing}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
