"""The samples of an artifact: rows of values, and what they show of missing ones."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from python.errors import ArtifactError
from python.model.data.features import Feature
from python.model.data.json_values import to_json_value
from python.model.data.schema import Row, Schema
from python.model.data.spelling import tell_apart


def read_samples(schema: Schema, samples: Any) -> list[Row]:
    """Return the rows of the artifact's `samples`, a DataFrame or a list of records.

    The list is empty if there are none. Any value may be missing.
    Raises ArtifactError for the first value that does not fit its feature.
    """
    if samples is None:
        return []
    records = samples
    if hasattr(samples, "columns"):
        records = samples.to_dict("records")
    listed = list(records) if isinstance(records, Iterable) else []
    if not listed:
        raise ArtifactError(
            "samples must be a DataFrame or a list of records, and not empty"
        )
    rows = []
    for number, record in enumerate(listed):
        rows.append(_sample_row(schema, record, f"samples, row {number}"))
    return rows


def _sample_row(schema: Schema, record: Any, place: str) -> Row:
    if not isinstance(record, Mapping):
        raise ArtifactError(f"{place}: expected a record")
    row = []
    for feature in schema.features:
        if feature.name not in record:
            detail = f'no value for "{feature.name}"'
            raise ArtifactError(
                f"{place}: {detail}{_similar(record, feature.name)}"
            )
        row.append(to_json_value(record[feature.name]))
    for feature, value in zip(schema.features, row, strict=True):
        fault = None if value is None else feature.fault(value)
        if fault is not None:
            raise ArtifactError(f'{place}, "{feature.name}": {fault}')
    return tuple(row)


def _similar(record: Mapping[Any, Any], name: str) -> str:
    """Return how a name of the record differs from the one that it looks like."""
    return "".join(tell_apart(str(other), [name]) for other in record)


def rules_of_samples(schema: Schema, rows: Sequence[Row]) -> dict[str, bool]:
    """Return for each feature without a rule whether its value is missing in any of the rows.

    Raises ArtifactError where one is missing and the column holds no missing value.
    """
    rules = {}
    for feature, values in zip(
        schema.features, zip(*rows, strict=True), strict=True
    ):
        if feature.default is not None:
            continue
        if None in values:
            _check_dtype(feature, values.index(None))
        if feature.accepts_missing is None:
            rules[feature.name] = None in values
    return rules


def _check_dtype(feature: Feature, row: int) -> None:
    """Raise ArtifactError if the column, which lacks a value, cannot do without."""
    is_free = feature.dtype is None and feature.accepts_missing is None
    if feature.can_be_missing or is_free:
        return
    place = f'samples, row {row}, "{feature.name}"'
    dtype = feature.column_dtype
    raise ArtifactError(
        f"{place}: missing, and a column of {dtype} holds no missing value"
    )
