"""The matrix of explanations: estimators x tasks x data x modes, each a real model explained through the model room."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn import (
    ensemble,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from python.model.artifact import Artifact
from python.model.base import Explanation
from python.model.sklearn import SklearnModel
from tests.models import features, mixed, numbers
from tests.records import explain

TASKS = ("binary", "three classes", "regression")
MODES = ("alone", "samples", "_samples")
ROWS, BACKGROUND = 5, 15

Make = Callable[[], Any]


def boosted(kind: type, **parameters: Any) -> Make:
    return lambda: kind(n_estimators=6, random_state=0, **parameters)


def lightgbm(kind: type) -> Make:
    return boosted(kind, min_child_samples=5, verbose=-1)


def catboost(kind: type, categorical: tuple[str, ...] = ()) -> Make:
    parameters = {
        "iterations": 6,
        "depth": 4,
        "verbose": 0,
        "allow_writing_files": False,
        "random_seed": 0,
    }
    return lambda: kind(cat_features=list(categorical), **parameters)


def some_trees(kind: type, **parameters: Any) -> Make:
    return lambda: kind(n_estimators=8, max_depth=4, random_state=0, **parameters)


def histogram(kind: type, **parameters: Any) -> Make:
    return lambda: kind(max_iter=6, min_samples_leaf=5, **parameters)


def voting(kind: type, parts: list[tuple[str, Any]], **parameters: Any) -> Make:
    return lambda: kind(parts, **parameters)


few = tree.DecisionTreeClassifier(max_depth=3, random_state=0)
some = tree.DecisionTreeRegressor(max_depth=3, random_state=0)
logistic, ridge = linear_model.LogisticRegression(), linear_model.Ridge()

# name: (classifier, regressor), None where there is none
ESTIMATORS: dict[str, tuple[Make | None, Make | None]] = {
    "decision tree": (
        lambda: tree.DecisionTreeClassifier(max_depth=4, random_state=0),
        lambda: tree.DecisionTreeRegressor(max_depth=4, random_state=0),
    ),
    "random forest": (
        some_trees(ensemble.RandomForestClassifier),
        some_trees(ensemble.RandomForestRegressor),
    ),
    "extra trees": (
        some_trees(ensemble.ExtraTreesClassifier),
        some_trees(ensemble.ExtraTreesRegressor),
    ),
    "gradient boosting": (
        boosted(ensemble.GradientBoostingClassifier),
        boosted(ensemble.GradientBoostingRegressor),
    ),
    "histogram boosting": (
        histogram(ensemble.HistGradientBoostingClassifier),
        histogram(ensemble.HistGradientBoostingRegressor),
    ),
    "poisson histogram boosting": (
        None,
        histogram(ensemble.HistGradientBoostingRegressor, loss="poisson"),
    ),
    "LightGBM": (lightgbm(LGBMClassifier), lightgbm(LGBMRegressor)),
    "XGBoost": (
        boosted(XGBClassifier, enable_categorical=True),
        boosted(XGBRegressor, enable_categorical=True),
    ),
    "CatBoost": (catboost(CatBoostClassifier), catboost(CatBoostRegressor)),
    "linear": (linear_model.LogisticRegression, linear_model.Ridge),
    "poisson": (None, linear_model.PoissonRegressor),
    "linear margin": (
        lambda: svm.LinearSVC(random_state=0),
        lambda: svm.LinearSVR(random_state=0),
    ),
    "ridge classifier": (linear_model.RidgeClassifier, None),
    "support vectors": (svm.SVC, svm.SVR),
    "nearest neighbours": (
        neighbors.KNeighborsClassifier,
        neighbors.KNeighborsRegressor,
    ),
    "naive Bayes": (naive_bayes.GaussianNB, None),
    "neural network": (
        lambda: neural_network.MLPClassifier(
            hidden_layer_sizes=5, max_iter=50, random_state=0
        ),
        lambda: neural_network.MLPRegressor(
            hidden_layer_sizes=5, max_iter=50, random_state=0
        ),
    ),
    "AdaBoost": (
        boosted(ensemble.AdaBoostClassifier),
        boosted(ensemble.AdaBoostRegressor),
    ),
    "bagging": (
        boosted(ensemble.BaggingClassifier),
        boosted(ensemble.BaggingRegressor),
    ),
    "calibrated": (lambda: CalibratedClassifierCV(few, cv=2), None),
    "searched": (
        lambda: GridSearchCV(
            tree.DecisionTreeClassifier(random_state=0), {"max_depth": [2, 3]}, cv=2
        ),
        lambda: GridSearchCV(linear_model.Ridge(), {"alpha": [1, 2]}, cv=2),
    ),
    "voting": (
        voting(ensemble.VotingClassifier, [("a", few), ("b", logistic)], voting="soft"),
        voting(ensemble.VotingRegressor, [("a", some), ("b", ridge)]),
    ),
    "stacking": (
        voting(ensemble.StackingClassifier, [("a", few), ("b", logistic)], cv=2),
        voting(ensemble.StackingRegressor, [("a", some), ("b", ridge)], cv=2),
    ),
}
TAKES_MISSING = {
    "decision tree",
    "random forest",
    "extra trees",
    "histogram boosting",
    "LightGBM",
    "XGBoost",
    "CatBoost",
}
TAKES_CATEGORIES = {"LightGBM", "XGBoost", "CatBoost", "histogram boosting"}
# These compute in float32 themselves, and so do shap's interventional trees.
FLOAT32 = {"XGBoost", "CatBoost"}


def encoder() -> Any:
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour"]),
        (numeric, ["size", "weight", "height"]),
    )


DATA: dict[
    str, tuple[Callable[[], pd.DataFrame], Callable[[Any], Any], Callable[[str], bool]]
] = {
    "numbers": (numbers, lambda estimator: estimator, lambda _: True),
    "missing": (
        lambda: numbers(missing=True),
        lambda estimator: estimator,
        TAKES_MISSING.__contains__,
    ),
    "categories": (
        lambda: mixed(missing=False),
        lambda estimator: estimator,
        TAKES_CATEGORIES.__contains__,
    ),
    "scaled": (
        numbers,
        lambda estimator: make_pipeline(StandardScaler(), estimator),
        lambda _: True,
    ),
    "one-hot": (
        lambda: mixed(missing=True),
        lambda estimator: make_pipeline(encoder(), estimator),
        lambda _: True,
    ),
    "PCA": (
        numbers,
        lambda estimator: make_pipeline(PCA(2), estimator),
        {"random forest", "linear"}.__contains__,
    ),
}


@dataclass(frozen=True)
class Cell:
    """One model of the matrix and one way to ask it."""

    estimator: str
    task: str
    data: str
    mode: str

    def __str__(self) -> str:
        return "-".join((self.estimator, self.task, self.data, self.mode))


def cells() -> Iterator[Cell]:
    for estimator, kinds in ESTIMATORS.items():
        for task in TASKS:
            for data, (_, _, fits) in DATA.items():
                if kinds[task == "regression"] and fits(estimator):
                    yield from (Cell(estimator, task, data, mode) for mode in MODES)


@cache
def fitted(estimator: str, task: str, data: str) -> tuple[Any, pd.DataFrame]:
    """The estimator, fitted, and its data."""
    make_data, wrap, _ = DATA[data]
    frame = make_data()
    score = frame.iloc[:, 0].fillna(0) + frame.iloc[:, 1].fillna(0) ** 2
    if "colour" in frame:
        score += (frame["colour"].astype(object) == "red") * 1.0
    target = {
        "binary": (score > 0.8) * 1,
        "three classes": np.digitize(score, [0.3, 1.3]),
        "regression": score - score.min(),
    }
    make = ESTIMATORS[estimator][task == "regression"]
    assert make
    inner = make()
    if data == "categories" and estimator == "CatBoost":
        inner = catboost(type(inner), ("colour",))()
    if data == "categories" and estimator == "histogram boosting":
        inner = inner.set_params(categorical_features="from_dtype")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations
        return wrap(inner).fit(frame, target[task]), frame


@cache
def loaded(estimator: str, task: str, data: str, samples: bool) -> SklearnModel:
    model, frame = fitted(estimator, task, data)
    content: dict[str, Any] = {
        "model": model,
        "metadata": {"features": features(frame)},
    }
    return SklearnModel.load(
        Artifact.of(
            content | ({"samples": frame.iloc[50 : 50 + BACKGROUND]} if samples else {})
        )
    )


def asked(cell: Cell) -> tuple[SklearnModel, Callable[[], Explanation]]:
    """The model of a cell, and a call that explains five rows of its data in the mode of the cell."""
    model = loaded(cell.estimator, cell.task, cell.data, cell.mode == "samples")
    _, frame = fitted(cell.estimator, cell.task, cell.data)
    background = frame.iloc[20 : 20 + BACKGROUND] if cell.mode == "_samples" else None
    return model, lambda: explain(model, frame.head(ROWS), background)


def error(cell: Cell, explanation: Explanation) -> float:
    """How far the sums are from what the estimator itself answers outside of the service, relative to 1 or more."""
    model, frame = fitted(cell.estimator, cell.task, cell.data)
    total = explanation.base_value + explanation.values.sum(axis=1)
    expected = output(model, cell.estimator, frame.head(ROWS), explanation.output)
    assert total.shape == expected.shape
    return float((np.abs(total - expected) / np.maximum(1, np.abs(expected))).max())


RAW: dict[str, dict[str, Any]] = {
    "LightGBM": {"raw_score": True},
    "XGBoost": {"output_margin": True},
    "CatBoost": {"prediction_type": "RawFormulaVal"},
}


def output(
    model: BaseEstimator | Any, name: str, frame: pd.DataFrame, space: str
) -> Any:
    if space == "probability":
        found = model.predict_proba(frame)
        return found[:, 1] if found.shape[1] == 2 else found
    if space == "prediction":
        return np.ravel(model.predict(frame))
    if space == "log_prediction":
        return np.log(model.predict(frame))
    return (
        model.predict(frame, **RAW[name])
        if name in RAW
        else model.decision_function(frame)
    )
