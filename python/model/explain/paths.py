"""Paths: what the leaves of an estimator's trees demand of a record, with features as players.

A path from a root to a leaf has one condition for each player by whose columns it splits: that all
these splits send the record along the path. Splits compare as in `model.trees`, which is as the
library compares. A player is an input feature, with all the columns that were made of it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from python.model.trees import TreeModel
from python.model.trees.categories import Integers
from python.model.trees.tree import Tree, join
from python.model.types import Matrix

MAX_PLAYERS = 64  # of a path: one bit for each
# Of all trees, for each output. What is kept of a node of one output takes 200 bytes.
NODES_LIMIT = 2**20
ROUNDING_PLACES = 2

Masks = NDArray[np.unsignedinteger[Any]]
"""Bit n is set where the condition of a path's player n is not met."""


class Level(NamedTuple):
    """The nodes that split at one distance from the roots, and where their children are.

    The left children come first, in the order of the nodes, then the right ones.
    """

    nodes: Integers
    splits: slice
    """Their splits among all splits."""
    children: slice


@dataclass(frozen=True, eq=False)
class Conditions:
    """For each node but the roots: what the path down to it demands of the last split's player."""

    above: Integers
    """The node of the split."""
    player: Integers
    place: Integers
    """The place of the player's bit in the masks of the node and of all below."""
    share: Matrix
    """The share of the training records that the player's splits let pass."""
    share_before: Matrix
    """The same without the last split: 1 where that is the player's first one."""

    @classmethod
    def of_roots(cls, n_nodes: int) -> Self:
        """Return room for the conditions of so many nodes, as they are before any split."""
        return cls(
            above=np.zeros(n_nodes, dtype=np.intp),
            player=np.zeros(n_nodes, dtype=np.intp),
            place=np.zeros(n_nodes, dtype=np.intp),
            share=np.ones(n_nodes),
            share_before=np.ones(n_nodes),
        )


