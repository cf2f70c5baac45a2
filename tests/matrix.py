"""The matrix of explanations: estimators x tasks x data x modes, each a real model that is explained."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import logit, softmax
from sklearn import (
    ensemble,
    linear_model,
    model_selection,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from xgboost import XGBClassifier, XGBRegressor

from python.model.artifact import Artifact
from python.model.base import Explanation
from python.model.sklearn import SklearnModel
from tests.models import features, mixed, numbers
from tests.records import explain

TASKS = ("binary", "three classes", "regression")
MODES = ("alone", "samples", "_samples")
ROWS = 5
BACKGROUND = 15

Make = Callable[[], Any]
"""Makes an estimator that is not fitted."""


def boosted(kind: type, **parameters: Any) -> Make:
    return partial(kind, n_estimators=6, random_state=0, **parameters)


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
    return partial(kind, cat_features=list(categorical), **parameters)


def forest(kind: type, **parameters: Any) -> Make:
    return partial(
        kind, n_estimators=8, max_depth=4, random_state=0, **parameters
    )


def histogram(kind: type, **parameters: Any) -> Make:
    return partial(kind, max_iter=6, min_samples_leaf=5, **parameters)


def voting(
    kind: type, parts: list[tuple[str, Any]], **parameters: Any
) -> Make:
    return partial(kind, parts, **parameters)


tree_classifier = tree.DecisionTreeClassifier(max_depth=3, random_state=0)
tree_regressor = tree.DecisionTreeRegressor(max_depth=3, random_state=0)
logistic = linear_model.LogisticRegression()
ridge = linear_model.Ridge()

# name: (classifier, regressor), None where there is none
ESTIMATORS: dict[str, tuple[Make | None, Make | None]] = {
    "decision tree": (
        lambda: tree.DecisionTreeClassifier(max_depth=4, random_state=0),
        lambda: tree.DecisionTreeRegressor(max_depth=4, random_state=0),
    ),
    "random forest": (
        forest(ensemble.RandomForestClassifier),
        forest(ensemble.RandomForestRegressor),
    ),
    "extra trees": (
        forest(ensemble.ExtraTreesClassifier),
        forest(ensemble.ExtraTreesRegressor),
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
    "calibrated": (
        lambda: CalibratedClassifierCV(tree_classifier, cv=2),
        None,
    ),
    "searched": (
        lambda: GridSearchCV(
            tree.DecisionTreeClassifier(random_state=0),
            {"max_depth": [2, 3]},
            cv=2,
        ),
        lambda: GridSearchCV(linear_model.Ridge(), {"alpha": [1, 2]}, cv=2),
    ),
    "calibrated, one classifier": (
        lambda: CalibratedClassifierCV(
            ensemble.GradientBoostingClassifier(
                n_estimators=6, random_state=0
            ),
            cv=2,
            ensemble=False,
        ),
        None,
    ),
    "calibrated by temperature": (
        lambda: CalibratedClassifierCV(
            ensemble.GradientBoostingClassifier(
                n_estimators=6, random_state=0
            ),
            method="temperature",
            cv=2,
            ensemble=False,
        ),
        None,
    ),
    "frozen": (
        forest(ensemble.RandomForestClassifier),
        forest(ensemble.RandomForestRegressor),
    ),
    "threshold": (
        lambda: model_selection.FixedThresholdClassifier(
            forest(ensemble.RandomForestClassifier)(), threshold=0.3
        ),
        None,
    ),
    "tuned threshold": (
        lambda: model_selection.TunedThresholdClassifierCV(
            forest(ensemble.RandomForestClassifier)(), cv=2, random_state=0
        ),
        None,
    ),
    "log of the target": (
        None,
        lambda: TransformedTargetRegressor(
            forest(ensemble.RandomForestRegressor)(),
            func=np.log,
            inverse_func=np.exp,
        ),
    ),
    "scaled target": (
        None,
        lambda: TransformedTargetRegressor(
            forest(ensemble.RandomForestRegressor)(),
            transformer=StandardScaler(),
        ),
    ),
    "LightGBM forest": (
        None,
        boosted(
            LGBMRegressor,
            boosting_type="rf",
            bagging_freq=1,
            bagging_fraction=0.6,
            min_child_samples=5,
            verbose=-1,
        ),
    ),
    "LightGBM cross-entropy": (
        None,
        boosted(
            LGBMRegressor,
            objective="cross_entropy",
            min_child_samples=5,
            verbose=-1,
        ),
    ),
    "XGBoost logistic": (
        None,
        boosted(XGBRegressor, objective="reg:logistic"),
    ),
    "bagging of some features": (
        boosted(
            ensemble.BaggingClassifier,
            estimator=tree_classifier,
            max_features=2,
        ),
        boosted(
            ensemble.BaggingRegressor, estimator=tree_regressor, max_features=2
        ),
    ),
    "voting of trees": (
        voting(
            ensemble.VotingClassifier,
            [
                ("a", tree_classifier),
                ("b", forest(ensemble.RandomForestClassifier)()),
            ],
            voting="soft",
        ),
        voting(
            ensemble.VotingRegressor,
            [
                ("a", tree_regressor),
                ("b", forest(ensemble.RandomForestRegressor)()),
            ],
        ),
    ),
    "voting": (
        voting(
            ensemble.VotingClassifier,
            [("a", tree_classifier), ("b", logistic)],
            voting="soft",
        ),
        voting(
            ensemble.VotingRegressor, [("a", tree_regressor), ("b", ridge)]
        ),
    ),
    "stacking": (
        voting(
            ensemble.StackingClassifier,
            [("a", tree_classifier), ("b", logistic)],
            cv=2,
        ),
        voting(
            ensemble.StackingRegressor,
            [("a", tree_regressor), ("b", ridge)],
            cv=2,
        ),
    ),
}
TWO_CLASSES_ONLY = frozenset({"threshold", "tuned threshold"})
# Behind a scaler, these are explained without samples as well.
NEED_A_SCALER = {
    "linear": TASKS,
    "poisson": TASKS,
    "linear margin": TASKS,
    "ridge classifier": TASKS,
    "searched": ("regression",),
    "support vectors": TASKS,
    "nearest neighbours": TASKS,
    "naive Bayes": TASKS,
    "neural network": TASKS,
    "AdaBoost": ("regression",),
    "calibrated": TASKS,
    "calibrated, one classifier": ("three classes",),
    "voting": TASKS,
    "stacking": TASKS,
}
# Variants of others, which are tried on numbers alone.
WRAPPED = frozenset(
    {
        "calibrated, one classifier",
        "calibrated by temperature",
        "frozen",
        "threshold",
        "tuned threshold",
        "log of the target",
        "scaled target",
        "LightGBM forest",
        "LightGBM cross-entropy",
        "XGBoost logistic",
        "bagging of some features",
        "voting of trees",
    }
)
# These are not fitted to the target itself.
TARGETS: dict[str, Callable[[Any], Any]] = {
    "log of the target": lambda target: target + 1,
    "LightGBM cross-entropy": lambda target: target / target.max(),
    "XGBoost logistic": lambda target: target / target.max(),
}
TAKES_CATEGORIES = frozenset(
    {"LightGBM", "XGBoost", "CatBoost", "histogram boosting"}
)
TAKES_MISSING = TAKES_CATEGORIES | {
    "decision tree",
    "random forest",
    "extra trees",
}
# These compute in float32 themselves, and so do shap's interventional trees.
FLOAT32 = {"XGBoost", "XGBoost logistic", "CatBoost"}


def unchanged(estimator: Any) -> Any:
    return estimator


def scaled(estimator: Any) -> Any:
    return make_pipeline(StandardScaler(), estimator)


def freeze(fitted: Any) -> Any:
    """Return the estimator with its last step frozen: what is not fitted cannot be."""
    if not isinstance(fitted, Pipeline):
        return FrozenEstimator(fitted)
    *earlier, (name, last) = fitted.steps
    return Pipeline([*earlier, (name, FrozenEstimator(last))])


def encoded(estimator: Any) -> Any:
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["colour"]),
        (numeric, ["size", "weight", "height"]),
    )
    return make_pipeline(encoder, estimator)


def projected(estimator: Any) -> Any:
    return make_pipeline(PCA(2), estimator)


@dataclass(frozen=True)
class Data:
    """What estimators are fitted with, the pipeline around them, and which ones there are."""

    make_frame: Callable[[], pd.DataFrame]
    wrap: Callable[[Any], Any] = unchanged
    estimators: frozenset[str] = frozenset(ESTIMATORS)


DATA = {
    "numbers": Data(numbers),
    "missing": Data(partial(numbers, missing=True), estimators=TAKES_MISSING),
    "categories": Data(
        partial(mixed, missing=False), estimators=TAKES_CATEGORIES
    ),
    "scaled": Data(numbers, scaled),
    "one-hot": Data(
        partial(mixed, missing=True),
        encoded,
        frozenset(ESTIMATORS) - WRAPPED,
    ),
    "PCA": Data(numbers, projected, frozenset({"random forest", "linear"})),
}


@dataclass(frozen=True)
class Cell:
    """One model of the matrix, and where its background comes from."""

    estimator: str
    task: str
    data: str
    mode: str

    def __str__(self) -> str:
        return "-".join((self.estimator, self.task, self.data, self.mode))

    @property
    def model(self) -> SklearnModel:
        """The model, with samples in its file or without."""
        return load(
            self.estimator, self.task, self.data, self.mode == "samples"
        )

    @property
    def fitted(self) -> Any:
        """The estimator itself, outside of the service."""
        return fit(self.estimator, self.task, self.data)

    @property
    def frame(self) -> pd.DataFrame:
        """The data that it is fitted with."""
        return DATA[self.data].make_frame()

    @property
    def background(self) -> pd.DataFrame | None:
        """The rows that come with the request, if it brings any."""
        if self.mode != "_samples":
            return None
        return self.frame.iloc[20 : 20 + BACKGROUND]

    @property
    def needs_samples(self) -> bool:
        """Whether nothing but rows can explain it: the tables above say so, and not the model."""
        if self.data == "PCA":
            return True
        if self.data == "scaled":
            return False
        return self.task in NEED_A_SCALER.get(self.estimator, ())

    def explain(self) -> Explanation:
        """The explanation of the first rows of the data."""
        return explain(self.model, self.frame.head(ROWS), self.background)

    def error(self, explanation: Explanation) -> float:
        """How far the sums are from the estimator's own output, relative to 1 or more."""
        total = explanation.base_value + explanation.values.sum(axis=1)
        if explanation.output == "margin" and self._has_no_margin:
            # What is added to all classes of a record changes no probability.
            total = softmax(total, axis=1)
            expected = self.output("probability")
        else:
            expected = self.output(explanation.output)
        assert total.shape == expected.shape
        scale = np.maximum(1, np.abs(expected))
        return float((np.abs(total - expected) / scale).max())

    @property
    def _has_no_margin(self) -> bool:
        if self.estimator in MARGIN:
            return False
        is_regressor = self.task == "regression"
        return is_regressor or not hasattr(self.fitted, "decision_function")

    def _shares(self, rows: pd.DataFrame) -> Any:
        """What the estimator gives between 0 and 1."""
        if self.task == "regression":
            return self.fitted.predict(rows)
        return self.fitted.predict_proba(rows)[:, 1]

    def output(self, name: str) -> Any:
        """What the estimator itself gives for the rows that are explained."""
        rows = self.frame.head(ROWS)
        if name == "probability":
            probabilities = self.fitted.predict_proba(rows)
            is_binary = probabilities.shape[1] == 2
            return probabilities[:, 1] if is_binary else probabilities
        if name == "prediction":
            return np.ravel(self.fitted.predict(rows))
        if name == "log_prediction":
            return np.log(self.fitted.predict(rows))
        if name == "log_odds" and self._has_no_margin:
            return logit(self._shares(rows))
        if self.estimator in MARGIN:
            return self.fitted.predict(rows, **MARGIN[self.estimator])
        return self.fitted.decision_function(rows)


