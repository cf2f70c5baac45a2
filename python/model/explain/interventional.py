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
from numpy.typing import NDArray
from scipy.special import beta

from python.model.explain.path_dependent import times
from python.model.explain.paths import Paths
from python.model.explain.tables import (
    Group,
    Tables,
    count_short,
)
from python.model.explain.walk import MAX_PLAYERS, Masks
from python.model.trees.categories import Integers
from python.model.types import Matrix

# The rows times the nodes: each takes some nanoseconds to read, and a bit to keep.
ROWS_LIMIT_NODES = 2**29
# The rows times the long paths, whose masks take up to 8 bytes each.
ROWS_LIMIT_MASKS = 2**25

Words = NDArray[np.uint64]
"""Bits of rows, 64 in each word."""

ALL_ROWS = np.uint64(2**64 - 1)


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
        if len(rows.of_long):
            self._long = LongPaths(paths, n_players, rows.of_long, rows.met)

    def values(self, numbers: Matrix) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs).

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        if self._long is None:
            return self._tables.values(numbers)
        add_long = partial(self._add_long, self._long)
        return self._paths.compute(numbers, add_long)

    def _add_long(self, long: "LongPaths", masks: Masks) -> Matrix:
        """Return the values of records from their masks, (n_nodes, n_records)."""
        values = self._tables.look_up(masks)
        for row, of_record in enumerate(masks.T):
            values[row] += long.values(of_record)
        return values


def can_be_read(paths: Paths, n_rows: int) -> bool:
    """Return whether a background of so many rows is read in seconds and a few hundred MB."""
    n_long = len(paths.leaves.numbers) - count_short(paths)
    if n_rows * n_long > ROWS_LIMIT_MASKS:
        return False
    return n_rows * len(paths.bits) <= ROWS_LIMIT_NODES


class BackgroundMasks:
    """The masks of a background's rows: counted on short paths, kept on long ones."""

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
        of_long = []
        met = []
        for rows in paths.split(background):
            masks = paths.masks(rows)
            met.append(_pack_met(paths, masks))
            of_paths = masks[paths.leaves.numbers]
            n_passing += (of_paths == 0).sum(axis=1)
            of_long.append(of_paths[n_short:])
            self._count(of_paths[:n_short])
        self.of_long = np.concatenate(of_long, axis=1)
        """The masks on the long paths, (n_long_paths, n_rows)."""
        self.met = _to_words(np.concatenate(met, axis=1))
        """Which rows meet the condition of each node: a bit for each, (n_nodes, n_words)."""
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


def _pack_met(paths: Paths, masks: Masks) -> NDArray[np.uint8]:
    """Return whether rows meet the condition of each node, eight rows in a byte."""
    is_met = (masks & paths.bits[:, None]) == 0
    return np.packbits(is_met, axis=1, bitorder="little")


def _to_words(octets: NDArray[np.uint8]) -> Words:
    """Return rows of bytes as words of eight, the last one filled up with zeros."""
    n_missing = -octets.shape[1] % 8
    padded = np.pad(octets, ((0, 0), (0, n_missing)))
    return padded.view(np.uint64)


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


class LongPaths:
    """The paths without a table: the masks of a record and of the rows are compared one by one."""

    def __init__(
        self,
        paths: Paths,
        n_players: int,
        of_rows: Masks,
        met: Words,
    ) -> None:
        """Take the masks of the rows on the long paths, which are the last, and `met` of all."""
        n_leaves, n_rows = of_rows.shape
        self._first = len(paths.leaves.numbers) - n_leaves
        self._paths = paths
        self._n_players = n_players
        self._of_rows = of_rows
        self._met = met
        self._players = paths.players
        self._outputs = paths.outputs / n_rows

    def values(self, masks: Masks) -> Matrix:
        """Return the values of a record, (n_players, n_outputs), from its masks, (n_nodes,)."""
        leaves, rows = self._find_apart(masks)
        of_rows = self._of_rows[leaves - self._first, rows]
        of_record = masks[self._paths.leaves.numbers[leaves]]
        n_known = np.bitwise_count(of_rows)
        n_unknown = np.bitwise_count(of_record)
        of_known = WEIGHTS[n_known, n_unknown]
        of_unknown = WEIGHTS[n_unknown, n_known]
        pairs, players = self._list_known(leaves, of_rows)
        by_output = []
        for outputs in self._outputs.T:
            of_pairs = of_known * outputs[leaves]
            known = np.bincount(players, of_pairs[pairs], self._n_players)
            of_leaves = np.bincount(leaves, of_unknown, len(outputs))
            unknown = self._sum_unknown(masks, of_leaves * outputs)
            by_output.append(known - unknown)
        return np.stack(by_output, axis=1)

    def _list_known(
        self,
        leaves: Integers,
        of_rows: Masks,
    ) -> tuple[Integers, Integers]:
        """Return each player of each mask on the way to a leaf, with the number of the mask."""
        pairs, places = list_bits(of_rows[:, None])
        starts = self._paths.leaves.starts[leaves]
        return pairs, self._players[starts[pairs] + places]

    def _find_apart(self, masks: Masks) -> tuple[Integers, Integers]:
        """Return pairs of a long path's leaf and a row whose mask there has no bit of the record's.

        Down to a node, these are the rows that meet all conditions that the record does not meet.
        """
        leaves = self._paths.leaves.numbers[self._first :]
        of_leaves = self._keep_apart(masks)[leaves]
        reached = np.flatnonzero(of_leaves.any(axis=1))
        places, rows = list_bits(of_leaves[reached])
        return self._first + reached[places], rows

    def _keep_apart(self, masks: Masks) -> Words:
        """Return the bits of the rows that are apart down to each node, (n_nodes, n_words)."""
        is_met, _ = self._paths.are_met(masks)
        n_roots = len(self._paths.trees.trees)
        is_met[:n_roots] = False
        apart = np.where(is_met[:, None], ALL_ROWS, self._met)
        self._paths.keep_down(apart)
        return apart

    def _sum_unknown(self, masks: Masks, of_leaves: Matrix) -> Matrix:
        """Return for each player the sum over the leaves that have it in the record's mask.

        A leaf has it if the way there goes through the node where the record first fails it.
        """
        paths = self._paths
        is_met, was_met = paths.are_met(masks)
        nodes = np.flatnonzero(was_met & ~is_met)
        below = paths.add_up(of_leaves)[nodes]
        players = paths.conditions.player[nodes]
        return np.bincount(players, below, self._n_players).astype(np.float64)


def list_bits(words: Masks) -> tuple[Integers, Integers]:
    """Return for each bit that is set its row, and its place among the row's bits.

    `words` is (n_rows, n_words), the first word with the first bits.
    """
    little_endian = words.astype(words.dtype.newbyteorder("<"))
    bits = np.unpackbits(
        little_endian.view(np.uint8), axis=1, bitorder="little"
    )
    # Of booleans in one dimension NumPy finds those that are set ten times as fast.
    set_bits = np.flatnonzero(bits.view(np.bool_))
    n_bits = bits.shape[1]
    rows = set_bits // n_bits
    return rows, set_bits - rows * n_bits


def _weights() -> Matrix:
    """Return (a-1)! b! / (a+b)! for each `a` and `b`; for an `a` of 0 it is 0."""
    sizes = np.arange(MAX_PLAYERS + 1)
    weights: Matrix = beta(sizes[:, None], sizes + 1.0)
    weights[0] = 0
    return weights


WEIGHTS = _weights()
