"""Paths: what the leaves of an estimator's trees demand of a record, with features as players.

A path from a root to a leaf has one condition for each player by whose columns it splits: that all
these splits send the record along the path. Splits compare as in `model.trees`, which is as the
library compares. A player is an input feature, with all the columns that were made of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from python.model.explain.walk import Conditions, Leaves, Level, Masks, Walk
from python.model.trees import TreeModel
from python.model.trees.categories import Integers
from python.model.trees.tree import Flags, Splits, Tree, join
from python.model.types import Matrix

# Of all trees, for each output. What is kept of a node of one output takes 200 bytes.
NODES_LIMIT = 2**20
ROUNDING_PLACES = 2
MASKS_LIMIT_AT_ONCE = 2**21  # some 50 MB, with what they are made of


@dataclass(frozen=True, eq=False)
class Paths:
    """All paths of an estimator.

    The nodes of all trees are numbered level by level, the roots first.

    Example: the root splits player 4 at 5, and 8 of 10 training records go left; there, a node
    splits player 4 at 2, and 6 of the 8 go right. The path to the leaf there has one player, and
    the share 0.6. Its mask is 0 for records above 2 and up to 5, and 1 for all others.
    """

    trees: TreeModel
    tree: Tree
    """All trees in one, where nodes have other numbers."""
    levels: tuple[Level, ...]
    splits: Integers
    """Where each split is in `tree`, level by level."""
    bits: Masks
    """For each node the bit of its condition."""
    conditions: Conditions
    leaves: Leaves
    outputs: Matrix
    """What each leaf adds to the outputs that are explained, (n_leaves, n_outputs).

    The mean of each tree's leaves is in `base` instead. That changes no value, but makes values
    more exact where outputs are far from 0.
    """
    base: NDArray[np.float64]
    """What the outputs are without any leaf, (n_outputs,)."""

    @classmethod
    def of(cls, trees: TreeModel, origins: Integers) -> Self | None:
        """Return the paths; None if there are too many of them, or one has too many players.

        `origins` has the player of each column.
        """
        if sum(trees.node_counts) * trees.n_outputs > NODES_LIMIT:
            return None
        tree, roots = join(trees.trees)
        walk = Walk(tree, origins)
        if not walk.descend(roots):
            return None
        leaves = walk.leaves()
        outputs, base = add_outputs(trees, tree.values[leaves.nodes], leaves)
        return cls(
            trees=trees,
            tree=tree,
            levels=tuple(walk.levels),
            splits=np.concatenate(walk.splits),
            bits=walk.bits(),
            conditions=walk.conditions,
            leaves=leaves,
            outputs=outputs,
            base=base,
        )

    @property
    def players(self) -> Integers:
        """For each leaf and each of its players, in the order of the bits, the player."""
        return self.conditions.player[self.leaves.ends]

    @property
    def shares(self) -> Matrix:
        """For each leaf and each of its players the share that meets the player's condition."""
        return self.conditions.share[self.leaves.ends]

    @cached_property
    def _columns(self) -> Integers:
        return self.tree.feature[self.splits]

    @cached_property
    def _compared(self) -> Splits:
        splits = self.splits[:, None]
        return Splits.of(self.tree, splits, self.trees.precision)

    @cached_property
    def _split_bits(self) -> Masks:
        """For each split the bit of its player, (n_splits, 1)."""
        parts = [np.zeros(0, dtype=self.bits.dtype)]
        for level in self.levels:
            left, _ = self.bits[level.children].reshape(2, -1)
            parts.append(left)
        return np.concatenate(parts)[:, None]

    @cached_property
    def last_splits(self) -> Integers:
        """For each node the split above it, -1 for a root.

        Where the node is on the right, it is the number of the split plus that of all splits.
        """
        n_splits = len(self.splits)
        last_splits = np.full(len(self.bits), -1, dtype=np.intp)
        for level in self.levels:
            left, right = last_splits[level.children].reshape(2, -1)
            left[:] = np.arange(level.splits.start, level.splits.stop)
            right[:] = left + n_splits
        return last_splits

    @cached_property
    def children(self) -> Integers:
        """For each node the one on its left and the one on its right, -1 for a leaf's.

        (2, n_nodes).
        """
        children = np.full((2, len(self.bits)), -1, dtype=np.intp)
        for level in self.levels:
            numbers = np.arange(level.children.start, level.children.stop)
            children[:, level.nodes] = numbers.reshape(2, -1)
        return children

    def compute(
        self, numbers: Matrix, values_of: Callable[[Flags], Matrix]
    ) -> Matrix:
        """Return the values of records, computed from their `goes_left` for some at a time.

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        parts = []
        for some in self.split(numbers):
            parts.append(values_of(self.goes_left(some)))
        return np.concatenate(parts)

    def split(self, numbers: Matrix) -> Iterator[Matrix]:
        """Yield records that are few enough for their masks: 8, or a multiple, and the rest."""
        at_once = MASKS_LIMIT_AT_ONCE // len(self.bits) // 8 * 8
        step = max(8, at_once)
        for start in range(0, len(numbers), step):
            yield numbers[start : start + step]

    def masks(self, goes_left: Flags) -> Masks:
        """Return which conditions records do not meet down to each node, (n_nodes, n_records)."""
        fails = self._fails(goes_left)
        n_records = goes_left.shape[1]
        masks = np.zeros((len(self.bits), n_records), dtype=fails.dtype)
        for level in self.levels:
            above = masks.take(level.nodes, axis=0)
            children = masks[level.children]
            by_side = children.reshape(2, -1, n_records)
            np.bitwise_or(above, fails[:, level.splits], out=by_side)
        return masks

    def goes_left(self, numbers: Matrix) -> Flags:
        """Return which splits send records left, (n_splits, n_records).

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        # In the trees' own precision, half of the bytes are enough where that is float32.
        by_column = np.ascontiguousarray(numbers.T, self.trees.precision)
        values = by_column.take(self._columns, axis=0)
        some_missing = bool(np.isnan(by_column).any())
        return self._compared.goes_left(values, some_missing=some_missing)

    def _fails(self, goes_left: Flags) -> Masks:
        """Return the bits of the splits that do not send records left, and right.

        (2, n_splits, n_records).
        """
        bits = self._split_bits
        fails = np.empty((2, *goes_left.shape), dtype=bits.dtype)
        not_left, not_right = fails
        np.multiply(goes_left, bits, out=not_right)
        np.bitwise_xor(not_right, bits, out=not_left)
        return fails

    def are_met(self, masks: Masks) -> tuple[Flags, Flags]:
        """Return for each node if a record meets its condition, and if it did before the split.

        `masks` are those of one record, (n_nodes,).
        """
        above = masks[self.conditions.above]
        return (masks & self.bits) == 0, (above & self.bits) == 0

    def predict(self, numbers: Matrix) -> Matrix:
        """Return what the trees add up to, (n_records, n_outputs)."""
        totals = []
        for some in self.split(numbers):
            masks = self.masks(self.goes_left(some))[self.leaves.numbers]
            is_reached = masks.T == 0
            total = is_reached.astype(np.float64) @ self.outputs
            totals.append(total + self.base)
        return np.concatenate(totals)

    @cached_property
    def rounding(self) -> float:
        """How far a sum may be off that the library adds up in its own precision.

        The errors of n trees, of half a unit in the last place, add up to less than the root of n
        by far. The base and the mean are rounded too.
        """
        n_trees = len(self.trees.trees)
        unit = np.finfo(self.trees.sum_precision).eps
        largest = np.abs(self.trees.base).max()
        for tree in self.trees.trees:
            largest += np.abs(tree.values[tree.is_leaf]).max()
        if self.trees.combination == "mean":
            largest /= n_trees
        places = ROUNDING_PLACES + np.sqrt(n_trees)
        return float(places * unit * largest)

    def keep_down(self, rows: NDArray[np.uint64]) -> None:
        """Keep of the bits of each node, in place, those that all nodes above it have too.

        `rows` is (n_words, n_nodes).
        """
        n_words = len(rows)
        for level in self.levels:
            by_side = rows[:, level.children].reshape(n_words, 2, -1)
            by_side &= rows.take(level.nodes, axis=1)[:, None]

    def multiply_down(self, factors: Matrix) -> Matrix:
        """Return for each node its factor times those of all nodes above it."""
        products = factors.copy()
        for level in self.levels:
            by_side = products[level.children].reshape(2, -1)
            by_side *= products[level.nodes]
        return products

    def add_up(self, of_leaves: Matrix) -> Matrix:
        """Return for each node the sum over the leaves below it, itself included."""
        sums = np.zeros(len(self.conditions.above))
        sums[self.leaves.numbers] = of_leaves
        for level in reversed(self.levels):
            left, right = sums[level.children].reshape(2, -1)
            sums[level.nodes] = left + right
        return sums


