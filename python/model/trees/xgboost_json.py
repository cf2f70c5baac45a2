"""What XGBoost saves of a model as JSON: trees, initial score, categories.

Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.trees.categories import NO_SETS, CategorySets, Integers
from python.model.trees.tree import Tree
from python.model.types import Matrix

BY_CATEGORY = 1  # a split type; 0 is by a number

Float32 = NDArray[np.float32]
Document = dict[str, Any]
"""A part of the JSON."""


@dataclass(frozen=True, eq=False)
class SavedModel:
    """What is kept of the JSON, which itself is ten times larger."""

    trees: tuple[Tree, ...]
    base: Matrix
    """The initial score of each output, as a margin."""
    categories: list[list[Any] | None]
    """The categories of the training, for each feature that is one; None where not known."""
    n_targets: int


def parse(text: bytes | bytearray, best_iteration: int | None) -> SavedModel:
    """Return the model of the JSON, with the trees up to an iteration, or with all."""
    learner: Document = json.loads(text)["learner"]
    booster: Document = learner["gradient_booster"]
    model: Document = booster.get("gbtree", booster)[
        "model"
    ]  # "dart" has it one level below
    n_trees = len(model["trees"])
    if best_iteration is not None:
        n_trees = model["iteration_indptr"][best_iteration + 1]
    weights = booster.get("weight_drop", np.ones(n_trees))
    trees = []
    for number in range(n_trees):
        output = model["tree_info"][number]
        weight = np.float32(weights[number])
        trees.append(_tree(model["trees"][number], output, weight))
    return SavedModel(
        trees=tuple(trees),
        base=_base(learner),
        categories=_categories(learner["feature_types"], model["cats"]["enc"]),
        n_targets=int(learner["learner_model_param"]["num_target"]),
    )


def _base(learner: Document) -> Matrix:
    """Return the margins of `base_score`, which is before the link."""
    base_score = np.ravel(
        json.loads(learner["learner_model_param"]["base_score"])
    )
    link = LINKS.get(learner["objective"]["name"], _identity)
    return link(base_score.astype(np.float32).astype(np.float64))


def _categories(
    feature_types: list[str], kept: list[Document]
) -> list[list[Any] | None]:
    categories = []
    for feature, feature_type in enumerate(feature_types):
        if feature_type == "c":
            categories.append(_decoded(kept[feature]) if kept else None)
    return categories


def _decoded(kept: Document) -> list[Any] | None:
    """Return the categories that XGBoost keeps: integers, or the UTF-8 of texts end to end.

    XGBoost cuts these as if a character were a byte. So if one is not ASCII, the categories are
    not known, and must come in the order that they had in training, which is None.
    """
    if "offsets" not in kept:
        return list(kept["values"])
    text = np.array(kept["values"], dtype=np.int8).tobytes()
    if not text.isascii():
        return None
    return [
        text[start:stop].decode() for start, stop in pairwise(kept["offsets"])
    ]


def _tree(fields: Document, output: int, weight: np.float32) -> Tree:
    left = _integers(fields["left_children"])
    right = _integers(fields["right_children"])
    is_leaf = left < 0
    by_category = _integers(fields["split_type"]) == BY_CATEGORY
    by_number = ~is_leaf & ~by_category
    # The largest float32 that is below the threshold still goes left.
    upto = np.nextafter(
        _floats(fields["split_conditions"]), np.float32(-np.inf)
    )
    values = _leaf_values(fields) * weight
    default_left = _integers(fields["default_left"]) == 1
    nodes = fields["categories_nodes"]
    category_set = np.full(len(left), -1)
    category_set[nodes] = np.arange(len(nodes))
    return Tree(
        left=np.where(by_category, right, left),
        right=np.where(is_leaf, -1, np.where(by_category, left, right)),
        feature=_integers(fields["split_indices"]),
        threshold=np.where(by_number, upto, np.nan),
        missing_left=default_left ^ by_category,
        values=values.astype(np.float64),
        cover=np.array(fields["sum_hessian"]),
        zero_is_missing=np.zeros(len(left), dtype=np.bool_),
        category_set=category_set,
        category_sets=_category_sets(fields),
        output=output,
    )


def _leaf_values(fields: Document) -> Float32:
    """Return what leaves add to each output, (n_nodes, n_values).

    A leaf has its value in place of a threshold or, where it adds to several outputs, the number
    of its values in place of a child to the right.
    """
    n_values = int(fields["tree_param"]["size_leaf_vector"])
    if n_values <= 1:
        return _floats(fields["split_conditions"])[:, None]
    values = _floats(fields["leaf_weights"]).reshape(-1, n_values)
    is_leaf = _integers(fields["left_children"]) < 0
    numbers = _integers(fields["right_children"])
    return values[np.where(is_leaf, numbers, 0)]


def _category_sets(fields: Document) -> CategorySets:
    first_codes = fields["categories_segments"]
    if not first_codes:
        return NO_SETS
    codes = _integers(fields["categories"])
    return CategorySets.of(np.split(codes, first_codes[1:]))


def _integers(values: list[int]) -> Integers:
    return np.array(values, dtype=np.intp)


def _floats(values: list[float]) -> Float32:
    return np.array(values, dtype=np.float32)


def _identity(scores: Matrix) -> Matrix:
    return scores


def _logit(probabilities: Matrix) -> Matrix:
    """Return the log-odds, rounded where XGBoost rounds: the inverse odds are float32."""
    inverse = 1 / probabilities.astype(np.float32) - np.float32(1)
    return -np.log(inverse.astype(np.float64))


# What makes a margin of `base_score`; for all other objectives it is the margin.
LINKS: dict[str, Callable[[Matrix], Matrix]] = {
    "binary:logistic": _logit,
    "reg:logistic": _logit,
    "count:poisson": np.log,
    "reg:gamma": np.log,
    "reg:tweedie": np.log,
    "survival:aft": np.log,
    "survival:cox": np.log,
}
