"""Trials: records on which two ways to explain the same trees are compared."""

import numpy as np
from numpy.typing import NDArray

from python.model.explain.conditions import Ensemble
from python.model.types import Matrix

N_TRIALS = 16
MISSING_SHARE = 1 / 8
NO_THRESHOLDS = np.zeros(1)


def make_trials(ensemble: Ensemble, n_features: int) -> Matrix:
    """Return records on which the splits decide, (N_TRIALS, n_features).

    Each value is a threshold of its feature, or 0 where it has none, or missing.
    """
    choose = np.random.default_rng(0)
    columns = []
    for thresholds in _thresholds_by_feature(ensemble, n_features):
        values = thresholds if len(thresholds) else NO_THRESHOLDS
        column = choose.choice(values, N_TRIALS)
        columns.append(column)
    trials = np.stack(columns, axis=1)
    is_missing = choose.random(trials.shape) < MISSING_SHARE
    return np.where(is_missing, np.nan, trials)


def _thresholds_by_feature(
    ensemble: Ensemble,
    n_features: int,
) -> list[NDArray[np.float64]]:
    is_inner = ensemble.children_left >= 0
    is_split = is_inner & np.isfinite(ensemble.thresholds)
    features = ensemble.features[is_split]
    thresholds = ensemble.thresholds[is_split]
    order = np.argsort(features)
    in_order = features[order]
    starts = np.searchsorted(in_order, range(1, n_features))
    return np.split(thresholds[order], starts)
