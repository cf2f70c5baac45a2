"""Branches: leaves below one node, whose values one table holds for all records.

What the leaves below a node add to the values of players depends on nothing of a record but which
conditions it meets down to the node, its mask there, and which way each split below sends it. So
the tables of the leaves are merged, from below, into one with a row for each mask and all outcomes
of the splits: a single lookup gives what all of them add.

The number of a row has the bits of the mask first, then the outcome of the node's own split, then
those of the splits on its left, then on its right; the bit of an outcome is set where the record
does not go left. The columns are the players above the node, then one for each split below that is
the first by its player, in the same order.

Example: of a tree with one split, the leaf on the left has the values 7 for the mask 0 and -4 for
the mask 1, the leaf on the right 2 and -1. A record that goes left has the mask 0 on the left and 1
on the right. So the table of both has 7 - 1 = 6 for the outcome 0, and -4 + 2 = -2 for 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np

from python.model.explain.paths import Paths
from python.model.explain.walk import list_ranges
from python.model.trees.categories import Integers
from python.model.trees.tree import Flags
from python.model.types import Matrix

TOO_MANY_BITS = 64


class Shape(NamedTuple):
    """For each node what a table of all leaves below it looks like."""

    n_above: Integers
    """The players above the node: the bits of its mask."""
    n_splits: Integers
    """The splits below, with its own: the bits of their outcomes."""
    n_new: Integers
    """Those of the splits that are the first by their player: columns of their own."""
    fits: Flags
    """Whether there is such a table: the leaves have one, and it is no larger than all theirs."""

    @classmethod
    def of(cls, paths: Paths, n_paths: int) -> Self:
        """Return the shapes where the first paths have tables.

        Of several outputs, only leaves have one: what two leaves add to them has none in common.
        """
        is_first = paths.conditions.is_first
        n_above = _count_above(paths)
        n_splits, n_new = np.zeros((2, len(is_first)), dtype=np.intp)
        leaves = paths.leaves.numbers[:n_paths]
        # Of the tables of the leaves below; infinite where a leaf has none.
        sizes = np.full(len(is_first), np.inf)
        sizes[leaves] = n_above[leaves] * np.exp2(n_above[leaves])
        fits = np.isfinite(sizes)
        can_merge = paths.outputs.shape[1] == 1
        for level in reversed(paths.levels):
            nodes = level.nodes
            left, right = paths.children[:, nodes]
            n_splits[nodes] = 1 + n_splits[left] + n_splits[right]
            n_new[nodes] = is_first[left] + n_new[left] + n_new[right]
            sizes[nodes] = sizes[left] + sizes[right]
            n_columns = n_above[nodes] + n_new[nodes]
            n_bits = n_above[nodes] + n_splits[nodes]
            n_rows = np.exp2(np.minimum(n_bits, TOO_MANY_BITS))
            is_small = n_rows * n_columns <= sizes[nodes]
            fits[nodes] = can_merge & is_small & np.isfinite(sizes[nodes])
        return cls(n_above, n_splits, n_new, fits)


def _count_above(paths: Paths) -> Integers:
    """Return how many players there are above each node."""
    is_first = paths.conditions.is_first
    n_above = np.zeros(len(is_first), dtype=np.intp)
    for level in paths.levels:
        above = np.tile(n_above[level.nodes], 2)
        n_above[level.children] = above + is_first[level.children]
    return n_above


class Order(NamedTuple):
    """For each node its branch, and where its split is in the table of that branch."""

    roots: Integers
    """The node that is the branch's root; -1 outside of all branches."""
    bits: Integers
    """The bit of the split's outcome in the number of a row."""
    columns: Integers
    """The column of the split's player, where the split is the first by that player."""

    @classmethod
    def of(cls, paths: Paths, shape: Shape) -> Self:
        """Return it where the highest nodes that have a table are the roots."""
        nodes = np.arange(len(shape.fits))
        starts_tree = nodes < len(paths.trees.trees)
        roots = np.where(shape.fits & starts_tree, nodes, -1)
        bits = shape.n_above.copy()
        columns = shape.n_above.copy()
        for level in paths.levels:
            left, right = paths.children[:, level.nodes]
            branch = roots[level.nodes]
            is_inside = branch >= 0
            bit = bits[level.nodes] + 1
            column = columns[level.nodes] + paths.conditions.is_first[left]
            for side in (left, right):
                own = np.where(shape.fits[side], side, -1)
                roots[side] = np.where(is_inside, branch, own)
                bits[side] = np.where(is_inside, bit, bits[side])
                columns[side] = np.where(is_inside, column, columns[side])
                bit = bit + shape.n_splits[left]
                column = column + shape.n_new[left]
        return cls(roots, bits, columns)


