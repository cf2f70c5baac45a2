"""Which outputs an estimator has, and whether sums lead to them."""

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from scipy.special import expit
from sklearn.cluster import KMeans
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    RidgeClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC
from xgboost import XGBRegressor

from python.model.explain.outputs import (
    EXPONENTIAL,
    IDENTITY,
    LOGISTIC,
    SOFTMAX,
    Link,
    Output,
    find_outputs,
    outputs_of,
)
from tests.models import numbers

X = numbers().to_numpy()
PROBABILITIES = ["probability", "log_odds", "margin"]
NUMBERS = ["prediction", "log_prediction", "log_odds"]


def fit(estimator: Any, classes: int = 0) -> Any:
    score = X.sum(axis=1)
    quantiles = (
        np.quantile(score, np.arange(1, classes) / classes) if classes else []
    )
    return estimator.fit(
        X, np.digitize(score, quantiles) if classes else score
    )


def names(estimator: Any) -> list[str]:
    return [output.name for output in find_outputs(estimator, X[:1])]


def output(estimator: Any, name: str) -> Output:
    (found,) = [
        one for one in find_outputs(estimator, X[:1]) if one.name == name
    ]
    return found


def holds(estimator: Any, name: str, total: Any) -> bool:
    return output(estimator, name).holds(
        np.asarray(total), 1e-12, outputs_of(estimator, X)
    )


@pytest.mark.parametrize(
    ("estimator", "classes", "expected"),
    [
        (LinearRegression(), 0, NUMBERS),
        (LogisticRegression(), 2, PROBABILITIES),
        (LogisticRegression(), 3, PROBABILITIES),
        (GaussianNB(), 3, PROBABILITIES),
        (LinearSVC(), 2, ["margin"]),
        (Perceptron(), 4, ["margin"]),
        (SVC(decision_function_shape="ovr"), 4, ["margin"]),
        (SVC(decision_function_shape="ovo"), 4, []),
        # There are as many pairs as classes.
        (SVC(decision_function_shape="ovo"), 3, []),
        (
            StackingClassifier(
                [("a", LogisticRegression())],
                SVC(decision_function_shape="ovo"),
                cv=2,
            ),
            3,
            [],
        ),
        (KMeans(2), 0, []),
    ],
)
def test_outputs_of_an_estimator(
    estimator: Any, classes: int, expected: list[str]
) -> None:
    assert names(fit(estimator, classes)) == expected


def test_several_outputs_stand_side_by_side() -> None:
    numbers_of_all = LinearRegression().fit(X, X)
    assert names(numbers_of_all) == ["prediction", "log_prediction"]
    assert holds(numbers_of_all, "prediction", numbers_of_all.predict(X))
    labels = KNeighborsClassifier().fit(X, (X > 0) * 1)
    assert names(labels) == ["probability", "log_odds"]
    second = [table[:, 1] for table in labels.predict_proba(X)]
    assert holds(labels, "probability", np.column_stack(second))
    assert not holds(labels, "probability", np.column_stack(second[::-1]))


def test_several_labels_without_probabilities_have_no_output() -> None:
    assert names(RidgeClassifier().fit(X, (X > 0) * 1)) == []


def test_a_probability_is_that_of_the_second_of_two_classes() -> None:
    estimator = fit(LogisticRegression(), 2)
    first, second = estimator.predict_proba(X).T
    assert holds(estimator, "probability", second)
    assert not holds(estimator, "probability", first)


def test_probabilities_of_several_classes_stay_side_by_side() -> None:
    estimator = fit(LogisticRegression(), 3)
    probabilities = estimator.predict_proba(X)
    assert holds(estimator, "probability", probabilities)
    assert not holds(estimator, "probability", probabilities[:, ::-1])
    assert not holds(estimator, "probability", probabilities[:, 1])


def test_log_odds_lead_to_the_probability_and_the_decision() -> None:
    estimator = fit(LogisticRegression(), 2)
    assert holds(estimator, "log_odds", estimator.decision_function(X))
    twice = 2 * estimator.decision_function(X)
    assert not holds(estimator, "log_odds", twice)


def test_log_odds_must_be_the_decision_where_there_is_one() -> None:
    class Doubled(LogisticRegression):  # type: ignore[misc]
        """Decides by another number than the log-odds."""

        def decision_function(self, X: Any) -> Any:
            return 2 * super().decision_function(X)

    estimator = fit(Doubled(), 2)
    log_odds = super(Doubled, estimator).decision_function(X)
    assert not holds(estimator, "log_odds", log_odds)
    assert holds(estimator, "margin", 2 * log_odds)


def test_log_odds_must_be_the_decision_if_that_leads_to_the_probability() -> (
    None
):
    estimator = fit(LogisticRegression(C=1e9), 2)
    far = X * 1e4
    log_odds = estimator.decision_function(far)
    other = 2 * log_odds
    with np.errstate(over="ignore"):
        assert np.array_equal(expit(log_odds), expit(other))
    one = output(estimator, "log_odds")
    assert one.holds(log_odds, 1e-9, outputs_of(estimator, far))
    assert not one.holds(other, 1e-9, outputs_of(estimator, far))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_sum_over_a_forest_of_lightgbm_is_no_margin(
    n_classes: int,
) -> None:
    estimator = fit(
        LGBMClassifier(
            boosting_type="rf",
            n_estimators=5,
            min_child_samples=3,
            bagging_freq=1,
            bagging_fraction=0.7,
            verbose=-1,
        ),
        n_classes,
    )
    name = "log_odds" if n_classes == 2 else "margin"
    total = estimator.predict(X, raw_score=True)
    assert holds(estimator, name, total / 5)
    assert not holds(estimator, name, total)