@dataclass(frozen=True, eq=False)
class Leaves:
    """All leaves, those with the fewest players on their paths first."""

    numbers: Integers
    nodes: Integers
    """Where they are in the tree that joins all trees."""
    lengths: Integers
    """The number of players."""
    ends: Integers
    """For each leaf and each of its players, in the order of the bits, the player's last node."""

    @cached_property
    def starts(self) -> Integers:
        """For each leaf where its players start among `ends`; at last where they stop."""
        return np.concatenate([[0], self.lengths.cumsum()])


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
        walk = _Walk(tree, origins)
        if not walk.descend(roots):
            return None
        leaves = walk.leaves()
        outputs, base = _leaf_outputs(trees, tree, leaves.nodes)
        return cls(
            trees=trees,
            tree=tree,
            levels=tuple(walk.levels),
            splits=_join(walk.splits),
            bits=walk.bits(),
            conditions=walk.conditions,
            leaves=leaves,
            outputs=_explained(trees, outputs),
            base=_explained(trees, base),
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
    def _split_bits(self) -> Masks:
        """For each split the bit of its player, (n_splits, 1)."""
        parts = [np.zeros(0, dtype=self.bits.dtype)]
        for level in self.levels:
            left, _ = self.bits[level.children].reshape(2, -1)
            parts.append(left)
        return np.concatenate(parts)[:, None]

    def masks(self, numbers: Matrix) -> Masks:
        """Return which conditions records do not meet down to each node, (n_nodes, n_records).

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        by_column = np.ascontiguousarray(numbers.T)
        values = by_column.take(self._columns, axis=0)
        goes_left = self.tree.goes_left(self.splits[:, None], values)
        bits = self._split_bits
        fails_right = goes_left * bits
        fails_left = fails_right ^ bits
        fails = np.stack([fails_left, fails_right])
        n_records = len(numbers)
        masks = np.zeros((len(self.bits), n_records), dtype=bits.dtype)
        for level in self.levels:
            above = masks.take(level.nodes, axis=0)
            children = masks[level.children]
            by_side = children.reshape(2, -1, n_records)
            np.bitwise_or(above, fails[:, level.splits], out=by_side)
        return masks

    def predict(self, numbers: Matrix) -> Matrix:
        """Return what the trees add up to, (n_records, n_outputs)."""
        masks = self.masks(numbers)[self.leaves.numbers]
        is_reached = masks.T == 0
        total: Matrix = is_reached.astype(np.float64) @ self.outputs
        return total + self.base

    @cached_property
    def rounding(self) -> float:
        """How far a sum may be off that the library adds up in its own precision.

        The errors of n trees, half a unit in the last place each, add up to less than the root of n,
        and the base and the mean are rounded too.
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

        `rows` is (n_nodes, n_words).
        """
        n_words = rows.shape[1]
        for level in self.levels:
            by_side = rows[level.children].reshape(2, -1, n_words)
            by_side &= rows[level.nodes]

    def multiply_down(self, factors: Matrix) -> None:
        """Multiply the number of each node, in place, by those of all nodes above it."""
        for level in self.levels:
            by_side = factors[level.children].reshape(2, -1)
            by_side *= factors[level.nodes]

    def add_up(self, of_leaves: Matrix) -> Matrix:
        """Return for each node the sum over the leaves below it, itself included."""
        sums = np.zeros(len(self.conditions.above))
        sums[self.leaves.numbers] = of_leaves
        for level in reversed(self.levels):
            left, right = sums[level.children].reshape(2, -1)
            sums[level.nodes] = left + right
        return sums


class _Reached(NamedTuple):
    """The nodes at one distance from the roots, and the players above each of them."""

    first: int
    """The number of the first node; the others follow."""
    nodes: Integers
    """Where they are in the tree."""
    ends: Integers
    """For each node and place of a bit the player's last node, (n_nodes, n_places); -1 for none."""


class _Walk:
    """The way from the roots to the leaves, level by level."""

    def __init__(self, tree: Tree, origins: Integers) -> None:
        self._tree = tree
        self._origins = origins
        self.conditions = Conditions.of_roots(len(tree.left))
        self.levels: list[Level] = []
        self.splits: list[Integers] = []
        # Of the leaves at each distance: numbers, places in the tree, players and their ends.
        self._numbers: list[Integers] = []
        self._nodes: list[Integers] = []
        self._lengths: list[Integers] = []
        self._ends: list[Integers] = []

    def descend(self, roots: Integers) -> bool:
        """Go down to the last leaf; return False where a path has too many players."""
        no_ends = np.full((len(roots), 0), -1)
        reached = _Reached(0, roots, no_ends)
        while len(reached.nodes):
            is_leaf = self._tree.left[reached.nodes] < 0
            self._stop(reached, np.flatnonzero(is_leaf))
            reached = self._split(reached, np.flatnonzero(~is_leaf))
            if reached.ends.shape[1] > MAX_PLAYERS:
                return False
        return True

    def leaves(self) -> Leaves:
        """Return the leaves that were reached."""
        lengths = _join(self._lengths)
        starts = lengths.cumsum() - lengths
        in_order = np.argsort(lengths, kind="stable")
        lengths = lengths[in_order]
        new_starts = lengths.cumsum() - lengths
        moves = starts[in_order] - new_starts
        sources = np.arange(lengths.sum()) + moves.repeat(lengths)
        return Leaves(
            numbers=_join(self._numbers)[in_order],
            nodes=_join(self._nodes)[in_order],
            lengths=lengths,
            ends=_join(self._ends)[sources],
        )

    def bits(self) -> Masks:
        """Return the bit of each node's condition, in as few bytes as all bits need."""
        bits = np.uint64(1) << self.conditions.place.astype(np.uint64)
        smallest = np.min_scalar_type(bits.max())
        return bits.astype(smallest)

    def _stop(self, reached: _Reached, places: Integers) -> None:
        """Keep the leaves, which are at these places among the nodes."""
        ends = reached.ends[places]
        is_player = ends >= 0
        self._numbers.append(reached.first + places)
        self._nodes.append(reached.nodes[places])
        self._lengths.append(is_player.sum(axis=1))
        self._ends.append(ends[is_player])

    def _split(self, reached: _Reached, places: Integers) -> _Reached:
        """Return the children of the nodes at these places."""
        splits = reached.nodes[places]
        nodes = reached.first + places
        left = self._tree.left[splits]
        right = self._tree.right[splits]
        children = _Reached(
            first=reached.first + len(reached.nodes),
            nodes=np.concatenate([left, right]),
            ends=np.tile(reached.ends[places], (2, 1)),
        )
        numbers = slice(children.first, children.first + 2 * len(nodes))
        n_splits = sum(map(len, self.splits))
        of_level = slice(n_splits, n_splits + len(nodes))
        self.levels.append(Level(nodes, of_level, numbers))
        self.splits.append(splits)
        self.conditions.above[numbers] = np.tile(nodes, 2)
        return self._with_conditions(children, np.tile(splits, 2))

    def _with_conditions(
        self,
        children: _Reached,
        splits: Integers,
    ) -> _Reached:
        """Note the conditions of the children of splits; return the children with their ends."""
        known = self.conditions
        tree = self._tree
        ends = np.pad(children.ends, ((0, 0), (0, 1)), constant_values=-1)
        players = self._origins[tree.feature[splits]]
        # The place of the player, or else the first free one, which is behind all others.
        is_own = known.player[ends] == players[:, None]
        place = (is_own | (ends < 0)).argmax(axis=1)
        rows = np.arange(len(ends))
        before = ends[rows, place]
        share_before = np.where(before < 0, 1.0, known.share[before])
        # The cover of a split in XGBoost is that of its children only in float32.
        cover = tree.cover[tree.left[splits]] + tree.cover[tree.right[splits]]
        # No training record may have come there.
        with np.errstate(all="ignore"):
            passing = tree.cover[children.nodes] / cover
        numbers = children.first + rows
        known.player[numbers] = players
        known.place[numbers] = place
        known.share_before[numbers] = share_before
        known.share[numbers] = share_before * passing
        ends[rows, place] = numbers
        if (ends[:, -1] < 0).all():
            ends = ends[:, :-1]
        return children._replace(ends=ends)


def _leaf_outputs(
    trees: TreeModel,
    tree: Tree,
    nodes: Integers,
) -> tuple[Matrix, NDArray[np.float64]]:
    """Return what leaves add to each output, less the mean of their tree, and the base for it.

    `nodes` has the places of the leaves in the tree that joins all trees.
    """
    n_trees = len(trees.trees)
    tree_numbers = np.arange(n_trees).repeat(trees.node_counts)
    numbers = tree_numbers[nodes]
    n_leaves = np.bincount(numbers, minlength=n_trees)
    first_outputs = np.array([part.output for part in trees.trees])
    outputs = np.zeros((len(nodes), trees.n_outputs))
    base = trees.base.astype(np.float64)
    n_added = np.zeros(trees.n_outputs)
    rows = np.arange(len(nodes))
    values = tree.values[nodes]
    for place, of_leaves in enumerate(values.T):
        means = np.bincount(numbers, of_leaves, n_trees) / n_leaves
        output = first_outputs + place
        outputs[rows, output[numbers]] = of_leaves - means[numbers]
        np.add.at(base, output, means)
        np.add.at(n_added, output, 1)
    if trees.combination == "mean":
        outputs /= n_added
        base /= n_added
    return outputs, base


def _explained(trees: TreeModel, outputs: Matrix) -> Matrix:
    """Return what is explained of the outputs, which are along the last axis.

    Of two probabilities it is the second, of two margins the difference, which is the log-odds.
    """
    if trees.n_outputs != 2:
        return outputs
    second = outputs[..., 1:]
    if trees.kind in ("tree", "forest"):
        return second
    return second - outputs[..., :1]


def _join(parts: list[Integers]) -> Integers:
    return np.concatenate(parts)