@dataclass(frozen=True, eq=False)
class Branches:
    """The highest nodes that have a table, those with the fewest columns first.

    A tree without a split has no branch.
    """

    paths: Paths
    shape: Shape
    order: Order
    roots: Integers
    """The nodes, (n_branches,)."""

    @classmethod
    def of(cls, paths: Paths, n_paths: int) -> Self:
        """Return the branches of the first paths, the shortest."""
        shape = Shape.of(paths, n_paths)
        order = Order.of(paths, shape)
        n_columns = shape.n_above + shape.n_new
        is_root = order.roots == np.arange(len(n_columns))
        roots = np.flatnonzero(is_root & (n_columns > 0))
        by_columns = np.argsort(n_columns[roots], kind="stable")
        return cls(paths, shape, order, roots[by_columns])

    @cached_property
    def n_columns(self) -> Integers:
        """The columns of each branch's table, (n_branches,)."""
        return (self.shape.n_above + self.shape.n_new)[self.roots]

    @cached_property
    def n_rows(self) -> Integers:
        """The rows of each branch's table, (n_branches,)."""
        n_bits = (self.shape.n_above + self.shape.n_splits)[self.roots]
        return 1 << n_bits

    @cached_property
    def leaves(self) -> Integers:
        """For each branch the place of a leaf below it among all leaves, (n_branches,)."""
        numbers = self.paths.leaves.numbers
        below = np.full(len(self.shape.fits), -1)
        below[numbers] = np.arange(len(numbers))
        for level in reversed(self.paths.levels):
            left, _ = self.paths.children[:, level.nodes]
            below[level.nodes] = below[left]
        return below[self.roots]

    @cached_property
    def inner(self) -> Integers:
        """The nodes of all branches that split, level by level."""
        is_inside = self.order.roots >= 0
        return np.flatnonzero(is_inside & (self.shape.n_splits > 0))

    @cached_property
    def owners(self) -> Integers:
        """For each inner node the place of its branch among all branches."""
        places = np.zeros(len(self.shape.fits), dtype=np.intp)
        places[self.roots] = np.arange(len(self.roots))
        return places[self.order.roots[self.inner]]

    @cached_property
    def players(self) -> Integers:
        """For each column its player, (n_columns,), one branch after the other."""
        players = np.zeros(self.n_columns.sum(), dtype=np.intp)
        # The first players of a leaf are those above its branch.
        n_above = self.shape.n_above[self.roots]
        first_players = self.paths.leaves.starts[self.leaves]
        of_leaves = self.paths.players[list_ranges(first_players, n_above)]
        players[list_ranges(self.starts, n_above)] = of_leaves
        columns, of_splits = self._list_new()
        players[columns] = of_splits
        return players

    @cached_property
    def starts(self) -> Integers:
        """For each branch where its columns start among all columns."""
        return self.n_columns.cumsum() - self.n_columns

    def _list_new(self) -> tuple[Integers, Integers]:
        """Return the columns of the splits that are the first by their player, and the players."""
        left, _ = self.paths.children[:, self.inner]
        is_first = self.paths.conditions.is_first[left]
        columns = self.starts[self.owners] + self.order.columns[self.inner]
        players = self.paths.conditions.player[left]
        return columns[is_first], players[is_first]

    def merge(self, of_leaves: Sequence[Matrix]) -> list[Matrix]:
        """Return the table of each branch, (n_rows, n_columns).

        Those of leaves are (n_masks, n_players), in the order of the leaves.
        """
        numbers = self.paths.leaves.numbers[: len(of_leaves)]
        tables = dict(zip(numbers.tolist(), of_leaves, strict=True))
        for nodes in self._list_alike():
            left, right = self.paths.children[:, nodes]
            merged = merge_tables(
                np.stack([tables.pop(node) for node in left.tolist()]),
                np.stack([tables.pop(node) for node in right.tolist()]),
                n_above=int(self.shape.n_above[nodes[0]]),
                place=int(self.paths.conditions.place[left[0]]),
            )
            tables.update(zip(nodes.tolist(), merged, strict=True))
        return [tables[node] for node in self.roots.tolist()]

    def _list_alike(self) -> Iterator[Integers]:
        """Yield inner nodes whose tables are merged in the same way, the lowest first."""
        kinds = self._kinds()
        in_order = np.lexsort(kinds[::-1])
        is_other = np.diff(kinds[:, in_order]).any(axis=0)
        alike = np.split(self.inner[in_order], np.flatnonzero(is_other) + 1)
        if len(self.inner):
            yield from reversed(alike)

    def _kinds(self) -> Integers:
        """Return what tells how the tables of inner nodes are merged, (n_kinds, n_inner)."""
        n_above, n_splits, n_new, _ = self.shape
        children = self.paths.children[:, self.inner]
        places = self.paths.conditions.place[children[0]]
        # The numbers of all nodes below a level are higher than those of its own.
        below_levels = [level.children.start for level in self.paths.levels]
        depths = np.searchsorted(below_levels, self.inner, "right")
        own = (depths, n_above[self.inner], places)
        return np.stack([*own, *n_splits[children], *n_new[children]])


def merge_tables(
    left: Matrix, right: Matrix, *, n_above: int, place: int
) -> Matrix:
    """Return the tables of splits, (n_splits, n_rows, n_columns), from those of their children.

    There are `n_above` players above each split. The bit of the split's player in the masks below
    it is at `place`; where that is not among those above, it is new.
    """
    of_left = by_outcome(left, n_above, place)
    of_right = by_outcome(right, n_above, place)[:, :, ::-1]
    n_shared = max(n_above, place + 1)
    n_left = of_left.shape[-1]
    n_right = of_right.shape[-1] - n_shared
    n_rows = of_right.shape[1], *of_left.shape[1:-1]
    merged = np.zeros((len(left), *n_rows, n_left + n_right))
    merged[..., :n_left] = of_left[:, None]
    merged[..., :n_shared] += of_right[:, :, None, ..., :n_shared]
    merged[..., n_left:] = of_right[:, :, None, ..., n_shared:]
    return merged.reshape(len(left), -1, n_left + n_right)


def by_outcome(tables: Matrix, n_above: int, place: int) -> Matrix:
    """Return tables of left children by what they depend on.

    That is the outcomes below, the outcome of the split and the mask above it:
    (n_tables, n_below, 2, n_masks, n_columns).
    """
    n_masks = 1 << n_above
    n_columns = tables.shape[-1]
    if place == n_above:
        # The bit is that of the outcome.
        return tables.reshape(len(tables), -1, 2, n_masks, n_columns)
    by_mask = tables.reshape(len(tables), -1, n_masks, n_columns)
    masks = np.arange(n_masks)
    return by_mask.take(np.stack([masks, masks | 1 << place]), axis=2)
