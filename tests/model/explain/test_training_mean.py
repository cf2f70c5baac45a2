"""Linear models behind a scaler are explained against their training data, which nobody sends."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC

from python.model.artifact import Artifact
from python.model.explain import linear
from python.model.explain.attribution import Attribute, Attribution
from python.model.sklearn import SklearnModel
from tests.model.explain.truth import brute_force, load
from tests.models import features, mixed, numbers
from tests.records import explain

# As far from 0 as a pressure in pascals, with a spread of one.
DATA = numbers() + np.array([0.0, 101_325.0, -40.0])
SCORE = (DATA - DATA.mean()).to_numpy() @ [1.0, -2.0, 0.5]
RECORDS = DATA.head(3)


class OwnScaler(StandardScaler):  # type: ignore[misc]
    """A subclass, which may do anything with the mean."""


def load_near(estimator: Any) -> SklearnModel:
    """Load it with defaults, as a record of zeros is too far from the data to be predicted."""
    entries = features(DATA)
    for entry in entries:
        entry["default"] = float(DATA[entry["name"]].iloc[0])
    content = {"model": estimator, "metadata": {"features": entries}}
    model = SklearnModel.load(Artifact.of(content))
    model.prepare_explanations()
    return model


def log_odds(fitted: Any) -> Any:
    return lambda rows: logit(fitted.predict_proba(rows)[:, 1])


@pytest.mark.parametrize(
    ("predictor", "target", "function"),
    [
        (Ridge(), SCORE, lambda fitted: fitted.predict),
        (
            PoissonRegressor(),
            np.exp(SCORE / 4),
            lambda fitted: lambda rows: np.log(fitted.predict(rows)),
        ),
        (LogisticRegression(), SCORE > 0, log_odds),
        (
            LogisticRegression(),
            np.digitize(SCORE, [-1, 1]),
            lambda fitted: fitted.decision_function,
        ),
        (LinearSVC(), SCORE > 0, lambda fitted: fitted.decision_function),
        (
            RidgeClassifier(),
            SCORE > 0,
            lambda fitted: fitted.decision_function,
        ),
        (
            GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2),
            SCORE,
            lambda fitted: fitted.predict,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "scale",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        make_pipeline(MinMaxScaler(), StandardScaler()),
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), ["größe", "size"]),
                (RobustScaler(), []),
                remainder=make_pipeline(RobustScaler(), StandardScaler()),
            ),
        ),
    ],
    ids=["scaled", "not centred", "only centred", "twice", "by columns"],
)
def test_values_are_those_by_all_coalitions_against_the_training_data(
    scale: Any, predictor: Any, target: Any, function: Any
) -> None:
    fitted = clone(make_pipeline(scale, predictor)).fit(DATA, target)
    served = load_near(fitted)
    info = served.info()
    assert not info["needs_samples"]
    assert info["explanation_method"] == "linear"
    assert info["explanation_background"] == "training data"
    explanation = explain(served, RECORDS)
    output = function(fitted)
    spread = np.ptp(output(DATA))
    for row in range(3):
        expected = brute_force(output, RECORDS[row : row + 1], DATA)
        values = explanation.values[row].reshape(expected.shape)
        assert values == pytest.approx(expected, abs=1e-9 * spread, rel=0)
    base_value = output(DATA).mean(axis=0)
    assert explanation.base_value == pytest.approx(
        base_value, abs=1e-9 * spread, rel=0
    )


class Halved(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step that makes other columns in training than afterwards."""

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002
        self.n_ = len(X)
        return self

    def transform(self, X: Any) -> Any:
        return np.asarray(X, dtype=float)

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return self.fit(X, y).transform(X) / 2


def weighted() -> Any:
    parts = [("scaled", StandardScaler(with_mean=False), list(DATA))]
    return ColumnTransformer(parts, transformer_weights={"scaled": 2.0})


