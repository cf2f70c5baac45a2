"""Differences: where an estimator predicts two things for what should be the same rows."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import read_attribute
from python.model.types import Columns, Estimator

TOLERANCE = 1e-9
METHODS = ("predict_proba", "predict")


class Difference(NamedTuple):
    """A row for which an estimator predicts two things."""

    row: int
    expected: Any
    predicted: Any


def predict_all(estimator: Estimator, columns: Columns) -> list[NDArray[Any]]:
    """Return the estimator's probabilities, if it has some, and its labels or numbers."""
    outputs = []
    for method in METHODS:
        compute = read_attribute(estimator, method)
        if compute is not None:
            outputs += _tables(compute(columns))
    return outputs


def _tables(output: Any) -> list[NDArray[Any]]:
    """Return an output as an array, or as one for each where there are probabilities of several."""
    if isinstance(output, list) and np.ndim(output[0]) == 2:
        return [np.asarray(table) for table in output]
    return [np.asarray(output)]


def find_difference(
    expected: list[NDArray[Any]],
    predicted: list[NDArray[Any]],
    tolerance: float = TOLERANCE,
) -> Difference | None:
    """Return the first row in which any of the outputs differ; None if they are the same."""
    for first, second in zip(expected, predicted, strict=True):
        row = 0
        if first.shape == second.shape:
            is_same = _same_rows(first, second, tolerance)
            different = np.flatnonzero(~is_same).tolist()
            if not different:
                continue
            row = different[0]
        return Difference(row, first.tolist()[row], second.tolist()[row])
    return None


def _same_rows(
    first: NDArray[Any], second: NDArray[Any], tolerance: float
) -> NDArray[np.bool_]:
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        same = np.isclose(first, second, tolerance, tolerance, equal_nan=True)
    else:
        same = np.asarray(first == second, dtype=bool)
    all_same: NDArray[np.bool_] = same.reshape(len(first), -1).all(axis=1)
    return all_same
