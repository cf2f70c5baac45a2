"""What every method of explaining takes and returns, whatever it computes."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.types import Columns, Matrix


class Attribution(NamedTuple):
    """SHAP values and their base value, in whatever space the method computes them.

    `values` is (n_records, n_columns), with classes (n_records, n_columns, n_classes);
    `base_value` is (), with classes (n_classes,).
    """

    values: Matrix
    base_value: NDArray[np.float64]


Attribute: TypeAlias = Callable[[Columns], Attribution]
"""From columns to their attribution; it may raise exceptions of any kind."""


def drop_single_output(
    values: Matrix,
    base_values: NDArray[np.float64],
) -> Attribution:
    """Return values of one output without an axis for the outputs, others as they are.

    `values` is (n_records, n_columns, n_outputs) or, for one output, (n_records, n_columns);
    `base_values` is (n_outputs,).
    """
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if base_values.size == 1:
        return Attribution(values, base_values[0])
    return Attribution(values, base_values)
