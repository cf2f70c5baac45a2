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
    # The booster "dart" holds a "gbtree"; else that is the booster itself.
    gbtree: Document = booster.get("gbtree", booster)
    model: Document = gbtree["model"]
    n_trees = len(model["trees"])
    if best_iteration is not None:
        first_trees = model["iteration_indptr"]
        n_trees = first_trees[best_iteration + 1]
    same_weights = np.ones(n_trees)
    weights = booster.get("weight_drop", same_weights)
    trees = []
    for number in range(n_trees):
        fields = model["trees"][number]
        output = model["tree_info"][number]
        weight = np.float32(weights[number])
        trees.append(_tree(fields, output, weight))
    parameters = learner["learner_model_param"]
    kept = model["cats"]["enc"]
    return SavedModel(
        trees=tuple(trees),
        base=_base(learner),
        categories=_categories(learner["feature_types"], kept),
        n_targets=int(parameters["num_target"]),
    )


def parse_categories(text: bytes | bytearray) -> list[list[Any] | None]:
    """Return the categories of the training, for each feature that is one; None if not known."""
    learner: Document = json.loads(text)["learner"]
    booster: Document = learner["gradient_booster"]
    gbtree: Document = booster.get("gbtree", booster)
    kept = gbtree.get("model", {}).get("cats", {}).get("enc", [])
    return _categories(learner["feature_types"], kept)


def _base(learner: Document) -> Matrix:
    """Return the margins of `base_score`, which is before the link."""
    parameters = learner["learner_model_param"]
    base_score = json.loads(parameters["base_score"])
    scores = np.ravel(base_score)
    rounded = scores.astype(np.float32)
    objective = learner["objective"]["name"]
    link = LINKS.get(objective, _identity)
    return link(rounded.astype(np.float64))


def _categories(
    feature_types: list[str],
    kept: list[Document],
) -> list[list[Any] | None]:
    categories: list[list[Any] | None] = []
    for feature, feature_type in enumerate(feature_types):
        if feature_type != "c":
            continue
        if kept:
            categories.append(_decoded(kept[feature]))
        else:
            categories.append(None)
    return categories


def _decoded(kept: Document) -> list[Any] | None:
    """Return the categories that XGBoost keeps: integers, or the UTF-8 of texts end to end.

    XGBoost cuts these as if a character were a byte. So if one is not ASCII, the categories are
    not known, and must come in the order that they had in training, which is None.
    """
    if "offsets" not in kept:
        return list(kept["values"])
    octets = np.array(kept["values"], dtype=np.int8)
    text = octets.tobytes()
    if not text.isascii():
        return None
    categories = []
    for start, stop in pairwise(kept["offsets"]):
        category = text[start:stop]
        categories.append(category.decode())
    return categories


def _tree(
    fields: Document,
    output: int,
    weight: np.float32,
) -> Tree:
    left = _integers(fields["left_children"])
    right = _integers(fields["right_children"])
    is_leaf = left < 0
    split_types = _integers(fields["split_type"])
    by_category = split_types == BY_CATEGORY
    by_number = ~is_leaf & ~by_category
    # The codes of XGBoost's sets go right, so a split by category has its children swapped.
    swapped_left = np.where(by_category, right, left)
    swapped_right = np.where(by_category, left, right)
    default_left = _integers(fields["default_left"]) == 1
    # The largest float32 that is below the threshold still goes left.
    thresholds = _floats(fields["split_conditions"])
    downwards = np.float32(-np.inf)
    upto = np.nextafter(thresholds, downwards)
    values = _leaf_values(fields) * weight
    nowhere = np.zeros(len(left), dtype=np.bool_)
    nodes = fields["categories_nodes"]
    category_set = np.full(len(left), -1)
    category_set[nodes] = np.arange(len(nodes))
    return Tree(
        left=swapped_left,
        # A leaf that adds to several outputs has their number there.
        right=np.where(is_leaf, -1, swapped_right),
        feature=_integers(fields["split_indices"]),
        threshold=np.where(by_number, upto, np.nan),
        missing_left=default_left ^ by_category,
        values=values.astype(np.float64),
        cover=np.array(fields["sum_hessian"]),
        zero_is_missing=nowhere,
        category_set=category_set,
        category_sets=_category_sets(fields),
        output=output,
    )


def _leaf_values(fields: Document) -> Float32:
    """Return what leaves add to each output, (n_nodes, n_values).

    A leaf has its value in place of a threshold or, where it adds to several outputs, the number
    of its values in place of a child to the right.
    """
    parameters = fields["tree_param"]
    n_values = int(parameters["size_leaf_vector"])
    if n_values <= 1:
        values = _floats(fields["split_conditions"])
        return values[:, None]
    values = _floats(fields["leaf_weights"])
    by_number = values.reshape(-1, n_values)
    left = _integers(fields["left_children"])
    right = _integers(fields["right_children"])
    numbers = np.where(left < 0, right, 0)
    return by_number[numbers]


def _category_sets(fields: Document) -> CategorySets:
    first_codes = fields["categories_segments"]
    if not first_codes:
        return NO_SETS
    codes = _integers(fields["categories"])
    sets = np.split(codes, first_codes[1:])
    return CategorySets.of(sets)


def _integers(values: list[int]) -> Integers:
    return np.array(values, dtype=np.intp)


def _floats(values: list[float]) -> Float32:
    return np.array(values, dtype=np.float32)


def _identity(scores: Matrix) -> Matrix:
    return scores


def _logit(probabilities: Matrix) -> Matrix:
    """Return the log-odds, rounded where XGBoost rounds: the inverse odds are float32."""
    rounded = probabilities.astype(np.float32)
    inverse_odds = 1 / rounded - np.float32(1)
    return -np.log(inverse_odds.astype(np.float64))


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
