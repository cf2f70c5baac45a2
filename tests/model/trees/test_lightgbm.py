"""LightGBM's trees as arrays: the same leaf for each record, and bit for bit the same raw score."""

import pickle
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import expit

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

AS_FOREST = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}


def booster(task: str, **more: Any) -> Any:
    kind = LGBMRegressor if task == "regression" else LGBMClassifier
    return kind(
        **{"n_estimators": 8, "n_jobs": 1, "verbose": -1, "random_state": 0}
        | more
    )


def assert_same(predictor: Any, columns: Any) -> None:
    model = read(predictor)
    n_inner = [np.count_nonzero(~tree.is_leaf) for tree in model.trees]
    leaves = predictor.predict(columns, pred_leaf=True).reshape(
        len(columns), -1
    )
    np.testing.assert_array_equal(model.leaves(columns) - n_inner, leaves)
    score = with_columns(predictor.predict(columns, raw_score=True))
    np.testing.assert_array_equal(model.raw_output(columns), score)


@pytest.mark.parametrize(
    "more", [{}, {"zero_as_missing": True}, {"use_missing": False}], ids=str
)
@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("task", TASKS)
def test_boosting_is_read(task: str, gaps: bool, more: dict[str, Any]) -> None:
    X, y = data(task, gaps=gaps)
    predictor = booster(task, **more).fit(X, y)
    model = read(predictor)
    assert (model.library, model.kind, model.combination) == (
        "LightGBM",
        "boosting",
        "sum",
    )
    assert not model.has_categories
    assert_same(predictor, trials(model, X, gaps=gaps))
    # What was complete in training may have gaps when it predicts.
    assert_same(predictor, trials(model, X, gaps=True))


def test_zero_is_missing_where_the_node_says_so() -> None:
    X, y = data("regression", gaps=True)
    X[:, 4] = np.where(np.isnan(X[:, 4]), 0, X[:, 4])
    model = read(booster("regression", zero_as_missing=True).fit(X, y))
    assert any(tree.zero_is_missing.any() for tree in model.trees)


@pytest.mark.parametrize(
    "more", [{"boosting_type": "dart"}, {"extra_trees": True}], ids=str
)
def test_other_ways_to_boost_are_read(more: dict[str, Any]) -> None:
    X, y = data("three classes", gaps=True)
    predictor = booster("three classes", **more).fit(X, y)
    assert_same(predictor, trials(read(predictor), X, gaps=True))


def test_codes_of_categories_are_read() -> None:
    X, y = data("binary", gaps=True)
    choose = np.random.default_rng(1)
    X[:, 1] = choose.integers(0, 90, len(X))
    y = np.where(np.isin(X[:, 1], [3, 33, 35, 70, 89]), 1 - y, y)
    settings = {
        "min_data_per_group": 1,
        "cat_smooth": 1,
        "min_child_samples": 2,
    }
    predictor = booster("binary", max_cat_to_onehot=1, **settings)
    predictor.fit(X, y, categorical_feature=[1])
    model = read(predictor)
    assert model.has_categories
    rows = trials(model, X, gaps=True)
    codes = [*range(100), 2.7, -0.5, -1, -9, 1e5, 1e12, np.nan]
    rows[:, 1] = choose.choice(codes, len(rows))
    assert_same(predictor, rows)


def test_texts_of_categories_are_read_in_any_order() -> None:
    X, y = data("three classes", gaps=True)
    choose = np.random.default_rng(2)
    names = choose.choice(["a", "b", "c", "é"], len(X))
    frame = pd.DataFrame(X, columns=list("vwxyz"))
    frame.insert(2, "kind", pd.Categorical(names))
    frame["number"] = pd.Categorical(choose.choice([5, 7, 9], len(X)))
    y = np.where((names == "b") | (frame["number"] == 7), 2 - y, y)
    predictor = booster(
        "three classes", min_data_per_group=1, cat_smooth=1
    ).fit(frame, y)
    assert read(predictor).has_categories
    strange = frame.copy()
    strange["kind"] = pd.Categorical(
        choose.choice(np.array(["é", "a", "b", "?", None]), len(X))
    )
    strange["number"] = pd.Categorical(
        choose.choice([9, 5], len(X)), categories=[9, 5, 4]
    )
    for columns in (frame, strange):
        assert_same(predictor, columns)


@pytest.mark.parametrize("task", TASKS)
def test_boosting_that_stops_early_has_the_trees_up_to_the_best(
    task: str,
) -> None:
    X, y = data(task)
    y = np.random.default_rng(0).permutation(y)
    stop = lightgbm.early_stopping(3, verbose=False)
    predictor = booster(task, n_estimators=200).fit(
        X[:300], y[:300], eval_X=X[300:], eval_y=y[300:], callbacks=[stop]
    )
    model = read(predictor)
    assert len(model.trees) == predictor.best_iteration_ * model.n_outputs
    assert predictor.best_iteration_ < 190
    assert_same(predictor, trials(model, X))
    assert_same(pickle.loads(pickle.dumps(predictor)), X)


def test_boosting_as_a_forest_gives_the_mean_of_its_trees() -> None:
    X, y = data("regression")
    predictor = booster("regression", **AS_FOREST).fit(X, y)
    model = read(predictor)
    rows = trials(model, X)
    assert model.combination == "mean"
    np.testing.assert_array_equal(
        model.raw_output(rows)[:, 0], predictor.predict(rows)
    )
    binary = booster("binary", **AS_FOREST).fit(X, y > 0)
    np.testing.assert_allclose(
        expit(read(binary).raw_output(X)[:, 0]),
        binary.predict_proba(X)[:, 1],
        rtol=1e-14,
    )


def test_the_cover_is_the_number_of_training_records() -> None:
    X, y = data("binary")
    predictor = booster("binary").fit(X, y, sample_weight=weights())
    model = read(predictor)
    assert model.trees[0].cover[0] == len(X)
    assert_covers_add_up(model)
    assert_same(predictor, X)


def test_one_leaf_is_a_tree() -> None:
    X, _ = data("regression")
    predictor = booster("regression").fit(X, np.full(len(X), 3.5))
    assert set(read(predictor).node_counts) == {1}
    assert_same(predictor, X)


def test_linear_models_in_the_leaves_are_not_read() -> None:
    X, y = data("regression")
    predictor = booster("regression", linear_tree=True).fit(X, y)
    assert read_trees(predictor) is None
    assert read_trees(pickle.loads(pickle.dumps(predictor))) is None
