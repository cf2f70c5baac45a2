"""What every method of explaining takes and returns, whatever it computes."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.types import Columns, Matrix

# Numbers that are added up one after the other may be off by some units in the last place of the
# largest one; a library adds up some more that nobody sees.
SUM_PLACES = 64
DOUBLE = float(np.finfo(np.float64).eps)
SINGLE = float(np.finfo(np.float32).eps)


class Attribution(NamedTuple):
    """SHAP values and their base value, in whatever space the method computes them.

    `values` is (n_records, n_columns), with classes (n_records, n_columns, n_classes);
    `base_value` is (), with classes (n_classes,).
    `rounding` is how far the sums may be off because numbers are rounded, in the space of the
    values, (), (n_records,) or (n_records, n_classes); None stands for what is lost when float64
    are added up.
    `standard_error` has the shape of the values; None where they are not sampled.
    """

    values: Matrix
    base_value: NDArray[np.float64]
    rounding: Matrix | float | None = None
    standard_error: Matrix | None = None

    @property
    def total(self) -> Matrix:
        """What the values add up to, (n_records,) or (n_records, n_classes)."""
        total: Matrix = self.base_value + self.values.sum(axis=1)
        return total

    @property
    def tolerance(self) -> Matrix | float:
        """How far the totals may be off."""
        if self.rounding is not None:
            return self.rounding
        return self.rounding_in(DOUBLE)

    def rounding_in(self, unit: float) -> Matrix:
        """Return what is lost when the values are added up in numbers with this unit.

        `unit` is the distance from 1 to the next larger number of the precision.
        """
        sizes = np.abs(self.base_value) + np.abs(self.values).sum(axis=1)
        rounding: Matrix = SUM_PLACES * unit * sizes
        return rounding


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
