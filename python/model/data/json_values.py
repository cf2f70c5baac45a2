"""Values of columns as JSON has them: null where one is missing, a date as text."""

from datetime import UTC
from typing import Any

import numpy as np

from python.model.data.columns import is_missing, split_columns
from python.model.data.features import Value
from python.model.types import Columns

PLAIN_TYPES = (bool, float, int, str, type(None))
PLAIN_KINDS = "biufU"  # of what NumPy has, and `tolist` makes JSON of


def list_columns(columns: Columns) -> list[list[Value]]:
    """Return the values of each column, (n_rows,), as JSON has them."""
    is_array = isinstance(columns, np.ndarray)
    if is_array and columns.dtype.kind in PLAIN_KINDS:
        values: list[list[Value]] = columns.T.tolist()
        return values
    return [list_values(column) for column in split_columns(columns)]


def list_values(column: Any) -> list[Value]:
    """Return the values of a column, (n_rows,), as JSON has them."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in PLAIN_KINDS:
        values: list[Value] = column.tolist()
        return values
    # The list of an array of datetime64[ns] would be one of integers.
    return [to_json_value(value) for value in column]


def to_json_value(value: Any) -> Value:
    """Return a value of a DataFrame as JSON would have it: None for every kind of missing value.

    A moment in a zone is written in UTC.
    """
    # Nearly all values are of these types.
    if type(value) in PLAIN_TYPES:
        return None if is_missing(value) else value
    if isinstance(value, str):
        return str(value)
    return _read_other(value)


def _read_other(value: Any) -> Value:
    if str(value) in ("nan", "NaT", "<NA>"):
        return None
    if isinstance(value, np.datetime64):
        return str(value)
    if getattr(value, "tzinfo", None) is not None:
        return value.astimezone(UTC).isoformat()
    if hasattr(value, "isoformat"):  # a date, or a date and a time
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
