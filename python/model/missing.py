"""Missing values: what stands for one in the columns that a model was fitted with.

Encoders keep None and NaN apart, and JSON has one null. A column of numbers or dates has a missing
value of its own; in a column of objects, which may also hold pandas' NA and NaT, the samples or the
fitted encoders tell which one it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.data.columns import is_frame, with_column
from python.model.data.features import is_gap
from python.model.data.kinds import Category
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.doubts.differences import (
    Outputs,
    find_difference,
    predict_all,
)
from python.model.known_values import find_imputed_values, find_known_values
from python.model.types import Columns, Estimator


def find_missing_values(
    estimator: Estimator, schema: Schema, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what stands for a missing value, such as NaN or None, by feature, if something tells.

    The tables of the artifact tell if they are DataFrames with one such value in that column; else
    the encoders do, if they know one as a category, or the imputers, if they replace one.
    A pandas Categorical has NaN alone: where an encoder knows another of a category, it was fitted
    with objects.
    """
    known = find_known_values(estimator, schema)
    imputed = find_imputed_values(estimator, schema)
    with_objects = schema.names_with_objects()
    missing_values = {}
    for feature in schema.features:
        name = feature.name
        of_encoders = _kinds_of_missing(known.get(name, ()))
        if name in with_objects:
            of_tables = _kinds_of_missing(_training_values(tables, name))
            of_imputers = _kinds_of_missing(imputed.get(name, ()))
            kinds = _first_single(of_tables, of_encoders, of_imputers)
        elif feature.column_dtype == Category.usual_dtype:
            kinds = of_encoders
        else:
            continue
        if len(kinds) == 1:
            missing_values[name] = kinds[0]
    return missing_values


def _first_single(*choices: list[Any]) -> list[Any]:
    """Return the first of the lists that has one value; an empty list if none has."""
    for values in choices:
        if len(values) == 1:
            return values
    return []


def _kinds_of_missing(values: Iterable[Any]) -> list[Any]:
    """Return those of NaN, None, NA and NaT that are among the values."""
    kinds = {}
    for value in values:
        if value is None or is_gap(value):
            kinds[str(value)] = value
    return list(kinds.values())


def _training_values(tables: Mapping[str, Any], name: str) -> Iterable[Any]:
    """Yield the values of a feature in the tables; NaN for a column that cannot hold None."""
    for table in tables.values():
        if isinstance(table, list | tuple):
            # There, None may be JSON's null, which stands for every gap.
            values = [record.get(name) for record in table]
            yield from (value for value in values if value is not None)
        elif table[name].dtype == object:
            yield from table[name]
        else:
            yield np.nan


def settle_missing_values(
    estimator: Estimator,
    schema: Schema,
    row: Columns,
    tables: Mapping[str, Any],
) -> Schema:
    """Return the schema with None for a missing value where the estimator takes no NaN.

    Raises ArtifactError where it takes both, predicts two things for `row`, one with NaN and one
    with None, and nothing tells which of them it was fitted with.
    """
    _check_array(estimator, schema, row)
    settled: dict[str, Any] = {}
    known = find_missing_values(estimator, schema, tables)
    unknown = set(schema.names_with_objects()) - known.keys()
    for number, feature in enumerate(schema.features):
        may_be_missing = feature.accepts_missing and feature.default is None
        if not may_be_missing or feature.name not in unknown:
            continue
        with_nan = _predict_without(estimator, row, number, np.nan)
        with_none = _predict_without(estimator, row, number, None)
        if with_none and not with_nan:
            settled[feature.name] = None
        elif with_none and find_difference(with_nan, with_none) is not None:
            raise ArtifactError(
                f'feature "{feature.name}": the model predicts one thing for None and another '
                "for NaN, and nothing says with which it was fitted: put samples into the "
                'file that have such a row, or write "accepts_missing": False'
            )
    return schema.with_missing_values(settled)


def _check_array(estimator: Estimator, schema: Schema, row: Columns) -> None:
    """Raise ArtifactError where it matters whether a value was missing in an array.

    Of an Int64 column, pandas makes an array of int64, or of float64 if it has a gap. `row` has
    the dtype without one; it may have the other because the estimator happens to take a gap.
    """
    if is_frame(row) or row.dtype == schema.array_dtype:
        return
    other = row.astype(schema.array_dtype)

    def predict(columns: Columns) -> Outputs:
        return predict_all(estimator, columns)

    if find_difference(predict(row), predict(other)) is not None:
        names = []
        for feature in schema.features:
            if feature.missing_rule_from == "estimator":
                names.append(feature.name)
        raise ArtifactError(
            f"the model predicts one thing for an array of {row.dtype} and another for one of "
            f"{other.dtype}, which it is if a value was missing: write accepts_missing for "
            + ", ".join(map(shorten, names))
        )


def _predict_without(
    estimator: Estimator, row: Columns, number: int, value: Any
) -> Outputs:
    """Return what is predicted with such a missing value in a column; nothing if it is refused."""
    try:
        return predict_all(estimator, _with_value(row, number, value))
    except Exception:
        # Estimators refuse with exceptions of many kinds.
        return {}


def _with_value(row: Columns, number: int, value: Any) -> Columns:
    source = row.copy()
    if is_frame(row):
        source.isetitem(number, np.array([value], dtype=object))
    else:
        source[:, number] = value
    return with_column(row, number, source)
