"""The samples of an artifact: the estimator predicts them as they are, and as the metadata say.

The estimator's own predictions for the rows that it was fitted with are the truth. Examples bring
a truth of their own.
"""

from datetime import date, datetime
from typing import Any

from python.errors import ArtifactError
from python.model.data.columns import is_frame, slice_rows
from python.model.data.dtypes import type_of
from python.model.data.features import Feature
from python.model.data.kinds import Datetime
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.doubts.differences import (
    Outputs,
    find_difference,
    predict_all,
)
from python.model.doubts.noise import (
    MAX_ALONE,
    TOLERANCE,
    find_noise,
    float32_tolerance,
)
from python.model.types import Columns, Estimator

SHOWN_DATES = 100
ORDERED = "an ordered category"


def check_samples(
    estimator: Estimator, schema: Schema, samples: Any, columns: Columns
) -> None:
    """Raise ArtifactError if the estimator predicts something else for a DataFrame as it is.

    `columns` are what the schema makes of the samples.
    """
    if not hasattr(samples, "columns"):
        return
    frame = samples[schema.names]
    try:
        filled = _fill_gaps(schema, frame)
        as_they_are = filled if schema.named else filled.to_numpy()
        expected = predict_all(estimator, as_they_are)
        tolerance = _find_tolerance(estimator, as_they_are, expected)
    except Exception:
        # It was fitted with something else; its own predictions are not to be had here.
        return
    predicted = predict_all(estimator, columns)
    difference = find_difference(expected, predicted, tolerance)
    if difference is not None:
        raise ArtifactError(
            f"samples, row {difference.row}: the model predicts {difference.expected} "
            f"for the row as it is, and {difference.predicted} for its values as the "
            f"metadata describes them{advise_dtypes(schema, frame)}"
        )


def _fill_gaps(schema: Schema, frame: Any) -> Any:
    """Return the frame with the default of each feature in place of its gaps, as in a request."""
    filled = frame.copy()
    for feature in schema.features:
        column = frame[feature.name]
        if feature.default is not None and column.isna().any():
            default = feature.column([feature.default])[0]
            filled[feature.name] = column.where(column.notna(), default)
    return filled


def _find_tolerance(
    estimator: Estimator, rows: Columns, together: Outputs
) -> float:
    """Return how far numbers may differ: further where a column is one of float32.

    Then the first rows are predicted alone, too, which shows the noise.
    """
    # Estimators compute in the precision of the columns.
    if not _has_float32(rows):
        return TOLERANCE
    noise = 0.0
    for number in range(min(len(rows), MAX_ALONE)):
        row = slice_rows(rows, number, number + 1)
        alone = predict_all(estimator, row)
        for method, output in together.items():
            same_row = output[number : number + 1]
            noise = max(noise, find_noise(same_row, alone[method]))
    return float32_tolerance(noise)


def _has_float32(columns: Columns) -> bool:
    dtypes = columns.dtypes if is_frame(columns) else [columns.dtype]
    return "float32" in map(str, dtypes)


def advise_dtypes(schema: Schema, frame: Any) -> str:
    """Return which features have another dtype in the frame, and what to write."""
    columns = schema.columns([schema.row(schema.example())])
    if not is_frame(columns):
        return ""
    advice = ""
    for feature in schema.features:
        name = feature.name
        dtype = _name_dtype(frame[name])
        if isinstance(feature, Datetime) and _has_dates(frame[name]):
            advice += (
                f"; {shorten(name)} has objects of datetime.date there, which no request brings: "
                "fit the model with pd.to_datetime of the column"
            )
        elif _name_dtype(columns[name]) != dtype:
            hint = _dtype_hint(feature, dtype)
            advice += f"; {shorten(name)} is {dtype} there: {hint}"
    return advice


def _name_dtype(column: Any) -> str:
    """Return what pandas calls the dtype of a column; it does not say that one is ordered."""
    is_ordered = getattr(column.dtype, "ordered", None) is True
    return ORDERED if is_ordered else str(column.dtype)


def _has_dates(column: Any) -> bool:
    """Return whether there are dates without a time, which pandas keeps as objects."""
    for value in column[:SHOWN_DATES]:
        if isinstance(value, date) and not isinstance(value, datetime):
            return True
    return False


def _dtype_hint(feature: Feature, dtype: str) -> str:
    if dtype == ORDERED:
        return '"type": "category", "ordered": True'
    own_type = type_of(dtype)
    if own_type in ("object", feature.type):
        return f'"dtype": "{dtype}"'
    return f'"type": "{own_type}"'
