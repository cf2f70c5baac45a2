"""Columns, be they a matrix or a DataFrame: what the room does to both alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows(columns: Any, start: int, stop: int) -> Any:
    """The rows from `start` up to `stop`, in the same form."""
    return columns.iloc[start:stop] if hasattr(columns, "iloc") else columns[start:stop]


def taken(columns: Any, order: Any) -> Any:
    """The rows whose numbers `order` lists, in the same form."""
    return columns.iloc[order] if hasattr(columns, "iloc") else columns[order]


def replaced(columns: Any, number: int, source: Any) -> Any:
    """A copy in which the column `number` is that of `source`, which has as many rows."""
    copy = columns.copy()
    if hasattr(columns, "iloc"):
        copy[copy.columns[number]] = source.iloc[:, number].array
    else:
        copy[:, number] = source[:, number]
    return copy


def missing(values: Any) -> Any:
    """Where a value, or each one of an array of any kind, is NaN."""
    return values != values  # noqa: PLR0124  (nothing else differs from itself, and objects have no isnan)


def stacked(first: Any, second: Any) -> Any:
    """The rows of both, in the same form."""
    if not hasattr(first, "iloc"):
        return np.concatenate([first, second])
    import pandas as pd  # the columns are a DataFrame

    return pd.concat([first, second], ignore_index=True)


def picked(columns: Any, places: NDArray[np.intp]) -> Any:
    """Rows put together from the values of others: in each column those of the rows that `places`, of its shape, names."""
    if not hasattr(columns, "iloc"):
        return columns[places, np.arange(columns.shape[1])]
    import pandas as pd  # the columns are a DataFrame

    return pd.DataFrame(
        {
            name: columns[name].array.take(place)
            for name, place in zip(columns, places.T, strict=True)
        }
    )


def by_column(columns: Any) -> list[Any]:
    """The columns one by one, (n_records,) each, with their own types."""
    return (
        [columns.iloc[:, n] for n in range(columns.shape[1])]
        if hasattr(columns, "iloc")
        else list(columns.T)
    )


def dense(columns: Any) -> Any:
    """The same columns, a sparse matrix as an array."""
    return columns.toarray() if hasattr(columns, "toarray") else columns


def as_matrix(columns: Any) -> NDArray[Any]:
    """The values alone, (n_records, n_columns)."""
    # np.asarray costs a DataFrame of one row 50 microseconds, its own method 2.
    return columns.to_numpy() if hasattr(columns, "to_numpy") else np.asarray(dense(columns))
