"""The stability index, computed by a real Prometheus that scrapes a real service."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from python.model import save_model
from tests.monitoring.prometheus import wait_until, watching
from tests.production.replicas import serving
from tests.servers import Server, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("prometheus") is None,
        reason="prometheus is a package of Debian, which .ci/run installs",
    ),
]

INDEX = "model:feature_stability_index:1h"
FIRING = 'ALERTS{alertname="Drift",alertstate="firing"}'
N_TRAINING_ROWS = 5000
Numbers = NDArray[np.float64]


def save(folder: Path) -> None:
    random = np.random.default_rng(1)
    table = pd.DataFrame(draw(random, N_TRAINING_ROWS))
    labels = (table["age"] + table["income"] > 0).astype(int)
    estimator = LogisticRegression().fit(table, labels)
    save_model(estimator, table, path=folder / "model.joblib")


def draw(random: np.random.Generator, n_rows: int) -> dict[str, Numbers]:
    return {
        "age": random.normal(size=n_rows),
        "income": random.exponential(size=n_rows),
    }


def predict(server: Server, columns: dict[str, Numbers]) -> None:
    rows = zip(*columns.values(), strict=True)
    body = [dict(zip(columns, map(float, row), strict=True)) for row in rows]
    status, text = server.post("/predict", json.dumps(body).encode())
    assert status == 200, text


def test_where_a_feature_is_shifted_the_index_rises_and_the_alert_fires(
    folder: Path,
) -> None:
    save(folder)
    port = free_port()
    random = np.random.default_rng(2)
    with (
        serving(folder, WORKERS=2, METRICS_PORT=port) as server,
        watching(folder, {"service": port}) as prometheus,
    ):
        ask = prometheus.by_feature
        records = "sum(increase(model_records_total[1h]))"
        wait_until(lambda: ask(records) == {"": 0.0})
        # Prometheus extrapolates, by more where scrapes are late.
        predict(server, draw(random, 250))
        wait_until(lambda: ask(records)[""] > 240)
        # Two more evaluations.
        time.sleep(2.5)
        assert ask(INDEX) == {}
        for _ in range(10):
            predict(server, draw(random, 100))
        wait_until(lambda: ask(records)[""] > 1240 and len(ask(INDEX)) == 2)
        time.sleep(2.5)
        alike = ask(INDEX)
        assert alike.keys() == {"age", "income"}
        assert max(alike.values()) < 0.1
        assert ask(FIRING) == {}
        for _ in range(20):
            shifted = draw(random, 100)
            shifted["age"] += 2
            predict(server, shifted)
        wait_until(lambda: ask(INDEX)["age"] > 0.25)
        time.sleep(2.5)
        index = ask(INDEX)
        assert index["age"] > 0.25
        assert index["income"] < 0.1
        wait_until(lambda: bool(ask(FIRING)))
        assert ask(FIRING).keys() == {"age"}
