"""Differences: where an estimator predicts two things for what should be the same rows."""

from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import read_attribute
from python.model.types import Columns, Estimator

TOLERANCE = 1e-9
PREDICT = "predict"
PREDICT_PROBA = "predict_proba"

Outputs: TypeAlias = dict[str, NDArray[Any]]
"""What each method of an estimator returns for some rows, (n_rows, n_values)."""


class Difference(NamedTuple):
    """A row for which an estimator predicts two things."""

    row: int
    expected: Any
    predicted: Any


def predict_all(estimator: Estimator, columns: Columns) -> Outputs:
    """Return the estimator's probabilities, where it has some, and its labels or numbers."""
    outputs = {}
    compute = read_attribute(estimator, PREDICT_PROBA)
    if compute is not None:
        # What refuses the columns does so in `predict` as well.
        with suppress(Exception):
            outputs[PREDICT_PROBA] = _as_table(compute(columns))
    outputs[PREDICT] = _as_table(estimator.predict(columns))
    return outputs


def _as_table(output: Any) -> NDArray[Any]:
    """Return an output as one array; the tables of several outputs stand side by side."""
    if isinstance(output, list) and np.ndim(output[0]) == 2:
        return np.hstack([np.asarray(table) for table in output])
    return np.asarray(output)


def find_difference(
    expected: Outputs,
    predicted: Outputs,
    tolerance: float = TOLERANCE,
) -> Difference | None:
    """Return the first row in which an output that both have differs; None if there is none."""
    for method, first in expected.items():
        second = predicted.get(method, first)
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
