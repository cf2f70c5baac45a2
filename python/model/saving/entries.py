"""Entries: what the metadata says of each feature, told by its column in the training data."""

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeAlias

import numpy as np

from python.errors import ArtifactError
from python.model.data.dtypes import read_dtype, type_of
from python.model.data.features import Value, is_gap
from python.model.data.json_values import to_json_value
from python.model.data.kinds import TYPES
from python.model.data.schema import Schema
from python.model.data.spelling import shorten, suggest
from python.model.known_values import find_known_values, to_json_values
from python.model.types import Columns, Estimator

Entry: TypeAlias = dict[str, Any]
"""A feature as the metadata describes it."""

Column: TypeAlias = Any
"""A pandas Series: one column of the training data."""

# Those that the reader takes where the metadata names none. That of dates depends on the version
# of pandas, and so does what it makes of texts in a column of objects.
USUAL_DTYPES = ("float64", "int64", "bool", "category", "str")
SINGLE_TYPES = ("boolean", "integer", "numeric", "string")

# What to do with a column that JSON cannot bring, by the beginning of its dtype.
CURES = {
    "timedelta64": "make a number of it, such as {column}.dt.total_seconds()",
    "duration": "make a number of it, such as {column}.dt.total_seconds()",
    "complex": "split it into a real and an imaginary column",
    "interval": "make texts of it, {column}.astype(str)",
    "Sparse": "store every value, {column}.sparse.to_dense()",
    "period": "make dates of it, {column}.dt.to_timestamp()",
    "decimal": 'make floats of it, {column}.astype("float64")',
    "dictionary": 'make a category of it, {column}.astype("category")',
    # A zone by its name is known to pandas; this one is a file of dateutil's.
    "datetime64": 'name the zone, {column}.dt.tz_convert("Europe/Berlin")',
}
OTHER_CURE = "make a column of numbers, texts or dates of it"


def describe_features(
    estimator: Estimator,
    table: Columns,
    defaults: Mapping[str, Value],
) -> list[Entry]:
    """Return the entries of the metadata for the columns of the table.

    Raises ArtifactError for a column that a request could not bring as it is, and for a default
    that does not fit.
    """
    _check_names(defaults, list(table.columns))
    entries = []
    for name, column in table.items():
        entry = _describe(name, column)
        if name in defaults:
            del entry["accepts_missing"]
            entry["default"] = _read_default(name, column, defaults[name])
        entries.append(entry)
    _drop_unknown_levels(estimator, entries, table)
    return entries


def _check_names(defaults: Mapping[str, Value], names: list[str]) -> None:
    """Raise ArtifactError for a default of a column that there is not."""
    for name in defaults:
        if name not in names:
            suggestion = suggest(str(name), names)
            raise ArtifactError(
                f"defaults: X has no column {shorten(name)}{suggestion}"
            )


def _describe(name: str, column: Column) -> Entry:
    type_name = _find_type(name, column)
    _check_finite(name, column)
    entry: Entry = {"name": name, "type": type_name}
    dtype = str(column.dtype)
    if dtype not in USUAL_DTYPES:
        entry["dtype"] = dtype
    if type_name == "category":
        entry["categories"] = _list_categories(name, column)
        if column.cat.ordered:
            entry["ordered"] = True
    entry["accepts_missing"] = bool(column.isna().any())
    return entry


def _read_default(name: str, column: Column, default: Value) -> Value:
    """Return the default as JSON has it; raise ArtifactError where none can be."""
    if default is None or is_gap(default):
        raise ArtifactError(
            f"defaults: {shorten(name)} has {default}, which is no default: leave it out, "
            "and a value may be missing where it is missing in X"
        )
    if column.isna().any():
        raise ArtifactError(
            f"the default of {shorten(name)} would stand in for missing values, and the model "
            "was fitted with some: leave it out, or fit with the default in their place"
        )
    return to_json_value(default)


