"""The schema: a model's features in their order, which turns rows of values into columns."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import MAX_FAULTS, Fault
from python.model.data.columns import split_columns, to_array
from python.model.data.features import CodedFeature, Feature, Value
from python.model.data.kinds import EXACT_INTEGERS, Category, Integer
from python.model.data.metadata import read_features
from python.model.data.spelling import Guesses, shorten
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
        as_objects: bool = False,
    ) -> None:
        """Take the features; `named` asks for columns with names: a DataFrame, not an array.

        With `as_objects`, an array holds objects, whatever pandas would make of the columns.
        """
        self.features = tuple(features)
        self.named = named
        self._as_objects = as_objects
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

    def with_rules(self, rules: Mapping[str, bool], source: str) -> Self:
        """Return the same schema, where the features named in `rules` accept missing values or not.

        `source` says who knew: the metadata, the samples or the estimator.
        """
        features = []
        for feature in self.features:
            if feature.name in rules:
                accepts_missing = rules[feature.name]
                features.append(feature.with_rule(accepts_missing, source))
            else:
                features.append(feature)
        return self._with_features(features)

    def with_missing_values(self, values: Mapping[str, Any]) -> Self:
        """Return the same schema, with what stands for a missing value in columns of objects."""
        features: list[Feature] = []
        for feature in self.features:
            if feature.name in values:
                features.append(
                    feature.with_missing_value(values[feature.name])
                )
            else:
                features.append(feature)
        return self._with_features(features)

    def with_feature(self, number: int, feature: Feature) -> Self:
        """Return the same schema, with another feature at one place."""
        features = list(self.features)
        features[number] = feature
        return self._with_features(features)

    def _with_features(self, features: Iterable[Feature]) -> Self:
        return type(self)(
            features, named=self.named, as_objects=self._as_objects
        )

    def with_known_values(self, values: Mapping[str, Sequence[Value]]) -> Self:
        """Return the same schema, with values that the model knows of some of the features."""
        features = []
        for feature in self.features:
            known_values = values.get(feature.name, ())
            features.append(feature.with_known_values(known_values))
        return self._with_features(features)

    def tolerant(self) -> Self:
        """Return the same schema, with every value allowed to be missing."""
        return self.with_rules(dict.fromkeys(self.names, True), "metadata")

    @cached_property
    def is_numeric(self) -> bool:
        """Whether every feature is a number, or true or false."""
        return all(feature.is_number for feature in self.features)

    @cached_property
    def is_float(self) -> bool:
        """Whether every column is float64, so that the codes are the columns."""
        dtypes = {feature.column_dtype for feature in self.features}
        return self.is_numeric and dtypes == {"float64"}

    @cached_property
    def _object_names(self) -> list[str]:
        """The names of the features whose columns hold objects, whatever is in them."""
        names = []
        for feature in self.features:
            if feature.dtype == "object":
                names.append(feature.name)
        return names

    def names_with_objects(self) -> list[str]:
        """Return the names of the features in whose columns NaN or None is a missing value."""
        names = []
        for feature in self.features:
            dtype = feature.column_dtype
            if not feature.can_be_missing:
                dtype = feature.dtype_with_missing or dtype
            if dtype == "object":
                names.append(feature.name)
        return names

    @cached_property
    def has_codes(self) -> bool:
        """Whether a number can stand for each value of each feature."""
        return len(self._coded_features) == len(self.features)

    @cached_property
    def _coded_features(self) -> list[CodedFeature]:
        coded = []
        for feature in self.features:
            if isinstance(feature, CodedFeature):
                coded.append(feature)
        return coded

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
            if feature.is_number and feature.default is not None:
                defaults[number] = feature.default
        return defaults

    @cached_property
    def _narrow_features(self) -> dict[int, Feature]:
        """The features, by their number, that not every value of their `value_type` fits."""
        narrow = {}
        for number, feature in enumerate(self.features):
            if not feature.every_value_fits:
                narrow[number] = feature
        return narrow

    def accepts(self, rows: Sequence[Row]) -> bool:
        """Return whether all values fit, each of which has the type of its feature or is None."""
        for number, feature in self._narrow_features.items():
            values = [row[number] for row in rows]
            if not feature.accepts_all(values):
                return False
        return True

    def columns(self, rows: Sequence[Row]) -> Columns:
        """Return the columns that the estimator takes, (n_rows, n_features), of rows that fit.

        They are columns of a DataFrame, each in its dtype, if the estimator takes names.
        Otherwise they are the array that pandas makes of such a DataFrame.
        """
        if self.is_float:
            return self.decode(self.encode(rows))
        columns = {}
        for number, feature in enumerate(self.features):
            values = [row[number] for row in rows]
            columns[feature.name] = feature.column(values)
        return self._in_form(columns)

    def encode(self, rows: Sequence[Row]) -> Matrix:
        """Return the codes, (n_rows, n_features), of rows that fit, if the schema has codes.

        A number is its own code; the code of a category is its position, -1 where it is missing.
        With the categories "a" and "b", the rows `(2.5, "b"), (None, None)` are the codes
        `[[2.5, 1], [nan, -1]]`.
        """
        if self.categories:
            rows = self._with_positions(rows)
        shape = (len(rows), len(self.features))
        # This takes a third of the time that np.array takes. None becomes NaN.
        numbers = chain.from_iterable(rows)
        codes = np.fromiter(numbers, float, count=shape[0] * shape[1])
        codes = codes.reshape(shape)
        return codes if self._is_complete else self.fill_numbers(codes)

    def fill_numbers(self, codes: Matrix) -> Matrix:
        """Return the codes, (n_rows, n_features), with its default for each missing number."""
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

    def are_exact(self, codes: Matrix) -> bool:
        """Return whether float64 has each of the whole numbers among the codes."""
        if not self._integers:
            return True
        # The sum of the squares shows at once what holds for nearly all records.
        if np.vdot(codes, codes) < EXACT_INTEGERS**2:
            return True
        sizes = np.abs(codes[:, self._integers])
        # The code of 2**53 may stand for 2**53 + 1.
        return not (sizes >= EXACT_INTEGERS).any()

    @cached_property
    def _integers(self) -> list[int]:
        numbers = []
        for number, feature in enumerate(self.features):
            if isinstance(feature, Integer):
                numbers.append(number)
        return numbers

    def encode_columns(self, columns: Columns) -> Matrix:
        """Return the codes, (n_rows, n_features), of columns.

        Raises ValueError where a column has other values than its feature.
        """
        if self.is_float:
            numbers = to_array(columns)
            return numbers.astype(float)
        codes = []
        arrays = split_columns(columns)
        for feature, array in zip(self._coded_features, arrays, strict=True):
            codes.append(feature.encode(array).astype(float))
        return np.stack(codes, axis=1)

    def decode(self, codes: Matrix) -> Columns:
        """Return the columns, (n_rows, n_features), that have these codes."""
        if self.is_float:
            return self._in_form(codes)
        columns: dict[str, Any] = {}
        for feature, code in zip(self._coded_features, codes.T, strict=True):
            columns[feature.name] = feature.decode(code)
        return self._in_form(columns)

    def _in_form(self, columns: Matrix | dict[str, Any]) -> Columns:
        if self.named:
            return self._frame(columns)
        if not isinstance(columns, dict):
            return columns
        return self._array(columns, self.array_dtype)

    def _array(
        self, columns: dict[str, Any], dtype: np.dtype[Any] | None
    ) -> Columns:
        plain = {}
        for name, column in columns.items():
            is_categorical = hasattr(column, "categories")
            plain[name] = (
                _uncategorized(column, dtype) if is_categorical else column
            )
        return self._frame(plain).to_numpy(dtype=dtype)

    def _frame(self, columns: Matrix | dict[str, Any]) -> Any:
        import pandas as pd  # a model of numbers alone does without

        if isinstance(columns, dict):
            for name in self._object_names:
                # As a Series, it stays one of objects: a DataFrame makes texts of texts.
                columns[name] = pd.Series(columns[name], dtype=object)
        return pd.DataFrame(columns, columns=self.names, copy=False)

    @cached_property
    def array_dtype(self) -> np.dtype[Any]:
        """The dtype of the array that the estimator takes: as a rule, pandas' own.

        It is that of all records, be a value missing in them or not: an Int64 that may be missing
        is a float64 in the array.
        """
        if self._as_objects:
            return np.dtype(object)
        columns = {}
        for feature in self.features:
            gap = None if feature.optional else feature.example
            columns[feature.name] = feature.column([feature.example, gap])
        dtype: np.dtype[Any] = self._array(columns, dtype=None).dtype
        return dtype

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
        guesses = Guesses(self.names)
        known_names = set(self.names)
        for row, record in enumerate(records):
            if not isinstance(record, dict):
                value = shorten(record)
                detail = f"expected a record (an object), got {value}"
                yield Fault(row, None, detail, "record")
                continue
            has_strangers = reject_unknown and not record.keys() <= known_names
            is_foreign = record.keys().isdisjoint(known_names)
            if is_foreign and not has_strangers:
                detail = "the record holds none of the model's features"
                yield Fault(row, None, detail, "record")
                continue
            if has_strangers:
                yield from _unknown_names(record, row, known_names, guesses)
            yield from self._value_faults(record, row)

    def _value_faults(
        self,
        record: Mapping[str, Value],
        row: int,
    ) -> Iterator[Fault]:
        for feature in self.features:
            value = record.get(feature.name)
            fault = feature.find_fault(row, value)
            if fault is not None:
                yield fault


def _unknown_names(
    record: Mapping[str, Value],
    row: int,
    known_names: Collection[str],
    guesses: Guesses,
) -> Iterator[Fault]:
    for name in record:
        if name not in known_names:
            detail = "unknown feature" + guesses.suggest(name)
            yield Fault(row, name, detail, "unknown")


def _uncategorized(column: Any, dtype: np.dtype[Any] | None) -> NDArray[Any]:
    """Return the values of a Categorical, (n_records,), as pandas has them in an array of a dtype.

    In one of objects, integers stay integers beside a missing value. In any other, they are
    floats; of several such columns, pandas itself would make integers of missing values.
    """
    if dtype == np.dtype(object):
        return np.asarray(column.astype(object))
    return np.asarray(column)
