"""Workers: processes that load the model at the same time."""

import multiprocessing
import threading
import time
from pathlib import Path

import pytest

from python.score.workers import started
from tests.artifacts import X, content
from tests.score.test_scorer import job_for

pytestmark = pytest.mark.slow


def test_each_process_has_begun_to_load_when_there_is_a_plan(
    elsewhere: Path,
) -> None:
    job = job_for(elsewhere, content(), ",".join(X.columns) + "\n")
    with started(job, 2) as workers:
        assert "prediction" in workers.plan().names
        assert len(workers._pool._processes) == 2


@pytest.mark.parametrize("is_busy", [False, True])
def test_nothing_of_the_workers_is_left_when_they_have_ended(
    elsewhere: Path, is_busy: bool
) -> None:
    """A thread that was left raised an error at the exit, now and then."""
    threads = threading.enumerate()
    job = job_for(elsewhere, content(), ",".join(X.columns) + "\n")
    with started(job, 2) as workers:
        workers.plan()
        if is_busy:
            workers._pool.submit(time.sleep, 60)
    assert multiprocessing.active_children() == []
    assert threading.enumerate() == threads
