"""The stability index, computed by a real Prometheus that scrapes a real service."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from python.model import save_model
from tests.models import ROOT
from tests.production.replicas import serving
from tests.servers import Server, end, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("prometheus") is None,
        reason="prometheus is a package of Debian, which .ci/run installs",
    ),
]

INDEX = "model:feature_stability_index:1h"
N_TRAINING_ROWS = 5000
SECONDS_TO_WAIT = 120
CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
- job_name: service
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
Numbers = NDArray[np.float64]
Ask = Callable[[str], dict[str, float]]


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[Ask]:
    """Run a Prometheus that scrapes a port each second; yield a function that asks it."""
    web_port = free_port()
    rules = ROOT / "monitoring" / "drift.rules.yml"
    configuration = folder / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(rules=rules, port=port))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{web_port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ask(query: str) -> dict[str, float]:
        parameters = urllib.parse.urlencode({"query": query})
        url = f"http://127.0.0.1:{web_port}/api/v1/query?{parameters}"
        with urllib.request.urlopen(url, timeout=30) as response:
            found = json.load(response)["data"]["result"]
        return {
            sample["metric"].get("feature", ""): float(sample["value"][1])
            for sample in found
        }

    try:
        wait_until(lambda: ask("up") == {"": 1.0})
        yield ask
    finally:
        end(process)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except OSError:  # it is starting
            pass
        time.sleep(0.2)
    raise AssertionError("it does not become so")


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


def test_the_index_rises_where_a_feature_is_shifted_and_nowhere_else(
    folder: Path,
) -> None:
    save(folder)
    port = free_port()
    random = np.random.default_rng(2)
    with (
        serving(folder, WORKERS=2, METRICS_PORT=port) as server,
        prometheus(folder, port) as ask,
    ):
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
        for _ in range(20):
            shifted = draw(random, 100)
            shifted["age"] += 2
            predict(server, shifted)
        wait_until(lambda: ask(INDEX)["age"] > 0.25)
        time.sleep(2.5)
        index = ask(INDEX)
        assert index["age"] > 0.25
        assert index["income"] < 0.1
