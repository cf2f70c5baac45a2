"""Columns, be they an array or a DataFrame: the operations that the room needs on both alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.types import Columns

Rows = NDArray[np.intp]

# Those dtypes of NumPy: truth values, whole numbers, and others.
NUMBERS = "biuf"


def is_frame(columns: Columns) -> bool:
    """Return whether the columns are a DataFrame."""
    return hasattr(columns, "iloc")


def slice_rows(
    columns: Columns,
    start: int,
    stop: int,
) -> Columns:
    """Return the rows from `start` up to `stop`, in the same form."""
    if is_frame(columns):
        return columns.iloc[start:stop]
    return columns[start:stop]


def take_rows(columns: Columns, rows: Sequence[int] | Rows) -> Columns:
    """Return the rows with these numbers, in their order and in the same form."""
    if is_frame(columns):
        return columns.iloc[rows]
    return columns[rows]


def find_complete_rows(columns: Columns) -> Rows:
    """Return the numbers of the rows that lack no value."""
    if is_frame(columns):
        lacks_value = columns.isna().to_numpy()
    elif columns.dtype == object:
        import pandas as pd  # only pandas makes an array of objects here

        lacks_value = pd.isna(columns)
    else:
        lacks_value = is_missing(columns)
    return np.flatnonzero(~lacks_value.any(axis=1))


def stack_rows(first: Columns, second: Columns) -> Columns:
    """Return the rows of both, which have the same form, the `first` before the `second`."""
    if not is_frame(first):
        return np.concatenate([first, second])
    import pandas as pd  # the columns are a DataFrame

    return pd.concat([first, second], ignore_index=True)


def with_column(
    columns: Columns,
    number: int,
    source: Columns,
) -> Columns:
    """Return a copy whose column `number` is that of `source`, which has as many rows."""
    if is_frame(columns):
        copy = columns.copy()
        column = source.iloc[:, number].set_axis(copy.index)
        copy.isetitem(number, column)
        return copy
    # An array of whole numbers has no room for a missing one.
    dtype = np.result_type(columns, source)
    array = columns.astype(dtype)
    array[:, number] = source[:, number]
    return array


def mix_rows(columns: Columns, rows: Rows) -> Columns:
    """Return rows put together from the values of others.

    `rows`, (n_mixed, n_columns), has for each value the number of the row that it comes from.
    With the rows `[[1, 2], [3, 4]]`, the numbers `[[0, 1]]` give `[[1, 4]]`.
    """
    if not is_frame(columns):
        numbers = np.arange(columns.shape[1])
        return columns[rows, numbers]
    if _is_of_numbers(columns):
        return _mix_numbers(columns, rows)
    import pandas as pd  # the columns are a DataFrame

    mixed = {}
    by_column = zip(columns.items(), rows.T, strict=True)
    for (name, column), sources in by_column:
        if _is_number(column.dtype):
            values = column.to_numpy()[sources]
        else:
            values = column.array.take(sources)
        if column.dtype == object:
            # As a Series, it stays one of objects: a DataFrame makes texts of texts.
            values = pd.Series(values, dtype=object)
        mixed[name] = values
    return pd.DataFrame(mixed)


def _is_number(dtype: Any) -> bool:
    """Return whether a dtype is one of NumPy's for numbers, and none of pandas."""
    return isinstance(dtype, np.dtype) and dtype.kind in NUMBERS


def _is_of_numbers(frame: Columns) -> bool:
    """Return whether all columns have the same dtype, one of NumPy's for numbers."""
    # To compare others may take long: a categorical one looks at all its categories.
    dtypes = list(frame.dtypes)
    return all(map(_is_number, dtypes)) and len(set(dtypes)) == 1


def _mix_numbers(columns: Columns, rows: Rows) -> Columns:
    """Do the same for a DataFrame that is one array of numbers.

    Column by column, 300 of them take a hundred times as long, and pandas keeps other threads
    waiting meanwhile.
    """
    import pandas as pd  # the columns are a DataFrame

    values = columns.to_numpy().T
    # pandas has the values of a column side by side, and estimators may add up in that order.
    mixed = np.empty((len(values), len(rows)), dtype=values.dtype)
    for into, column, sources in zip(mixed, values, rows.T, strict=True):
        into[:] = column[sources]
    return pd.DataFrame(mixed.T, columns=columns.columns, copy=False)


def split_columns(columns: Any) -> list[Any]:
    """Return the columns one by one, (n_rows,) each, with their own types.

    A step may have made a DataFrame of polars of them, or a list.
    """
    if is_frame(columns):
        return [column for _, column in columns.items()]
    if hasattr(columns, "get_columns"):  # polars
        return [column.to_numpy() for column in columns.get_columns()]
    array = np.asarray(columns)
    return list(array.T) if array.ndim > 1 else [array]


def count_columns(columns: Any) -> int:
    """Return how many columns there are, of a sparse matrix too."""
    if hasattr(columns, "toarray"):
        n_columns: int = columns.shape[1]
        return n_columns
    return len(split_columns(columns))


def is_missing(values: Any) -> Any:
    """Return whether a value is NaN; for an array of any type, an array of booleans."""
    return values != values  # noqa: PLR0124  (only NaN differs from itself; objects have no isnan)


def to_dense(columns: Any) -> Any:
    """Return the same columns, a sparse matrix as an array."""
    if hasattr(columns, "toarray"):
        return columns.toarray()
    return columns


def to_array(columns: Any) -> NDArray[Any]:
    """Return the values alone, (n_rows, n_columns)."""
    # np.asarray takes 50 microseconds for a DataFrame of one row, its own method 2.
    if hasattr(columns, "to_numpy"):
        array: NDArray[Any] = columns.to_numpy()
        return array
    return np.asarray(to_dense(columns))
