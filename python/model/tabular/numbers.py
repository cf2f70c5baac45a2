"""Numbers: rows of numbers alone, read at once where nothing about them is in doubt.

To make a Python object of each cell takes ten times as long. What is in doubt is left to `sheets`,
which finds the faults.
"""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any, NamedTuple

import numpy as np

from python.model.data.kinds import Numeric
from python.model.data.records import NumberRecords
from python.model.data.schema import Schema
from python.model.tabular.layouts import Header, Layout
from python.model.types import Matrix

# pandas takes a millisecond to begin.
MIN_CHARACTERS = 100_000
EXACT_SINCE = (3, 1)
DOUBTFUL = ('"', "\r", "\n\n")


class NumberSheet(NamedTuple):
    """Records of numbers, and the texts of other columns that stood beside them, by name."""

    records: NumberRecords
    texts: dict[str, list[str]]


def read_numbers(
    text: str, header: Header, layout: Layout, others: Sequence[str] = ()
) -> NumberSheet | None:
    """Return the rows of a CSV text; None unless each cell of a feature is a number or empty.

    Each row has a line of its own, and as many cells as the header. `others` names columns that
    are no features, of which the texts are returned.
    """
    columns = Columns(header, layout, others)
    is_worth_it = len(text) >= MIN_CHARACTERS and are_numbers(layout.schema)
    if not is_worth_it or not _is_plain(text, columns):
        return None
    table = _parse(text, columns)
    if table is None or len(table) != _count_lines(text):
        return None
    records = take_numbers(layout.schema, _take_columns(table, layout))
    # Only an empty cell is a missing number.
    if records is None or (records.has_gaps and "nan" in text.lower()):
        return None
    texts = {}
    for name in others:
        texts[name] = table[header.names.index(name)].tolist()
    return NumberSheet(records, texts)


class Columns(NamedTuple):
    """Which columns of a CSV text are read: those of the features, and others as texts."""

    header: Header
    layout: Layout
    others: Sequence[str]

    def list_dtypes(self) -> dict[int, type]:
        """Return the type of each column that is read, by its position."""
        dtypes: dict[int, type] = {}
        for position in self.layout.positions:
            if position is not None:
                dtypes[position] = float
        for name in self.others:
            dtypes[self.header.names.index(name)] = object
        return dtypes


def _is_plain(text: str, columns: Columns) -> bool:
    """Return whether each row has a line of its own, and as many cells as the header."""
    if any(name in columns.layout.schema.names for name in columns.others):
        return False  # it would be read twice
    if any(characters in text for characters in DOUBTFUL):
        return False
    # pandas would fill a row that is too short.
    n_separators = _count_lines(text) * (columns.layout.n_columns - 1)
    is_regular = text.count(columns.header.separator) == n_separators
    return is_regular and not text.startswith("\n")


def _count_lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n"))


def _parse(text: str, columns: Columns) -> Any:
    """Return a DataFrame whose columns are called by their positions; None for other texts."""
    import pandas as pd  # a model of numbers alone does without

    dtypes = columns.list_dtypes()
    gaps = {}
    for position, dtype in dtypes.items():
        gaps[position] = [""] if dtype is float else []
    try:
        return pd.read_csv(
            StringIO(text),
            sep=columns.header.separator,
            header=None,
            usecols=list(dtypes),
            dtype=dtypes,
            keep_default_na=False,
            na_values=gaps,
            quoting=csv.QUOTE_NONE,
            **_exact(pd.__version__),
        )
    except ValueError:
        return None


def _exact(version: str) -> dict[str, str]:
    """Return what lets pandas read a number as Python does, to the last bit, be it the default."""
    major, minor = version.split(".")[:2]
    if (int(major), int(minor)) >= EXACT_SINCE:
        return {}
    return {"float_precision": "round_trip"}


def _take_columns(table: Any, layout: Layout) -> list[Matrix]:
    """Return the column of each feature, of NaN where it has none."""
    columns = []
    for position in layout.positions:
        if position is None:
            columns.append(np.full(len(table), np.nan))
        else:
            columns.append(table[position].to_numpy())
    return columns


def are_numbers(schema: Schema) -> bool:
    """Return whether every float64 number fits each feature."""
    return schema.is_float and all(
        type(feature) is Numeric for feature in schema.features
    )


def take_numbers(
    schema: Schema, columns: Sequence[Matrix]
) -> NumberRecords | None:
    """Return the records of such columns, (n_records,) each, of float64 with NaN for missing.

    It is None where a number does not fit.
    """
    if not are_numbers(schema):
        return None
    for feature, column in zip(schema.features, columns, strict=True):
        if np.isinf(column).any():
            return None
        if not feature.optional and np.isnan(column).any():
            return None
    return NumberRecords(schema, np.column_stack(columns))
