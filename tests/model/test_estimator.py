"""Facts about a fitted estimator: its task, steps, names of columns, classes, importances."""

from time import thread_time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    IsolationForest,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from python.model import estimator as facts
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from tests.artifacts import client_of, content, post
from tests.models import build, forest, numbers

DATA = numbers()
TARGET = (DATA["size"] > 0).astype(int)


def importances(name: str) -> dict[str, float]:
    model = SklearnModel.load(Artifact.of(build(name).content))
    return {
        feature["name"]: feature["importance"]
        for feature in model.features()
        if "importance" in feature
    }


@pytest.mark.parametrize(
    ("estimator", "task"),
    [
        (KMeans(2, n_init=1).fit(DATA), "CLUSTERER"),
        (IsolationForest(n_estimators=2).fit(DATA), "OUTLIER_DETECTOR"),
        (LinearRegression().fit(DATA, TARGET), "REGRESSION"),
        (LogisticRegression().fit(DATA, TARGET), "BINARY_CLASSIFICATION"),
        (
            LogisticRegression().fit(DATA, np.arange(len(DATA)) % 3),
            "MULTICLASS_CLASSIFICATION",
        ),
        (
            RandomForestClassifier(2).fit(DATA, np.c_[TARGET, TARGET]),
            "MULTIOUTPUT_CLASSIFICATION",
        ),
        (
            MLPClassifier(
                1, max_iter=2000, solver="lbfgs", random_state=0
            ).fit(DATA, np.c_[TARGET, 1 - TARGET]),
            "MULTIOUTPUT_CLASSIFICATION",
        ),
    ],
)
def test_the_task_is_found(estimator: Any, task: str) -> None:
    metadata = {
        "features": [{"name": name, "type": "numeric"} for name in DATA]
    }
    model = SklearnModel.load(
        Artifact.of({"model": estimator, "metadata": metadata})
    )
    assert model.info()["task"] == task


def test_the_predictor_is_found_inside_other_estimators() -> None:
    inner = make_pipeline(StandardScaler(), forest())
    for estimator in (
        inner,
        GridSearchCV(inner, {"randomforestclassifier__max_depth": [2]}, cv=2),
        CalibratedClassifierCV(inner, cv=2),
        make_pipeline(
            StandardScaler(), GridSearchCV(forest(), {"max_depth": [2]}, cv=2)
        ),
        make_pipeline("passthrough", CalibratedClassifierCV(forest(), cv=2)),
    ):
        assert (
            facts.predictor_type(estimator.fit(DATA, TARGET))
            is RandomForestClassifier
        )


def test_importances_of_columns_are_summed_for_their_feature() -> None:
    predictor = build("pipeline").estimator[-1]
    # blue, green, red, missing; height, size; indicators of height and size; weight passed through
    own = predictor.feature_importances_
    expected = {
        "size": own[5] + own[7],
        "weight": own[8],
        "height": own[4] + own[6],
        "colour": own[:4].sum(),
    }
    assert importances("pipeline") == pytest.approx(expected)


def test_the_importance_of_a_linear_model_is_the_size_of_its_coefficients() -> (
    None
):
    coefficients = np.abs(build("logistic of three").estimator.coef_).sum(
        axis=0
    )
    assert list(importances("logistic of three").values()) == pytest.approx(
        list(coefficients)
    )


@pytest.mark.parametrize(
    "name", ["neighbours", "calibrated", "histogram", "several outputs"]
)
def test_a_model_without_importances_has_none(name: str) -> None:
    assert importances(name) == {}


@pytest.mark.slow
def test_every_estimator_in_the_model_predicts_in_one_thread() -> None:
    scaled = make_pipeline(StandardScaler(), forest(n_jobs=2))
    parts = [("a", forest(n_jobs=-1)), ("b", scaled)]
    voting = VotingClassifier(parts, n_jobs=-1)
    estimator = GridSearchCV(voting, {"a__max_depth": [2]}, cv=2).fit(
        DATA, TARGET
    )
    facts.prepare_to_serve(estimator)
    voting = estimator.best_estimator_
    assert voting.n_jobs == 1
    assert voting.estimators_[0].n_jobs == 1
    assert voting.estimators_[1][-1].n_jobs == 1


def test_no_step_changes_its_input() -> None:
    estimator = make_pipeline(
        StandardScaler(copy=False), StandardScaler(copy=False)
    ).fit(DATA.to_numpy(dtype=float))
    facts.prepare_to_serve(estimator)
    array = DATA.to_numpy(dtype=float)
    estimator.transform(array)
    assert np.array_equal(array, DATA)


def test_a_step_that_is_not_scikit_learns_own_is_left_as_it_is() -> None:
    class Own(StandardScaler):  # type: ignore[misc]
        pass

    estimator = Own(copy=False)
    facts.prepare_to_serve(estimator)
    assert estimator.copy is False


def test_a_search_inside_a_pipeline_predicts_from_what_the_pipeline_made() -> (
    None
):
    estimator = make_pipeline(
        StandardScaler(), GridSearchCV(forest(), {"max_depth": [2]}, cv=2)
    ).fit(DATA, TARGET)
    steps = facts.split_steps(estimator)
    assert np.array_equal(
        steps.predictor.predict(steps.transform(DATA)), estimator.predict(DATA)
    )


def test_an_estimator_is_called_with_the_form_it_was_fitted_with() -> None:
    model = SklearnModel.load(Artifact.of(build("forest of an array").content))
    assert isinstance(model.schema.columns([(1.0, 2.0, 3.0)]), np.ndarray)
    model = SklearnModel.load(Artifact.of(build("tree").content))
    assert isinstance(model.schema.columns([(1.0, 2.0, 3.0)]), pd.DataFrame)


def test_parts_are_found_beside_cycles_and_millions_of_values() -> None:
    estimator = make_pipeline(StandardScaler(), forest()).fit(DATA, TARGET)
    root: dict[str, Any] = {"children": []}
    root["children"].append({"parent": root})
    estimator.root_ = root
    estimator.words_ = dict.fromkeys(range(2_000_000), 1.0)
    estimator.kept_ = [StandardScaler(copy=False)]
    start = thread_time()
    set(map(type, estimator.words_.values()))
    seconds_to_read = thread_time() - start
    start = thread_time()
    parts = list(facts.find_nested(estimator))
    assert thread_time() - start < 20 * seconds_to_read
    assert estimator.kept_[0] in parts
    assert estimator[0] in parts
    assert estimator[-1].estimators_[-1] in parts
    assert len(parts) == len(set(map(id, parts)))


class Descent:
    """A model of the user's own, whose attributes have names that scikit-learn uses."""

    steps = 100
    calibrated_classifiers_ = 7

    def predict(self, X: Any) -> Any:
        return np.asarray(X, dtype=float).sum(axis=1)


def test_an_own_class_may_use_the_names_of_scikit_learn_for_other_things() -> (
    None
):
    client = client_of(content(model=Descent()))
    assert post(client, "/predict", {"x": 1, "y": 2})["prediction"] == [3.0]
    info = client.get("/info").get_json()
    assert "Descent" in info["model"]["predictor_type"]
