"""What uwsgi.ini sets for the workers."""

from http.client import HTTPException
from pathlib import Path

import joblib
import pytest

from tests.acting import SLEEPS, THREADS, acting
from tests.production.replicas import RECORD, serving

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("setting", "threads"), [({}, 1), ({"OMP_NUM_THREADS": 2}, 2)]
)
def test_libraries_use_one_thread_unless_the_environment_sets_another_number(
    folder: Path, setting: dict[str, int], threads: int
) -> None:
    joblib.dump(acting(THREADS), folder / "model.joblib")
    # The tests themselves run with these.
    unset = {"OMP_NUM_THREADS": None, "OMP_THREAD_LIMIT": None}
    with serving(folder, **(unset | setting)) as server:
        assert server.post("/predict", RECORD) == (
            200,
            f'{{"prediction":[{threads}.0]}}',
        )


def test_a_worker_that_takes_too_long_is_replaced(folder: Path) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    with serving(folder, REQUEST_TIMEOUT=1) as server:
        (folder / "model.joblib").write_bytes(b"half of the next mod")
        with pytest.raises((OSError, HTTPException)):
            server.post(
                "/predict", b'{"feature1": 160, "feature2": 1, "feature3": 2}'
            )
        assert server.post("/predict", RECORD) == (200, '{"prediction":[1.0]}')
        assert "HARAKIRI" in server.log.read_text()
