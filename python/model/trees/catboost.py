"""CatBoost's trees, read from the JSON in which it saves a model.

They compare float32 with float32: above the border goes right.
Source: https://catboost.ai/docs/en/concepts/json-model
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self

import numpy as np

from python.model.attributes import has_attribute
from python.model.trees.categories import Integers
from python.model.trees.ensemble import TreeModel
from python.model.trees.tree import Flags, Tree
from python.model.types import Estimator, Matrix

# Of a leaf that no training record came to: it counts for nothing beside one that some came to,
# and as much as another one that none came to. CatBoost has 0 for what both of them add.
NO_COVER = 1e-300

LEAF = {"float_feature_index": 0, "border": 0.0}  # what stands for its split

Document = dict[str, Any]
"""A part of the JSON."""


def read_catboost(predictor: Estimator) -> TreeModel | None:
    """Return the trees of an estimator of CatBoost that takes nothing but numbers, else None.

    A split by a category is by its hash, or by statistics of the target, and so not read.
    """
    if not has_attribute(predictor, "get_cat_feature_indices"):
        return None
    others = (
        predictor.get_cat_feature_indices(),
        predictor.get_text_feature_indices(),
        predictor.get_embedding_feature_indices(),
    )
    if any(map(len, others)):
        return None
    return CatBoost(
        kind="boosting",
        n_features=len(predictor.feature_names_),
        predictor=predictor,
    )


@dataclass(frozen=True, eq=False)
class SavedModel:
    """What is kept of the JSON."""

    trees: tuple[Tree, ...]
    base: Matrix


@dataclass(frozen=True, eq=False)
class CatBoost(TreeModel):
    """A booster of CatBoost: the bias, and the sum of the trees."""

    library = "CatBoost"
    precision = np.float32

    predictor: Estimator

    @property
    def n_targets(self) -> int:
        """How many things are predicted at once: each output is one but for several classes."""
        loss = self.predictor.get_all_params()["loss_function"]
        return 1 if loss.startswith("MultiClass") else self.n_outputs

    @property
    def base(self) -> Matrix:
        """The bias of each output."""
        return self._saved.base

    @property
    def node_counts(self) -> list[int]:
        """The number of nodes of each tree, leaves included: told before the JSON is read."""
        leaves = self.predictor.get_tree_leaf_counts()
        return [2 * int(count) - 1 for count in leaves]

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, those that split alike at each depth from the last split to the first."""
        return self._saved.trees

    @cached_property
    def _saved(self) -> SavedModel:
        return _parse(_save(self.predictor))


