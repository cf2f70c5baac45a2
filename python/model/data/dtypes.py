"""Dtypes: the types of columns, as pandas names them in a feature's `dtype`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

FLOATS = ("float64", "float32", "float16")
SIGNED = ("int64", "int32", "int16", "int8")
UNSIGNED = ("uint64", "uint32", "uint16", "uint8")
NUMPY_DTYPES = {*FLOATS, *SIGNED, *UNSIGNED, "bool", "object"}
"""Those of which NumPy makes a column; pandas makes the others."""

TYPE_OF_KIND = {
    "f": "numeric",
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "M": "datetime",
}
"""The type of feature that a dtype belongs to, by the dtype's `kind`."""


def read_dtype(dtype: Any) -> str | None:
    """Return the name of a dtype, or of what pandas takes for one; None if pandas knows none."""
    if isinstance(dtype, str) and dtype in NUMPY_DTYPES:
        return dtype
    import pandas as pd  # a model of numbers alone does without

    try:
        known = pd.api.types.pandas_dtype(dtype)
    except Exception:
        # pandas and pyarrow refuse names with exceptions of many kinds.
        return None
    if (
        known.kind == "U"
    ):  # before pandas 3, a column of `str` is one of objects
        return "object"
    name = str(known)
    if name in NUMPY_DTYPES or not isinstance(dtype, str):
        return name
    return dtype


def type_of(name: str) -> str:
    """Return the type of feature that a dtype belongs to: "integer" for int8 and for Int64.

    It is "object" for a column that holds anything.
    """
    if name == "object":
        return name
    import pandas as pd  # a model of numbers alone does without

    dtype = pd.api.types.pandas_dtype(name)
    if dtype.kind in TYPE_OF_KIND:
        return TYPE_OF_KIND[dtype.kind]
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    return "string" if pd.api.types.is_string_dtype(dtype) else name


def holds_missing(name: str) -> bool:
    """Return whether a column of the dtype can hold a missing value."""
    return name in (*FLOATS, "object") or name not in NUMPY_DTYPES


def find_limits(name: str) -> tuple[int, int]:
    """Return the smallest and the largest whole number of the dtype; int64's if it has none."""
    # pandas writes its own as NumPy does, but for a capital letter.
    plain = name.lower()
    if plain == "float16":
        largest = int(find_largest(name))
        return -largest, largest
    limits = np.iinfo(plain if plain in (*SIGNED, *UNSIGNED) else "int64")
    return int(limits.min), int(limits.max)


def find_largest(name: str) -> float:
    """Return the largest number of the dtype; float64's if it is no dtype of decimals."""
    plain = name.lower()
    return float(np.finfo(plain if plain in FLOATS else "float64").max)


def make_column(values: Sequence[Any], name: str) -> Any:
    """Return a column of the dtype, (n_values,); None is a missing value.

    Raises exceptions of any kind for values that the dtype does not hold.
    """
    if name in NUMPY_DTYPES:
        return np.array(values, dtype=name)
    import pandas as pd  # a model of numbers alone does without

    return pd.array(values, dtype=name)


@cache
def text_dtype() -> str:
    """Return the dtype of a column of texts, where nobody names one: `str` since pandas 3."""
    import pandas as pd  # a model of numbers alone does without

    return str(pd.Series(["a"]).dtype)


@cache
def datetime_dtype() -> str:
    """Return the dtype of a column of dates, where nobody names one.

    pandas 3 counts microseconds: `datetime64[us]`; before, it counted nanoseconds.
    """
    import pandas as pd  # a model of numbers alone does without

    return str(pd.to_datetime(["2024-05-31"]).dtype)
