"""Doubts: what the metadata may say wrongly, tried on the estimator before it serves.

The estimator's own predictions for the rows that it was trained with are the truth. Whatever
changes them on the way through the schema is a fault of the artifact, said with its cure.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.data.columns import is_frame, with_column
from python.model.data.features import Feature
from python.model.data.forms import Form
from python.model.data.kinds import Numeric, String
from python.model.data.samples import to_json_value
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.refusals import accepts
from python.model.types import Columns, Estimator

RELATIVE = 1e-9
METHODS = ("predict_proba", "predict")
TYPE_OF_DTYPE_KIND = {
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "M": "datetime",
}


class Difference(NamedTuple):
    """A row for which an estimator predicts two things."""

    row: int
    expected: Any
    predicted: Any


def predict_all(estimator: Estimator, columns: Columns) -> list[NDArray[Any]]:
    """Return the estimator's probabilities, if it has some, and its labels or numbers."""
    outputs = []
    for method in METHODS:
        if hasattr(estimator, method):
            outputs.append(np.asarray(getattr(estimator, method)(columns)))
    return outputs


def find_difference(
    expected: list[NDArray[Any]], predicted: list[NDArray[Any]]
) -> Difference | None:
    """Return the first row in which any of the outputs differ; None if they are the same."""
    for first, second in zip(expected, predicted, strict=True):
        if first.shape != second.shape:
            return Difference(0, first[:1].tolist(), second[:1].tolist())
        for row in np.flatnonzero(~_same_rows(first, second)):
            return Difference(
                int(row), first[row].tolist(), second[row].tolist()
            )
    return None


def _same_rows(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        same = np.isclose(first, second, RELATIVE, RELATIVE, equal_nan=True)
    else:
        same = np.asarray(first == second, dtype=bool)
    all_same: NDArray[np.bool_] = same.reshape(len(first), -1).all(axis=1)
    return all_same


def check_whole_numbers(
    estimator: Estimator, schema: Schema, rows: Columns
) -> None:
    """Raise ArtifactError for a numeric feature whose whole numbers should have been integers.

    A step that turns a number into text sees "7.0" where it saw "7" in training.
    """
    if not is_frame(rows):
        return
    for number, feature in enumerate(schema.features):
        if feature.type != Numeric.type or feature.dtype is not None:
            continue
        floats = rows.iloc[:, number].to_numpy().round()
        if not np.isfinite(floats).all() or (np.abs(floats) > 2**53).any():
            continue
        difference = _compare_columns(estimator, rows, number, floats)
        if difference is not None:
            raise ArtifactError(
                f'feature "{feature.name}": the model predicts {difference.expected} '
                f"for a whole number and {difference.predicted} for the same as a "
                'decimal: write "type": "integer", or "dtype": "float64" if it was '
                "fitted with decimals"
            )


def _compare_columns(
    estimator: Estimator, rows: Columns, number: int, floats: NDArray[Any]
) -> Difference | None:
    name = rows.columns[number]
    try:
        as_floats = predict_all(estimator, rows.assign(**{name: floats}))
        integers = floats.astype(np.int64)
        as_integers = predict_all(estimator, rows.assign(**{name: integers}))
    except Exception:
        # The rounded numbers may be refused; the rows themselves were predicted.
        return None
    return find_difference(as_integers, as_floats)


def find_missing_values(
    estimator: Estimator,
    schema: Schema,
    row: Columns,
    markers: dict[str, set[Any]],
) -> dict[str, Any]:
    """Return for each text that may be missing what stands for that: NaN or None.

    `markers` has what stands for it in the samples. Raises ArtifactError where the estimator
    predicts two different things, and nothing says which of them it was fitted with.
    """
    values = {}
    for number, feature in enumerate(schema.features):
        if not isinstance(feature, String) or not feature.accepts_missing:
            continue
        if feature.default is None and feature.dtype is None:
            value = _missing_value(estimator, feature, number, row, markers)
            values[feature.name] = value
    return values


def _missing_value(
    estimator: Estimator,
    feature: Feature,
    number: int,
    row: Columns,
    markers: dict[str, set[Any]],
) -> Any:
    def predict(columns: Columns) -> list[NDArray[Any]]:
        return predict_all(estimator, columns)

    with_nan = _with_value(row, number, np.nan)
    with_none = _with_value(row, number, None)
    if not accepts(predict, with_none):
        return np.nan
    if not accepts(predict, with_nan):
        return None
    if find_difference(predict(with_nan), predict(with_none)) is None:
        return np.nan
    seen = markers.get(feature.name, set())
    if len(seen) == 1:
        return next(iter(seen))
    raise ArtifactError(
        f'feature "{feature.name}": the model predicts two different things for None and '
        "for NaN, and nothing says with which it was fitted: put samples into the file "
        "that have such a row"
    )


def _with_value(row: Columns, number: int, value: Any) -> Columns:
    source = row.copy()
    if is_frame(row):
        source.isetitem(number, np.array([value], dtype=object))
    else:
        source[:, number] = value
    return with_column(row, number, source)


def check_samples_as_they_are(
    estimator: Estimator, schema: Schema, samples: Any, form: Form
) -> None:
    """Raise ArtifactError if the estimator predicts something else for a DataFrame of samples.

    The samples are given to it as they are, and through the schema.
    """
    if not hasattr(samples, "columns"):
        return
    frame = samples[schema.names]
    as_they_are = frame if schema.named else frame.to_numpy()
    rows = [
        tuple(map(to_json_value, row)) for row in frame.itertuples(index=False)
    ]
    try:
        expected = predict_all(estimator, form(as_they_are))
    except Exception:
        # It was fitted with something else; its own predictions are not to be had here.
        return
    predicted = predict_all(estimator, form(schema.columns(rows)))
    difference = find_difference(expected, predicted)
    if difference is None:
        return
    row, wanted, got = difference
    advice = _dtype_advice(schema, frame)
    raise ArtifactError(
        f"samples, row {row}: the model predicts {wanted} for the row as it is, "
        f"and {got} for its values as the metadata describes them{advice}"
    )


def _dtype_advice(schema: Schema, frame: Any) -> str:
    """Return which features have another dtype in the samples, and what to write."""
    advice = []
    columns = schema.columns([schema.row(schema.example())])
    for feature in schema.features:
        dtype = str(frame[feature.name].dtype)
        if is_frame(columns) and str(columns[feature.name].dtype) != dtype:
            kind = TYPE_OF_DTYPE_KIND.get(frame[feature.name].dtype.kind)
            hint = f'"type": "{kind}"' if kind else f'"dtype": "{dtype}"'
            advice.append(f"{shorten(feature.name)} is {dtype} there: {hint}")
    return "; " + ", ".join(advice) if advice else ""
