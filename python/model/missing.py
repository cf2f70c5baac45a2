"""Missing values: what stands for one in the columns that a model was fitted with.

Encoders keep None and NaN apart, and JSON has one null. A column of numbers or dates has a missing
value of its own; in a column of objects, which may also hold pandas' NA and NaT, the samples or the
fitted encoders tell which one it is.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.columns import is_frame, with_column
from python.model.data.features import Feature, is_gap
from python.model.data.kinds import Category
from python.model.data.schema import Schema
from python.model.data.spelling import shorten
from python.model.doubts.differences import find_difference, predict_all
from python.model.estimator import find_parts
from python.model.refusals import accepts
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
    of_imputers = _kinds_of_missing(_imputed_values(estimator))
    with_objects = schema.names_with_objects()
    missing_values = {}
    for feature in schema.features:
        name = feature.name
        categories = _known_categories(estimator, feature, schema.names)
        of_encoders = _kinds_of_missing(categories)
        if name in with_objects:
            values = _training_values(tables, name)
            of_tables = _kinds_of_missing(values)
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


def _imputed_values(estimator: Estimator) -> list[Any]:
    """Return what the imputers inside the estimator take for missing."""
    values = []
    for part in find_parts(estimator):
        if has_attribute(part, "missing_values"):
            values.append(part.missing_values)
    return values


def _known_categories(
    estimator: Estimator, feature: Feature, names: list[str]
) -> list[Any]:
    """Return the categories that the encoders inside the estimator know of the feature.

    An encoder that was fitted with features out of `names` says which are whose. Any other may have
    met the feature, unless it knows a text that is none of the feature's categories.
    """
    values = []
    for part in find_parts(estimator):
        known = list(read_attribute(part, "categories_") or [])
        fitted_names = list(read_attribute(part, "feature_names_in_", ()))
        says_names = set(fitted_names) <= set(names)
        if says_names and len(fitted_names) == len(known):
            by_name = dict(zip(fitted_names, known, strict=True))
            known = [by_name.get(feature.name, ())]
        for categories in known:
            if _may_be_of(feature, categories):
                values.extend(categories)
    return values


def _may_be_of(feature: Feature, categories: Iterable[Any]) -> bool:
    if not isinstance(feature, Category):
        return True
    texts = {value for value in categories if isinstance(value, str)}
    return texts <= set(feature.categories)


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
    _check_array(estimator, schema, row)
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


def _check_array(estimator: Estimator, schema: Schema, row: Columns) -> None:
    """Raise ArtifactError where it matters whether a value was missing in an array.

    Of an Int64 column, pandas makes an array of int64, or of float64 if it has a gap. `row` has
    the dtype without one; it may have the other because the estimator happens to take a gap.
    """
    if is_frame(row) or row.dtype == schema.array_dtype:
        return
    other = row.astype(schema.array_dtype)

    def predict(columns: Columns) -> list[Any]:
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
