"""The schema: a model's features in their order, which turns rows of values into columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from itertools import chain, islice
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import MAX_FAULTS, ArtifactError, Fault
from python.model.data.columns import split_columns, to_array
from python.model.data.features import (
    TYPES,
    Category,
    Feature,
    Numeric,
    String,
    Value,
    shorten,
)
from python.model.types import Columns, Matrix

ENTRY_KEYS = ("name", "type", "default", "accepts_missing", "categories")
# A request may hold its records under these names, so that no feature can have one of them.
RESERVED_NAMES = ("_data", "_samples")

Row: TypeAlias = tuple[Value, ...]
"""The values of a record in the order of the features, None where one is missing."""


class Schema:
    """The features in the order that the model was fitted with."""

    def __init__(self, features: Iterable[Feature], *, named: bool = False) -> None:
        """Take the features; `named` asks for columns with names: a DataFrame, not an array."""
        self.features = tuple(features)
        self.named = named
        self.names = [feature.name for feature in self.features]

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], *, named: bool = False) -> Self:
        """Return the schema that `metadata["features"]` describes.

        Raises ArtifactError in a sentence that names the fault.
        """
        features = []
        for number, entry in enumerate(_entries(metadata), start=1):
            features.append(_feature(entry, number))
        schema = cls(features, named=named)
        repeated = [
            name for name in dict.fromkeys(schema.names) if schema.names.count(name) > 1
        ]
        if repeated:
            raise ArtifactError(
                f"features listed twice: {', '.join(map(shorten, repeated))}"
            )
        return schema

    def with_missing(self, accepts_missing: Callable[[Feature], bool]) -> Self:
        """Return the same schema, with each feature's `accepts_missing` as the function says."""
        features = []
        for feature in self.features:
            features.append(replace(feature, accepts_missing=accepts_missing(feature)))
        return type(self)(features, named=self.named)

    def tolerant(self) -> Self:
        """Return the same schema, with every value allowed to be missing."""
        return self.with_missing(lambda _: True)

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every feature is a number."""
        return all(isinstance(feature, Numeric) for feature in self.features)

    @cached_property
    def has_texts(self) -> bool:
        """Whether a feature is a text, for which there is no code."""
        return any(isinstance(feature, String) for feature in self.features)

    @cached_property
    def categories(self) -> dict[int, Category]:
        """The features that are categories, by their number."""
        numbered = enumerate(self.features)
        return {number: item for number, item in numbered if isinstance(item, Category)}

    @cached_property
    def _is_complete(self) -> bool:
        return not any(feature.optional for feature in self.features)

    @cached_property
    def _numeric_defaults(self) -> Matrix:
        defaults = np.full(len(self.features), np.nan)
        for number, feature in enumerate(self.features):
            if isinstance(feature, Numeric) and feature.default is not None:
                defaults[number] = feature.default
        return defaults

    def knows_categories(self, rows: Sequence[Row]) -> bool:
        """Return whether each category in the rows, of values of the right types, is known."""
        for number, feature in self.categories.items():
            values = {row[number] for row in rows}
            if not feature.positions.keys() >= values:
                return False
        return True

    def columns(self, rows: Sequence[Row]) -> Columns:
        """Return the columns that the estimator takes, (n_rows, n_features), of rows that fit.

        They are float64, categorical and object columns of a DataFrame if it takes names.
        Otherwise they are an array: float64 where all features are numbers, else of objects.
        """
        if not self.has_texts:
            return self.decode(self.encode(rows))
        columns = {}
        for number, feature in enumerate(self.features):
            columns[feature.name] = feature.column([row[number] for row in rows])
        return self._in_form(columns)

    def encode(self, rows: Sequence[Row]) -> Matrix:
        """Return the codes, (n_rows, n_features), of rows that fit and have no texts.

        A number is its own code; the code of a category is its position, -1 where it is missing.
        """
        shape = (len(rows), len(self.features))
        if self.categories:
            rows = self._with_positions(rows)
        if self._is_complete:
            # Numbers alone: this takes a third of the time that np.array takes.
            return np.fromiter(
                chain.from_iterable(rows), float, shape[0] * shape[1]
            ).reshape(shape)
        codes = np.array(rows, dtype=float).reshape(shape)
        return np.where(np.isnan(codes), self._numeric_defaults, codes)

    def _with_positions(self, rows: Sequence[Row]) -> list[Row]:
        by_feature = list(zip(*rows, strict=True))
        for number, feature in self.categories.items() if by_feature else ():
            by_feature[number] = tuple(
                map(feature.positions.__getitem__, by_feature[number])
            )
        return list(zip(*by_feature, strict=True))

    def encode_columns(self, columns: Columns) -> Matrix:
        """Return the codes, (n_rows, n_features), of columns.

        Raises ValueError where a column has other values than its feature.
        """
        if self.is_numeric:
            return to_array(columns).astype(float)
        codes = []
        for feature, column in zip(self.features, split_columns(columns), strict=True):
            code = feature.encode(column) if isinstance(feature, Category) else column
            codes.append(np.asarray(code, dtype=float))
        return np.stack(codes, axis=1)

    def decode(self, codes: Matrix) -> Columns:
        """Return the columns, (n_rows, n_features), that have these codes."""
        if self.is_numeric:
            return self._in_form(codes)
        columns = {}
        for feature, code in zip(self.features, codes.T, strict=True):
            columns[feature.name] = (
                feature.decode(code) if isinstance(feature, Category) else code
            )
        return self._in_form(columns)

    def _in_form(self, columns: Matrix | dict[str, NDArray[Any]]) -> Columns:
        if self.is_numeric and not self.named and not isinstance(columns, dict):
            return columns
        import pandas as pd  # a model of numbers alone does without

        frame = pd.DataFrame(columns, columns=self.names, copy=False)
        return frame if self.named else frame.to_numpy(dtype=object)

    def row(self, record: Mapping[str, Value]) -> Row:
        """Return the values of a record in the order of the features."""
        return tuple(map(record.get, self.names))

    def example(self) -> dict[str, Value]:
        """Return a record made up from the metadata."""
        return {feature.name: feature.example for feature in self.features}

    def faults(self, records: Sequence[Value], *, reject_unknown: bool) -> list[Fault]:
        """Return everything in what should be records that does not fit, at most 100 faults.

        With `reject_unknown`, a feature that the model does not know is a fault.
        """
        faults = chain.from_iterable(
            self._record_faults(record, row, reject_unknown)
            for row, record in enumerate(records)
        )
        return list(islice(faults, MAX_FAULTS))

    def _record_faults(
        self, record: Value, row: int, reject_unknown: bool
    ) -> Iterator[Fault]:
        if not isinstance(record, dict):
            yield Fault(
                row, None, f"expected a record (an object), got {shorten(record)}"
            )
            return
        is_empty = not record.keys() & set(self.names)
        has_strangers = bool(record) and reject_unknown
        if is_empty and not has_strangers:
            yield Fault(row, None, "the record holds none of the model's features")
            return
        for name in record:
            if reject_unknown and name not in self.names:
                yield Fault(
                    row, name, "unknown feature" + _suggestion(name, self.names)
                )
        for feature in self.features:
            detail = feature.fault(record.get(feature.name))
            if detail is not None:
                yield Fault(row, feature.name, detail)


def _entries(metadata: Mapping[str, Any]) -> list[Any]:
    entries = metadata.get("features")
    is_list = isinstance(entries, Iterable) and not isinstance(
        entries, str | bytes | Mapping
    )
    listed = list(entries) if is_list and entries is not None else []
    if not listed:
        raise ArtifactError(
            'metadata must be a dict with a list of features under "features"'
        )
    return listed


def _feature(entry: Any, number: int) -> Feature:
    if not isinstance(entry, Mapping):
        raise ArtifactError(f"feature {number} must be a dict with a name")
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ArtifactError(f"feature {number} must be a dict with a name")
    if name in RESERVED_NAMES:
        raise ArtifactError(f'feature "{name}": the name is reserved for the envelope')
    kind = TYPES.get(str(entry.get("type")))
    if kind is None:
        fault = f"unknown type {entry.get('type')!r}, expected {' or '.join(TYPES)}"
        raise ArtifactError(f'feature "{name}": {fault}')
    _check_keys(name, entry)
    plain = {str(key): _plain(value) for key, value in entry.items()}
    arguments: dict[str, Any] = {
        "name": name,
        "default": plain.get("default"),
        "accepts_missing": plain.get("accepts_missing"),
        "entry": plain,
    }
    categories = plain.get("categories", [])
    if not isinstance(categories, list):
        raise ArtifactError(f'feature "{name}": categories must be a list')
    if kind is Category:
        arguments["categories"] = tuple(categories)
    feature = kind(**arguments)
    feature.check()
    return feature


def _check_keys(name: str, entry: Mapping[str, Any]) -> None:
    """Raise ArtifactError for a key that looks like a misspelt one; other keys are the user's."""
    for key in entry.keys() - set(ENTRY_KEYS):
        suggestion = _suggestion(str(key), ENTRY_KEYS)
        if suggestion:
            raise ArtifactError(f'feature "{name}": unknown key "{key}"{suggestion}')


def _plain(value: Any) -> Any:
    """Return the Python values in NumPy's scalars and arrays, and in pandas' indexes."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _suggestion(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""
