"""The walk from the roots of trees to their leaves, which numbers nodes and gathers conditions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from python.model.trees.categories import Integers
from python.model.trees.tree import Flags, Tree
from python.model.types import Matrix

MAX_PLAYERS = 64  # of a path: one bit for each

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
    is_first: Flags
    """Whether the last split is the first by its player."""
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
            is_first=np.zeros(n_nodes, dtype=np.bool_),
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


class Reached(NamedTuple):
    """The nodes at one distance from the roots, and the players above each of them."""

    first: int
    """The number of the first node; the others follow."""
    nodes: Integers
    """Where they are in the tree."""
    ends: Integers
    """For each node and place of a bit the player's last node, (n_nodes, n_places); -1 for none."""


class Walk:
    """The way from the roots to the leaves, level by level."""

    def __init__(self, tree: Tree, origins: Integers) -> None:
        """Take a tree that may have several roots, and the player of each column."""
        self._tree = tree
        self._origins = origins
        self.conditions = Conditions.of_roots(len(tree.left))
        self.levels: list[Level] = []
        self.splits: list[Integers] = []
        """For each level, where its splits are in the tree."""
        # Of the leaves at each distance: numbers, places in the tree, players and their ends.
        self._numbers: list[Integers] = []
        self._nodes: list[Integers] = []
        self._lengths: list[Integers] = []
        self._ends: list[Integers] = []

    def descend(self, roots: Integers) -> bool:
        """Go down to the last leaf; return False where a path has too many players."""
        no_ends = np.full((len(roots), 0), -1)
        reached = Reached(0, roots, no_ends)
        while len(reached.nodes):
            reached = self._go_on(reached)
            if reached.ends.shape[1] > MAX_PLAYERS:
                return False
        return True

    def leaves(self) -> Leaves:
        """Return the leaves that were reached."""
        lengths = np.concatenate(self._lengths)
        in_order = np.argsort(lengths, kind="stable")
        starts = lengths.cumsum() - lengths
        lengths = lengths[in_order]
        sources = list_ranges(starts[in_order], lengths)
        return Leaves(
            numbers=np.concatenate(self._numbers)[in_order],
            nodes=np.concatenate(self._nodes)[in_order],
            lengths=lengths,
            ends=np.concatenate(self._ends)[sources],
        )

    def bits(self) -> Masks:
        """Return the bit of each node's condition, in as few bytes as all bits need."""
        places = self.conditions.place.astype(np.uint64)
        bits = np.uint64(1) << places
        smallest = np.min_scalar_type(bits.max())
        return bits.astype(smallest)

    def _go_on(self, reached: Reached) -> Reached:
        """Keep the leaves among the nodes; return the children of the others."""
        is_leaf = self._tree.left[reached.nodes] < 0
        self._stop(reached, np.flatnonzero(is_leaf))
        children = self._split(reached, np.flatnonzero(~is_leaf))
        return self._add_conditions(children)

    def _stop(self, reached: Reached, places: Integers) -> None:
        """Keep the leaves, which are at these places among the nodes."""
        ends = reached.ends[places]
        is_player = ends >= 0
        self._numbers.append(reached.first + places)
        self._nodes.append(reached.nodes[places])
        self._lengths.append(is_player.sum(axis=1))
        self._ends.append(ends[is_player])

    def _split(self, reached: Reached, places: Integers) -> Reached:
        """Return the children of the nodes at these places, with the ends of their parents."""
        splits = reached.nodes[places]
        nodes = reached.first + places
        n_splits = sum(map(len, self.splits))
        first = reached.first + len(reached.nodes)
        children = slice(first, first + 2 * len(nodes))
        of_level = slice(n_splits, n_splits + len(nodes))
        self.levels.append(Level(nodes, of_level, children))
        self.splits.append(splits)
        self.conditions.above[children] = np.tile(nodes, 2)
        left = self._tree.left[splits]
        right = self._tree.right[splits]
        return Reached(
            first=first,
            nodes=np.concatenate([left, right]),
            ends=np.tile(reached.ends[places], (2, 1)),
        )

    def _add_conditions(self, children: Reached) -> Reached:
        """Add the conditions of the last splits' children; return these with their own ends."""
        columns = self._tree.feature[self.splits[-1]]
        players = np.tile(self._origins[columns], 2)
        ends = np.pad(children.ends, ((0, 0), (0, 1)), constant_values=-1)
        places = self._find_places(ends, players)
        rows = np.arange(len(ends))
        numbers = children.first + rows
        self.conditions.player[numbers] = players
        self.conditions.place[numbers] = places
        self._add_shares(children, ends[rows, places])
        ends[rows, places] = numbers
        if (ends[:, -1] < 0).all():
            ends = ends[:, :-1]
        return children._replace(ends=ends)

    def _add_shares(self, children: Reached, before: Integers) -> None:
        """Add what is known of the children, whose players' last nodes are `before`, or -1."""
        numbers = slice(children.first, children.first + len(before))
        known = self.conditions
        is_first = before < 0
        known.is_first[numbers] = is_first
        share_before = np.where(is_first, 1.0, known.share[before])
        known.share_before[numbers] = share_before
        known.share[numbers] = share_before * self._passing(children)

    def _find_places(self, ends: Integers, players: Integers) -> Integers:
        """Return the place of each player among the ends, or else the first that is free.

        The last place is free.
        """
        is_own = self.conditions.player[ends] == players[:, None]
        is_free = ends < 0
        places: Integers = (is_own | is_free).argmax(axis=1)
        return places

    def _passing(self, children: Reached) -> Matrix:
        """Return the share of the training records at each split that went on to the child."""
        covers = self._tree.cover[children.nodes]
        left, right = covers.reshape(2, -1)
        # The cover of a split in XGBoost is that of its children only in float32.
        of_splits = np.tile(left + right, 2)
        # No training record may have come there.
        with np.errstate(all="ignore"):
            return covers / of_splits


def list_ranges(starts: Integers, lengths: Integers) -> Integers:
    """Return the numbers from each start on, as many as its length, one range after the other.

    Example: the starts 7 and 2 with the lengths 2 and 3 give 7, 8, 2, 3, 4.
    """
    new_starts = lengths.cumsum() - lengths
    moves = starts - new_starts
    ranges: Integers = np.arange(lengths.sum()) + moves.repeat(lengths)
    return ranges
