"""What the supervisor does when uWSGI's workers become ready, and when it has to stop."""

import json
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import joblib
import pytest

from tests.acting import SLEEPS, acting
from tests.production.replicas import (
    RECORD,
    Lingering,
    command,
    save_example,
    save_slow_example,
    serving,
)
from tests.servers import Server, started

pytestmark = pytest.mark.slow

RESET_BY_PEER = 56  # curl's exit status


def start_slow_request(
    server: Server, seconds: int
) -> "subprocess.Popen[str]":
    """Start a request that takes these seconds, of a model that `SLEEPS`."""
    record = json.dumps(
        {"feature1": 100 + seconds, "feature2": 1, "feature3": 1}
    )
    curl = [
        "curl",
        "-s",
        "-d",
        record,
        f"http://127.0.0.1:{server.port}/predict",
    ]
    return subprocess.Popen(curl, stdout=subprocess.PIPE, text=True)


def test_connections_are_refused_until_the_model_is_ready(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with started(command("serve"), folder) as server:
        responses = set()
        while "ready" not in responses:
            try:
                responses.add(server.get("/ready")[1])
            except OSError as error:
                responses.add(type(getattr(error, "reason", error)).__name__)
            time.sleep(0.01)
        assert responses == {"ConnectionRefusedError", "ready"}


def test_sigterm_lets_requests_finish_and_refuses_others_though_all_workers_are_busy(
    folder: Path,
) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with serving(folder) as server:
        running = start_slow_request(server, 4)
        time.sleep(0.5)
        queued = start_slow_request(server, 1)
        time.sleep(0.5)
        server.process.terminate()
        # No worker had read the second request, so nginx sends it to another replica.
        assert queued.communicate(timeout=1)[0] == ""
        assert queued.returncode == RESET_BY_PEER
        with pytest.raises(OSError, match="refused"):
            server.post("/predict", RECORD)
        server.process.terminate()  # a second signal does no harm
        assert running.communicate(timeout=10)[0] == '{"prediction":[104.0]}'
        assert server.process.wait(5) == 0


def test_sigterm_ends_what_was_never_ready_at_once(folder: Path) -> None:
    save_slow_example(folder, 0, 60)
    with started(command("serve"), folder) as server:
        while "spawned uWSGI worker 1" not in server.log.read_text():
            time.sleep(0.1)
        server.process.terminate()
        assert server.process.wait(2) == 128 + signal.SIGKILL


def test_sigterm_ends_workers_that_are_still_loading(folder: Path) -> None:
    save_slow_example(folder, 0, 1, 5)
    with serving(folder, WORKERS=2) as server:
        while not (n_loaded := server.log.read_text().count("WSGI app 0")):
            time.sleep(0.01)
        assert n_loaded == 1
        server.process.terminate()
        assert server.process.wait(10) == 0


def test_sigterm_right_after_a_worker_is_ready_ends_it(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    for _ in range(4):
        with started(command("serve"), folder) as server:
            while True:
                with (
                    suppress(OSError),
                    socket.create_connection(("127.0.0.1", server.port), 1),
                ):
                    break
                time.sleep(0.001)
            server.process.terminate()
            assert server.process.wait(10) == 0


def test_sigterm_ends_an_idle_worker_at_once_while_another_finishes(
    folder: Path,
) -> None:
    joblib.dump(
        acting(SLEEPS) | {"lingering": Lingering()}, folder / "model.joblib"
    )
    with serving(folder, WORKERS=2) as server:
        running = start_slow_request(server, 2)  # the other worker is idle
        time.sleep(0.5)
        server.process.terminate()
        assert running.communicate(timeout=10)[0] == '{"prediction":[102.0]}'
        assert server.process.wait(5) == 0


def test_sigint_does_not_wait_for_a_request_that_hangs(folder: Path) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with (
        serving(folder, REQUEST_TIMEOUT=2) as server,
        start_slow_request(server, 60),
    ):
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(5) == 128 + signal.SIGKILL