@pytest.mark.parametrize(
    "steps",
    [
        [MinMaxScaler()],
        [OwnScaler()],
        [StandardScaler(), MinMaxScaler()],
        [StandardScaler(with_mean=False, with_std=False)],
        [SimpleImputer()],
        [weighted()],
        [Halved(), StandardScaler()],
        [make_pipeline(Halved(), StandardScaler())],
        [TargetEncoder(cv=KFold(3)), StandardScaler()],
    ],
    ids=str,
)
def test_a_mean_that_nothing_remembers_is_not_made_up(
    steps: list[Any],
) -> None:
    """An imputer adds float32 up in float32; a weight changes a mean, a step what a scaler sees."""
    data = DATA.round()
    fitted = make_pipeline(*steps, Ridge()).fit(data, SCORE)
    assert load_near(fitted).info()["needs_samples"]


def test_a_mean_without_any_step_is_not_made_up() -> None:
    assert load_near(Ridge().fit(DATA, SCORE)).info()["needs_samples"]


def test_records_far_from_zero_are_explained_in_the_space_they_have() -> None:
    """Rows of zeros are predicted 0 and 1 for certain: any large numbers are their log-odds."""
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "year": choose.integers(2012, 2025, 300),
            "kelvin": choose.normal(293, 4, 300),
            "pascal": choose.normal(101_325, 500, 300),
        }
    )
    scores = ((data - data.mean()) / data.std()).to_numpy()
    noise = choose.normal(size=(300, 3))
    target = (scores @ choose.normal(size=(3, 3)) + noise / 2).argmax(axis=1)
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        data, target
    )
    explanation = explain(load(fitted, data), data)
    assert explanation.output == "margin"
    total = explanation.base_value + explanation.values.sum(axis=1)
    assert total == pytest.approx(fitted.decision_function(data), abs=1e-9)


def test_a_probability_that_is_no_logistic_function_has_no_log_odds() -> None:
    """It is clipped at 0 and 1, where the logistic function of a large margin is, too."""
    huber = SGDClassifier(loss="modified_huber", random_state=0)
    target = SCORE + np.random.default_rng(1).normal(size=len(SCORE)) > 0
    fitted = make_pipeline(StandardScaler(), huber).fit(DATA, target)
    explanation = explain(load(fitted, DATA), DATA)
    assert explanation.output == "margin"
    total = explanation.base_value + explanation.values.sum(axis=1)
    assert total == pytest.approx(fitted.decision_function(DATA), abs=1e-9)


def test_the_scores_of_pairs_are_not_those_of_classes() -> None:
    """Three classes have three pairs."""
    pairs = SVC(kernel="linear", decision_function_shape="ovo")
    target = np.digitize(SCORE, [-1, 1])
    fitted = make_pipeline(StandardScaler(), pairs).fit(DATA, target)
    assert not load_near(fitted).info()["is_explainable"]


def test_how_often_a_category_was_seen_is_not_made_up() -> None:
    data = mixed()
    columns = make_column_transformer(
        (StandardScaler(), ["size", "weight", "height"]),
        (OneHotEncoder(), ["colour"]),
    )
    fitted = make_pipeline(columns, Ridge()).fit(data, data["size"])
    assert load(fitted, data).info()["needs_samples"]


def test_values_that_add_up_and_are_wrong_are_not_served(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No sum shows that two features have each other's values."""
    make = linear.make_linear

    def make_wrong(predictor: Any, mean: Any) -> Attribute:
        attribute = make(predictor, mean)
        assert attribute is not None

        def exchanged(columns: Any) -> Attribution:
            attribution = attribute(columns)
            values = attribution.values[:, [1, 0, 2]]
            return attribution._replace(values=values)

        return exchanged

    fitted = make_pipeline(StandardScaler(), Ridge()).fit(DATA, SCORE)
    assert load_near(fitted).info()["explanation_proven"] == "values"
    monkeypatch.setattr(linear, "make_linear", make_wrong)
    info = load_near(fitted).info()
    assert info["explanation_method"] == "exact"
    assert info["explanation_background"] == "mean record"
    assert "the method linear gives other values" in caplog.text


def test_samples_in_the_file_have_the_last_word() -> None:
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(DATA, SCORE)
    samples = DATA.head(20)
    explanation = explain(load(fitted, DATA, samples), RECORDS)
    of_samples = fitted.predict(samples).mean()
    assert explanation.base_value == pytest.approx(of_samples)