def _save(predictor: Estimator) -> Document:
    """Return the JSON, which CatBoost writes to nothing but a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        predictor.save_model(str(path), format="json")
        document: Document = json.loads(path.read_bytes())
    return document


def _parse(document: Document) -> SavedModel:
    scale, biases = document["scale_and_bias"]
    columns = _Columns.of(document["features_info"]["float_features"])
    symmetric = map(_read_symmetric, document.get("oblivious_trees", []))
    others = map(_read_nodes, document.get("trees", []))
    trees = [_tree(nodes, columns, scale) for nodes in (*symmetric, *others)]
    return SavedModel(tuple(trees), np.ravel(biases).astype(float))


@dataclass(frozen=True, eq=False)
class _Columns:
    """For each feature of the JSON its column, and whether missing values go left."""

    numbers: Integers
    missing_left: Flags

    @classmethod
    def of(cls, features: list[Document]) -> Self:
        """Return the columns of the features that are numbers."""
        numbers = []
        missing_left = []
        for feature in features:
            numbers.append(feature["flat_feature_index"])
            missing_left.append(feature["nan_value_treatment"] != "AsTrue")
        return cls(np.array(numbers), np.array(missing_left))


class _Nodes(NamedTuple):
    """The nodes of a tree, each before its children, with an item of each array."""

    left: Integers
    """The number of the node to the left; -1 for a leaf."""
    right: Integers
    feature: Integers
    """The place of the feature among those of the JSON, 0 for a leaf."""
    border: Matrix
    values: Matrix
    """What a leaf adds to each output, (n_nodes, n_outputs)."""
    weight: Matrix
    """The weight of the training records of a leaf."""


def _read_symmetric(fields: Document) -> _Nodes:
    """Return the nodes of a tree that splits alike at each depth, level by level.

    Bit n of a leaf's number says whether the value of its split n is above the border. So the last
    split is the root's: then the leaves are in order.
    """
    splits = fields["splits"][::-1]
    n_leaves = 2 ** len(splits)
    numbers = np.arange(2 * n_leaves - 1)
    n_inner = n_leaves - 1
    is_leaf = numbers >= n_inner
    features = [split["float_feature_index"] for split in splits]
    borders = [split["border"] for split in splits]
    values = np.reshape(fields["leaf_values"], (n_leaves, -1))
    weights = np.array(fields["leaf_weights"], dtype=float)
    return _Nodes(
        left=np.where(is_leaf, -1, 2 * numbers + 1),
        right=np.where(is_leaf, -1, 2 * numbers + 2),
        feature=_by_level([*features, 0]).astype(np.intp),
        border=_by_level([*borders, 0.0]),
        values=np.pad(values, ((n_inner, 0), (0, 0))),
        weight=np.pad(weights, (n_inner, 0)),
    )


def _by_level(items: list[float]) -> Matrix:
    """Return the item of each level for all of its nodes, of which it has twice as many each."""
    counts = 2 ** np.arange(len(items))
    return np.array(items, dtype=float).repeat(counts)


def _read_nodes(root: Document) -> _Nodes:
    """Return the nodes of a tree of nodes that split in their own way."""
    nodes, left = _list_nodes(root)
    splits = [node.get("split", LEAF) for node in nodes]
    features = [split["float_feature_index"] for split in splits]
    borders = [split["border"] for split in splits]
    nothing = np.zeros(np.size(nodes[-1]["value"]))
    values = [np.ravel(node.get("value", nothing)) for node in nodes]
    weights = [node.get("weight", 0.0) for node in nodes]
    return _Nodes(
        left=left,
        right=np.where(left < 0, -1, left + 1),
        feature=np.array(features),
        border=np.array(borders, dtype=float),
        values=np.stack(values),
        weight=np.array(weights, dtype=float),
    )


def _list_nodes(root: Document) -> tuple[list[Document], Integers]:
    """Return all nodes, each before its children, and the number of each one's left child."""
    nodes = [root]
    left = []
    for node in nodes:
        if "split" in node:
            left.append(len(nodes))
            nodes += [node["left"], node["right"]]
        else:
            left.append(-1)
    return nodes, np.array(left)


def _tree(nodes: _Nodes, columns: _Columns, scale: float) -> Tree:
    is_leaf = nodes.left < 0
    n_nodes = len(nodes.left)
    thresholds = nodes.border.astype(np.float32).astype(float)
    return Tree(
        left=nodes.left,
        right=nodes.right,
        feature=np.where(is_leaf, -1, columns.numbers[nodes.feature]),
        threshold=np.where(is_leaf, np.nan, thresholds),
        missing_left=columns.missing_left[nodes.feature] & ~is_leaf,
        values=nodes.values * scale,
        cover=_covers(nodes),
        zero_is_missing=np.zeros(n_nodes, dtype=np.bool_),
        category_set=np.full(n_nodes, -1),
    )


def _covers(nodes: _Nodes) -> Matrix:
    """Return the weight of the training records of each node, which the JSON has of leaves."""
    covers = np.maximum(nodes.weight, NO_COVER)
    inner = np.flatnonzero(nodes.left >= 0)
    for number in inner[::-1].tolist():
        left = covers[nodes.left[number]]
        right = covers[nodes.right[number]]
        covers[number] = left + right
    return covers