def test_log_odds_lead_to_a_prediction_that_is_a_share() -> None:
    shares = expit(X[:, 0])
    estimator = XGBRegressor(
        objective="reg:logistic", n_estimators=5, n_jobs=1
    )
    estimator.fit(X, shares)
    margins = estimator.predict(X, output_margin=True).astype(float)
    assert holds(estimator, "log_odds", margins)
    assert not holds(estimator, "log_odds", 1.1 * margins)


def test_margins_lead_to_the_probabilities_by_their_softmax() -> None:
    estimator = fit(GaussianNB(), 3)
    margins = np.log(estimator.predict_proba(X)) + 5
    assert holds(estimator, "margin", margins)
    assert not holds(estimator, "margin", margins * 1.1)
    assert not holds(fit(GaussianNB(), 2), "margin", margins[:, 0])


def test_logarithms_lead_to_the_prediction() -> None:
    estimator = PoissonRegressor().fit(X, np.exp(X[:, 0]))
    assert holds(estimator, "log_prediction", np.log(estimator.predict(X)))
    assert not holds(estimator, "log_prediction", estimator.predict(X))
    assert holds(estimator, "prediction", estimator.predict(X))


def test_the_mean_is_in_the_space_of_the_sums() -> None:
    estimator = fit(LogisticRegression(), 2)
    output_of = outputs_of(estimator, X)
    decision = estimator.decision_function(X)
    probability = estimator.predict_proba(X)[:, 1]
    log_odds_mean, _ = output(estimator, "log_odds").mean(output_of)
    assert log_odds_mean == pytest.approx(decision.mean())
    probability_mean, _ = output(estimator, "probability").mean(output_of)
    assert probability_mean == pytest.approx(probability.mean())


def test_the_mean_of_several_classes_is_one_for_each() -> None:
    estimator = fit(LogisticRegression(), 3)
    mean, _ = output(estimator, "probability").mean(outputs_of(estimator, X))
    assert mean == pytest.approx(estimator.predict_proba(X).mean(axis=0))


@pytest.mark.parametrize("link", [IDENTITY, LOGISTIC, EXPONENTIAL])
def test_a_link_leads_back_from_its_output(link: Link) -> None:
    total = np.linspace(-3, 3, 25)
    assert link.link(link.inverse(total)) == pytest.approx(total)


@pytest.mark.parametrize("link", [IDENTITY, LOGISTIC, EXPONENTIAL])
def test_the_slope_of_a_link_is_its_derivative(link: Link) -> None:
    total = np.linspace(-3, 3, 25)
    step = 1e-6
    rise = link.inverse(total + step) - link.inverse(total - step)
    assert link.slope(link.inverse(total)) == pytest.approx(rise / (2 * step))


def test_rounding_is_tolerated_and_no_more() -> None:
    total = np.array([1.0])
    served = total + 5e-5
    assert IDENTITY.holds(total, 6e-5, served, 0.0)
    assert IDENTITY.holds(total, 0.0, served, 6e-5)
    assert not IDENTITY.holds(total, 4e-5, served, 0.0)


def test_rounding_counts_by_the_slope_of_the_link() -> None:
    total = np.array([5.0])
    probability = LOGISTIC.inverse(total)
    slope = float(probability[0] * (1 - probability[0]))
    assert LOGISTIC.holds(total, 1e-3, probability + 0.9e-3 * slope, 0.0)
    assert not LOGISTIC.holds(total, 1e-3, probability + 1.1e-3 * slope, 0.0)


@pytest.mark.parametrize("level", [0.0, 300.0, 101_325.0])
def test_no_part_of_a_signal_is_tolerated_for_its_level(level: float) -> None:
    """A pressure of 101,325 and a signal of 16: a millionth of the signal is not rounding."""
    target = X.sum(axis=1) + level
    estimator = LinearRegression().fit(X, target)
    served = estimator.predict(X)
    wrong = served + 1e-6 * np.ptp(served)
    rounding = 64 * np.finfo(float).eps * np.abs(served)
    prediction = output(estimator, "prediction")
    output_of = outputs_of(estimator, X)
    assert prediction.holds(served, rounding, output_of)
    assert not prediction.holds(wrong, rounding, output_of)


def test_a_float32_may_be_off_by_units_in_its_last_place() -> None:
    class Small(LinearRegression):  # type: ignore[misc]
        """Predicts float32."""

        def predict(self, X: Any) -> Any:
            return super().predict(X).astype(np.float32)

    estimator = fit(Small())
    exact = LinearRegression.predict(estimator, X)
    prediction = output(estimator, "prediction")
    assert prediction.holds(exact, 0.0, outputs_of(estimator, X))
    assert not prediction.holds(exact * 1.00001, 0.0, outputs_of(estimator, X))


@pytest.mark.parametrize("link", [IDENTITY, LOGISTIC, SOFTMAX, EXPONENTIAL])
def test_sums_that_are_missing_lead_nowhere(link: Link) -> None:
    total = np.full((2, 3), np.nan)
    assert not link.holds(total, total, np.full((2, 3), 0.5), 0.0)


def test_sums_whose_exponential_is_infinite_lead_nowhere() -> None:
    total = np.array([710.0, 2e5])
    assert not EXPONENTIAL.holds(total, total, total, 0.0)
