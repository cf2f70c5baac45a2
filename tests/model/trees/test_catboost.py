"""CatBoost's trees as arrays: for each record the margin that CatBoost itself computes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRanker, CatBoostRegressor

from python.model.trees import read_trees
from tests.model.trees.trials import (
    TASKS,
    assert_covers_add_up,
    data,
    read,
    trials,
    weights,
    with_columns,
)

SMALL = {
    "iterations": 12,
    "depth": 5,
    "verbose": 0,
    "allow_writing_files": False,
    "thread_count": 1,
    "random_seed": 0,
}
POLICIES = ("SymmetricTree", "Depthwise", "Lossguide")


def booster(task: str, **more: Any) -> Any:
    kind = CatBoostRegressor if task == "regression" else CatBoostClassifier
    return kind(**SMALL | more)


def assert_same(predictor: Any, columns: Any) -> None:
    margin = with_columns(
        predictor.predict(columns, prediction_type="RawFormulaVal")
    )
    raw = read(predictor).raw_output(columns)
    np.testing.assert_allclose(raw, margin, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("task", TASKS)
def test_boosting_is_read(task: str, gaps: bool, policy: str) -> None:
    X, y = data(task, gaps=gaps)
    predictor = booster(task, grow_policy=policy).fit(X, y)
    model = read(predictor)
    assert (model.library, model.kind, model.combination) == (
        "CatBoost",
        "boosting",
        "sum",
    )
    assert not model.has_categories
    assert model.n_features == X.shape[1]
    assert_same(predictor, trials(model, X, gaps=gaps))
    assert_covers_add_up(model)
    assert model.node_counts == [len(tree.left) for tree in model.trees]


@pytest.mark.parametrize("nan_mode", ["Min", "Max"])
def test_missing_values_go_where_they_went_in_training(nan_mode: str) -> None:
    X, y = data("regression", gaps=True)
    predictor = booster("regression", nan_mode=nan_mode).fit(X, y)
    missing_left = {
        bool(value)
        for tree in read(predictor).trees
        for value in tree.missing_left[~tree.is_leaf]
    }
    assert (nan_mode == "Min") in missing_left
    assert_same(predictor, trials(read(predictor), X, gaps=True))


def test_weights_are_counted_in_the_covers() -> None:
    X, y = data("binary")
    predictor = booster("binary").fit(X, y, sample_weight=weights())
    assert_same(predictor, X)
    for tree in read(predictor).trees:
        assert tree.cover[0] == pytest.approx(weights().sum(), rel=1e-5)


def test_a_best_iteration_and_another_scale_are_read() -> None:
    X, y = data("regression")
    predictor = booster("regression", use_best_model=True, learning_rate=1.0)
    predictor.fit(X[:200], y[:200], eval_set=(X[200:], y[200:]))
    assert len(read(predictor).trees) == predictor.tree_count_
    predictor.set_scale_and_bias(3.0, 7.0)
    assert_same(predictor, X)


def test_rankers_and_several_targets_are_read() -> None:
    X, y = data("three classes")
    ranker = CatBoostRanker(loss_function="YetiRank", **SMALL)
    groups = np.arange(len(X)) // 20
    ranker.fit(X, y, group_id=groups)
    (scores,) = read(ranker).raw_output(X).T
    np.testing.assert_allclose(scores, ranker.predict(X), rtol=1e-13)
    several = booster("regression", loss_function="MultiRMSE")
    assert_same(several.fit(X, X[:, :2] / [1, 10]), X)


def test_what_takes_more_than_numbers_is_not_read() -> None:
    X, y = data("regression")
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 4].astype(int)})
    predictor = booster("regression", cat_features=["b"])
    assert read_trees(predictor.fit(table, y)) is None
