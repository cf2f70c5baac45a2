"""Missing values: what stands for one, NaN or None, in the columns that a model was fitted with.

Encoders keep the two apart, and JSON has one null. A column of numbers or dates has a missing value
of its own; in a column of objects, the samples or the fitted encoders tell which of the two it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.columns import is_frame, is_missing, with_column
from python.model.data.schema import Schema
from python.model.doubts.differences import find_difference, predict_all
from python.model.estimator import find_parts
from python.model.refusals import accepts
from python.model.types import Columns, Estimator


def find_missing_values(
    estimator: Estimator, schema: Schema, tables: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what stands for a missing value, NaN or None, by feature, where something tells.

    The tables of the artifact tell if they are DataFrames with one of the two in that column; else
    the encoders do, if they know one of the two as a category, or the imputers, if they replace
    one of them.
    """
    of_encoders = _kinds_of_missing(_known_categories(estimator))
    if len(of_encoders) != 1:
        of_encoders = _kinds_of_missing(_imputed_values(estimator))
    missing_values = {}
    for name in schema.names_with_objects():
        kinds = _kinds_of_missing(_training_values(tables, name))
        if len(kinds) != 1:
            kinds = of_encoders
        if len(kinds) == 1:
            missing_values[name] = kinds[0]
    return missing_values


def _kinds_of_missing(values: Iterable[Any]) -> list[Any]:
    """Return those of NaN and None that are among the values."""
    has_none = False
    has_nan = False
    for value in values:
        if value is None:
            has_none = True
        elif isinstance(value, float) and is_missing(value):
            has_nan = True
    return [np.nan] * has_nan + [None] * has_none


def _imputed_values(estimator: Estimator) -> list[Any]:
    """Return what the imputers inside the estimator take for missing."""
    values = []
    for part in find_parts(estimator):
        if has_attribute(part, "missing_values"):
            values.append(part.missing_values)
    return values


def _known_categories(estimator: Estimator) -> list[Any]:
    """Return the categories that all encoders inside the estimator know."""
    values = []
    for part in find_parts(estimator):
        for categories in read_attribute(part, "categories_") or []:
            values.extend(categories)
    return values


def _training_values(tables: Mapping[str, Any], name: str) -> list[Any]:
    """Return the values in a column of DataFrames; NaN for one that cannot hold None."""
    values: list[Any] = []
    for table in tables.values():
        if not hasattr(table, "columns"):
            continue
        if table[name].dtype == object:
            values.extend(table[name])
        else:
            values.append(np.nan)
    return values


def check_missing_values(
    estimator: Estimator,
    schema: Schema,
    row: Columns,
    tables: Mapping[str, Any],
) -> None:
    """Raise ArtifactError where it matters what stands for a missing value, and nothing tells.

    It matters if the estimator predicts two things for `row`: one with NaN and one with None.
    """
    known = find_missing_values(estimator, schema, tables)
    unknown = set(schema.names_with_objects()) - known.keys()
    for number, feature in enumerate(schema.features):
        may_be_missing = feature.accepts_missing and feature.default is None
        is_doubtful = may_be_missing and feature.name in unknown
        if is_doubtful and _tells_apart(estimator, row, number):
            raise ArtifactError(
                f'feature "{feature.name}": the model predicts one thing for None and another '
                "for NaN, and nothing says with which it was fitted: put samples into the "
                "file, as a DataFrame that has such a row"
            )


def _tells_apart(estimator: Estimator, row: Columns, number: int) -> bool:
    """Return whether the estimator predicts two things for a missing value in column `number`."""

    def predict(columns: Columns) -> list[Any]:
        return predict_all(estimator, columns)

    with_nan = _with_value(row, number, np.nan)
    with_none = _with_value(row, number, None)
    if not accepts(predict, with_none):
        return False
    return find_difference(predict(with_nan), predict(with_none)) is not None


def _with_value(row: Columns, number: int, value: Any) -> Columns:
    source = row.copy()
    if is_frame(row):
        source.isetitem(number, np.array([value], dtype=object))
    else:
        source[:, number] = value
    return with_column(row, number, source)
