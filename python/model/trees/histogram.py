"""scikit-learn's histogram boosting: trees that compare float64, and split by category.

Features are numbered as in the estimator's input. The estimator itself moves those that are
categories to the front, which the arrays undo.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import has_attribute
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
    if not has_attribute(predictor, "_predictors"):
        return None
    return HistogramBoosting(
        kind="histogram boosting",
        n_features=predictor.n_features_in_,
        predictor=predictor,
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
        if is_category is None:
            return False
        return bool(is_category.any())

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
        counts = []
        for iteration in self._iterations:
            for native in iteration:
                counts.append(len(native.nodes))
        return counts

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, iteration after iteration."""
        trees = []
        for iteration in self._iterations:
            for output, native in enumerate(iteration):
                tree = _tree(native, output, self._input_features)
                trees.append(tree)
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
        categories = np.flatnonzero(is_category)
        others = np.flatnonzero(~is_category)
        return np.concatenate([categories, others])


def _tree(
    native: NativeTree,
    output: int,
    input_features: Integers,
) -> Tree:
    nodes = native.nodes
    is_leaf = nodes["is_leaf"] != 0
    is_categorical = nodes["is_categorical"] != 0
    by_category = ~is_leaf & is_categorical
    by_number = ~is_leaf & ~by_category
    left = nodes["left"].astype(np.intp)
    right = nodes["right"].astype(np.intp)
    features = nodes["feature_idx"]
    thresholds = nodes["num_threshold"]
    values = nodes["value"]
    cover = nodes["count"]
    nowhere = np.zeros(len(nodes), dtype=np.bool_)
    category_set = nodes["bitset_idx"].astype(np.intp)
    words = native.raw_left_cat_bitsets
    n_sets, n_words = words.shape
    starts = np.arange(n_sets + 1) * n_words
    return Tree(
        left=np.where(is_leaf, -1, left),
        right=np.where(is_leaf, -1, right),
        feature=input_features[features],
        threshold=np.where(by_number, thresholds, np.nan),
        missing_left=nodes["missing_go_to_left"] != 0,
        values=values[:, None],
        cover=cover.astype(np.float64),
        zero_is_missing=nowhere,
        category_set=np.where(by_category, category_set, -1),
        category_sets=CategorySets.of_bits(words.ravel(), starts),
        output=output,
    )
