"""Probes: rows on which an estimator is tried before it serves.

The background of an artifact is read here too, since the probes are drawn from it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.data.columns import (
    slice_rows,
    stack_rows,
    take_rows,
    with_column,
)
from python.model.data.features import Category, Feature, Numeric, Value
from python.model.data.schema import Row, Schema
from python.model.refusals import Call, accepts, refused_rows
from python.model.types import Columns

MADE_UP_ROWS = 12
SAMPLE_ROWS = 12
MISSING_SHARE = 0.25
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0, 10.0, -10.0, 100.0, 1000.0)
MESSAGE_CHARACTERS = 300


def read_samples(schema: Schema, samples: Any) -> Columns | None:
    """Return the artifact's `samples`, a DataFrame or a list of records, as columns.

    None if there are none. Raises ArtifactError for the first value that does not fit its feature.
    """
    if samples is None:
        return None
    records = (
        samples.to_dict("records") if hasattr(samples, "columns") else samples
    )
    listed = list(records) if isinstance(records, Iterable) else []
    if not listed:
        raise ArtifactError(
            "samples must be a DataFrame or a list of records, and not empty"
        )
    tolerant = schema.tolerant()
    rows = []
    for number, record in enumerate(listed):
        rows.append(_sample_row(tolerant, record, number))
    return tolerant.columns(rows)


def _sample_row(
    schema: Schema,
    record: Any,
    number: int,
) -> Row:
    if not isinstance(record, Mapping):
        raise ArtifactError(f"samples, row {number}: expected a record")
    row = []
    for feature in schema.features:
        if feature.name not in record:
            raise ArtifactError(
                f'samples, row {number}: no value for "{feature.name}"'
            )
        row.append(_json_value(record[feature.name]))
    for feature, value in zip(schema.features, row, strict=True):
        fault = feature.fault(value)
        if fault is not None:
            raise ArtifactError(
                f'samples, row {number}, "{feature.name}": {fault}'
            )
    return tuple(row)


def _json_value(value: Any) -> Value:
    """Return a value of a DataFrame as JSON would have it: None for every kind of missing value."""
    if isinstance(value, str):
        return value
    if str(value) in ("nan", "NaT", "<NA>"):
        return None
    return value.item() if isinstance(value, np.generic) else value


def first_row(
    predict: Call,
    schema: Schema,
    samples: Columns | None,
) -> Columns:
    """Return one row that the estimator takes: the first sample, or one made up from the metadata.

    Raises ArtifactError if it does not take that row, or predicts another number of rows.
    """
    example = schema.example()
    if samples is None:
        row = schema.columns([schema.row(example)])
        origin = f"made up from the metadata, {example}"
        advice = "; defaults or samples that it takes would help"
    else:
        row = slice_rows(samples, 0, 1)
        origin = "of the samples"
        advice = ""
    try:
        prediction = np.asarray(predict(row))
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        message = " ".join(str(error).split())[:MESSAGE_CHARACTERS]
        reason = f"{type(error).__name__}: {message}{advice}"
        raise ArtifactError(
            f"the model cannot predict the first row {origin}: {reason}"
        ) from error
    if prediction.shape[:1] != (1,):
        shape = prediction.shape
        raise ArtifactError(
            f"the model predicts an answer of shape {shape} for one row"
        )
    return row


def find_accepts_missing(
    predict: Call,
    schema: Schema,
    row: Columns,
) -> Schema:
    """Return the schema with every `accepts_missing` settled.

    Where the metadata leaves it unsaid, it is whether the estimator takes `row` without that value.
    """
    unsaid = []
    for number, feature in enumerate(schema.features):
        is_said = feature.accepts_missing is not None
        if not is_said and feature.default is None:
            unsaid.append(number)
    empty = schema.tolerant().columns([(None,) * len(schema.features)])

    def takes_row_without(numbers: list[int]) -> bool:
        columns = row
        for number in numbers:
            columns = with_column(columns, number, empty)
        return accepts(predict, columns)

    # Most estimators take either all values missing or none: one call instead of one for each.
    accepting = unsaid
    if not takes_row_without(unsaid):
        accepting = [
            number for number in unsaid if takes_row_without([number])
        ]
    names = {schema.names[number] for number in accepting}
    return schema.with_missing(
        lambda item: bool(item.accepts_missing) or item.name in names
    )


def check_samples(predict: Call, samples: Columns | None) -> None:
    """Raise ArtifactError for the first of the samples that the estimator does not take."""
    if samples is None:
        return
    refused = next(refused_rows(predict, samples), None)
    if refused is not None:
        raise ArtifactError(
            f"samples, row {refused}: the model does not take these values"
        )


def make_probes(
    predict: Call,
    schema: Schema,
    samples: Columns | None,
) -> Columns:
    """Return rows for which the estimator predicts finite numbers: samples, and made-up rows.

    The made-up rows differ from each other in every feature, and lack values where they may.
    """
    choose = np.random.default_rng(0)
    made_up = [schema.row(schema.example())]
    for _ in range(MADE_UP_ROWS):
        made_up.append(
            tuple(
                _made_up_value(feature, choose) for feature in schema.features
            )
        )
    probes = schema.columns(made_up)
    if samples is not None:
        probes = stack_rows(slice_rows(samples, 0, SAMPLE_ROWS), probes)

    def predict_finite(columns: Columns) -> None:
        prediction = np.asarray(predict(columns))
        if prediction.dtype.kind == "f" and not np.isfinite(prediction).all():
            raise ValueError("a number that proves nothing")

    usable = []
    for row in range(len(probes)):
        if accepts(predict_finite, slice_rows(probes, row, row + 1)):
            usable.append(row)
    return take_rows(probes, usable or [0])


def _made_up_value(feature: Feature, choose: np.random.Generator) -> Value:
    if feature.accepts_missing and choose.random() < MISSING_SHARE:
        return None
    if isinstance(feature, Category):
        return feature.categories[choose.integers(len(feature.categories))]
    if isinstance(feature, Numeric):
        return float(choose.choice(NUMBERS))
    return feature.example
