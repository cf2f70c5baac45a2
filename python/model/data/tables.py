"""The tables of an artifact: rows of its training data, and what they show of missing values.

There may be two: the samples, which explanations need, and the records of the examples.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from python.errors import ArtifactError
from python.model.data.dtypes import type_of
from python.model.data.features import Feature, Value
from python.model.data.json_values import to_json_value
from python.model.data.kinds import Boolean
from python.model.data.schema import Row, Schema
from python.model.data.spelling import cut, shorten, tell_apart

NUMBER_TYPES = ("integer", "numeric")


def read_table(schema: Schema, table: Any, name: str) -> list[Row]:
    """Return the rows of a table, a DataFrame or a list of records. Any value may be missing.

    `name` is what the table is called in a sentence.
    Raises ArtifactError for the first value that does not fit its feature.
    """
    if hasattr(table, "columns"):
        rows = _read_frame(schema, table, name)
    else:
        rows = _read_records(schema, table, name)
    if not rows:
        raise ArtifactError(
            f"{name} must be a DataFrame or a list of records, and not empty"
        )
    _check_values(schema, rows, name)
    return rows


def _read_frame(schema: Schema, frame: Any, name: str) -> list[Row]:
    names = list(frame.columns)
    columns = []
    for feature in schema.features:
        n_columns = names.count(feature.name)
        if n_columns == 0:
            raise _no_value(names, feature.name, f"{name}, row 0")
        if n_columns > 1:
            raise ArtifactError(
                f'{name}: there are {n_columns} columns "{feature.name}"'
            )
        values = [to_json_value(value) for value in frame[feature.name]]
        columns.append(_read_column(feature, values))
    return list(zip(*columns, strict=True))


def _read_records(schema: Schema, records: Any, name: str) -> list[Row]:
    listed = list(records) if isinstance(records, Iterable) else []
    columns: list[list[Value]] = [[] for _ in schema.features]
    for number, record in enumerate(listed):
        place = f"{name}, row {number}"
        if not isinstance(record, Mapping):
            example = cut(str(schema.example()))
            raise ArtifactError(
                f"{place}: expected a record, got {shorten(record)}: write a DataFrame that has "
                f"the features as columns, or a list of dicts such as {example}"
            )
        for feature, values in zip(schema.features, columns, strict=True):
            if feature.name not in record:
                raise _no_value(record, feature.name, place)
            values.append(to_json_value(record[feature.name]))
    for number, feature in enumerate(schema.features):
        columns[number] = _read_column(feature, columns[number])
    return list(zip(*columns, strict=True))


def _read_column(feature: Feature, values: list[Value]) -> list[Value]:
    """Return the values; true and false for 1 and 0, which a boolean's column of numbers holds."""
    is_boolean = isinstance(feature, Boolean)
    if not is_boolean or type_of(feature.column_dtype) not in NUMBER_TYPES:
        return values
    return [_read_boolean(value) for value in values]


def _read_boolean(value: Value) -> Value:
    is_number = isinstance(value, int | float)
    return bool(value) if is_number and value in (0, 1) else value


def _check_values(schema: Schema, rows: Sequence[Row], name: str) -> None:
    """Raise ArtifactError for the first row with a value that does not fit."""
    faults = []
    by_feature = zip(*rows, strict=True)
    for feature, values in zip(schema.features, by_feature, strict=True):
        for number, value in enumerate(values):
            fault = None if value is None else feature.fault(value)
            if fault is not None:
                faults.append((number, feature.name, fault))
                break
    if faults:
        number, feature_name, fault = min(faults, key=itemgetter(0))
        raise ArtifactError(f'{name}, row {number}, "{feature_name}": {fault}')


def _no_value(
    names: Iterable[Any], feature_name: str, place: str
) -> ArtifactError:
    """Return that there is no such name, and how it differs from the one that it looks like."""
    similar = [tell_apart(str(other), [feature_name]) for other in names]
    detail = f'no value for "{feature_name}"'
    return ArtifactError(f"{place}: {detail}{''.join(similar)}")


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