# What makes the boosters predict the margin.
MARGIN: dict[str, dict[str, Any]] = {
    "LightGBM": {"raw_score": True},
    "XGBoost": {"output_margin": True},
    "CatBoost": {"prediction_type": "RawFormulaVal"},
}


def cells() -> Iterator[Cell]:
    for estimator, kinds in ESTIMATORS.items():
        for task in TASKS:
            for name, data in DATA.items():
                if (
                    kinds[task == "regression"]
                    and estimator in data.estimators
                    and not (
                        estimator in TWO_CLASSES_ONLY
                        and task == "three classes"
                    )
                ):
                    yield from (
                        Cell(estimator, task, name, mode) for mode in MODES
                    )


@cache
def fit(estimator: str, task: str, data: str) -> Any:
    frame = DATA[data].make_frame()
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
    of_task = TARGETS.get(estimator, lambda target: target)(target[task])
    if data == "categories" and estimator == "CatBoost":
        inner = catboost(type(inner), ("colour",))()
    if data == "categories" and estimator == "histogram boosting":
        inner = inner.set_params(categorical_features="from_dtype")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few iterations
        fitted = DATA[data].wrap(inner).fit(frame, of_task)
    return freeze(fitted) if estimator == "frozen" else fitted


@cache
def load(estimator: str, task: str, data: str, samples: bool) -> SklearnModel:
    frame = DATA[data].make_frame()
    content: dict[str, Any] = {
        "model": fit(estimator, task, data),
        "metadata": {"features": features(frame)},
    }
    if samples:
        content["samples"] = frame.iloc[50 : 50 + BACKGROUND]
    return SklearnModel.load(Artifact.of(content))