def add_outputs(
    trees: TreeModel,
    values: Matrix,
    leaves: Leaves,
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return what leaves add to the explained outputs, less the mean of their tree, and the base.

    `values` has what each leaf adds to the outputs of its own tree.
    """
    n_trees = len(trees.trees)
    tree_numbers = np.arange(n_trees).repeat(trees.node_counts)
    numbers = tree_numbers[leaves.nodes]
    n_leaves = np.bincount(numbers, minlength=n_trees)
    first_outputs = np.array([tree.output for tree in trees.trees])
    rows = np.arange(len(values))
    outputs = np.zeros((len(values), trees.n_outputs))
    base = trees.base.astype(np.float64)
    for place, of_leaves in enumerate(values.T):
        means = np.bincount(numbers, of_leaves, n_trees) / n_leaves
        of_trees = first_outputs + place
        outputs[rows, of_trees[numbers]] = of_leaves - means[numbers]
        np.add.at(base, of_trees, means)
    if trees.combination == "mean":
        # Each tree adds to as many outputs as its leaves have values.
        n_added = n_trees * values.shape[1] / trees.n_outputs
        outputs /= n_added
        base /= n_added
    return _explained(trees, outputs), _explained(trees, base)


def _explained(trees: TreeModel, outputs: Matrix) -> Matrix:
    """Return what is explained of the outputs, which are along the last axis.

    Of two probabilities it is the second, of two margins the difference, which is the log-odds.
    """
    stops = np.cumsum(trees.widths)
    by_target = np.split(outputs, stops[:-1], axis=-1)
    explained = [_explained_of_target(trees, part) for part in by_target]
    return np.concatenate(explained, axis=-1)


def _explained_of_target(trees: TreeModel, outputs: Matrix) -> Matrix:
    if outputs.shape[-1] != 2:
        return outputs
    second = outputs[..., 1:]
    if trees.kind in ("tree", "forest", "bagging"):
        return second
    return second - outputs[..., :1]
