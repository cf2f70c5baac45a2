"""What a replica does when its clock is set, by hours and by years."""

import json
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from threading import Event

import joblib
import pytest

from tests.acting import SLEEPS, acting
from tests.metrics.scrapes import scrape
from tests.production.replicas import (
    RECORD,
    command,
    save_example,
    save_slow_example,
    swap_to_another,
)
from tests.servers import Server, free_port, started

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcc") is None, reason="gcc is not installed"
    ),
]

SOURCE = Path(__file__).with_name("clock.c")
HOUR = 3600
YEAR = 365 * 24 * HOUR
STEPS = (-HOUR, HOUR, -10 * YEAR, 10 * YEAR, -1, 0)
REQUEST_TIMEOUT = 3
N_CLIENTS = 4


@dataclass(frozen=True)
class Clock:
    """A replica with a clock of its own, and the port of its metrics."""

    server: Server
    metrics: int
    offset: Path

    def set(self, seconds: int) -> None:
        """Set it to the system's and so many seconds, and let every second's check see that."""
        with self.offset.open("r+b") as file:
            file.write(struct.pack("l", seconds))
        time.sleep(2)


@contextmanager
def clock(
    folder: Path, *, has_to_be_ready: bool = True, **environ: object
) -> Iterator[Clock]:
    """Run a replica of two workers with a clock of its own."""
    library = folder / "clock.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE], check=True
    )
    offset = folder / "offset"
    offset.write_bytes(struct.pack("l", 0))
    metrics = free_port()
    with started(
        command("serve"),
        folder,
        WORKERS=2,
        METRICS_PORT=metrics,
        LD_PRELOAD=library,
        CLOCK_OFFSET=offset,
        **environ,
    ) as server:
        if has_to_be_ready:
            server.wait()
        yield Clock(server, metrics, offset)


@contextmanager
def asking(server: Server, statuses: list[int]) -> Iterator[None]:
    """Send requests one after the other from several clients, and collect their statuses."""
    is_over = Event()

    def ask(_: int) -> None:
        while not is_over.is_set():
            statuses.append(server.post("/predict", RECORD)[0])

    with ThreadPoolExecutor(N_CLIENTS) as clients:
        results = clients.map(ask, range(N_CLIENTS))
        yield
        is_over.set()
        list(results)


def test_every_request_is_answered_and_measured_whatever_the_clock_does(
    folder: Path,
) -> None:
    """One that is on its way when the clock is set forward has taken too long, by the clock."""
    save_example(folder, "build_rf_binary")
    with clock(folder) as replica:
        statuses: list[int] = []
        start = time.monotonic()
        now = 0
        for seconds in STEPS:
            if seconds > now:
                replica.set(seconds)
            with asking(replica.server, statuses):
                replica.set(seconds)
            now = seconds
        seconds_in_all = time.monotonic() - start
        assert len(statuses) > 100
        assert set(statuses) == {200}
        said = scrape(replica.metrics)
        assert said.requests()["/predict", "200"] == len(statuses)
        measured = said.by("route", "service_request_duration_seconds_sum")
        assert 0 < measured["/predict"] < N_CLIENTS * seconds_in_all
        assert said.total("service_harakiris_total") == 0


def test_a_clock_that_was_set_back_keeps_no_model_from_being_swapped(
    folder: Path,
) -> None:
    """By itself, uWSGI would look at nothing until it is as late again."""
    save_example(folder, "build_rf_binary")
    with clock(folder) as replica:
        replica.set(-HOUR)
        swap_to_another(folder, replica.server)


def test_a_clock_that_is_set_back_while_the_model_is_loaded_does_no_harm(
    folder: Path,
) -> None:
    save_slow_example(folder, 0, 6, 6)
    with clock(folder, has_to_be_ready=False) as replica:
        while "spawned uWSGI worker 2" not in replica.server.log.read_text():
            time.sleep(0.1)
        replica.set(-HOUR)
        replica.server.wait()
        swap_to_another(folder, replica.server)


def test_a_clock_that_was_set_back_keeps_no_request_from_being_ended(
    folder: Path,
) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with clock(folder, REQUEST_TIMEOUT=REQUEST_TIMEOUT) as replica:
        replica.set(-HOUR)
        body = json.dumps({"feature1": 120, "feature2": 1, "feature3": 1})
        # uWSGI breaks the connection; by itself, the model would answer after 20 seconds.
        with pytest.raises(HTTPException):
            replica.server.post("/predict", body.encode())
        replica.server.wait()
        assert scrape(replica.metrics).total("service_harakiris_total") == 1
