"""Which estimators get a copy, and on how many records it is proven."""

import logging
import threading
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.svm import SVC

from python.app import create_app
from python.model.artifact import Artifact
from python.model.fast import trials
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.model.fast.compiled import (
    sped_up,
    targets,
)
from tests.models import build, features, numbers
from tests.records import of_codes


class Generous(Pipeline):  # type: ignore[misc]
    def predict(self, X: Any) -> Any:
        return (self.predict_proba(X)[:, 1] >= 0.1).astype(int)


class Ruled(RandomForestRegressor):  # type: ignore[misc]
    def predict(self, X: Any) -> Any:
        return np.where(np.asarray(X)[:, 1] == 42, -1.0, super().predict(X))


class Selecting(ColumnTransformer):  # type: ignore[misc]
    def transform(self, X: Any) -> Any:
        return np.where(np.asarray(X) == 42, -1.0, super().transform(X))


def test_an_estimator_that_cannot_be_compiled_answers_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        model = sped_up(SVC(), numbers(), 2)
    assert model.info()["fast_predict"] is False
    assert "cannot be compiled" in model.info()["fast_predict_reason"]
    assert "the estimator answers itself" in caplog.text


@pytest.mark.parametrize("classes", [2, 0])
def test_what_is_not_scikit_learns_own_answers_itself(classes: int) -> None:
    steps = [("scale", StandardScaler()), ("last", LogisticRegression())]
    model = sped_up(
        Generous(steps) if classes else Ruled(5, random_state=0),
        numbers(),
        classes,
    )
    assert "is not scikit-learn's own" in model.info()["fast_predict_reason"]


def test_what_only_holds_or_selects_answers_itself() -> None:
    held = FrozenEstimator(
        LogisticRegression().fit(numbers(), targets(numbers(), 2))
    )
    columns = Selecting([("scale", StandardScaler(), list(numbers()))])
    for estimator in (held, make_pipeline(columns, LogisticRegression())):
        assert sped_up(estimator, numbers(), 2).info()["fast_predict"] is False


def test_wide_models_are_proven_and_timed_on_few_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pd.DataFrame(
        np.random.default_rng(0).normal(size=(60, 20))
    ).add_prefix("x")
    pipeline = make_pipeline(
        PolynomialFeatures(2), StandardScaler(), Ridge()
    ).fit(data, data["x0"])
    model = SklearnModel.load(
        Artifact(pipeline, {"features": features(data)}, data)
    )
    sizes = []
    own = PolynomialFeatures.transform

    def counted(step: Any, X: Any) -> Any:
        sizes.append(len(X))
        return own(step, X)

    monkeypatch.setattr(PolynomialFeatures, "transform", counted)
    monkeypatch.setattr(trials, "MATRIX_LIMIT_NUMBERS", 231 * 40)
    model.speed_up()
    assert model.copy is not None, model.info()["fast_predict_reason"]
    assert 16 <= max(sizes) <= 40 == model.copy.limit
    assert model.copy.output(of_codes(model.schema, np.ones((41, 20)))) is None


@pytest.mark.parametrize("fast", [True, False])
def test_nothing_waits_for_the_compiled_copy(
    fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling = threading.Event()
    speed_up = SklearnModel.speed_up

    def late(model: SklearnModel, *arguments: Any) -> None:
        compiling.wait(30)
        speed_up(model, *arguments)

    monkeypatch.setattr(SklearnModel, "speed_up", late)
    joblib.dump(build("build_rf_binary").content, tmp_path / "model.joblib")
    client = create_app(
        Settings(model_folder=str(tmp_path), fast_predict=fast)
    ).test_client()
    record = build("build_rf_binary").records(1)[0]
    expected = client.post("/predict?proba=1", json=record).data
    assert client.get("/ready").status_code == 200
    assert client.get("/info").get_json()["model"]["fast_predict"] is False
    compiling.set()
    for thread in threading.enumerate():
        if thread.name == "prepare":
            thread.join(30)
    assert client.get("/info").get_json()["model"]["fast_predict"] is fast
    assert client.post("/predict?proba=1", json=record).data == expected
