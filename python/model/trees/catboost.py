"""CatBoost's trees, read from the JSON in which it saves a model.

They compare float32 with float32: above the border goes right.
Source: https://catboost.ai/docs/en/concepts/json-model
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np

from python.model.trees.ensemble import TreeModel
from python.model.trees.tree import Tree
from python.model.types import Estimator, Matrix

# Of a leaf that no training record came to: it counts for nothing beside one that some came to,
# and as much as another one that none came to. CatBoost has 0 for what both of them add.
NO_COVER = 1e-300

Document = dict[str, Any]
"""A part of the JSON."""


def read_catboost(predictor: Estimator) -> TreeModel | None:
    """Return the trees of an estimator of CatBoost that takes nothing but numbers, else None.

    A split by a category is by its hash, or by statistics of the target, and so not read.
    """
    if not hasattr(predictor, "get_cat_feature_indices"):
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
    unfolded = map(_unfold, document.get("oblivious_trees", []))
    roots = [*unfolded, *document.get("trees", [])]
    trees = [_tree(root, columns, scale) for root in roots]
    return SavedModel(tuple(trees), np.ravel(biases).astype(float))


@dataclass(frozen=True)
class _Columns:
    """For each feature of the JSON its column, and whether missing values go left."""

    numbers: list[int]
    missing_left: list[bool]

    @classmethod
    def of(cls, features: list[Document]) -> Self:
        """Return the columns of the features that are numbers."""
        numbers = []
        missing_left = []
        for feature in features:
            numbers.append(feature["flat_feature_index"])
            missing_left.append(feature["nan_value_treatment"] != "AsTrue")
        return cls(numbers, missing_left)


def _unfold(fields: Document) -> Document:
    """Return a tree that splits alike at each depth in the form of the other trees.

    Bit n of a leaf's number says whether the value of its split n is above the border. So the last
    split is the root's: then the leaves are in order.
    """
    nodes = _list_leaves(fields)
    for split in fields["splits"]:
        below = nodes
        nodes = []
        for left, right in zip(below[::2], below[1::2], strict=True):
            nodes.append({"split": split, "left": left, "right": right})
    (root,) = nodes
    return root


def _list_leaves(fields: Document) -> list[Document]:
    """Return the leaves of a tree that splits alike at each depth."""
    weights = fields["leaf_weights"]
    values = np.reshape(fields["leaf_values"], (len(weights), -1))
    leaves: list[Document] = []
    for weight, value in zip(weights, values.tolist(), strict=True):
        leaves.append({"weight": weight, "value": value})
    return leaves


def _tree(root: Document, columns: _Columns, scale: float) -> Tree:
    nodes = _list_nodes(root)
    numbers = {id(node): number for number, node in enumerate(nodes)}
    n_nodes = len(nodes)
    left = np.full(n_nodes, -1)
    right = np.full(n_nodes, -1)
    feature = np.full(n_nodes, -1)
    threshold = np.full(n_nodes, np.nan)
    missing_left = np.zeros(n_nodes, dtype=np.bool_)
    for number, node in enumerate(nodes):
        if "split" in node:
            left[number] = numbers[id(node["left"])]
            right[number] = numbers[id(node["right"])]
            place = node["split"]["float_feature_index"]
            feature[number] = columns.numbers[place]
            missing_left[number] = columns.missing_left[place]
            threshold[number] = np.float32(node["split"]["border"])
    return Tree(
        left=left,
        right=right,
        feature=feature,
        threshold=threshold,
        missing_left=missing_left,
        values=_values(nodes) * scale,
        cover=_covers(nodes, left, right),
        zero_is_missing=np.zeros(n_nodes, dtype=np.bool_),
        category_set=np.full(n_nodes, -1),
    )


def _list_nodes(root: Document) -> list[Document]:
    """Return all nodes, each before its children."""
    nodes = [root]
    for node in nodes:
        if "split" in node:
            nodes += [node["left"], node["right"]]
    return nodes


def _values(nodes: list[Document]) -> Matrix:
    """Return what leaves add to each output, (n_nodes, n_outputs); NaN for inner nodes."""
    n_outputs = np.size(nodes[-1]["value"])
    values = np.full((len(nodes), n_outputs), np.nan)
    for number, node in enumerate(nodes):
        if "value" in node:
            values[number] = node["value"]
    return values


def _covers(nodes: list[Document], left: Any, right: Any) -> Matrix:
    """Return the weight of the training records of each node, which the JSON has of leaves."""
    covers = np.zeros(len(nodes))
    for number in reversed(range(len(nodes))):
        if left[number] < 0:
            covers[number] = nodes[number]["weight"] or NO_COVER
        else:
            covers[number] = covers[left[number]] + covers[right[number]]
    return covers
