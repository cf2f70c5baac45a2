"""Explanations under uWSGI: those that take too long are refused, and cost no worker."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVC

from tests.production.replicas import serving
from tests.servers import Server

SECONDS_TO_PREPARE = 60
N_FEATURES = 300
N_ROWS = 600
RECORD = dict.fromkeys([f"x{n}" for n in range(N_FEATURES)], 0.5)
OTHER = dict.fromkeys(RECORD, 0.0)


def save_machine(folder: Path) -> None:
    """Save a support vector machine that keeps all of its rows, for a slow prediction."""
    choose = np.random.default_rng(0)
    values = choose.normal(size=(N_ROWS, N_FEATURES))
    rows = pd.DataFrame(values, columns=list(RECORD))
    machine = SVC().fit(rows, choose.integers(2, size=N_ROWS))
    features = [{"name": name, "type": "numeric"} for name in RECORD]
    content = {
        "model": machine,
        "metadata": {"features": features},
        "samples": rows.head(100),
    }
    joblib.dump(content, folder / "model.joblib")


def post_prepared(server: Server, body: bytes) -> tuple[int, str]:
    """Return the response once the worker that gives it has prepared its explanations."""
    deadline = time.monotonic() + SECONDS_TO_PREPARE
    while True:
        status, text = server.post("/predict?explain=1", body)
        if status != 503 or time.monotonic() > deadline:
            return status, text
        time.sleep(0.2)


@pytest.mark.slow
def test_a_model_of_three_hundred_features_costs_no_worker(
    folder: Path,
) -> None:
    """Before, the proof of its explanations ran in /info and in the request, without an end."""
    save_machine(folder)
    # Records alone take more than twice of that, and the proof a fortieth of it.
    limits = {"REQUEST_TIMEOUT": 20, "MAX_EXPLAIN_SECONDS": 8}
    with serving(folder, WORKERS=2, **limits) as server:
        alone = json.dumps(RECORD).encode()
        against = json.dumps({"_data": RECORD, "_samples": [OTHER]}).encode()
        with ThreadPoolExecutor(4) as threads:
            infos = list(threads.map(server.get, ["/info"] * 100))
            explained = threads.map(
                server.post, ["/predict?explain=1"] * 20, [alone, against] * 10
            )
            responses = list(explained)
        assert {status for status, _ in infos} == {200}
        failed = [
            text for status, text in responses if status not in (200, 413, 503)
        ]
        assert failed == []
        status, text = post_prepared(server, alone)
        assert status == 413
        assert "1 records x 100 rows of background x 1204 predictions" in text
        status, text = post_prepared(server, against)
        assert status == 200
        assert len(json.loads(text)["standard_error"]) == N_FEATURES
        log = server.log.read_text()
        assert "HARAKIRI" not in log
        assert "died" not in log
