"""Dtypes: the types of columns, as pandas names them in a feature's `dtype`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

NUMPY_DTYPES = {
    *("float64", "float32", "float16"),
    *(
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
    ),
    *("bool", "object"),
}
"""Those of which NumPy makes a column; pandas makes the others."""


def is_dtype(name: str) -> bool:
    """Return whether pandas knows a dtype of that name."""
    if name in NUMPY_DTYPES:
        return True
    import pandas as pd  # a model of numbers alone does without

    try:
        pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError):
        return False
    return True


def holds_missing(name: str) -> bool:
    """Return whether a column of the dtype can hold a missing value."""
    if name not in NUMPY_DTYPES:
        return True
    return np.dtype(name).kind in "fO"


def make_column(values: Sequence[Any], name: str) -> Any:
    """Return a column of the dtype, (n_values,); None is a missing value.

    Raises exceptions of any kind for values that the dtype does not hold.
    """
    if name in NUMPY_DTYPES:
        return np.array(values, dtype=name)
    import pandas as pd  # a model of numbers alone does without

    return pd.array(values, dtype=name)
