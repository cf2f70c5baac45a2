"""The rows on which the reading of trees is compared with the estimator."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.ensemble import RandomForestRegressor
from xgboost import XGBRegressor

from python.model.explain import trials as module
from python.model.explain.trials import MAX_TRIALS, make_trials
from tests.model.trees.trials import data, read


def fit(X: Any, y: Any) -> Any:
    return RandomForestRegressor(7, random_state=0).fit(X, y)


def near(thresholds: Any) -> set[float]:
    rounded = np.asarray(thresholds).astype(np.float32)
    above = np.nextafter(rounded, np.float32(np.inf))
    below = np.nextafter(rounded, np.float32(-np.inf))
    return set(np.concatenate([thresholds, above, below]).astype(float))


def test_rows_are_mixed_and_then_moved_to_thresholds_and_then_incomplete() -> (
    None
):
    X, y = data("regression")
    X = np.column_stack([X, np.ones(len(X))])  # without a threshold
    trees = read(fit(X, y))
    mixtures, at_thresholds, with_missing = make_trials(X[:4], trees)
    features, thresholds = trees.splits
    n_moved = 0
    for column in range(X.shape[1]):
        own = set(X[:4, column])
        assert set(mixtures[:, column]) <= own
        of_column = near(thresholds[features == column])
        assert set(at_thresholds[:, column]) <= own | of_column
        n_moved += len(set(at_thresholds[:, column]) - own)
        is_missing = np.isnan(with_missing[:, column])
        assert 0 < is_missing.mean() < 0.3
        rest = with_missing[~is_missing, column]
        assert set(rest) <= set(at_thresholds[:, column])
    assert n_moved > 300
    assert len(mixtures) == MAX_TRIALS
    assert len(set(map(tuple, mixtures))) > MAX_TRIALS / 2


def test_large_trees_are_tried_on_fewer_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = data("regression")
    trees = read(fit(X, y))
    n_nodes = sum(trees.node_counts)
    monkeypatch.setattr(module, "TRIALS_LIMIT_NODES", 50 * n_nodes)
    assert len(make_trials(X[:4], trees)[0]) == 50
    monkeypatch.setattr(module, "TRIALS_LIMIT_NODES", 1)
    assert len(make_trials(X[:4], trees)[0]) == module.MIN_TRIALS


def test_columns_keep_their_names_and_texts_stay_as_they_are() -> None:
    X, y = data("regression")
    trees = read(fit(X, y))
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["b"] = pd.Categorical(frame["b"] > 0)
    frame["e"] = frame["e"].astype("Int64")
    for trial in make_trials(frame.head(6), trees):
        assert list(trial.columns) == list("abcde")
        assert trial["b"].dtype == frame["b"].dtype
        assert trial["e"].dtype.kind in "if"
        assert not trial["b"].isna().any()


def test_what_a_sparse_matrix_does_not_hold_is_what_the_trees_take_it_for() -> (
    None
):
    X, y = data("regression")
    X = np.where(X < 0, 0.0, X)
    sparse = csr_array(X)
    predictor = XGBRegressor(n_estimators=3, n_jobs=1).fit(sparse, y)
    mixtures, *_ = make_trials(sparse[:5], read(predictor))
    assert np.isnan(mixtures).any()
    mixtures, *_ = make_trials(sparse[:5], read(fit(X, y)))
    assert not np.isnan(mixtures).any()
    assert (mixtures == 0).any()
