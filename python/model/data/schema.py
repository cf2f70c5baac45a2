"""The schema: a model's features in their order, which turns rows of values into columns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import MAX_FAULTS, Fault
from python.model.data.columns import split_columns, to_array
from python.model.data.features import (
    Category,
    Feature,
    Numeric,
    String,
    Value,
)
from python.model.data.metadata import read_features
from python.model.data.spelling import shorten, suggest
from python.model.types import Columns, Matrix

Row: TypeAlias = tuple[Value, ...]
"""The values of a record in the order of the features, None where one is missing."""


class Schema:
    """The features in the order that the model was fitted with."""

    def __init__(
        self,
        features: Iterable[Feature],
        *,
        named: bool = False,
    ) -> None:
        """Take the features; `named` asks for columns with names: a DataFrame, not an array."""
        self.features = tuple(features)
        self.named = named
        self.names = [feature.name for feature in self.features]

    @classmethod
    def from_metadata(
        cls,
        metadata: Mapping[str, Any],
        *,
        named: bool = False,
    ) -> Self:
        """Return the schema that the metadata describes; raise ArtifactError for a fault in it."""
        features = read_features(metadata)
        return cls(features, named=named)

    def with_missing(self, accepts_missing: Callable[[Feature], bool]) -> Self:
        """Return the same schema, with each feature's `accepts_missing` as the function says."""
        features = []
        for feature in self.features:
            accepts = accepts_missing(feature)
            features.append(replace(feature, accepts_missing=accepts))
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
        categories = {}
        for number, feature in enumerate(self.features):
            if isinstance(feature, Category):
                categories[number] = feature
        return categories

    @cached_property
    def _is_complete(self) -> bool:
        return not any(feature.optional for feature in self.features)

    @cached_property
    def _numeric_defaults(self) -> Matrix:
        n_features = len(self.features)
        defaults = np.full(n_features, np.nan)
        for number, feature in enumerate(self.features):
            if isinstance(feature, Numeric) and feature.default is not None:
                defaults[number] = feature.default
        return defaults

    def knows_categories(self, rows: Sequence[Row]) -> bool:
        """Return whether each category in the rows, of values of the right types, is known."""
        for number, feature in self.categories.items():
            values = {row[number] for row in rows}
            accepted = feature.positions.keys()
            if not values <= accepted:
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
            values = [row[number] for row in rows]
            columns[feature.name] = feature.column(values)
        return self._in_form(columns)

    def encode(self, rows: Sequence[Row]) -> Matrix:
        """Return the codes, (n_rows, n_features), of rows that fit and have no texts.

        A number is its own code; the code of a category is its position, -1 where it is missing.
        With the categories "a" and "b", the rows `(2.5, "b"), (None, None)` are the codes
        `[[2.5, 1], [nan, -1]]`.
        """
        if self.categories:
            rows = self._with_positions(rows)
        n_rows = len(rows)
        n_features = len(self.features)
        if self._is_complete:
            # There are numbers alone: this takes a third of the time that np.array takes.
            numbers = chain.from_iterable(rows)
            codes = np.fromiter(numbers, float, count=n_rows * n_features)
            return codes.reshape(n_rows, n_features)
        codes = np.array(rows, dtype=float)
        codes = codes.reshape(n_rows, n_features)
        is_missing = np.isnan(codes)
        return np.where(is_missing, self._numeric_defaults, codes)

    def _with_positions(self, rows: Sequence[Row]) -> list[Row]:
        if not rows:
            return []
        by_feature = list(zip(*rows, strict=True))
        for number, feature in self.categories.items():
            values = by_feature[number]
            positions = map(feature.positions.__getitem__, values)
            by_feature[number] = tuple(positions)
        return list(zip(*by_feature, strict=True))

    def encode_columns(self, columns: Columns) -> Matrix:
        """Return the codes, (n_rows, n_features), of columns.

        Raises ValueError where a column has other values than its feature.
        """
        if self.is_numeric:
            numbers = to_array(columns)
            return numbers.astype(float)
        by_feature = []
        arrays = split_columns(columns)
        for feature, array in zip(self.features, arrays, strict=True):
            if isinstance(feature, Category):
                codes = feature.encode(array).astype(float)
            else:
                codes = np.asarray(array, dtype=float)
            by_feature.append(codes)
        return np.stack(by_feature, axis=1)

    def decode(self, codes: Matrix) -> Columns:
        """Return the columns, (n_rows, n_features), that have these codes."""
        if self.is_numeric:
            return self._in_form(codes)
        columns: dict[str, NDArray[Any]] = {}
        by_feature = zip(self.features, codes.T, strict=True)
        for feature, code in by_feature:
            if isinstance(feature, Category):
                columns[feature.name] = feature.decode(code)
            else:
                columns[feature.name] = code
        return self._in_form(columns)

    def _in_form(self, columns: Matrix | dict[str, NDArray[Any]]) -> Columns:
        if self.is_numeric and not self.named:
            return columns
        import pandas as pd  # a model of numbers alone does without

        frame = pd.DataFrame(columns, columns=self.names, copy=False)
        if self.named:
            return frame
        return frame.to_numpy(dtype=object)

    def row(self, record: Mapping[str, Value]) -> Row:
        """Return the values of a record in the order of the features."""
        return tuple(map(record.get, self.names))

    def example(self) -> dict[str, Value]:
        """Return a record made up from the metadata."""
        return {feature.name: feature.example for feature in self.features}

    def faults(
        self,
        records: Sequence[Value],
        *,
        reject_unknown: bool,
    ) -> list[Fault]:
        """Return everything in what should be records that does not fit, at most 100 faults.

        With `reject_unknown`, a feature that the model does not know is a fault.
        """
        faults = self._faults(records, reject_unknown=reject_unknown)
        return list(islice(faults, MAX_FAULTS))

    def _faults(
        self,
        records: Sequence[Value],
        *,
        reject_unknown: bool,
    ) -> Iterator[Fault]:
        for row, record in enumerate(records):
            if not isinstance(record, dict):
                value = shorten(record)
                detail = f"expected a record (an object), got {value}"
                yield Fault(row, None, detail)
                continue
            strangers = []
            if reject_unknown:
                strangers = [name for name in record if name not in self.names]
            is_foreign = record.keys().isdisjoint(self.names)
            if is_foreign and not strangers:
                detail = "the record holds none of the model's features"
                yield Fault(row, None, detail)
                continue
            for name in strangers:
                detail = "unknown feature" + suggest(name, self.names)
                yield Fault(row, name, detail)
            yield from self._value_faults(record, row)

    def _value_faults(
        self,
        record: Mapping[str, Value],
        row: int,
    ) -> Iterator[Fault]:
        for feature in self.features:
            value = record.get(feature.name)
            detail = feature.fault(value)
            if detail is not None:
                yield Fault(row, feature.name, detail)
