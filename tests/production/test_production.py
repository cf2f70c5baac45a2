"""Production without its containers: uWSGI with a copy of the model, and the swap."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path

import joblib
import pytest

from tests.acting import SLEEPS, THREADS, acting
from tests.models import build
from tests.servers import ENVIRON, Server, fetch_headers, project, started

RESET_BY_PEER = 56  # as curl says it
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
# As `python -m python.production`, in a folder of the test's own.
MAIN = "import sys, pathlib; from python.production import __main__ as p; p.RUN = pathlib.Path('run'); p.main(sys.argv[1])"


WORKER = "getattr(__import__('sys').modules.get('uwsgi'), 'worker_id', int)()"


class Slow:
    """Takes its seconds to be unpickled: the first are for what is no worker of uWSGI's, the others for each worker."""

    def __init__(self, *seconds: int) -> None:
        self.seconds = seconds

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, (f"__import__('time').sleep({self.seconds}[{WORKER}])",))


class Lingering:
    """Keeps a process that has unpickled it for a minute from ending as Python does."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('atexit').register(__import__('time').sleep, 60)",))


def command(verb: str) -> list[str]:
    return [sys.executable, "-c", MAIN, verb]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return project(tmp_path)


def put(folder: Path, name: str) -> None:
    joblib.dump(build(name).content, folder / "model.joblib")


@contextmanager
def serving(folder: Path, **environ: object) -> Iterator[Server]:
    with started(command("serve"), folder, **environ) as server:
        server.wait()
        yield server


def run(folder: Path, verb: str, server: Server) -> subprocess.CompletedProcess[str]:
    environ = ENVIRON | {"PORT": str(server.port)}
    return subprocess.run(
        command(verb),
        check=False,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def version(server: Server) -> str:
    return fetch_headers(f"http://127.0.0.1:{server.port}/health")["X-Model-Version"]


def test_connections_are_refused_until_the_model_is_ready(folder: Path) -> None:
    put(folder, "build_rf_binary")
    with started(command("serve"), folder) as server:
        seen = set()
        while "ready" not in seen:
            try:
                seen.add(server.get("/ready")[1])
            except OSError as error:
                seen.add(type(getattr(error, "reason", error)).__name__)
            time.sleep(0.01)
        assert seen == {"ConnectionRefusedError", "ready"}


def test_a_new_model_is_served_by_every_worker_and_the_answer_says_so(folder: Path) -> None:
    put(folder, "build_rf_binary")
    with serving(folder, WORKERS=2) as server:
        old = version(server)
        put(folder, "build_linear_binary")
        assert version(server) == old
        assert run(folder, "swap", server).returncode == 0
        new = version(server)
        assert new != old
        assert {version(server) for _ in range(20)} == {new}


def test_a_swap_waits_for_the_workers_that_still_load_the_old_model(folder: Path) -> None:
    joblib.dump(build("build_rf_binary").content | {"slow": Slow(0, 1, 5)}, folder / "model.joblib")
    with started(command("serve"), folder, WORKERS=2) as server:
        server.wait("/health")  # one of the two listens
        put(folder, "build_linear_binary")
        assert run(folder, "swap", server).returncode == 0
        new = version(server)
        assert {version(server) for _ in range(20)} == {new}
        live = (folder / "run" / "live" / "model.joblib").read_bytes()
        assert (
            new
            == sha256(live).hexdigest()[:12]
            == sha256((folder / "model.joblib").read_bytes()).hexdigest()[:12]
        )


@pytest.mark.parametrize("broken", [b"not a pickle", b""])
def test_a_broken_model_leaves_the_old_one(folder: Path, broken: bytes) -> None:
    put(folder, "build_rf_binary")
    with serving(folder) as server:
        old = version(server)
        (folder / "model.joblib").write_bytes(broken)
        swap = run(folder, "swap", server)
        assert swap.returncode == 1
        assert swap.stderr.splitlines()[-1].startswith(
            "swap failed: model.joblib is truncated, damaged or something else"
        )
        assert "Traceback" not in swap.stderr
        assert version(server) == old
        (folder / "model.joblib").unlink()
        assert (
            run(folder, "swap", server).stderr
            == "swap failed: model.joblib cannot be copied: No such file or directory\n"
        )
        assert version(server) == old
        assert server.post("/predict", RECORD)[0] == 200


def test_ready_asks_the_service(folder: Path) -> None:
    put(folder, "build_rf_binary")
    with serving(folder) as server:
        assert run(folder, "ready", server).returncode == 0
    ended = run(folder, "ready", server)
    assert ended.returncode == 1
    assert ended.stderr == "not ready: [Errno 111] Connection refused\n"


def test_there_is_a_worker_for_each_processor_that_may_be_used(folder: Path) -> None:
    put(folder, "build_rf_binary")
    with serving(folder, WORKERS="") as server:
        assert server.log.read_text().count("spawned uWSGI worker") == len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            {"MODEL_NAME": "none.joblib"},
            "serve failed: none.joblib cannot be copied: No such file or directory",
        ),
        ({"MAX_EXPLAIN_ROWS": "x"}, "  MAX_EXPLAIN_ROWS: expected a whole number of 1 or more"),
    ],
)
def test_what_cannot_be_served_ends_with_a_sentence(
    folder: Path, setting: dict[str, str], said: str
) -> None:
    with started(command("serve"), folder, **setting) as server:
        assert server.process.wait(30) == 1
        assert server.log.read_text().splitlines()[-1] == said


@pytest.mark.parametrize(("setting", "threads"), [({}, 1), ({"OMP_NUM_THREADS": 2}, 2)])
def test_libraries_use_one_thread_unless_told_otherwise(
    folder: Path, setting: dict[str, int], threads: int
) -> None:
    joblib.dump(acting(THREADS), folder / "model.joblib")
    with serving(folder, **({"OMP_NUM_THREADS": None} | setting)) as server:
        assert server.post("/predict", RECORD) == (200, f'{{"prediction":[{threads}.0]}}')


def test_a_worker_that_takes_too_long_is_replaced(folder: Path) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with serving(folder, REQUEST_TIMEOUT=1) as server:
        (folder / "model.joblib").write_bytes(b"half of the next mod")
        with pytest.raises((OSError, HTTPException)):
            server.post("/predict", b'{"feature1": 160, "feature2": 1, "feature3": 2}')
        assert server.post("/predict", RECORD) == (200, '{"prediction":[1.0]}')
        assert "HARAKIRI" in server.log.read_text()


def slow(server: Server, seconds: int) -> "subprocess.Popen[str]":
    record = json.dumps({"feature1": 100 + seconds, "feature2": 1, "feature3": 1})
    curl = ["curl", "-s", "-d", record, f"http://127.0.0.1:{server.port}/predict"]
    return subprocess.Popen(curl, stdout=subprocess.PIPE, text=True)


def test_sigterm_lets_requests_finish_and_refuses_others_though_all_workers_are_busy(
    folder: Path,
) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with serving(folder) as server:
        asking = slow(server, 4)
        time.sleep(0.5)
        queued = slow(server, 1)
        time.sleep(0.5)
        server.process.terminate()
        assert (
            queued.communicate(timeout=1)[0] == ""
        )  # it had not reached a worker: a proxy asks another replica
        assert queued.returncode == RESET_BY_PEER
        with pytest.raises(OSError, match="refused"):
            server.post("/predict", RECORD)
        server.process.terminate()  # saying it twice does no harm
        assert asking.communicate(timeout=10)[0] == '{"prediction":[104.0]}'
        assert server.process.wait(5) == 0


def test_sigterm_ends_what_was_never_ready_at_once(folder: Path) -> None:
    joblib.dump(build("build_rf_binary").content | {"slow": Slow(0, 60)}, folder / "model.joblib")
    with started(command("serve"), folder) as server:
        while "spawned uWSGI worker 1" not in server.log.read_text():
            time.sleep(0.1)
        server.process.terminate()
        assert server.process.wait(2) == 128 + signal.SIGKILL


def test_sigterm_ends_workers_that_are_still_loading(folder: Path) -> None:
    joblib.dump(build("build_rf_binary").content | {"slow": Slow(0, 1, 5)}, folder / "model.joblib")
    with serving(folder, WORKERS=2) as server:
        while not (loaded := server.log.read_text().count("WSGI app 0")):
            time.sleep(0.01)
        assert loaded == 1
        server.process.terminate()
        assert server.process.wait(10) == 0


def test_sigterm_right_after_a_worker_is_ready_ends_it(folder: Path) -> None:
    put(folder, "build_rf_binary")
    for _ in range(4):
        with started(command("serve"), folder) as server:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
                    break
                time.sleep(0.001)
            server.process.terminate()
            assert server.process.wait(10) == 0


def test_a_worker_that_is_done_ends_at_once(folder: Path) -> None:
    joblib.dump(acting(SLEEPS) | {"lingering": Lingering()}, folder / "model.joblib")
    with serving(folder, WORKERS=2) as server:
        asking = slow(server, 2)  # the other worker has nothing to do
        time.sleep(0.5)
        server.process.terminate()
        assert asking.communicate(timeout=10)[0] == '{"prediction":[102.0]}'
        assert server.process.wait(5) == 0


def test_sigterm_does_not_wait_for_a_request_that_hangs(folder: Path) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with serving(folder, REQUEST_TIMEOUT=2) as server, slow(server, 60):
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 128 + signal.SIGKILL


def test_a_refused_model_takes_no_memory(folder: Path) -> None:
    put(folder, "build_rf_binary")
    with serving(folder) as server:
        (folder / "model.joblib").write_bytes(b"not a pickle")
        said = server.log.read_text()
        assert run(folder, "swap", server).returncode == 1
        assert not (folder / "run" / "candidate" / "model.joblib").exists()
        assert server.log.read_text().startswith(said)
