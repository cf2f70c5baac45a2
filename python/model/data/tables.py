"""The tables of an artifact: rows of its training data, and what they show of missing values.

There may be two: the samples, which explanations need, and the records of the examples.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from python.errors import ArtifactError
from python.model.data.features import Feature
from python.model.data.json_values import to_json_value
from python.model.data.schema import Row, Schema
from python.model.data.spelling import tell_apart


def read_table(schema: Schema, table: Any, name: str) -> list[Row]:
    """Return the rows of a table, a DataFrame or a list of records. Any value may be missing.

    `name` is what the table is called in a sentence.
    Raises ArtifactError for the first value that does not fit its feature.
    """
    records = table
    if hasattr(table, "columns"):
        records = table.to_dict("records")
    listed = list(records) if isinstance(records, Iterable) else []
    if not listed:
        raise ArtifactError(
            f"{name} must be a DataFrame or a list of records, and not empty"
        )
    rows = []
    for number, record in enumerate(listed):
        rows.append(_read_row(schema, record, f"{name}, row {number}"))
    return rows


def _read_row(schema: Schema, record: Any, place: str) -> Row:
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


def rules_of_tables(
    schema: Schema, tables: Mapping[str, Sequence[Row]]
) -> dict[str, bool]:
    """Return for each feature without a rule whether its value is missing in any of the rows.

    `tables` holds the rows of each table by its name.
    Raises ArtifactError where a value is missing and the column holds no missing value.
    """
    rules: dict[str, bool] = {}
    for name, rows in tables.items():
        by_feature = zip(*rows, strict=True)
        for feature, values in zip(schema.features, by_feature, strict=True):
            if feature.default is not None:
                continue
            is_missing = None in values
            if is_missing:
                place = f"{name}, row {values.index(None)}"
                _check_dtype(feature, place)
            if feature.accepts_missing is None:
                rules[feature.name] = is_missing or rules.get(
                    feature.name, False
                )
    return rules


def _check_dtype(feature: Feature, place: str) -> None:
    """Raise ArtifactError if the column, which lacks a value at `place`, cannot do without."""
    is_free = feature.dtype is None and feature.accepts_missing is None
    if feature.can_be_missing or is_free:
        return
    raise ArtifactError(
        f'{place}, "{feature.name}": missing, and a column of '
        f"{feature.column_dtype} holds no missing value"
    )
