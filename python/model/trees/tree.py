"""One tree as arrays of nodes, whatever its library, and how records walk through it."""

from dataclasses import dataclass

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

    def goes_left(self, nodes: Integers, values: Matrix) -> Flags:
        """Return for each pair of an inner node and a value of its feature if the value goes left.

        The values are those of `TreeModel.numbers`.
        """
        thresholds = self.threshold[nodes]
        goes_left = values <= thresholds
        sets = self.category_set[nodes]
        by_category = sets >= 0
        if by_category.any():
            own_sets = sets[by_category]
            categories = values[by_category]
            in_set = self.category_sets.contain(own_sets, categories)
            goes_left[by_category] = in_set
        is_zero = values == 0
        is_missing_zero = is_zero & self.zero_is_missing[nodes]
        is_missing = np.isnan(values) | is_missing_zero
        missing_left = self.missing_left[nodes]
        return np.where(is_missing, missing_left, goes_left)
