"""The keys under uWSGI: a file of them that changes while clients send requests."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from python.metrics.processes import read_statistics
from tests.production.replicas import RECORD, command, save_example, serving
from tests.servers import ENVIRON, SECONDS_TO_START, Server

pytestmark = pytest.mark.slow

CLIENTS = 4
# docs/operations.md: after so many seconds, each process has the file as it is.
SECONDS_TO_TELL = 2.1
OLD, NEW = "s3cret-of-old", "s3cret-of-new"


class Holder:
    """Clients that send predictions with one key, which they can be told to change."""

    def __init__(self, server: Server, key: str) -> None:
        self.server = server
        self.key = key
        self.statuses: Counter[int] = Counter()
        self.is_over = threading.Event()

    def send(self) -> None:
        while not self.is_over.is_set():
            self.statuses[status_with(self.server, self.key)] += 1


def status_with(server: Server, key: str) -> int:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", "/predict", RECORD, {"X-API-Key": key})
        response = connection.getresponse()
        response.read()
        return response.status
    except OSError:
        return 0
    finally:
        connection.close()


@contextmanager
def sending(server: Server, key: str) -> Iterator[Holder]:
    holder = Holder(server, key)
    clients = [threading.Thread(target=holder.send) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield holder
    finally:
        holder.is_over.set()
        for client in clients:
            client.join()


def test_a_key_is_rotated_without_a_restart_or_a_lost_request(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    file = folder / "secrets" / "api_keys"
    file.parent.mkdir()

    def write(*lines: str) -> None:
        """As docs/operations.md has it: beside its place, and then moved there."""
        other = file.with_name("api_keys.new")
        other.write_text("\n".join(lines) + "\n")
        other.replace(file)
        time.sleep(SECONDS_TO_TELL)

    write(f"app={OLD}")
    workers = 3
    environ = {"API_KEY_FILE": "secrets/api_keys", "WORKERS": workers}
    with serving(folder, **environ) as server:
        server.wait_for_workers(workers)
        with sending(server, OLD) as holder:
            write(f"app={OLD}", f"app-2={NEW}")
            holder.key = NEW
            # Requests with the old one may be on their way.
            time.sleep(0.5)
            write(f"app-2={NEW}")
            for _ in range(30):
                assert status_with(server, OLD) == 401
            write("a file that cannot be used", NEW)
        assert set(holder.statuses) == {200}
        assert holder.statuses.total() > 100
        log = server.log.read_text()
        assert server.count_workers() == workers
        assert "API_KEY_FILE: the key in line 1 has no name" in log
        assert log.count("the keys that it had stay good") <= workers
        assert OLD not in log
        assert NEW not in log


def test_a_worker_that_starts_beside_a_faulty_file_has_the_keys_that_it_had(
    folder: Path,
) -> None:
    """It takes the place of one that was killed, as after a request that took too long."""
    save_example(folder, "build_rf_binary")
    file = folder / "api_keys"
    file.write_text(f"app={OLD}\n")
    environ = {"API_KEY_FILE": "api_keys", "WORKERS": 2}
    with serving(folder, **environ) as server:
        file.write_text("a file that cannot be used\n")
        for worker in wait_for_workers(folder, 2):
            os.kill(worker, signal.SIGKILL)
        wait_for_workers(folder, 2)
        for _ in range(20):
            assert status_with(server, OLD) == 200
            assert status_with(server, NEW) == 401


def wait_for_workers(folder: Path, number: int) -> list[int]:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        assert time.monotonic() < deadline
        with suppress(OSError):
            statistics = read_statistics(folder / "run" / "uwsgi.stats")
            workers = [
                worker["pid"]
                for worker in statistics["workers"]
                if worker["accepting"]
            ]
            if len(workers) == number:
                return workers
        time.sleep(0.1)


def test_a_replica_with_a_faulty_key_says_so_once_and_ends(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    ended = subprocess.run(
        command("serve"),
        cwd=folder,
        env=ENVIRON | {"API_KEYS": f"app={OLD},app={NEW}", "WORKERS": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "serve failed: API_KEYS: key 2 has the same name as one before\n"
    )
