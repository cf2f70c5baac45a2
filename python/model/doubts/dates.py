"""Dates: the unit in which a column counts, where the metadata say none and it matters."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.data.columns import is_frame, take_rows
from python.model.data.kinds import Datetime
from python.model.data.schema import Schema
from python.model.doubts.differences import (
    Difference,
    find_difference,
    predict_all,
)
from python.model.types import Columns, Estimator

OTHER_UNITS = ("ns", "us", "s")
# Whatever a tree compares them with: in another unit, some of them are on the other side of it.
DATES = (
    "1700-01-01",
    "1950-05-05T05:05",
    "1990-09-09",
    "2005-05-25T12:00",
    "2015-10-05",
    "2025-02-15T18:30",
    "2050-01-01",
    "2250-12-31",
)


def check_units(
    estimator: Estimator,
    schema: Schema,
    rows: Columns,
    tables: Mapping[str, Any],
) -> None:
    """Raise ArtifactError for dates whose unit changes what the estimator predicts.

    A step that makes an integer of a date sees the number of these units since 1970.
    Where the metadata name a dtype, or a table of the artifact has a column of dates, there is no
    doubt.
    """
    if not is_frame(rows):
        return  # of dates, an array holds objects, which have no unit
    for number, feature in _doubtful_features(schema, tables):
        for unit in OTHER_UNITS:
            dtype = f"datetime64[{unit}]"
            other = replace(feature, dtype=dtype)
            difference = _compare(estimator, rows, number, (feature, other))
            if difference is not None:
                raise ArtifactError(
                    f'feature "{feature.name}": the model predicts {difference.expected} for '
                    f"a date in {feature.column_dtype} and {difference.predicted} for the "
                    f"same in {dtype}: write the dtype of the column that it was fitted with, "
                    f'such as "dtype": "{dtype}"'
                )


def _doubtful_features(
    schema: Schema, tables: Mapping[str, Any]
) -> Iterator[tuple[int, Datetime]]:
    """Yield the number of each feature of which nothing says the unit, and the feature."""
    for number, feature in enumerate(schema.features):
        if not isinstance(feature, Datetime) or feature.dtype is not None:
            continue
        if not _has_dates(tables, feature.name):
            yield number, feature


def _has_dates(tables: Mapping[str, Any], name: str) -> bool:
    for table in tables.values():
        if hasattr(table, "columns") and table[name].dtype.kind == "M":
            return True
    return False


def _compare(
    estimator: Estimator,
    rows: Columns,
    number: int,
    features: tuple[Datetime, Datetime],
) -> Difference | None:
    """Return the first row that is predicted otherwise with a column of the second feature."""
    tried = take_rows(rows, np.resize(np.arange(len(rows)), len(DATES)))
    outputs = []
    for feature in features:
        columns = tried.copy()
        columns.isetitem(number, feature.column(DATES))
        try:
            outputs.append(predict_all(estimator, columns))
        except Exception:
            # These dates may be refused; the rows themselves were predicted.
            return None
    expected, predicted = outputs
    return find_difference(expected, predicted)
