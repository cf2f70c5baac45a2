"""Workers: processes that load the model at the same time."""

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
