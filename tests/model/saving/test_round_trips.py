"""What is served of a saved model is what the estimator predicts for its training data."""

import json
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from python.app import create_app
from python.loading import load_checked
from python.model.saving.artifacts import Wishes, make_artifact
from python.settings import Settings
from tests.artifacts import post
from tests.model.saving.frames import JOBS, Job

FLOAT32_FAMILIES = ("xgboost", "xgboost regressor")


def wishes(job: Job) -> Wishes:
    return Wishes(job.y, None, {}, n_samples=30, n_examples=10)


def json_value(value: Any) -> Any:
    """Return a value as a client would write it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for number in range(len(frame)):
        row = {}
        for name in frame:
            row[str(name)] = json_value(frame[name].iloc[number])
        rows.append(row)
    return rows


def outputs(estimator: Any, method: str, X: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output = getattr(estimator, method)(X)
    if isinstance(output, list):
        return np.swapaxes(np.array(output), 0, 1)
    return np.asarray(output)


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_the_training_data_gets_the_estimators_own_answers(
    name: str, elsewhere: Path
) -> None:
    job = JOBS[name]()
    predicted = outputs(job.model, "predict", job.X)
    has_probabilities = hasattr(job.model, "predict_proba")
    if has_probabilities:
        probabilities = outputs(job.model, "predict_proba", job.X)
    content, _ = make_artifact(job.model, job.X, wishes(job))
    path = elsewhere / "model.joblib"
    joblib.dump(content, path)
    model = load_checked(path, Settings())
    client = create_app(Settings(), model).test_client()
    body = records(job.frame)
    served = post(client, "/predict", body)["prediction"]
    assert_same(name, served, predicted.reshape(np.shape(served)))
    if has_probabilities:
        named = post(client, "/predict?proba=1", body)["prediction"]
        tables = [strip_names(item) for item in named]
        if probabilities.ndim < np.ndim(tables):
            probabilities = np.stack([1 - probabilities, probabilities], 2)
        assert_same(name, tables, probabilities)


def strip_names(item: Any) -> Any:
    """Return probabilities without the names of their classes."""
    if isinstance(item, list):
        return [strip_names(inner) for inner in item]
    return list(item.values())


def assert_same(name: str, served: Any, predicted: Any) -> None:
    """Compare bit for bit, or to the precision of a library whose sums depend on the batch."""
    array = np.array(served, dtype=predicted.dtype)
    if name in FLOAT32_FAMILIES:
        assert np.allclose(array, predicted, rtol=1e-6)
    elif array.dtype.kind == "f":
        assert np.allclose(array, predicted, rtol=1e-12, atol=1e-12)
    else:
        assert array.tolist() == predicted.tolist()


def test_json_is_what_the_clients_of_these_tests_send() -> None:
    frame = JOBS["every dtype"]().frame
    assert json.loads(json.dumps(records(frame))) == records(frame)
