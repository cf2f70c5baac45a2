"""One tree as arrays of nodes, whatever its library, and how records walk through it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from python.model.trees.categories import NO_SETS, CategorySets, Integers
from python.model.types import Matrix

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree: for each node, of which the first is the root, an item of each array.

    Example: a value of the feature 0 up to 2.5, or none at all, gives 7.0, any other gives 9.0.

        left = [1, -1, -1]    feature = [0, -2, -2]        missing_left = [True, False, False]
        right = [2, -1, -1]   threshold = [2.5, nan, nan]  values = [[nan], [7.0], [9.0]]
    """

    left: Integers
    """The number of the node to the left; below 0 for a leaf."""
    right: Integers
    """The number of the node to the right; below 0 for a leaf."""
    feature: Integers
    """The feature by which an inner node splits."""
    threshold: Matrix
    """Where a node splits by a number: values up to it go left, those above it right."""
    missing_left: Flags
    """Whether a missing value, NaN, goes left."""
    values: Matrix
    """What a leaf adds to the outputs from `output` on, (n_nodes, n_values).

    Inner nodes have whatever their library keeps there.
    """
    cover: Matrix
    """The weight of the training records that came to the node, as the library counts it."""
    zero_is_missing: Flags
    """Whether 0 goes where a missing value goes. So it is at some nodes of LightGBM only."""
    category_set: Integers
    """The number of the set of codes that go left; below 0 for a split by a number and a leaf."""
    category_sets: CategorySets = NO_SETS
    """The sets of codes."""
    output: int = 0
    """The first of the model's outputs that `values` are added to."""

    @property
    def is_leaf(self) -> Flags:
        """Whether a node is a leaf, (n_nodes,)."""
        return self.left < 0

    @property
    def splits_by_category(self) -> Flags:
        """Whether a node splits by category, (n_nodes,)."""
        return self.category_set >= 0

    @property
    def outputs(self) -> slice:
        """Which of the model's outputs the tree adds to."""
        n_values = self.values.shape[1]
        return slice(self.output, self.output + n_values)

    def leaves(self, numbers: Matrix) -> Integers:
        """Return the leaf, as the number of the node, of each row of `TreeModel.numbers`."""
        nodes = np.zeros(len(numbers), dtype=np.intp)
        rows = np.arange(len(numbers))
        while True:
            reached = nodes[rows]
            is_inner = self.left[reached] >= 0
            rows = rows[is_inner]
            if not len(rows):
                return nodes
            inner = nodes[rows]
            features = self.feature[inner]
            values = numbers[rows, features]
            goes_left = self.goes_left(inner, values)
            left = self.left[inner]
            right = self.right[inner]
            nodes[rows] = np.where(goes_left, left, right)

    def renumbered(self, first_node: int, first_set: int) -> "Tree":
        """Return the tree with nodes and sets of codes that are numbered from these on."""
        is_inner = self.left >= 0
        left = self.left + first_node
        right = self.right + first_node
        category_set = self.category_set + first_set
        sets = self.category_sets
        return replace(
            self,
            left=np.where(is_inner, left, -1),
            right=np.where(is_inner, right, -1),
            category_set=np.where(self.splits_by_category, category_set, -1),
            category_sets=CategorySets(sets.sets + first_set, sets.codes),
        )

    def goes_left(self, nodes: Integers, values: Matrix) -> Flags:
        """Return for each pair of an inner node and a value of its feature if the value goes left.

        The values are those of `TreeModel.numbers`. Nodes, (n_nodes, 1), and several values for
        each, (n_nodes, n_records), are paired as NumPy broadcasts them.
        """
        splits = Splits.of(self, nodes, np.float64)
        return splits.goes_left(values, some_missing=True)


class Splits(NamedTuple):
    """The splits at some inner nodes of a tree, gathered for whoever compares with them often."""

    threshold: NDArray[np.floating[Any]]
    missing_left: Flags
    zero_is_missing: Flags | None
    """None where it is so at none of the nodes."""
    category_set: Integers | None
    """None where none of the nodes splits by category."""
    category_sets: CategorySets

    @classmethod
    def of(
        cls, tree: Tree, nodes: Integers, precision: type[np.floating[Any]]
    ) -> Self:
        """Return the splits at the nodes, each array of which has the shape of `nodes`.

        They are for values of that precision.
        """
        zero_is_missing = tree.zero_is_missing[nodes]
        category_set = tree.category_set[nodes]
        return cls(
            threshold=round_down(tree.threshold[nodes], precision),
            missing_left=tree.missing_left[nodes],
            zero_is_missing=zero_is_missing if zero_is_missing.any() else None,
            category_set=category_set if (category_set >= 0).any() else None,
            category_sets=tree.category_sets,
        )

    def goes_left(
        self, values: NDArray[np.floating[Any]], *, some_missing: bool
    ) -> Flags:
        """Return for each split if a value of its feature goes left, as `Tree.goes_left` does.

        `some_missing` is false where none of the values is NaN.
        """
        goes_left: Flags = values <= self.threshold
        if self.category_set is not None:
            sets = np.broadcast_to(self.category_set, values.shape)
            by_category = sets >= 0
            own_sets = sets[by_category]
            categories = values[by_category].astype(np.float64)
            in_set = self.category_sets.contain(own_sets, categories)
            goes_left[by_category] = in_set
        if not some_missing and self.zero_is_missing is None:
            return goes_left
        is_missing = np.isnan(values)
        if self.zero_is_missing is not None:
            is_missing |= (values == 0) & self.zero_is_missing
        return np.where(is_missing, self.missing_left, goes_left)


def round_down(
    numbers: Matrix, precision: type[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Return for each number the largest of that precision that is not above it.

    A value of that precision is up to the one if, and only if, it is up to the other.
    """
    # What is too large for float32 becomes infinite, and then the largest that is not.
    with np.errstate(over="ignore"):
        nearest = numbers.astype(precision)
        below = np.nextafter(nearest, precision(-np.inf))
    return np.where(nearest > numbers, below, nearest)


def join(trees: Sequence[Tree]) -> tuple[Tree, Integers]:
    """Return one tree with the nodes of all, and which of them are the roots.

    The nodes keep their order, tree after tree. Their values are for the outputs of their trees.
    """
    parts = []
    roots = []
    first_node = 0
    first_set = 0
    for tree in trees:
        parts.append(tree.renumbered(first_node, first_set))
        roots.append(first_node)
        first_node += len(tree.left)
        first_set += int(tree.category_set.max()) + 1
    sets = [part.category_sets.sets for part in parts]
    codes = [part.category_sets.codes for part in parts]
    joined = Tree(
        left=np.concatenate([part.left for part in parts]),
        right=np.concatenate([part.right for part in parts]),
        feature=np.concatenate([part.feature for part in parts]),
        threshold=np.concatenate([part.threshold for part in parts]),
        missing_left=np.concatenate([part.missing_left for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        cover=np.concatenate([part.cover for part in parts]),
        zero_is_missing=np.concatenate(
            [part.zero_is_missing for part in parts]
        ),
        category_set=np.concatenate([part.category_set for part in parts]),
        category_sets=CategorySets(
            np.concatenate(sets), np.concatenate(codes)
        ),
    )
    return joined, np.array(roots)
