"""Trees, boosting and linear models compute what scikit-learn's do."""

from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import (
    Lasso,
    LogisticRegression,
    Ridge,
    SGDClassifier,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from python.model.fast import predictors
from tests.model.fast.compiled import (
    HANDED,
    assert_equal,
    estimator_output,
    large_terms,
    rows_near_decisions,
    sped_up,
)
from tests.model.trees.trials import read
from tests.models import numbers

BOOSTERS: list[tuple[Any, int, dict[str, Any]]] = [
    (GradientBoostingClassifier(n_estimators=20), 2, {}),
    (GradientBoostingClassifier(n_estimators=20, loss="exponential"), 2, {}),
    (GradientBoostingClassifier(n_estimators=10), 4, {}),
    (GradientBoostingRegressor(n_estimators=20), 0, {}),
    (GradientBoostingRegressor(n_estimators=20, loss="quantile"), 0, {}),
    (HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=3), 2, {}),
    (HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=3), 4, {}),
    (HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=3), 0, {}),
    (HistGradientBoostingRegressor(max_iter=20, loss="absolute_error"), 0, {}),
    (DecisionTreeClassifier(), 3, {}),
    (DecisionTreeRegressor(), 0, {}),
]


LINEAR: list[tuple[Any, int, dict[str, Any]]] = [
    (LogisticRegression(), 2, {}),
    (LogisticRegression(), 3, {}),
    (Ridge(), 0, {}),
    (Lasso(alpha=0.01), 0, {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "classes", "fit"), BOOSTERS + LINEAR, ids=str
)
def test_boosters_trees_and_linear_models_compute_what_the_estimator_does(
    estimator: Any, classes: int, fit: dict[str, Any]
) -> None:
    model = sped_up(estimator, numbers(), classes, **fit)
    choose = np.random.default_rng(0)
    assert_equal(model, numbers().to_numpy())
    assert_equal(model, choose.normal(size=(500, 3)) * 100)
    if not hasattr(model.estimator, "coef_"):
        assert_equal(model, rows_near_decisions(model.estimator, choose))


@pytest.mark.parametrize(
    "kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor]
)
def test_missing_values_go_the_way_that_histogram_boosting_learned(
    kind: Any,
) -> None:
    model = sped_up(
        kind(min_samples_leaf=3),
        numbers(missing=True),
        2 if "Classifier" in kind.__name__ else 0,
    )
    assert_equal(model, numbers(missing=True).to_numpy())


def test_a_link_that_is_met_only_when_saturated_is_not_taken_for_another() -> (
    None
):
    data = numbers() * 1e4
    model = sped_up(
        SGDClassifier(
            loss="modified_huber", random_state=0, max_iter=20, tol=None
        ),
        data,
        2,
    )
    assert (
        model.info()["fast_predict_reason"]
        == "the compiled copy gives other values than the estimator"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "classes"),
    [
        (LogisticRegression(), 2),
        (LogisticRegression(C=0.5), 3),
        (Ridge(), 3),
        (Lasso(alpha=0.01), 3),
    ],
    ids=["two", "three", "a number", "one that takes gaps in a sparse matrix"],
)
@pytest.mark.parametrize("handed", HANDED)
@pytest.mark.parametrize("scale", [1e4, 1e9, 1e16])
def test_what_large_terms_leave_of_a_linear_sum_is_equal_to_the_bit(
    scale: float, handed: str, last: Any, classes: int
) -> None:
    model, codes = large_terms(handed, last, classes, scale)
    assert model.copy is not None, model.info()["fast_predict_reason"]
    for size in (1, 2, 7, 300):
        for method in ("few", "many"):
            matrix = model.copy.transform(codes[:size])
            outputs = getattr(model.copy, method)(matrix)
            expected = np.asarray(estimator_output(model, codes[:size]))
            np.testing.assert_array_equal(outputs, expected)
        assert_equal(model, codes[:size], exact=True)


@pytest.mark.parametrize("limit", [1, 100])
def test_a_forest_adds_up_the_same_for_some_rows_at_a_time(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first limit leaves a row at a time, the second one ten."""
    X = np.random.default_rng(0).normal(size=(64, 3))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    monkeypatch.setattr(predictors, "LIMIT_NUMBERS", limit)
    average = predictors._compile_tree_by_tree(forest, read(forest))
    expected = forest.predict_proba(X)
    assert average(X).tolist() == expected.tolist()
