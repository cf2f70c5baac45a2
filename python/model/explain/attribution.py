"""What every way to SHAP values takes and returns."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.types import Columns, Matrix


class Attribution(NamedTuple):
    """SHAP values and their base value, in whatever space the way computes them.

    `values` is (n_records, n_columns), with classes (n_records, n_columns, n_classes);
    `base_value` is (), with classes (n_classes,).
    """

    values: Matrix
    base_value: NDArray[np.float64]


Attribute: TypeAlias = Callable[[Columns], Attribution]
"""From columns to their attribution; it may raise exceptions of any kind."""
