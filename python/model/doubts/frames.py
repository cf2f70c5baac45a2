"""The frames of an artifact: the estimator predicts them as they are, and as the metadata say.

The estimator's own predictions for the rows that it was fitted with are the truth.
"""

from collections.abc import Mapping
from typing import Any

from python.errors import ArtifactError
from python.model.data.columns import is_frame
from python.model.data.dtypes import type_of
from python.model.data.features import Feature
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.data.tables import read_table
from python.model.doubts.differences import (
    TOLERANCE,
    find_difference,
    predict_all,
)
from python.model.types import Estimator

FLOAT32_TOLERANCE = 1e-6


def check_frames(
    estimator: Estimator, schema: Schema, tables: Mapping[str, Any]
) -> None:
    """Raise ArtifactError if the estimator predicts something else for a DataFrame as it is.

    Its rows are given to the estimator as they are, and through the schema.
    """
    for name, table in tables.items():
        if hasattr(table, "columns"):
            _check_frame(estimator, schema, table[schema.names], name)


def _check_frame(
    estimator: Estimator, schema: Schema, frame: Any, name: str
) -> None:
    as_they_are = frame if schema.named else frame.to_numpy()
    try:
        expected = predict_all(estimator, as_they_are)
    except Exception:
        # It was fitted with something else; its own predictions are not to be had here.
        return
    rows = read_table(schema, frame, name)
    predicted = predict_all(estimator, schema.columns(rows))
    # Estimators compute in the precision of the columns.
    has_float32 = "float32" in map(str, frame.dtypes)
    tolerance = FLOAT32_TOLERANCE if has_float32 else TOLERANCE
    difference = find_difference(expected, predicted, tolerance)
    if difference is not None:
        advice = _dtype_advice(schema, frame)
        raise ArtifactError(
            f"{name}, row {difference.row}: the model predicts {difference.expected} "
            f"for the row as it is, and {difference.predicted} for its values as the "
            f"metadata describes them{advice}"
        )


def _dtype_advice(schema: Schema, frame: Any) -> str:
    """Return which features have another dtype in the frame, and what to write."""
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
