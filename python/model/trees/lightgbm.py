"""LightGBM's trees, read from the text in which it saves a model: 17 digits, so nothing is lost.

Source: `include/LightGBM/tree.h` and `src/io/tree.cpp` of https://github.com/microsoft/LightGBM
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import has_attribute
from python.model.trees.categories import (
    NO_SETS,
    CategorySets,
    Integers,
    has_categories,
    with_codes,
)
from python.model.trees.ensemble import Combination, TreeModel
from python.model.trees.tree import Tree
from python.model.types import Columns, Estimator, Matrix

ZERO_LIMIT = float(np.float32(1e-35))  # a value up to it is taken for 0
# The bits of a node's decision type: two flags, then how it takes missing values.
BY_CATEGORY = 0b1
DEFAULT_LEFT = 0b10
MISSING_TYPE_SHIFT = 2
MISSING_NONE = 0  # there are none
MISSING_ZERO = 1  # 0 is missing, as NaN is

Fields = dict[str, str]


class Booster(Protocol):
    """What is used of LightGBM's `Booster`."""

    pandas_categorical: Sequence[Sequence[Any]]

    def num_feature(self) -> int:
        """Return the number of features."""

    def model_to_string(self, num_iteration: int | None = None) -> str:
        """Return the model as text, up to the best iteration if none is named."""


def read_lightgbm(predictor: Estimator) -> TreeModel | None:
    """Return the trees of an estimator of LightGBM, else None.

    None, too, if its leaves are linear models.
    """
    if not has_attribute(predictor, "booster_"):
        return None
    booster: Booster = predictor.booster_
    first_tree = booster.model_to_string(num_iteration=1)
    if "\nis_linear=1\n" in first_tree:
        return None
    return LightGBM(
        kind="boosting",
        n_features=booster.num_feature(),
        booster=booster,
    )


@dataclass(frozen=True, eq=False)
class SavedModel:
    """What LightGBM saves: lines `name=value`, a block for the model and one for each tree."""

    header: Fields
    n_outputs: int
    """The number of outputs, to which the trees add in turn."""
    trees: tuple[Tree, ...]


@dataclass(frozen=True, eq=False)
class LightGBM(TreeModel):
    """A booster of LightGBM: the sum of the trees, or their mean if they were boosted as a forest.

    The first trees contain the initial score.
    """

    library = "LightGBM"
    precision = np.float64

    booster: Booster

    @property
    def combination(self) -> Combination:
        """The sum, but for boosting of the type "rf" the mean over the iterations."""
        if "average_output" in self._saved.header:
            return "mean"
        return "sum"

    @property
    def base(self) -> Matrix:
        """Zeros."""
        return np.zeros(self._saved.n_outputs)

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The trees up to the best iteration.

        Inner nodes come first, then the leaves in LightGBM's own order.
        """
        return self._saved.trees

    def numbers(self, columns: Columns) -> Matrix:
        """Return the columns as the trees compare them: categories as codes, unknown ones as NaN.

        Like LightGBM it takes what is next to 0 for 0.
        """
        if has_categories(columns):
            numbers = with_codes(columns, self.booster.pandas_categorical)
        else:
            numbers = super().numbers(columns)
        is_zero = np.abs(numbers) <= ZERO_LIMIT
        return np.where(is_zero, 0.0, numbers)

    @cached_property
    def _saved(self) -> SavedModel:
        return _parse(self.booster.model_to_string())


def _parse(text: str) -> SavedModel:
    before_the_end, _, _ = text.partition("\nend of trees")
    first_block, *tree_blocks = before_the_end.split("\nTree=")
    header = _fields(first_block)
    n_outputs = int(header["num_tree_per_iteration"])
    trees = []
    for number, block in enumerate(tree_blocks):
        fields = _fields(block)
        output = number % n_outputs
        trees.append(_tree(fields, output))
    return SavedModel(header, n_outputs, tuple(trees))


def _fields(block: str) -> Fields:
    fields = {}
    for line in block.splitlines():
        name, _, value = line.partition("=")
        fields[name] = value
    return fields


def _tree(fields: Fields, output: int) -> Tree:
    n_leaves = int(fields["num_leaves"])
    n_inner = n_leaves - 1
    n_nodes = n_inner + n_leaves
    left = _children(fields["left_child"], n_inner)
    right = _children(fields["right_child"], n_inner)
    features = _integers(fields["split_feature"])
    thresholds = _floats(fields["threshold"])
    threshold = _padded(thresholds, n_nodes, np.nan)
    decision_types = _integers(fields["decision_type"])
    decision_type = _padded(decision_types, n_nodes, 0)
    by_category = decision_type & BY_CATEGORY != 0
    default_left = decision_type & DEFAULT_LEFT != 0
    missing_type = decision_type >> MISSING_TYPE_SHIFT
    # A node that knows no missing values takes NaN for 0.
    nan_is_zero = missing_type == MISSING_NONE
    zero_left = threshold >= 0
    nan_left = np.where(nan_is_zero, zero_left, default_left)
    zero_is_missing = missing_type == MISSING_ZERO
    inner_cover = _floats(fields["internal_count"])
    leaf_cover = _floats(fields["leaf_count"])
    inner_values = np.full(n_inner, np.nan)
    leaf_values = _floats(fields["leaf_value"])
    values = np.concatenate([inner_values, leaf_values])
    # In place of a threshold a split by category has the number of its set.
    category_set = np.where(by_category, threshold, -1)
    return Tree(
        left=_padded(left, n_nodes, -1),
        right=_padded(right, n_nodes, -1),
        feature=_padded(features, n_nodes, -1),
        threshold=np.where(by_category, np.nan, threshold),
        missing_left=nan_left & ~by_category,
        values=values[:, None],
        cover=np.concatenate([inner_cover, leaf_cover]),
        zero_is_missing=zero_is_missing & ~by_category,
        category_set=category_set.astype(np.intp),
        category_sets=_category_sets(fields),
        output=output,
    )


def _category_sets(fields: Fields) -> CategorySets:
    if "cat_threshold" not in fields:
        return NO_SETS
    numbers = _integers(fields["cat_threshold"])
    words = numbers.astype(np.uint32)
    starts = _integers(fields["cat_boundaries"])
    return CategorySets.of_bits(words, starts)


def _children(text: str, n_inner: int) -> Integers:
    """Return the numbers of children as nodes: leaf `n` is written as `-n - 1`."""
    children = _integers(text)
    leaf_nodes = n_inner - 1 - children
    return np.where(children < 0, leaf_nodes, children)


def _padded(
    of_inner: NDArray[Any],
    n_nodes: int,
    of_leaves: float,
) -> NDArray[Any]:
    """Return an item for each node from those of the inner nodes, which come first."""
    padded = np.full(n_nodes, of_leaves, dtype=of_inner.dtype)
    padded[: len(of_inner)] = of_inner
    return padded


def _integers(text: str) -> Integers:
    numbers = text.split()
    return np.array(numbers, dtype=np.intp)


def _floats(text: str) -> Matrix:
    numbers = text.split()
    return np.array(numbers, dtype=np.float64)
