"""Interventional values of the paths that are too long for a table.

The masks of a record and of the rows are compared one by one: those of a pair that takes the path
by some coalition have no bit in common.
"""

from dataclasses import replace

import numpy as np
from scipy.special import beta

from python.model.explain.bits import Words, list_bits, sum_by_bit
from python.model.explain.paths import Paths
from python.model.explain.walk import MAX_PLAYERS, Masks
from python.model.trees.categories import Integers
from python.model.types import Matrix

ALL_ROWS = np.uint64(2**64 - 1)


def mark(
    paths: Paths, n_short: int, n_players: int, background: Matrix
) -> Masks:
    """Return the masks of the background's rows on long paths, (n_long_paths, n_rows).

    A mask has a bit for each player, or if they are too many for each player of the path.
    """
    if have_bits(n_players):
        paths = with_bits_of_players(paths, n_players)
    numbers = paths.leaves.numbers[n_short:]
    of_long = []
    for rows in paths.split(background):
        masks = paths.masks(paths.goes_left(rows))
        of_long.append(masks[numbers])
    return np.concatenate(of_long, axis=1)


def have_bits(n_players: int) -> bool:
    """Return whether players are few enough for a mask with a bit for each of them."""
    return n_players <= MAX_PLAYERS


def with_bits_of_players(paths: Paths, n_players: int) -> Paths:
    """Return the paths with a bit for each player, the same on every path."""
    bits = np.uint64(1) << paths.conditions.player.astype(np.uint64)
    # The last players may be in no split, and have bits nevertheless.
    smallest = np.min_scalar_type(1 << (n_players - 1))
    return replace(paths, bits=bits.astype(smallest))


class LongPaths:
    """The paths without a table: the masks of a record and of the rows are compared one by one."""

    def __init__(
        self,
        paths: Paths,
        n_players: int,
        of_rows: Masks,
        met: Words,
    ) -> None:
        """Take what `mark` returns for the long paths, which are the last, and `met` of all."""
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
        of_rows = self._take(leaves, rows)
        n_known = np.bitwise_count(of_rows)
        of_leaves = np.bitwise_count(masks[self._paths.leaves.numbers])
        n_unknown = of_leaves[leaves]
        of_known = weigh(n_known, n_unknown)
        of_unknown = weigh(n_unknown, n_known)
        by_output = []
        for outputs in self._outputs.T:
            of_pairs = of_known * outputs[leaves]
            known = self._sum_known(leaves, of_rows, of_pairs)
            by_leaf = np.bincount(leaves, of_unknown, len(outputs))
            unknown = self._sum_unknown(masks, by_leaf * outputs)
            by_output.append(known - unknown)
        return np.stack(by_output, axis=1)

    def _take(self, leaves: Integers, rows: Integers) -> Masks:
        """Return the masks of pairs of a leaf and a row."""
        # NumPy takes from one dimension in half of the time.
        places = (leaves - self._first) * self._of_rows.shape[1] + rows
        of_pairs: Masks = self._of_rows.ravel()[places]
        return of_pairs

    def _sum_known(
        self, leaves: Integers, of_rows: Masks, of_pairs: Matrix
    ) -> Matrix:
        """Return for each player the sum over the pairs that have it in the row's mask."""
        if have_bits(self._n_players):
            return sum_by_bit(of_rows, of_pairs, self._n_players)
        pairs, players = self._list_known(leaves, of_rows)
        known = np.bincount(players, of_pairs[pairs], self._n_players)
        return known.astype(np.float64)

    def _list_known(
        self, leaves: Integers, of_rows: Masks
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
        apart = self._keep_apart(masks).take(leaves, axis=0)
        places, rows = list_bits(apart)
        return self._first + places, rows

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


def weigh(n_with: Masks, n_against: Masks) -> Matrix:
    """Return what a player weighs that is one of `n_with`, with `n_against` players against it."""
    places = n_with.astype(np.intp) * len(WEIGHTS) + n_against
    weights: Matrix = WEIGHTS.ravel()[places]
    return weights


def _weights() -> Matrix:
    """Return (a-1)! b! / (a+b)! for each `a` and `b`; for an `a` of 0 it is 0."""
    sizes = np.arange(MAX_PLAYERS + 1)
    weights: Matrix = beta(sizes[:, None], sizes + 1.0)
    weights[0] = 0
    return weights


WEIGHTS = _weights()
