"""GTIL: treelite's General Tree Inference Library. The only importer of treelite.

Called at its C interface (https://treelite.readthedocs.io/en/latest/treelite-c-api.html), since for one record the wrapper in
Python costs twice what the trees do.
"""

import ctypes
from typing import Any

import numpy as np
import treelite
from numpy.typing import NDArray
from treelite.core import _LIB, _check_call
from treelite.gtil.gtil import GTILConfig

Matrix = NDArray[np.float64]


def imported(predictor: Any) -> treelite.Model:
    """A forest or a booster of scikit-learn as treelite has it, with the leaves as the predictor has them."""
    model = treelite.sklearn.import_model(predictor)
    if hasattr(predictor, "classes_") and not hasattr(predictor, "_loss"):
        for number, part in enumerate(predictor.estimators_):  # treelite divides them by their sum once more
            leaves = part.tree_.value[part.tree_.children_left < 0, 0]
            model.get_tree_accessor(number).set_field("leaf_vector", leaves.ravel())
    return model


class Gtil:
    """What the trees say, (n_records, n_scores), of records, (n_records, n_features); in the thread that asks."""

    def __init__(self, model: treelite.Model, width: int, *, margins: bool) -> None:
        """`margins` asks for the sums of boosting, before any link. Raises ValueError for trees in another precision."""
        if (model.input_type, model.output_type) != ("float64", "float64") or model.num_feature != width:
            raise ValueError(f"trees over {model.num_feature} columns of {model.input_type}")
        self._model = model
        self._config = GTILConfig(nthread=1, predict_type="raw" if margins else "default")
        self._width = treelite.gtil.predict(model, np.zeros((1, width)), nthread=1, pred_margin=margins).size
        self._features = width

    def __call__(self, X: Matrix) -> Matrix:
        """The averages of a forest, or the sums of boosting."""
        X = np.ascontiguousarray(X, dtype=float).reshape(-1, self._features)
        found = np.zeros((len(X), self._width))
        rows = ctypes.c_uint64(len(X))
        into = ctypes.c_void_p(found.ctypes.data)
        _check_call(
            _LIB.TreeliteGTILPredict(
                self._model.handle, ctypes.c_void_p(X.ctypes.data), b"float64", rows, into, self._config.handle
            )
        )
        return found
