"""A replica of the service without its container: its commands, its model file and its answers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

import joblib

from python.metrics.processes import read_document
from tests.models import build
from tests.servers import ENVIRON, Server, fetch_headers, started

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
SECONDS_TO_RESPAWN = 60
# As `python -m python.production`, in a folder of the test's own.
MAIN = """
import pathlib, sys
from python.production import __main__ as production
production.RUN_FOLDER = pathlib.Path("run")
production.main(*sys.argv[1:])
"""
WORKER = "getattr(__import__('sys').modules.get('uwsgi'), 'worker_id', int)()"


class SlowToLoad:
    """Takes its seconds to be unpickled: `seconds[n]` in uWSGI's worker n, `seconds[0]` elsewhere."""

    def __init__(self, *seconds: int) -> None:
        self.seconds = seconds

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, (f"__import__('time').sleep({self.seconds}[{WORKER}])",))


class Lingering:
    """Keeps a process that has unpickled it from ending as Python does, for a minute."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (
            eval,
            ("__import__('atexit').register(__import__('time').sleep, 60)",),
        )


def save_example(folder: Path, name: str) -> None:
    """Save an example's artifact as the model file of a folder."""
    joblib.dump(build(name).content, folder / "model.joblib")


def save_slow_example(folder: Path, *seconds: int) -> None:
    """Save an example's artifact that takes these seconds to be loaded, as `SlowToLoad` does."""
    content = build("build_rf_binary").content | {"slow": SlowToLoad(*seconds)}
    joblib.dump(content, folder / "model.joblib")


def command(verb: str) -> list[str]:
    """Return the command line of `serve`, `swap` or `ready`."""
    return [sys.executable, "-c", MAIN, verb]


@contextmanager
def serving(folder: Path, **environ: object) -> Iterator[Server]:
    """Run a replica that is ready."""
    with started(command("serve"), folder, **environ) as server:
        server.wait()
        yield server


def run(
    folder: Path, verb: str, server: Server
) -> subprocess.CompletedProcess[str]:
    """Run a command beside a replica to its end."""
    return subprocess.run(
        command(verb),
        check=False,
        cwd=folder,
        env=ENVIRON | {"PORT": str(server.port)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def swap_to_another(folder: Path, server: Server) -> None:
    """Swap the model of a replica for that of another example, which must be served then."""
    old = model_version(server)
    save_example(folder, "build_linear_binary")
    swapped = run(folder, "swap", server)
    assert swapped.returncode == 0, swapped.stderr
    assert model_version(server) != old


def find_workers(folder: Path, status: str = "") -> list[int]:
    """Return the processes of the workers that take requests, or of those that do something."""
    path = folder / "run" / "uwsgi.stats"
    # A scrape gives up after a second, and uWSGI may take longer while it replaces workers.
    workers = json.loads(read_document(path, SECONDS_TO_RESPAWN))["workers"]
    return [
        worker["pid"]
        for worker in workers
        if worker["accepting"] and status in worker["status"]
    ]


def kill(workers: list[int]) -> set[int]:
    """Return those that were there to be killed; a swap may have ended the others."""
    killed = set()
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
    return killed


def wait_for_workers(
    folder: Path, n_workers: int, killed: Set[int] = frozenset()
) -> None:
    """Wait for all workers; uWSGI lists a killed one until it has noticed."""
    deadline = time.monotonic() + SECONDS_TO_RESPAWN
    while len(set(find_workers(folder)) - killed) < n_workers:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def model_version(server: Server) -> str:
    """Return the version of the model that has responded."""
    return fetch_headers(f"http://127.0.0.1:{server.port}/health")[
        "X-Model-Version"
    ]
