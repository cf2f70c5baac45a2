"""Sampling: which rows of the training data go into the file, drawn with a fixed seed."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import Rows
from python.model.types import Columns

SEED = 0


def draw_rows(
    n_rows: int, count: int, labels: NDArray[Any] | None = None
) -> Rows:
    """Return the numbers of so many rows at most, in their order.

    Each label has its share of them, and at least one as long as there is room.
    """
    choose = np.random.default_rng(SEED)
    order = choose.permutation(n_rows)
    if labels is not None:
        order = order[_ranks(labels[order])]
    return np.sort(order[:count])


def _ranks(labels: NDArray[Any]) -> Rows:
    """Return the order in which rows are drawn so that every label comes evenly.

    The k-th of n rows with a label comes at (k + 0.5) / n, but the first one of each label before
    all others. Of the labels a, a, a, b come one a, then b, then the other two.
    """
    import pandas as pd  # labels of several types have no order

    label_numbers, _ = pd.factorize(labels, use_na_sentinel=False)
    places = np.empty(len(labels))
    for number, count in enumerate(np.bincount(label_numbers)):
        within = np.arange(count)
        evenly = (within + 0.5) / count
        # Frequent labels come first, where there is not room for one of each.
        evenly[0] = -count
        places[label_numbers == number] = evenly
    return np.argsort(places, kind="stable")


def cover_gaps(table: Columns) -> Rows:
    """Return rows in which every feature is missing once that is missing in any row.

    Such a row shows which of None and NaN stands for a missing value. They are chosen one by one,
    that which lacks most of the features left.
    """
    is_missing = table.isna().to_numpy()
    rows = []
    uncovered = is_missing.any(axis=0)
    while uncovered.any():
        counts = is_missing[:, uncovered].sum(axis=1)
        row = int(counts.argmax())
        rows.append(row)
        uncovered &= ~is_missing[row]
    return np.array(rows, dtype=np.intp)


def with_rows(first: Rows, others: Rows, count: int) -> Rows:
    """Return the first rows, and of the others so many that there are `count` in all."""
    left = np.setdiff1d(others, first)
    room = max(count - len(first), 0)
    if len(left) > room:
        places = np.linspace(0, len(left) - 1, room)
        left = left[np.rint(places).astype(int)]
    return np.sort(np.concatenate([first, left]))
