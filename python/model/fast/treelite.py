"""GTIL: treelite's General Tree Inference Library. The only importer of treelite.

Called at its C interface (https://treelite.readthedocs.io/en/latest/treelite-c-api.html), since for one record the wrapper in
Python costs twice what the trees do.
"""

import copy
import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import treelite
from numpy.typing import NDArray
from treelite.core import _LIB, _check_call
from treelite.gtil.gtil import GTILConfig

Matrix = NDArray[np.float64]

PREDICT = _LIB["TreeliteGTILPredict"]  # apart from treelite's own, for the types
PREDICT.argtypes = (
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_uint64,
    ctypes.c_void_p,
    ctypes.c_void_p,
)

# treelite's name for a field of a node, histogram boosting's and that of all other trees.
FIELDS = {
    "cleft": ("left", "children_left"),
    "cright": ("right", "children_right"),
    "split_index": ("feature_idx", "feature"),
    "threshold": ("num_threshold", "threshold"),
    "default_left": ("missing_go_to_left", "missing_go_to_left"),
}


def imported(predictor: Any) -> treelite.Model:
    """A forest or a booster of scikit-learn as treelite has it, with the leaves as the predictor has them.

    Raises ValueError if there are several outputs, or splits by category.
    """
    if getattr(predictor, "n_outputs_", 1) != 1:
        raise ValueError("several outputs")  # treelite ends the process
    if getattr(predictor, "is_categorical_", None) is not None:
        raise ValueError("splits by category")  # treelite takes 2.5 for the category 2
    if hasattr(predictor, "estimators_"):
        # treelite reads as many trees as were wanted, beyond the end of memory where boosting stopped early.
        predictor = copy.copy(predictor)
        predictor.n_estimators = len(predictor.estimators_)
    model = treelite.sklearn.import_model(predictor)
    if hasattr(predictor, "classes_") and not hasattr(predictor, "_loss"):
        for number, part in enumerate(
            predictor.estimators_
        ):  # treelite divides them by their sum once more
            leaves = part.tree_.value[part.tree_.children_left < 0, 0]
            model.get_tree_accessor(number).set_field("leaf_vector", leaves.ravel())
    return model


def same(model: treelite.Model, predictor: Any) -> bool:
    """Whether each node of each tree is the predictor's own."""
    own = list(_nodes(predictor))
    return model.num_tree == len(own) and all(
        _equal(model.get_tree_accessor(n), *nodes) for n, nodes in enumerate(own)
    )


def _nodes(
    predictor: Any,
) -> Iterator[tuple[dict[str, Any], NDArray[np.bool_], NDArray[Any] | None]]:
    """Of each of the predictor's trees the fields, which nodes are leaves, and what these add, if it is one number."""
    if hasattr(predictor, "_predictors"):
        for nodes in (part.nodes for parts in predictor._predictors for part in parts):
            yield (
                {field: nodes[name] for field, (name, _) in FIELDS.items()},
                nodes["is_leaf"] != 0,
                nodes["value"],
            )
        return
    boosting = hasattr(predictor, "_loss")
    rate = predictor.learning_rate if boosting else 1.0
    for tree in (part.tree_ for part in np.ravel(predictor.estimators_)):
        fields = {field: getattr(tree, name) for field, (_, name) in FIELDS.items()}
        if boosting:
            del fields["default_left"]  # it takes no missing value
        yield (
            fields,
            tree.children_left < 0,
            tree.value[:, 0, 0] * rate if tree.value.shape[2] == 1 else None,
        )


def _equal(
    copy: Any,
    fields: dict[str, Any],
    leaf: NDArray[np.bool_],
    values: NDArray[Any] | None,
) -> bool:
    same = all(
        np.array_equal(copy.get_field(field)[~leaf], own[~leaf])
        for field, own in fields.items()
    )
    return same and (
        values is None
        or np.allclose(copy.get_field("leaf_value")[leaf], values[leaf], 1e-15, 0)
    )


class Gtil:
    """What the trees say, (n_records, n_scores), of records, (n_records, n_features); in the thread that asks."""

    def __init__(self, model: treelite.Model, width: int, *, margins: bool) -> None:
        """`margins` asks for the sums of boosting, before any link. Raises ValueError for trees in another precision."""
        if (model.input_type, model.output_type) != (
            "float64",
            "float64",
        ) or model.num_feature != width:
            raise ValueError(
                f"trees over {model.num_feature} columns of {model.input_type}"
            )
        self._model = model
        self._config = GTILConfig(
            nthread=1, predict_type="raw" if margins else "default"
        )
        self._width = treelite.gtil.predict(
            model, np.zeros((1, width)), nthread=1, pred_margin=margins
        ).size
        self._features = width

    def __call__(self, X: Matrix) -> Matrix:
        """The averages of a forest, or the sums of boosting."""
        X = np.ascontiguousarray(X, dtype=float).reshape(-1, self._features)
        found = np.zeros((len(X), self._width))
        _check_call(
            PREDICT(
                self._model.handle,
                X.ctypes.data,
                b"float64",
                len(X),
                found.ctypes.data,
                self._config.handle,
            )
        )
        return found
