"""Doubts: what the metadata may say wrongly, tried on the estimator before it serves.

The estimator's own predictions for the rows that it was trained with are the truth. Whatever
changes them on the way through the schema is a fault of the artifact, said with its cure.
"""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.attributes import read_attribute
from python.model.data.columns import is_frame, split_columns, take_rows
from python.model.data.dtypes import type_of
from python.model.data.features import Feature
from python.model.data.kinds import EXACT_INTEGERS, Numeric
from python.model.data.samples import read_samples
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.estimator import find_parts
from python.model.types import Columns, Estimator

TOLERANCE = 1e-9
FLOAT32_TOLERANCE = 1e-6
METHODS = ("predict_proba", "predict")
WHOLE = re.compile(r"-?\d{1,15}")
TRIED_CATEGORIES = 50


class Difference(NamedTuple):
    """A row for which an estimator predicts two things."""

    row: int
    expected: Any
    predicted: Any


def predict_all(estimator: Estimator, columns: Columns) -> list[NDArray[Any]]:
    """Return the estimator's probabilities, if it has some, and its labels or numbers."""
    outputs = []
    for method in METHODS:
        compute = read_attribute(estimator, method)
        if compute is not None:
            outputs += _tables(compute(columns))
    return outputs


def _tables(output: Any) -> list[NDArray[Any]]:
    """Return an output as an array, or as one for each where there are probabilities of several."""
    if isinstance(output, list) and np.ndim(output[0]) == 2:
        return [np.asarray(table) for table in output]
    return [np.asarray(output)]


def find_difference(
    expected: list[NDArray[Any]],
    predicted: list[NDArray[Any]],
    tolerance: float = TOLERANCE,
) -> Difference | None:
    """Return the first row in which any of the outputs differ; None if they are the same."""
    for first, second in zip(expected, predicted, strict=True):
        row = 0
        if first.shape == second.shape:
            is_same = _same_rows(first, second, tolerance)
            different = np.flatnonzero(~is_same).tolist()
            if not different:
                continue
            row = different[0]
        return Difference(row, first.tolist()[row], second.tolist()[row])
    return None


def _same_rows(
    first: NDArray[Any], second: NDArray[Any], tolerance: float
) -> NDArray[np.bool_]:
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        same = np.isclose(first, second, tolerance, tolerance, equal_nan=True)
    else:
        same = np.asarray(first == second, dtype=bool)
    all_same: NDArray[np.bool_] = same.reshape(len(first), -1).all(axis=1)
    return all_same


def check_whole_numbers(
    estimator: Estimator, schema: Schema, rows: Columns, samples: Any
) -> None:
    """Raise ArtifactError for a numeric feature whose whole numbers should have been integers.

    A step that turns a number into text sees "7.0" where it saw "7" in training. Such a step
    would treat all numbers alike that it does not know: so those are tried that an encoder knows.
    Where the samples are a DataFrame with decimals in that column, there is no doubt.
    """
    known_numbers = _known_numbers(estimator)
    for number, feature in enumerate(schema.features):
        is_usual = feature.type == Numeric.type and feature.dtype is None
        if not is_usual or _has_decimals(samples, feature.name):
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


def _has_decimals(samples: Any, name: str) -> bool:
    if not hasattr(samples, "columns"):
        return False
    is_float: bool = samples[name].dtype.kind == "f"
    return is_float


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


def check_samples_as_they_are(
    estimator: Estimator, schema: Schema, samples: Any
) -> None:
    """Raise ArtifactError if the estimator predicts something else for a DataFrame of samples.

    The samples are given to it as they are, and through the schema.
    """
    if not hasattr(samples, "columns"):
        return
    frame = samples[schema.names]
    as_they_are = frame if schema.named else frame.to_numpy()
    try:
        expected = predict_all(estimator, as_they_are)
    except Exception:
        # It was fitted with something else; its own predictions are not to be had here.
        return
    rows = read_samples(schema, samples)
    predicted = predict_all(estimator, schema.columns(rows))
    # Estimators compute in the precision of the columns.
    has_float32 = "float32" in map(str, frame.dtypes)
    tolerance = FLOAT32_TOLERANCE if has_float32 else TOLERANCE
    difference = find_difference(expected, predicted, tolerance)
    if difference is not None:
        advice = _dtype_advice(schema, frame)
        raise ArtifactError(
            f"samples, row {difference.row}: the model predicts {difference.expected} "
            f"for the row as it is, and {difference.predicted} for its values as the "
            f"metadata describes them{advice}"
        )


def _dtype_advice(schema: Schema, frame: Any) -> str:
    """Return which features have another dtype in the samples, and what to write."""
    columns = schema.columns([schema.row(schema.example())])
    if not is_frame(columns):
        return ""
    advice = ""
    for feature in schema.features:
        dtype = str(frame[feature.name].dtype)
        if str(columns[feature.name].dtype) != dtype:
            hint = _dtype_hint(feature, dtype)
            advice += f"; {shorten(feature.name)} is {dtype} there: {hint}"
    return advice


def _dtype_hint(feature: Feature, dtype: str) -> str:
    own_type = type_of(dtype)
    if own_type in ("object", feature.type):
        return f'"dtype": "{dtype}"'
    return f'"type": "{own_type}"'
