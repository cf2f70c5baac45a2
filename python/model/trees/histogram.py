"""scikit-learn's histogram boosting: trees that compare float64, and split by category.

Features are numbered as in the estimator's input. The estimator itself moves those that are
categories to the front, which the arrays undo.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from python.model.trees.categories import CategorySets, Integers
from python.model.trees.ensemble import TreeModel
from python.model.trees.tree import Tree
from python.model.types import Columns, Estimator, Matrix


class NativeTree(Protocol):
    """One tree of histogram boosting."""

    nodes: NDArray[np.void]
    raw_left_cat_bitsets: NDArray[np.uint32]  # (n_splits_by_category, 8)


def read_histogram_boosting(predictor: Estimator) -> TreeModel | None:
    """Return the trees of histogram boosting, else None."""
    if not hasattr(predictor, "_predictors"):
        return None
    return HistogramBoosting(
        "histogram boosting", predictor.n_features_in_, predictor
    )


@dataclass(frozen=True, eq=False)
class HistogramBoosting(TreeModel):
    """Histogram boosting: an initial score, and the sum of the trees."""

    library = "scikit-learn"
    precision = np.float64

    predictor: Estimator

    @property
    def has_categories(self) -> bool:
        """Whether any feature is a category, be it used in a split or not."""
        is_category = self.predictor.is_categorical_
        return is_category is not None and bool(is_category.any())

    @property
    def loss(self) -> Any:
        """The loss, with its `link`."""
        return self.predictor._loss

    @property
    def base(self) -> Matrix:
        """The initial score of each output."""
        base: Matrix = np.ravel(self.predictor._baseline_prediction)
        return base

    @property
    def node_counts(self) -> list[int]:
        """The number of nodes of each tree, leaves included."""
        return [
            len(native.nodes)
            for iteration in self._iterations
            for native in iteration
        ]

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, iteration after iteration."""
        trees = []
        for iteration in self._iterations:
            for output, native in enumerate(iteration):
                trees.append(_tree(native, output, self._input_features))
        return tuple(trees)

    def numbers(self, columns: Columns) -> Matrix:
        """Return the columns as the trees compare them: categories as codes, unknown ones as NaN.

        The estimator's own encoder makes the codes.
        """
        if not self.has_categories:
            return super().numbers(columns)
        encoded = self.predictor._preprocessor.transform(columns)
        numbers = np.empty(encoded.shape)
        numbers[:, self._input_features] = encoded
        return numbers

    @property
    def _iterations(self) -> list[list[NativeTree]]:
        """A list for each iteration, with a tree for each output."""
        iterations: list[list[NativeTree]] = self.predictor._predictors
        return iterations

    @cached_property
    def _input_features(self) -> Integers:
        """The number among the input's features of each feature as the estimator orders them."""
        if not self.has_categories:
            return np.arange(self.n_features)
        is_category = self.predictor.is_categorical_
        return np.concatenate(
            [np.flatnonzero(is_category), np.flatnonzero(~is_category)]
        )


def _tree(native: NativeTree, output: int, input_features: Integers) -> Tree:
    nodes = native.nodes
    is_leaf = nodes["is_leaf"] != 0
    by_category = ~is_leaf & (nodes["is_categorical"] != 0)
    by_number = ~is_leaf & ~by_category
    left = nodes["left"].astype(np.intp)
    right = nodes["right"].astype(np.intp)
    category_set = nodes["bitset_idx"].astype(np.intp)
    words = native.raw_left_cat_bitsets
    n_sets, n_words = words.shape
    starts = np.arange(n_sets + 1) * n_words
    return Tree(
        left=np.where(is_leaf, -1, left),
        right=np.where(is_leaf, -1, right),
        feature=input_features[nodes["feature_idx"]],
        threshold=np.where(by_number, nodes["num_threshold"], np.nan),
        missing_left=nodes["missing_go_to_left"] != 0,
        values=nodes["value"][:, None],
        cover=nodes["count"].astype(np.float64),
        zero_is_missing=np.zeros(len(nodes), dtype=np.bool_),
        category_set=np.where(by_category, category_set, -1),
        category_sets=CategorySets.of_bits(words.ravel(), starts),
        output=output,
    )
