"""Interventional values of the paths that are too long for a table.

A record and a row take a path by some coalition if their masks have no bit in common. Of such a
pair the values are computed for each record, and once for all rows with the same mask on the path.
"""

from dataclasses import replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from python.model.explain.bits import Words, list_bits, sum_by_bit, to_words
from python.model.explain.paths import Paths
from python.model.explain.walk import MAX_PLAYERS, Masks
from python.model.trees.categories import Integers
from python.model.trees.tree import Flags
from python.model.types import Matrix

ONE = np.uint64(1)

# For `a` and `b` players the share of the orders in which all of the first come before the others.
SHARES_OF_ORDERS = np.array(
    [
        [1 / comb(a + b, a) for b in range(MAX_PLAYERS + 1)]
        for a in range(MAX_PLAYERS + 1)
    ]
)


def with_bits_of_players(paths: Paths) -> Paths:
    """Return the paths with a bit for each player, the same on every path."""
    bits = np.uint64(1) << paths.conditions.player.astype(np.uint64)
    smallest = np.min_scalar_type(bits.max())
    return replace(paths, bits=bits.astype(smallest))


class LongPaths:
    """The paths without a table, and the masks of a background's rows on them.

    A mask has a bit for each player, or if they are too many for each player of the path.
    """

    def __init__(
        self,
        paths: Paths,
        n_players: int,
        background: Matrix,
        n_equal: Integers,
    ) -> None:
        """Take what `count_equal` returns for the rows on the long paths, which are the last."""
        n_short = len(paths.leaves.numbers) - len(n_equal)
        self._have_bits = n_players <= MAX_PLAYERS
        self._paths = with_bits_of_players(paths) if self._have_bits else paths
        self._n_players = n_players
        self._players = paths.players
        self._starts = paths.leaves.starts[n_short:]
        self._nodes = paths.leaves.numbers[n_short:]
        self._outputs = paths.outputs[n_short:].T / len(background)
        self._masks, self._met = read(self._paths, self._nodes, background)
        self._counts = n_equal
        self._are_first = to_words(_pack(n_equal > 0))
        """The rows that stand for all with the same mask, (n_leaves, n_words)."""

    def values(self, goes_left: Flags) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs)."""
        masks = self._paths.masks(goes_left)
        by_record = np.ascontiguousarray(masks.T)
        return np.stack([self._values(of_record) for of_record in by_record])

    def _values(self, masks: Masks) -> Matrix:
        """Return the values of a record, (n_players, n_outputs), from its masks, (n_nodes,)."""
        leaves, pairs = self._find_apart(masks)
        of_rows = self._masks.ravel()[pairs]
        of_record = masks[self._nodes]
        n_rows = self._counts.ravel()[pairs]
        of_known, of_unknown = weigh(of_rows, of_record, leaves, n_rows)
        known = self._sum_by_player(of_rows, of_known, leaves)
        every_leaf = np.arange(len(of_record))
        unknown = self._sum_by_player(of_record, of_unknown, every_leaf)
        return known - unknown

    def _find_apart(self, masks: Masks) -> tuple[Integers, Integers]:
        """Return pairs of a leaf and a row whose mask there has no bit of the record's.

        Of rows with the same mask on the path there is one. A pair is told by its leaf, and by its
        place in the masks of all. Down to a node, the rows are those that meet all conditions that
        the record does not meet.
        """
        fails = masks & self._paths.bits != 0
        # All bits where the condition is met: `where` takes three times as long.
        apart = self._met | (fails.astype(np.uint64) - ONE)
        self._paths.keep_down(apart)
        of_leaves = apart.take(self._nodes, axis=1).T & self._are_first
        leaves, rows = list_bits(of_leaves)
        return leaves, leaves * self._masks.shape[1] + rows

    def _sum_by_player(
        self, masks: Masks, weights: Matrix, leaves: Integers
    ) -> Matrix:
        """Return what leaves add, times the weights of the masks there that have the player.

        (n_players, n_outputs); `leaves` has the leaf of each mask.
        """
        sums = [
            self._sum(masks, weights * outputs[leaves], leaves)
            for outputs in self._outputs
        ]
        return np.stack(sums, axis=1)

    def _sum(self, masks: Masks, numbers: Matrix, leaves: Integers) -> Matrix:
        """Return for each player the sum of the numbers whose mask has it."""
        if self._have_bits:
            return sum_by_bit(masks, numbers, self._n_players)
        owners, places = list_bits(masks[:, None])
        players = self._players[self._starts[leaves[owners]] + places]
        sums = np.bincount(players, numbers[owners], self._n_players)
        return sums.astype(np.float64)


def read(
    paths: Paths, nodes: Integers, background: Matrix
) -> tuple[Masks, Words]:
    """Return the masks of rows at some nodes, and which rows meet the condition of each node.

    These are (n_some_nodes, n_rows), and with a bit for each row (n_words, n_nodes).
    """
    masks, met = [], []
    for rows in paths.split(background):
        of_rows = paths.masks(paths.goes_left(rows))
        masks.append(of_rows[nodes])
        met.append(_pack(of_rows & paths.bits[:, None] == 0))
    words = to_words(np.concatenate(met, axis=1))
    return np.concatenate(masks, axis=1), np.ascontiguousarray(words.T)


def _pack(flags: Flags) -> NDArray[np.uint8]:
    return np.packbits(flags, axis=1, bitorder="little")


def weigh(
    of_rows: Masks, of_record: Masks, leaves: Integers, n_rows: Integers
) -> tuple[Matrix, Matrix]:
    """Return what players get of leaves that add 1: those of each row's mask, and of the record's.

    `of_rows`, `leaves` and `n_rows` have the mask, the leaf and the weight of each pair, and
    `of_record` has the record's mask on the way to each leaf.
    """
    n_known = np.bitwise_count(of_rows)
    n_unknown = np.bitwise_count(of_record)
    shares = share_of_orders(n_known, n_unknown[leaves]) * n_rows
    of_leaves = np.bincount(leaves, shares, len(of_record))
    # Where there is no player, none gets it.
    of_known = shares / np.maximum(n_known, 1)
    return of_known, of_leaves / np.maximum(n_unknown, 1)


def share_of_orders(n_first: Masks, n_others: Masks) -> Matrix:
    """Return the share of the orders of players in which so many come before so many others."""
    places = n_first.astype(np.intp) * len(SHARES_OF_ORDERS) + n_others
    shares: Matrix = SHARES_OF_ORDERS.ravel()[places]
    return shares
