"""Which outputs an estimator has, and whether sums lead to them."""

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

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
        np.asarray(total), np.abs(total), outputs_of(estimator, X)
    )


@pytest.mark.parametrize(
    ("estimator", "classes", "expected"),
    [
        (LinearRegression(), 0, ["prediction", "log_prediction"]),
        (LogisticRegression(), 2, PROBABILITIES),
        (LogisticRegression(), 3, PROBABILITIES),
        (GaussianNB(), 3, PROBABILITIES),
        (LinearSVC(), 2, ["margin"]),
        (Perceptron(), 4, ["margin"]),
        (SVC(decision_function_shape="ovr"), 4, ["margin"]),
        (SVC(decision_function_shape="ovo"), 4, []),
        (
            SVC(decision_function_shape="ovo"),
            3,
            ["margin"],
        ),  # as many pairs as classes
        (KMeans(2), 0, []),
    ],
)
def test_outputs_of_an_estimator(
    estimator: Any, classes: int, expected: list[str]
) -> None:
    assert names(fit(estimator, classes)) == expected


def test_several_outputs_at_once_are_none() -> None:
    assert names(LinearRegression().fit(X, X)) == []
    assert names(KNeighborsClassifier().fit(X, (X > 0) * 1)) == []


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
    log_odds_mean = output(estimator, "log_odds").mean(output_of)
    assert log_odds_mean == pytest.approx(decision.mean())
    probability_mean = output(estimator, "probability").mean(output_of)
    assert probability_mean == pytest.approx(probability.mean())


def test_the_mean_of_several_classes_is_one_for_each() -> None:
    estimator = fit(LogisticRegression(), 3)
    mean = output(estimator, "probability").mean(outputs_of(estimator, X))
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


def test_rounding_of_large_parts_is_tolerated_and_no_more() -> None:
    total = np.array([1.0])
    served = total + 5e-5
    assert IDENTITY.holds(total, np.array([1.0]), served)
    served = total + 5e-4
    assert not IDENTITY.holds(total, np.array([1.0]), served)
    assert IDENTITY.holds(total, np.array([1e3]), served)


@pytest.mark.parametrize("link", [IDENTITY, LOGISTIC, SOFTMAX, EXPONENTIAL])
def test_sums_that_are_missing_lead_nowhere(link: Link) -> None:
    total = np.full((2, 3), np.nan)
    assert not link.holds(total, total, np.full((2, 3), 0.5))


def test_sums_whose_exponential_is_infinite_lead_nowhere() -> None:
    total = np.array([710.0, 2e5])
    with np.errstate(over="ignore"):
        assert not EXPONENTIAL.holds(total, total, total)
