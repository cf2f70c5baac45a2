"""Siblings: the two leaves of a split, which share a table where the split is their player's first.

A record goes one way or the other there. So its mask on the path to the right leaf is its mask on
the path to the left one, but for the bit of the split's player, which is set in just one of them.
The right leaf's values are added to the left leaf's table, and one lookup gives both.

Example: both paths have one player. The left leaf's values are 2 for the mask 0 and -1 for the
mask 1, the right leaf's are 7 and -4. The table of both has 2 - 4 = -2 and -1 + 7 = 6.
"""

from typing import NamedTuple, Self

import numpy as np

from python.model.explain.paths import Paths
from python.model.trees.categories import Integers
from python.model.types import Matrix


class Siblings(NamedTuple):
    """Pairs of leaves that share a table, as their places among the leaves."""

    left: Integers
    right: Integers
    bits: Integers
    """The bit of the player of their split."""

    @classmethod
    def of(cls, paths: Paths, n_paths: int) -> Self:
        """Return the siblings among the first paths.

        There are none for several outputs: what two leaves add to them has no table in common.
        """
        if paths.outputs.shape[1] > 1:
            return cls(*np.zeros((3, 0), dtype=np.intp))
        numbers = paths.leaves.numbers[:n_paths]
        places = np.full(len(paths.bits), -1)
        places[numbers] = np.arange(n_paths)
        # A pair of children for each split that is the first by its player.
        children = _list_children(paths)
        is_first = paths.conditions.is_first[children[0]]
        pairs = places[children[:, is_first]]
        left, right = pairs[:, (pairs >= 0).all(axis=0)]
        bits = 1 << paths.conditions.place[numbers[left]]
        return cls(left, right, bits)

    def between(self, first: int, stop: int) -> Self:
        """Return those from one place to another, with places that are counted from the first."""
        inside = (self.left >= first) & (self.left < stop)
        left = self.left[inside] - first
        right = self.right[inside] - first
        return type(self)(left, right, self.bits[inside])

    def join(self, tables: Matrix) -> Matrix:
        """Return the tables, (n_paths, n_masks, n_players), without those of the right leaves.

        They have been added, in place, to those of the left ones.
        """
        masks = np.arange(tables.shape[1])
        flipped = masks ^ self.bits[:, None]
        tables[self.left] += tables[self.right[:, None], flipped]
        return np.delete(tables, self.right, axis=0)


def _list_children(paths: Paths) -> Integers:
    """Return the left and the right child of each split, (2, n_splits), as numbers of nodes."""
    children = [np.zeros((2, 0), dtype=np.intp)]
    for level in paths.levels:
        of_level = np.arange(level.children.start, level.children.stop)
        children.append(of_level.reshape(2, -1))
    return np.concatenate(children, axis=1)
