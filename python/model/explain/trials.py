"""Trials: rows on which what was read of an estimator's trees is compared with the estimator.

They are mixtures of rows, which explanations compare, with values right at the thresholds.
"""

import numpy as np

from python.model.data.columns import is_frame, mix_rows
from python.model.fast.trials import rows_near_thresholds
from python.model.trees import TreeModel
from python.model.trees.tree import Flags
from python.model.types import Columns, Matrix

MAX_TRIALS = 256
MIN_TRIALS = 32
TRIALS_LIMIT_NODES = 2**22  # the trials times the nodes of the trees
THRESHOLDS_SHARE = 1 / 2
MISSING_SHARE = 1 / 8
KINDS_OF_NUMBERS = "biuf"  # of NumPy's types


def make_trials(rows: Columns, trees: TreeModel) -> list[Columns]:
    """Return mixtures of the rows, the same with values at thresholds, and with missing values.

    `rows` are columns as the predictor takes them, and so are the trials, but that they are dense.
    """
    choose = np.random.default_rng(0)
    if hasattr(rows, "toarray"):
        rows = trees.numbers(rows)
    n_rows, n_columns = rows.shape
    shape = (_count_trials(trees), n_columns)
    mixtures = mix_rows(rows, choose.integers(n_rows, size=shape))
    splits_columns = np.isin(np.arange(n_columns), trees.splits[0])
    is_chosen = choose.random(shape) < THRESHOLDS_SHARE
    values = _choose_near_thresholds(trees, shape[0], choose)
    at_thresholds = _replace(mixtures, is_chosen & splits_columns, values)
    is_missing = choose.random(shape) < MISSING_SHARE
    with_missing = _replace(at_thresholds, is_missing, np.full(shape, np.nan))
    return [mixtures, at_thresholds, with_missing]


def _count_trials(trees: TreeModel) -> int:
    n_trials = TRIALS_LIMIT_NODES // sum(trees.node_counts)
    return min(max(n_trials, MIN_TRIALS), MAX_TRIALS)


def _choose_near_thresholds(
    trees: TreeModel,
    n_trials: int,
    choose: np.random.Generator,
) -> Matrix:
    """Return rows of thresholds and the numbers right beside them, none of them infinite."""
    near = rows_near_thresholds(trees, choose)
    rows = choose.integers(len(near), size=n_trials)
    largest = np.finfo(trees.precision).max
    return near[rows].clip(-largest, largest)


def _replace(
    columns: Columns,
    is_replaced: Flags,
    values: Matrix,
) -> Columns:
    """Return the columns with other values in some places, but in columns of numbers only."""
    if is_frame(columns):
        return _replace_in_frame(columns, is_replaced, values)
    if columns.dtype.kind not in KINDS_OF_NUMBERS:
        return columns
    return np.where(is_replaced, values, columns)


def _replace_in_frame(
    columns: Columns,
    is_replaced: Flags,
    values: Matrix,
) -> Columns:
    frame = columns.copy()
    for place, dtype in enumerate(columns.dtypes):
        if dtype.kind in KINDS_OF_NUMBERS:
            column = columns.iloc[:, place].astype(np.float64)
            mixed = column.mask(is_replaced[:, place], values[:, place])
            frame.isetitem(place, mixed)
    return frame
