"""Histogram boosting as arrays: bit for bit the same sums, with gaps and with categories."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from tests.model.trees.trials import (
    TASKS,
    assert_covers_add_up,
    data,
    read,
    trials,
    weights,
)


def boosting(task: str, **more: Any) -> Any:
    regression = task == "regression"
    kind = (
        HistGradientBoostingRegressor
        if regression
        else HistGradientBoostingClassifier
    )
    return kind(**{"max_iter": 8, "random_state": 0} | more)


def assert_same(predictor: Any, columns: Any) -> None:
    # There is no `apply`, but the values of the leaves differ.
    model = read(predictor)
    np.testing.assert_array_equal(
        model.raw_output(columns), predictor._raw_predict(columns)
    )


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("task", TASKS)
def test_histogram_boosting_is_read(task: str, gaps: bool) -> None:
    X, y = data(task, gaps=gaps)
    predictor = boosting(task).fit(X, y)
    model = read(predictor)
    assert (model.library, model.kind, model.combination) == (
        "scikit-learn",
        "histogram boosting",
        "sum",
    )
    assert not model.has_categories
    assert model.loss is predictor._loss
    assert_same(predictor, trials(model, X, gaps=gaps))


@pytest.mark.parametrize("task", TASKS)
def test_codes_of_categories_are_read_wherever_their_column_stands(
    task: str,
) -> None:
    X, y = data(task, gaps=True)
    choose = np.random.default_rng(1)
    X[:, 1] = choose.integers(0, 60, len(X))
    X[:, 3] = choose.choice([3.0, 7.0, 200.0, np.nan], len(X))
    y = np.where(np.isin(X[:, 1], [3, 33, 35, 59]), y.max() - y, y)
    predictor = boosting(
        task, categorical_features=[1, 3], min_samples_leaf=2
    ).fit(X, y)
    model = read(predictor)
    assert model.has_categories
    assert any(tree.splits_by_category.any() for tree in model.trees)
    rows = trials(model, X, gaps=True)
    rows[:, 1] = choose.choice([*range(70), -1.0, np.nan], len(rows))
    rows[:, 3] = choose.choice([3.0, 7.0, 8.0, 200.0, np.nan], len(rows))
    assert_same(predictor, rows)


def test_texts_of_categories_are_read() -> None:
    X, y = data("three classes", gaps=True)
    choose = np.random.default_rng(2)
    names = choose.choice(["a", "b", "c", "é"], len(X))
    y = np.where(names == "b", 2 - y, y)
    frame = pd.DataFrame(X, columns=list("vwxyz"))
    frame.insert(2, "kind", pd.Categorical(names))
    predictor = boosting("three classes").fit(frame, y)
    assert read(predictor).has_categories
    strange = frame.copy()
    strange["kind"] = pd.Categorical(
        choose.choice(np.array(["é", "a", "b", "?", None]), len(X))
    )
    for columns in (frame, strange):
        assert_same(predictor, columns)


def test_the_cover_is_the_number_of_training_records() -> None:
    X, y = data("binary")
    predictor = boosting("binary").fit(X, y, sample_weight=weights())
    model = read(predictor)
    assert model.trees[0].cover[0] == len(X)
    assert_covers_add_up(model)
    assert model.node_counts == [len(tree.left) for tree in model.trees]
    assert_same(predictor, X)


@pytest.mark.parametrize("task", TASKS)
def test_boosting_that_stops_early_is_read(task: str) -> None:
    X, y = data(task)
    y = np.random.default_rng(0).permutation(y)
    predictor = boosting(
        task, max_iter=200, early_stopping=True, n_iter_no_change=2
    ).fit(X, y)
    assert predictor.n_iter_ < 200
    assert_same(predictor, trials(read(predictor), X))


def test_one_leaf_is_a_tree() -> None:
    X, _ = data("regression")
    predictor = boosting("regression").fit(X, np.full(len(X), 3.5))
    assert set(read(predictor).node_counts) == {1}
    assert_same(predictor, X)
