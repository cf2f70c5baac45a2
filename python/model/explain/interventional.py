"""Interventional values: those of the game in which unknown players are as in background rows.

A coalition's worth is what the trees give for the record where its players' columns are those of a
row of the background, but for the players in the coalition; it is the mean over the rows.

Of a record and a row, a path concerns only the players whose conditions one of them does not meet:
those of the record's mask and those of the row's. If a player is in both, the path is never taken.
Else it is taken by the coalitions that have all players of the row's mask and none of the
record's. With `a` players in the row's mask and `b` in the record's, each of the first has the
value (a-1)! b! / (a+b)!, each of the others -a! (b-1)! / (a+b)!, times what the leaf adds
(Laberge and Pequignot 2022, arXiv:2209.15123).

So of the background only the number of rows matters that have a mask on a path, and of the record
its mask (as in WOODELF, Nadel and Wettenstein 2025, arXiv:2511.09376). Short paths have tables
from the record's mask to the values; for the others the masks of the rows are kept.

Example: a path with two players adds 6. The record meets the first condition only, so that its
mask is 2; the row meets the second only, so its mask is 1. The first player has 6 * 0! 1! / 2! = 3,
the second -6 * 1! 0! / 2! = -3. For a row that meets none the path adds nothing.
"""

from functools import partial

import numpy as np

from python.model.explain.bits import count_equal
from python.model.explain.long_paths import LongPaths
from python.model.explain.path_dependent import times
from python.model.explain.paths import Paths
from python.model.explain.tables import (
    Group,
    Tables,
    count_short,
)
from python.model.explain.walk import Masks
from python.model.trees.tree import Flags
from python.model.types import Matrix

# The rows times the nodes: each takes some nanoseconds to read, and a bit to keep.
ROWS_LIMIT_NODES = 2**29
# The rows times the long paths: a mask takes up to 8 bytes, and to count it up to 4.
ROWS_LIMIT_MASKS = 2**25


class Interventional:
    """The interventional values of trees against a background."""

    def __init__(
        self,
        paths: Paths,
        n_players: int,
        background: Matrix,
    ) -> None:
        """Take the rows of the background as `TreeModel.numbers` returns them."""
        self._paths = paths
        n_short = count_short(paths)
        rows = BackgroundMasks(paths, n_short, background)
        self.base_values = paths.outputs.T @ rows.shares + paths.base
        self._tables = Tables.of(paths, n_short, n_players, rows.make_values)
        self._long: LongPaths | None = None
        if n_short < len(paths.leaves.numbers):
            self._long = LongPaths(paths, n_players, background, rows.n_equal)

    def values(self, numbers: Matrix) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs).

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        if self._long is None:
            return self._tables.values(numbers)
        add_long = partial(self._add_long, self._long)
        return self._paths.compute(numbers, add_long)

    def _add_long(self, long: LongPaths, goes_left: Flags) -> Matrix:
        """Return the values of records from their `Paths.goes_left`."""
        return self._tables.look_up(goes_left) + long.values(goes_left)


def can_be_read(paths: Paths, n_rows: int) -> bool:
    """Return whether a background of so many rows is read in seconds and a few hundred MB."""
    n_long = len(paths.leaves.numbers) - count_short(paths)
    if n_rows * n_long > ROWS_LIMIT_MASKS:
        return False
    return n_rows * len(paths.bits) <= ROWS_LIMIT_NODES


class BackgroundMasks:
    """How many of a background's rows have which masks."""

    def __init__(
        self,
        paths: Paths,
        n_short: int,
        background: Matrix,
    ) -> None:
        """Take how many paths are short, which are the first."""
        n_masks = 1 << paths.leaves.lengths[:n_short]
        self._starts = n_masks.cumsum() - n_masks
        self._counts = np.zeros(n_masks.sum())
        self._n_rows = len(background)
        n_passing = np.zeros(len(paths.leaves.numbers))
        lengths = paths.leaves.lengths[n_short:]
        shape = (len(lengths), self._n_rows)
        of_long = np.empty(shape, dtype=paths.bits.dtype)
        first = 0
        for rows in paths.split(background):
            masks = paths.masks(paths.goes_left(rows))
            of_paths = masks[paths.leaves.numbers]
            n_passing += (of_paths == 0).sum(axis=1)
            self._count(of_paths[:n_short])
            of_long[:, first : first + len(rows)] = of_paths[n_short:]
            first += len(rows)
        self.n_equal = count_equal(of_long, lengths)
        """How many rows have the same mask on each of the other paths, (n_long_paths, n_rows)."""
        self.shares = n_passing / self._n_rows
        """For each path the share of the rows that meet all of its conditions."""

    def _count(self, masks: Masks) -> None:
        # NumPy would make floats of the sum of int64 and uint64.
        places = self._starts[:, None] + masks.astype(np.intp)
        counts = np.bincount(places.ravel(), minlength=len(self._counts))
        self._counts += counts

    def make_values(self, group: Group) -> Matrix:
        """Return the values of short paths that add 1, (n_paths, n_masks, n_players)."""
        n_paths = group.stop - group.first
        start = self._starts[group.first]
        stop = start + n_paths * group.n_masks
        shares = self._counts[start:stop] / self._n_rows
        return compute_values(shares.reshape(n_paths, group.n_masks))


def compute_values(shares: Matrix) -> Matrix:
    """Return the values of paths that add 1, (n_paths, n_masks, n_players), for a record's masks.

    `shares`, (n_paths, n_masks), has the share of the background's rows with each mask.
    The weights (a-1)! b! / (a+b)! of the values are integrals of t**(a-1) * (1-t)**b over the time
    t at which each player is known with probability t. At a time, the rows that count for a
    record's mask are those whose masks have no bit of it, and a row counts t**a.
    """
    n_masks = shares.shape[1]
    masks = np.arange(n_masks)
    sizes = np.bitwise_count(masks).astype(np.float64)
    bits = 1 << np.arange(int(sizes[-1]))
    with_player = masks[:, None] | bits
    is_own = masks[:, None] & bits != 0
    values = np.zeros((*shares.shape, len(bits)))
    for time, weight in times(len(bits)):
        within = _sum_subsets(shares * time**sizes)
        # The masks without a bit of one are those within its complement.
        apart = within[:, ::-1]
        apart_with_player = apart[:, :, None] - apart[:, with_player]
        of_known = (1 - time) ** sizes / time
        of_unknown = (1 - time) ** (sizes - 1)
        values += weight * of_known[:, None] * apart_with_player
        values -= weight * (of_unknown[:, None] * is_own) * apart[:, :, None]
    return values


def _sum_subsets(of_masks: Matrix) -> Matrix:
    """Return for each mask the sum over all masks whose bits it has, along the second axis.

    Example: the numbers 1, 2, 4, 8 of the masks 0 to 3 become 1, 3, 5, 15.
    """
    n_paths, n_masks = of_masks.shape
    sums = of_masks
    step = 1
    while step < n_masks:
        pairs = sums.reshape(n_paths, -1, 2, step)
        pairs[:, :, 1] += pairs[:, :, 0]
        step *= 2
    return sums
