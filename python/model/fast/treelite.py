"""GTIL, treelite's General Tree Inference Library: many trees in one call.

This is the only module that imports treelite. GTIL is called at its C interface, since treelite's
wrapper in Python takes twice as long as the trees of a forest do for one record.
Source: https://treelite.readthedocs.io/en/latest/treelite-c-api.html
"""

import copy
import ctypes
from typing import Any, TypeAlias

import numpy as np
import treelite
from numpy.typing import NDArray
from treelite.core import _LIB, _check_call
from treelite.gtil.gtil import GTILConfig

from python.model.trees import Tree, TreeModel
from python.model.types import Estimator, Matrix

PRECISION = "float64"
LEAF_TOLERANCE = 1e-15  # relative

# An object of its own, so that treelite's is left without these types.
PREDICT = _LIB["TreeliteGTILPredict"]
PREDICT.argtypes = (
    ctypes.c_void_p,  # the model
    ctypes.c_void_p,  # the matrix
    ctypes.c_char_p,  # the type of the numbers in it
    ctypes.c_uint64,  # the number of rows
    ctypes.c_void_p,  # the outputs
    ctypes.c_void_p,  # the configuration
)

TreeAccessor: TypeAlias = Any
"""treelite's view of one tree, with its fields as arrays."""


def import_trees(
    predictor: Estimator,
    trees: TreeModel | None,
) -> treelite.Model:
    """Return a forest or a booster of scikit-learn as treelite has it.

    The leaves are as the predictor has them. Raises ValueError if there are several outputs, or
    splits by category, and whatever treelite raises for an estimator that it does not take.
    """
    if getattr(predictor, "n_outputs_", 1) != 1:
        raise ValueError("several outputs")  # treelite would end the process
    if trees is None:
        return treelite.sklearn.import_model(predictor)
    if trees.has_categories:
        # treelite would take 2.5 for the category 2.
        raise ValueError("splits by category")
    if trees.kind == "histogram boosting":
        return treelite.sklearn.import_model(predictor)
    # treelite reads as many trees as were wanted, beyond the end of memory where there are fewer.
    bounded = copy.copy(predictor)
    bounded.n_estimators = len(predictor.estimators_)
    model = treelite.sklearn.import_model(bounded)
    if trees.kind == "forest" and hasattr(predictor, "classes_"):
        _restore_leaves(model, trees)
    return model


def _restore_leaves(model: treelite.Model, trees: TreeModel) -> None:
    """Put the forest's probabilities into the leaves, which treelite has divided by their sum."""
    for number, tree in enumerate(trees.trees):
        leaves = tree.values[tree.is_leaf]
        model.get_tree_accessor(number).set_field(
            "leaf_vector", leaves.ravel()
        )


def has_same_trees(model: treelite.Model, trees: TreeModel) -> bool:
    """Return whether each node of each tree is the predictor's own."""
    if model.num_tree != len(trees.trees):
        return False
    # Gradient boosting takes no missing value, so that it does not matter where one would go.
    compares_missing = trees.kind != "gradient boosting"
    for number, tree in enumerate(trees.trees):
        accessor = model.get_tree_accessor(number)
        if not _has_same_splits(accessor, tree, compares_missing):
            return False
        if not _has_same_leaves(accessor, tree):
            return False
    return True


def _has_same_splits(
    accessor: TreeAccessor,
    tree: Tree,
    compares_missing: bool,
) -> bool:
    fields: dict[str, NDArray[Any]] = {
        "cleft": tree.left,
        "cright": tree.right,
        "split_index": tree.feature,
        "threshold": tree.threshold,
    }
    if compares_missing:
        fields["default_left"] = tree.missing_left
    inner = ~tree.is_leaf
    for name, expected in fields.items():
        if not np.array_equal(
            accessor.get_field(name)[inner], expected[inner]
        ):
            return False
    return True


def _has_same_leaves(accessor: TreeAccessor, tree: Tree) -> bool:
    """Return whether the leaves are the tree's, if each is one number; vectors are restored."""
    if tree.values.shape[1] > 1:
        return True
    expected = tree.values[tree.is_leaf, 0]
    leaves = accessor.get_field("leaf_value")[tree.is_leaf]
    return np.allclose(leaves, expected, rtol=LEAF_TOLERANCE, atol=0)


def _check_precision(model: treelite.Model, n_columns: int) -> None:
    types = {model.input_type, model.output_type}
    if types == {PRECISION} and model.num_feature == n_columns:
        return
    raise ValueError(
        f"trees over {model.num_feature} columns of {model.input_type}"
    )


class Gtil:
    """The means of a forest or the margins of boosting, computed in the thread that calls."""

    def __init__(self, model: treelite.Model, trees: TreeModel) -> None:
        """Take a model that has the same trees.

        Raises ValueError if it takes or returns numbers in another precision than float64.
        """
        n_columns = trees.n_features
        _check_precision(model, n_columns)
        has_margins = trees.loss is not None
        predict_type = "raw" if has_margins else "default"
        row = np.zeros((1, n_columns))
        outputs = treelite.gtil.predict(
            model, row, nthread=1, pred_margin=has_margins
        )
        self._model = model
        self._config = GTILConfig(nthread=1, predict_type=predict_type)
        self._n_columns = n_columns
        self._n_outputs = outputs.size
        self._precision = trees.precision
        self._type = PRECISION.encode()

    def __call__(self, matrix: Matrix) -> Matrix:
        """Return the outputs, (n_rows, n_outputs), for a matrix, (n_rows, n_columns)."""
        # The estimator's trees round to their precision, GTIL's do not.
        rounded = matrix.astype(self._precision, copy=False)
        numbers = np.ascontiguousarray(rounded, dtype=float)
        numbers = numbers.reshape(-1, self._n_columns)
        outputs = np.zeros((len(numbers), self._n_outputs))
        _check_call(
            PREDICT(
                self._model.handle,
                numbers.ctypes.data,
                self._type,
                len(numbers),
                outputs.ctypes.data,
                self._config.handle,
            )
        )
        return outputs
