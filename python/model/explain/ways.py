"""Ways: the splits above each of some nodes, for the masks of a single record.

`Paths.masks` computes the masks of all nodes level by level. For one record, to go from level to
level takes longer than what is computed there.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from python.model.explain.paths import Paths
from python.model.explain.walk import Masks
from python.model.trees.categories import Integers

LIMIT_SPLITS = 2**18  # of all ways: beyond, the levels are no slower


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways from the roots to some nodes."""

    splits: Integers
    """The splits of the first node, then those of the second one, and so on.

    A split by which the way goes right has the number of the split plus that of all splits.
    """
    starts: Integers
    """For each node where its splits begin."""

    @classmethod
    def of(cls, paths: Paths, nodes: Integers) -> Self | None:
        """Return the ways to nodes, none of which is a root; None if they are too long."""
        last_splits = paths.last_splits
        numbers = np.arange(len(nodes))
        reached = nodes
        parts = [(numbers[:0], nodes[:0])]
        n_splits = 0
        while len(reached) and n_splits <= LIMIT_SPLITS:
            parts.append((numbers, last_splits[reached]))
            n_splits += len(reached)
            reached = paths.conditions.above[reached]
            is_below = last_splits[reached] >= 0
            numbers, reached = numbers[is_below], reached[is_below]
        if n_splits == 0 or len(reached):
            return None
        of_nodes = np.concatenate([part for part, _ in parts])
        splits = np.concatenate([part for _, part in parts])
        lengths = np.bincount(of_nodes)
        order = np.argsort(of_nodes, kind="stable")
        return cls(splits[order], lengths.cumsum() - lengths)

    def masks(self, fails: Masks) -> Masks:
        """Return which conditions a record does not meet down to each node, (n_nodes,).

        `fails` is (2, n_splits, 1), as `Paths.fails` returns it.
        """
        masks: Masks = np.bitwise_or.reduceat(
            fails.ravel().take(self.splits), self.starts
        )
        return masks
