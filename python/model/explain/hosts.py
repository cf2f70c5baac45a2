"""Hosts: leaves whose tables hold the values of other leaves as well, their guests.

A record that does not pass a leaf's split goes to the split's other child. From there a host is
reached by splits that are each the first by its player, as the leaf's split is too. So the first
bits of a record's mask on the path to the host are those on the path to the leaf, but for the bit
of the leaf's split, which is set in just one of them. The leaf's values are added to the host's
table, and one lookup gives both.

Example: the path to a leaf has one player, and its values are 7 for the mask 0 and -4 for the mask
1. Its host is the other child of the split, with the values 2 and -1. The table of both has
2 - 4 = -2 and -1 + 7 = 6.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from python.model.explain.paths import Paths
from python.model.trees.categories import Integers
from python.model.types import Matrix


class Hosts(NamedTuple):
    """Guests, those with the fewest players first, and the host of each; places among the leaves.

    A host may be the guest of another leaf.
    """

    guests: Integers
    hosts: Integers

    @classmethod
    def of(cls, paths: Paths, n_paths: int) -> Self:
        """Return all guests among the first paths, and for each a host there.

        There are none for several outputs: what two leaves add to them has no table in common.
        """
        if paths.outputs.shape[1] > 1:
            return cls(*np.zeros((2, 0), dtype=np.intp))
        is_first = paths.conditions.is_first
        numbers = paths.leaves.numbers[:n_paths]
        places = np.full(len(paths.bits), -1)
        places[numbers] = np.arange(n_paths)
        # For each node a leaf that is reached from there by first splits only.
        below = places.copy()
        siblings = np.full(len(paths.bits), -1)
        for level in reversed(paths.levels):
            children = np.arange(level.children.start, level.children.stop)
            left, right = children.reshape(2, -1)
            siblings[left] = right
            siblings[right] = left
            either = np.where(below[left] >= 0, below[left], below[right])
            below[level.nodes] = np.where(is_first[left], either, -1)
        beside = siblings[numbers]
        hosts = below[beside]
        # Of the two leaves of a split, the left one is the host.
        is_left_of_leaf = (numbers < beside) & (places[beside] >= 0)
        # A root has no sibling, and no split that would be the first.
        is_guest = is_first[numbers] & (hosts >= 0) & ~is_left_of_leaf
        return cls(np.flatnonzero(is_guest), hosts[is_guest])

    def take_in(self, tables: Sequence[Matrix]) -> None:
        """Add the table of each guest, in place, to that of its host.

        Each table is (n_masks, n_players), in the order of the leaves.
        """
        for guest, host in zip(self.guests, self.hosts, strict=True):
            of_guest = tables[guest]
            n_masks, n_players = of_guest.shape
            # The bit of the guest's split is its last one.
            is_met, is_not_met = np.split(of_guest, 2)
            flipped = np.concatenate([is_not_met, is_met])
            of_host = tables[host].reshape(-1, n_masks, tables[host].shape[1])
            of_host[:, :, :n_players] += flipped
