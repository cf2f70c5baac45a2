"""Linear models behind a scaler are explained against their training data, which nobody sends."""

from typing import Any

import numpy as np
import pytest
from scipy.special import logit
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC

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


def test_the_mean_of_what_an_imputer_fills_is_known() -> None:
    data = numbers(missing=True)
    fitted = make_pipeline(StandardScaler(), SimpleImputer(), Ridge()).fit(
        data, SCORE
    )
    explanation = explain(load(fitted, data), data.head(1))
    expected = brute_force(fitted.predict, data.head(1), data)
    assert explanation.values[0] == pytest.approx(expected[:, 0], abs=1e-9)
    assert explanation.base_value == pytest.approx(fitted.predict(data).mean())


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [MinMaxScaler()],
        [OwnScaler()],
        [StandardScaler(), MinMaxScaler()],
        [StandardScaler(), SimpleImputer(strategy="median")],
        [StandardScaler(), SimpleImputer(add_indicator=True)],
        [StandardScaler(with_mean=False, with_std=False)],
    ],
    ids=str,
)
def test_a_mean_that_nothing_remembers_is_not_made_up(
    steps: list[Any],
) -> None:
    data = numbers(missing=True)
    first = [] if steps else [SimpleImputer(strategy="constant")]
    needs_filling = not any(isinstance(step, SimpleImputer) for step in steps)
    if steps and needs_filling:
        first = [SimpleImputer(strategy="median")]
    fitted = make_pipeline(*first, *steps, Ridge()).fit(data, SCORE)
    assert load(fitted, data).info()["needs_samples"]


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
    assert load_near(fitted).info()["needs_samples"]
    assert "the method linear gives other values" in caplog.text


def test_samples_in_the_file_have_the_last_word() -> None:
    fitted = make_pipeline(StandardScaler(), Ridge()).fit(DATA, SCORE)
    samples = DATA.head(20)
    explanation = explain(load(fitted, DATA, samples), RECORDS)
    of_samples = fitted.predict(samples).mean()
    assert explanation.base_value == pytest.approx(of_samples)
