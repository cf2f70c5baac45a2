"""What metrics cost: a request, and a scrape of four workers. `python -m benchmarks.metrics`."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import repeat
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from python.metrics.exposition import expose_folder
from python.metrics.folder import Slot
from python.metrics.recorder import Recorder
from python.model import save_model
from python.model.artifact import Artifact
from python.model.base import Model
from python.model.data.records import Records
from python.model.sklearn import SklearnModel

N_FEATURES = (3, 30, 300)
N_RECORDS = (1, 1000)
N_TRAINING_ROWS = 2000
N_WORKERS = 4
MAX_CALLS = 2000
REPEATS = 5
ROUTES = ("/predict", "/preprocess", "/info", "/health", "/ready", "/docs")


def fit(n_features: int, folder: Path) -> Model:
    """Return a model of numbers, as it is loaded from a file that `save_model` has written."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(N_TRAINING_ROWS, n_features)))
    table.columns = [f"feature{number}" for number in range(n_features)]
    labels = (table.to_numpy().sum(axis=1) > 0).astype(int)
    path = folder / f"{n_features}.joblib"
    estimator = LogisticRegression(max_iter=1000).fit(table, labels)
    save_model(estimator, table, path=path)
    model: Model = SklearnModel.load(Artifact.load(path))
    model.speed_up()
    return model


def make_exchange(model: Model, n_records: int) -> Any:
    """Return an exchange whose records have been predicted."""
    random = np.random.default_rng(1)
    numbers = random.normal(size=(n_records, len(model.schema.features)))
    rows = [tuple(row) for row in numbers.tolist()]
    predictions = model.predictions(Records(model.schema, rows))
    predictions.compute(proba=True)
    return SimpleNamespace(
        route="/predict",
        status=200,
        client="",
        predictions=predictions,
        error=None,
        seconds=0.00045,
        predict_seconds=0.0001,
        explain_seconds=0.0,
    )


def measure(call: Callable[[], object], n_calls: int) -> float:
    """Return the seconds of a call: the least of five rounds, which nothing else has slowed."""
    return min(repeat(call, number=n_calls, repeat=REPEATS)) / n_calls


def measure_follow(model: Model, folder: Path) -> Sequence[float]:
    """Return the seconds that an exchange is followed for, by the number of its records."""
    recorder = Recorder(Slot(folder, 1), ROUTES, "SKLEARN_MODEL")
    recorder.take_model(model)
    seconds = []
    for n_records in N_RECORDS:
        exchange = make_exchange(model, n_records)
        n_calls = MAX_CALLS // n_records + 1
        seconds.append(measure(partial(recorder.follow, exchange), n_calls))
    return seconds


def measure_scrape(model: Model, folder: Path) -> float:
    """Return the seconds that a scrape of four workers takes."""
    for worker in range(1, N_WORKERS + 1):
        recorder = Recorder(Slot(folder, worker), ROUTES, "SKLEARN_MODEL")
        recorder.take_model(model)
    return measure(expose_folder(folder), 3)


def main() -> None:
    """Print a row for each number of features."""
    lines = ["features | one record | 1000 records | scrape"]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for n_features in N_FEATURES:
            model = fit(n_features, folder)
            cells = folder / f"metrics{n_features}"
            one, many = measure_follow(model, cells)
            scrape = measure_scrape(model, cells)
            lines.append(
                f"{n_features} | {one * 1e6:.1f} us | {many * 1e6:.0f} us | {scrape * 1e3:.1f} ms"
            )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
