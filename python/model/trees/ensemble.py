"""All trees of an estimator: what they compare, and how they add up."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from python.model.data.columns import to_array
from python.model.trees.categories import Integers
from python.model.trees.tree import Tree
from python.model.types import Columns, Matrix

Library = Literal["scikit-learn", "LightGBM", "XGBoost", "CatBoost"]
Kind = Literal[
    "tree",
    "forest",
    "bagging",
    "AdaBoost",
    "gradient boosting",
    "histogram boosting",
    "boosting",
]
Combination = Literal["mean", "sum"]


@dataclass(frozen=True, eq=False)
class TreeModel(ABC):
    """The trees of an estimator, and what they add up to before any link.

    The raw output of a record is `base` and what its leaf in each tree adds: their sum, or, where
    `combination` is "mean", the mean over the trees of an output.
    """

    library: ClassVar[Library]
    precision: ClassVar[type[np.floating[Any]]]
    """Feature values are rounded to it before they are compared."""
    sum_precision: ClassVar[type[np.floating[Any]]] = np.float64
    """What the trees give is added up in it."""

    kind: Kind
    n_features: int

    @property
    @abstractmethod
    def trees(self) -> tuple[Tree, ...]:
        """The trees that predict, in the order in which they are added up. Read once."""

    @property
    @abstractmethod
    def base(self) -> Matrix:
        """What the outputs are without any tree, (n_outputs,)."""

    @property
    def n_outputs(self) -> int:
        """The number of raw outputs: classes of a forest, scores of boosting, or targets."""
        return len(self.base)

    @property
    def n_targets(self) -> int:
        """How many things the estimator predicts at once: 1 but for multi-output estimators."""
        return 1

    @property
    def widths(self) -> list[int]:
        """How many raw outputs each of the things that are predicted has."""
        if self.n_targets == 1:
            return [self.n_outputs]
        return [1] * self.n_targets

    @property
    def combination(self) -> Combination:
        """How the trees are combined: the mean for a tree or a forest, the sum for boosting."""
        return "sum"

    @property
    def loss(self) -> Any:
        """The loss of scikit-learn's boosting, with its `link`; None for all other models."""
        return None

    @property
    def native_trees(self) -> tuple[Any, ...]:
        """The `tree_` objects of scikit-learn, one for each tree; none for the other libraries."""
        return ()

    @property
    def has_categories(self) -> bool:
        """Whether any node splits by category."""
        return any(tree.splits_by_category.any() for tree in self.trees)

    @property
    def node_counts(self) -> list[int]:
        """The number of nodes of each tree, leaves included."""
        return [len(tree.left) for tree in self.trees]

    def numbers(self, columns: Columns) -> Matrix:
        """Return the columns as the numbers that the trees compare, (n_records, n_features).

        Values are rounded to `precision`, categories are their codes, missing values are NaN.
        """
        array = to_array(columns)
        # What is too large for float32 becomes infinite.
        with np.errstate(over="ignore"):
            rounded = array.astype(self.precision)
        return rounded.astype(np.float64, copy=False)

    def leaves(self, columns: Columns) -> Integers:
        """Return the leaf of each record in each tree, (n_records, n_trees), as node numbers."""
        numbers = self.numbers(columns)
        n_trees = len(self.trees)
        shape = (len(numbers), n_trees)
        leaves = np.empty(shape, dtype=np.intp)
        for number, tree in enumerate(self.trees):
            leaves[:, number] = tree.leaves(numbers)
        return leaves

    def raw_output(self, columns: Columns) -> Matrix:
        """Return what the trees add up to, (n_records, n_outputs), as the library computes it.

        This is slow, and meant to prove that the trees are read right. Without a link: the
        probabilities or mean of a forest, the margin of boosting.
        """
        numbers = self.numbers(columns)
        shape = (len(numbers), self.n_outputs)
        total = np.zeros(shape, dtype=self.sum_precision)
        total += self.base.astype(self.sum_precision)
        n_trees = np.zeros(self.n_outputs)
        for tree in self.trees:
            leaves = tree.leaves(numbers)
            values = tree.values[leaves]
            total[:, tree.outputs] += values.astype(self.sum_precision)
            n_trees[tree.outputs] += 1
        if self.combination == "mean":
            total /= n_trees
        return total.astype(np.float64, copy=False)

    @cached_property
    def splits(self) -> tuple[Integers, Matrix]:
        """The features and the thresholds of all splits by a number, (n_splits,) each."""
        features_by_tree = [np.zeros(0, dtype=np.intp)]
        thresholds_by_tree = [np.zeros(0)]
        for tree in self.trees:
            by_number = ~tree.is_leaf & ~tree.splits_by_category
            features_by_tree.append(tree.feature[by_number])
            thresholds_by_tree.append(tree.threshold[by_number])
        features = np.concatenate(features_by_tree)
        thresholds = np.concatenate(thresholds_by_tree)
        return features, thresholds
