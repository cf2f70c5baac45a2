"""Numbers: whether decimals were whole numbers or booleans where the estimator was fitted."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.attributes import read_attribute
from python.model.data.columns import is_frame, split_columns, take_rows
from python.model.data.features import Feature
from python.model.data.kinds import EXACT_INTEGERS, Integer, Numeric
from python.model.data.schema import Schema
from python.model.doubts.differences import (
    Difference,
    find_difference,
    predict_all,
)
from python.model.estimator import find_parts
from python.model.types import Columns, Estimator

WHOLE = re.compile(r"-?\d{1,15}")
TRIED_CATEGORIES = 50


def check_whole_numbers(
    estimator: Estimator,
    schema: Schema,
    rows: Columns,
    tables: Mapping[str, Any],
) -> None:
    """Raise ArtifactError for a numeric feature whose whole numbers should have been integers.

    A step that turns a number into text sees "7.0" where it saw "7" in training. Such a step
    would treat all numbers alike that it does not know: so those are tried that an encoder knows.
    Where a table of the artifact is a DataFrame with decimals in that column, there is no doubt.
    """
    known_numbers = _known_numbers(estimator)
    for number, feature in enumerate(schema.features):
        if not _is_doubtful(feature, tables):
            continue
        numbers = known_numbers or _whole_numbers(rows, number)
        difference = _compare_numbers(estimator, rows, number, numbers)
        if difference is not None:
            raise ArtifactError(
                f'feature "{feature.name}": the model predicts {difference.expected} '
                f"for a whole number and {difference.predicted} for the same as a "
                'decimal: write "type": "integer", or "dtype": "float64" if it was '
                "fitted with decimals"
            )


def _is_doubtful(feature: Feature, tables: Mapping[str, Any]) -> bool:
    """Return whether nothing says that the column of a number had decimals."""
    is_usual = feature.type == Numeric.type and feature.dtype is None
    return is_usual and not _has_decimals(tables, feature.name)


def check_booleans(
    estimator: Estimator, schema: Schema, rows: Columns
) -> None:
    """Raise ArtifactError for a number that should have been true or false.

    A step that turns a boolean into text sees "1.0" where it saw "True" in training, and treats
    0 and 1 alike, since it knows neither.
    """
    if not is_frame(rows) and rows.dtype != object:
        return  # an array of numbers holds no booleans
    for number, feature in enumerate(schema.features):
        is_number = feature.type in (Numeric.type, Integer.type)
        if not is_number or feature.dtype is not None:
            continue
        if _is_boolean(estimator, rows, number):
            raise ArtifactError(
                f'feature "{feature.name}": the model predicts the same for 0 and for 1, but '
                'not for false and true: write "type": "boolean"'
            )


def _is_boolean(estimator: Estimator, rows: Columns, number: int) -> bool:
    """Return whether a column tells false from true, and not 0 from 1, in any of the rows."""
    for row in range(len(rows)):
        pair = take_rows(rows, [row, row])
        numbers = _with_numbers(pair, number, np.array([0.0, 1.0]))
        booleans = _with_numbers(pair, number, np.array([False, True]))
        if _tells_apart(estimator, booleans) and not _tells_apart(
            estimator, numbers
        ):
            return True
    return False


def _tells_apart(estimator: Estimator, pair: Columns) -> bool:
    """Return whether the estimator predicts two things for two rows, if it takes them."""
    try:
        outputs = predict_all(estimator, pair)
    except Exception:
        # Made-up numbers may be refused; the rows themselves were predicted.
        return False
    first = [output[:1] for output in outputs]
    second = [output[1:] for output in outputs]
    return find_difference(first, second) is not None


def _has_decimals(tables: Mapping[str, Any], name: str) -> bool:
    for table in tables.values():
        if hasattr(table, "columns") and table[name].dtype.kind == "f":
            return True
    return False


def _known_numbers(estimator: Estimator) -> list[int]:
    """Return the whole numbers, written as texts, that encoders in the estimator know."""
    numbers = []
    for part in find_parts(estimator):
        for categories in read_attribute(part, "categories_") or []:
            texts = map(str, categories[:TRIED_CATEGORIES])
            numbers += [int(text) for text in texts if WHOLE.fullmatch(text)]
    return numbers[:TRIED_CATEGORIES]


def _whole_numbers(rows: Columns, number: int) -> list[int]:
    """Return the numbers in a column, rounded; 1 for each that has no whole number near."""
    numbers = []
    for value in split_columns(rows)[number].tolist():
        is_usual = abs(value) < EXACT_INTEGERS  # NaN is not
        numbers.append(round(value) if is_usual else 1)
    return numbers


def _compare_numbers(
    estimator: Estimator, rows: Columns, number: int, numbers: list[int]
) -> Difference | None:
    """Return the first row in which whole numbers are not the same to the estimator as decimals."""
    tried = take_rows(rows, np.resize(np.arange(len(rows)), len(numbers)))
    floats = np.array(numbers, dtype=float)
    try:
        as_floats = predict_all(
            estimator, _with_numbers(tried, number, floats)
        )
        as_integers = predict_all(
            estimator, _with_numbers(tried, number, floats.astype(np.int64))
        )
    except Exception:
        # These numbers may be refused; the rows themselves were predicted.
        return None
    return find_difference(as_integers, as_floats)


def _with_numbers(
    rows: Columns, number: int, numbers: NDArray[Any]
) -> Columns:
    """Return the rows with other numbers in a column.

    An array has one type: whole numbers remain such where all the others are, too.
    """
    changed = rows.copy()
    if is_frame(rows):
        changed.isetitem(number, numbers)
        return changed
    if rows.dtype != object and numbers.dtype.kind == "i":
        changed = np.nan_to_num(rows).astype(np.int64)
    elif rows.dtype != object:
        changed = np.nan_to_num(rows).astype(np.int64).astype(float)
    changed[:, number] = numbers
    return changed
