"""XGBoost's trees as arrays: the same leaf for each record, and bit for bit the same margin."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from xgboost import DMatrix, XGBClassifier, XGBRegressor, XGBRFClassifier

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


def booster(task: str, **more: Any) -> Any:
    kind = XGBRegressor if task == "regression" else XGBClassifier
    return kind(**{"n_estimators": 8, "n_jobs": 1, "random_state": 0} | more)


def assert_same_leaves(predictor: Any, columns: Any) -> None:
    leaves = predictor.apply(columns).reshape(len(columns), -1)
    np.testing.assert_array_equal(read(predictor).leaves(columns), leaves)


def assert_same(predictor: Any, columns: Any) -> None:
    assert_same_leaves(predictor, columns)
    margin = with_columns(predictor.predict(columns, output_margin=True))
    np.testing.assert_array_equal(read(predictor).raw_output(columns), margin)


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("task", TASKS)
def test_boosting_is_read(task: str, gaps: bool) -> None:
    X, y = data(task, gaps=gaps)
    predictor = booster(task).fit(X, y)
    model = read(predictor)
    assert (model.library, model.kind, model.combination) == (
        "XGBoost",
        "boosting",
        "sum",
    )
    assert not model.has_categories
    assert_same(predictor, trials(model, X, gaps=gaps))
    # What was complete in training may have gaps when it predicts.
    assert_same(predictor, trials(model, X, gaps=True))


@pytest.mark.parametrize("missing", [-999, 0.1, 0])
def test_another_value_for_what_is_missing_is_read(missing: float) -> None:
    X, y = data("binary", gaps=True)
    X[np.isnan(X)] = missing
    predictor = booster("binary", missing=missing).fit(X, y)
    rows = trials(read(predictor), X, gaps=True)
    rows[::3, 1] = missing
    assert_same(predictor, rows)


@pytest.mark.parametrize(
    "objective",
    [
        "reg:logistic",
        "binary:logitraw",
        "binary:hinge",
        "count:poisson",
        "reg:gamma",
        "reg:tweedie",
        "reg:absoluteerror",
        "reg:pseudohubererror",
        "reg:squaredlogerror",
        "survival:cox",
    ],
)
@pytest.mark.parametrize("base_score", [None, 0.3])
def test_the_initial_score_is_before_the_link(
    objective: str, base_score: float | None
) -> None:
    X, y = data("binary")
    predictor = booster(
        "regression", objective=objective, base_score=base_score
    )
    predictor.fit(
        X, y + 0.5 if objective in ("reg:gamma", "survival:cox") else y
    )
    assert_same(predictor, trials(read(predictor), X))


def test_the_initial_score_of_survival_is_before_the_link() -> None:
    X, y = data("binary")
    bounds = DMatrix(X, label_lower_bound=y + 1, label_upper_bound=y + 2)
    predictor = booster("regression", objective="survival:aft")
    settings = {"objective": "survival:aft", "base_score": 0.3}
    # scikit-learn's interface has no place for the bounds.
    predictor._Booster = xgboost.train(settings, bounds, 5)
    assert_same(predictor, X)


def test_codes_of_categories_are_read() -> None:
    X, y = data("binary", gaps=True)
    choose = np.random.default_rng(1)
    X[:, 1] = choose.integers(0, 90, len(X))
    y = np.where(np.isin(X[:, 1], [3, 33, 35, 70, 89]), 1 - y, y)
    types = ["q", "c", "q", "q", "q"]
    predictor = booster(
        "binary",
        enable_categorical=True,
        feature_types=types,
        max_cat_to_onehot=2,
    )
    predictor.fit(X, y)
    model = read(predictor)
    assert model.has_categories
    rows = trials(model, X, gaps=True)
    codes = [*range(100), 2.7, -1, -9, 1e5, 1e12, np.nan]
    rows[:, 1] = choose.choice(codes, len(rows))
    margin = with_columns(predictor.predict(rows, output_margin=True))
    np.testing.assert_array_equal(model.raw_output(rows), margin)
    assert_same(predictor, X)


@pytest.mark.parametrize("one_hot", [1, 100])
def test_texts_of_categories_are_read_in_any_order(one_hot: int) -> None:
    predictor, frame = with_texts(["a", "b", "c", "d"], one_hot)
    assert read(predictor).has_categories
    choose = np.random.default_rng(3)
    strange = frame.copy()
    strange["kind"] = pd.Categorical(
        choose.choice(["d", "a", "b", ""], len(frame))
    ).set_categories(["d", "b", "a"])
    strange["number"] = pd.Categorical(
        choose.choice([9, 5], len(frame)), categories=[9, 5]
    )
    for columns in (frame, strange):
        assert_same(predictor, columns)


def test_texts_that_are_not_ascii_are_read_in_the_order_of_training() -> None:
    predictor, frame = with_texts(["a", "b", "c", "é"], one_hot=1)
    frame.loc[::3, "kind"] = None
    assert_same(predictor, frame)


def with_texts(names: list[str], one_hot: int) -> tuple[Any, Any]:
    X, y = data("three classes", gaps=True)
    choose = np.random.default_rng(2)
    frame = pd.DataFrame(X, columns=list("vwxyz"))
    frame.insert(2, "kind", pd.Categorical(choose.choice(names, len(X))))
    frame["number"] = pd.Categorical(choose.choice([5, 7, 9], len(X)))
    y = np.where((frame["kind"] == "b") | (frame["number"] == 7), 2 - y, y)
    predictor = booster(
        "three classes", enable_categorical=True, max_cat_to_onehot=one_hot
    )
    return predictor.fit(frame, y), frame


@pytest.mark.parametrize("task", TASKS)
def test_boosting_that_stops_early_has_the_trees_up_to_the_best(
    task: str,
) -> None:
    X, y = data(task)
    y = np.random.default_rng(0).permutation(y)
    predictor = booster(task, n_estimators=200, early_stopping_rounds=3)
    predictor.fit(
        X[:300], y[:300], eval_set=[(X[300:], y[300:])], verbose=False
    )
    model = read(predictor)
    assert len(model.trees) == (predictor.best_iteration + 1) * model.n_outputs
    assert predictor.best_iteration < 190
    assert_same(predictor, trials(model, X))
    assert_same(pickle.loads(pickle.dumps(predictor)), X)


def test_a_forest_adds_several_trees_in_an_iteration() -> None:
    X, y = data("three classes")
    predictor = XGBRFClassifier(n_estimators=4, n_jobs=1, random_state=0).fit(
        X, y
    )
    assert len(read(predictor).trees) == 12
    assert_same(predictor, trials(read(predictor), X))


def test_dropped_trees_have_their_weight() -> None:
    X, y = data("regression")
    predictor = booster("regression", booster="dart", rate_drop=0.5).fit(X, y)
    rows = trials(read(predictor), X)
    assert_same_leaves(predictor, rows)
    # XGBoost adds these up in another order, in float32.
    np.testing.assert_allclose(
        read(predictor).raw_output(rows)[:, 0],
        predictor.predict(rows, output_margin=True),
        rtol=0,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "strategy", ["one_output_per_tree", "multi_output_tree"]
)
def test_several_numbers_are_several_outputs(strategy: str) -> None:
    X, y = data("regression", gaps=True)
    targets = np.stack([y, -2 * y, y**2], axis=1)
    predictor = booster(
        "regression", multi_strategy=strategy, tree_method="hist"
    ).fit(X, targets)
    model = read(predictor)
    assert (model.n_targets, model.n_outputs) == (3, 3)
    assert (model.trees[0].right[model.trees[0].is_leaf] < 0).all()
    assert_same(predictor, trials(model, X, gaps=True))


def test_the_cover_is_the_sum_of_hessians() -> None:
    X, y = data("regression")
    predictor = booster("regression").fit(X, y, sample_weight=weights())
    model = read(predictor)
    assert model.trees[0].cover[0] == pytest.approx(weights().sum(), rel=1e-5)
    assert_covers_add_up(model, 1e-4)
    assert_same(predictor, X)


def test_pruned_trees_are_read() -> None:
    X, y = data("regression")
    predictor = booster("regression", gamma=5, tree_method="exact").fit(X, y)
    assert_same(predictor, trials(read(predictor), X))


def test_one_leaf_is_a_tree() -> None:
    X, _ = data("regression")
    predictor = booster("regression").fit(X, np.full(len(X), 3.5))
    assert set(read(predictor).node_counts) == {1}
    assert_same(predictor, X)


def test_a_booster_without_trees_is_not_read() -> None:
    X, y = data("regression")
    predictor = booster("regression", booster="gblinear").fit(X[:, :2], y)
    assert read_trees(predictor) is None