def _find_type(name: str, column: Column) -> str:
    """Return the type of feature that the column has."""
    dtype = str(column.dtype)
    # pandas reads the names of some sparse dtypes, and not those of others.
    is_known = not hasattr(column, "sparse") and read_dtype(dtype) is not None
    type_name = type_of(dtype) if is_known else dtype
    if type_name == "object":
        return _find_type_of_objects(name, column)
    if type_name in TYPES:
        return type_name
    place = f"X[{shorten(name)}]"
    cure = OTHER_CURE
    for beginning, of_dtype in CURES.items():
        if dtype.startswith(beginning):
            cure = of_dtype.format(column=place)
    raise ArtifactError(
        f"the column {shorten(name)} of X is {dtype}, which cannot be served: "
        f"{cure}, and fit again"
    )


def _find_type_of_objects(name: str, column: Column) -> str:
    """Return the type that all objects in the column have."""
    types = {_type_of_object(value) for value in column.dropna()}
    if types == {"integer", "numeric"}:
        return "numeric"
    if not types:
        raise ArtifactError(
            f"the column {shorten(name)} of X is of objects, and all are missing: "
            "leave it out and fit again"
        )
    if len(types) > 1:
        listed = " and ".join(sorted(types))
        raise ArtifactError(
            f"the column {shorten(name)} of X mixes types ({listed}): "
            "make one type of it and fit again"
        )
    (type_name,) = types
    if type_name in SINGLE_TYPES:
        return type_name
    raise ArtifactError(
        f"the column {shorten(name)} of X holds objects of the type {type_name}, which JSON "
        "does not have: make numbers, texts or, with pd.to_datetime, dates of them and fit again"
    )


def _type_of_object(value: Any) -> str:
    """Return the type of feature that a value belongs to, or else the name of its class."""
    if isinstance(value, bool | np.bool_):
        return "boolean"
    if isinstance(value, Integral):
        return "integer"
    if isinstance(value, Real):
        return "numeric"
    if isinstance(value, str):
        return "string"
    return type(value).__name__


def _check_finite(name: str, column: Column) -> None:
    """Raise ArtifactError where an infinite number is in the column."""
    values = column.dropna()
    if type_of(str(column.dtype)) not in ("numeric", "object"):
        return
    is_infinite = values.isin([np.inf, -np.inf])
    count = int(is_infinite.sum())
    if count:
        raise ArtifactError(
            f"the column {shorten(name)} of X is infinite in {count} rows, and JSON has no "
            "infinity: put a number or a missing value there, and fit again"
        )


def _list_categories(name: str, column: Column) -> list[Value]:
    """Return the categories in their order."""
    categories: list[Value] = column.cat.categories.tolist()
    if not categories:
        raise ArtifactError(
            f"the column {shorten(name)} of X is of categories, and all are missing: "
            "leave it out and fit again"
        )
    for category in categories:
        if not isinstance(category, str | bool | Real):
            place = f"X[{shorten(name)}]"
            raise ArtifactError(
                f"the category {shorten(str(category))} of {shorten(name)} is no text, number "
                f'or boolean: write {place}.astype(str).astype("category") and fit again'
            )
        if category in (np.inf, -np.inf):
            raise ArtifactError(
                f"the category {category} of {shorten(name)} is infinite, and JSON has no "
                "infinity: put a number or a missing value there, and fit again"
            )
    return categories


def _drop_unknown_levels(
    estimator: Estimator, entries: Sequence[Entry], table: Columns
) -> None:
    """Leave out categories that no row has and that the estimator's encoders do not know."""
    schema = Schema.from_metadata({"features": entries}, named=True)
    known_values = find_known_values(estimator, schema)
    for entry in entries:
        known = to_json_values(known_values.get(entry["name"], ()))
        if entry["type"] != "category" or not known:
            continue
        kept = {*known, *table[entry["name"]].dropna()}
        entry["categories"] = [
            category for category in entry["categories"] if category in kept
        ]
