"""The types of features. A new type is one class here, and one line in `TYPES`."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from numbers import Real
from operator import or_
from typing import Any, ClassVar

import numpy as np

from python.model.data.columns import is_missing
from python.model.data.dtypes import NUMPY_DTYPES, make_column
from python.model.data.features import CodedFeature, Feature, Value
from python.model.data.spelling import shorten
from python.model.types import Columns, Matrix

SHOWN_CATEGORIES = 20
MISSING_POSITION = -1  # pandas' own code for a missing category
EXACT_INTEGERS = 2**53  # up to it, float64 has every whole number
INTEGERS = range(-(2**63), 2**63)
NANOSECOND_YEARS = range(
    1678, 2262
)  # the years that datetime64[ns] holds in full
# A date, or a date and a time to the nanosecond, perhaps with an offset.
ISO_8601 = re.compile(
    r"(?P<microseconds>\d{4}-\d\d-\d\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?)"
    r"(?:(?<=\.\d{6})\d{1,3})?"
    r"(?P<offset>(?<=:\d\d)Z|(?<=\d)[+-]\d\d:?\d\d)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Numeric(CodedFeature):
    """A number: float64 in the column, NaN where it is missing."""

    type = "numeric"
    usual_dtype = "float64"
    is_number = True
    every_value_fits = True
    made_up_value: ClassVar[Value] = 0.0
    value_type: ClassVar[Any] = float

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; neither a text nor a boolean is a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a number"
        if abs(value) > sys.float_info.max:
            return "a number that fits into 64 bits"
        return None

    def column(self, values: Sequence[Value]) -> Any:
        """Return the numbers, (n_records,), in the dtype of the column."""
        return make_column(self.fill(values), self.column_dtype)

    def encode(self, column: Columns) -> Matrix:
        """Return the numbers in such a column, (n_records,), NaN where one is missing."""
        if hasattr(column, "to_numpy"):
            numbers: Matrix = column.to_numpy(dtype=float, na_value=np.nan)
            return numbers
        return np.asarray(column, dtype=float)

    def decode(self, codes: Matrix) -> Any:
        """Return the column, (n_records,), of these numbers, NaN where one is missing."""
        dtype = self.column_dtype
        is_plain = dtype in NUMPY_DTYPES and dtype != "object"
        if is_plain and not np.isnan(codes).any():
            return codes.astype(dtype, copy=False)
        values = [
            None if is_missing(code) else code for code in codes.tolist()
        ]
        return self.column(values)


@dataclass(frozen=True)
class Integer(Numeric):
    """A whole number: int64 in the column, float64 where one may be missing."""

    type = "integer"
    usual_dtype = "int64"
    dtype_with_missing = "float64"
    every_value_fits = False
    made_up_value = 0
    value_type = int | float

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; 3.0 is a whole number, 3.5 and true are not."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a whole number"
        if isinstance(value, float) and not value.is_integer():
            return "a whole number"
        if int(value) not in INTEGERS:
            return "a whole number that fits into 64 bits"
        return None

    def fill(self, values: Iterable[Value]) -> list[Value]:
        """Return the values as whole numbers, with the default in place of each missing one."""
        filled = super().fill(values)
        return [None if value is None else int(value) for value in filled]


@dataclass(frozen=True)
class Boolean(Numeric):
    """True or false: bool in the column, an object, NaN where it is missing, where it may be."""

    type = "boolean"
    usual_dtype = "bool"
    dtype_with_missing = "object"
    made_up_value = False
    value_type = bool

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; neither 1 nor "true" is a boolean."""
        return None if isinstance(value, bool) else "true or false"

    def fill(self, values: Iterable[Value]) -> list[Value]:
        """Return the values as booleans, with the default in place of each missing one."""
        missing = np.nan if self.column_dtype == "object" else None
        filled = super().fill(values)
        return [missing if value is None else bool(value) for value in filled]


@dataclass(frozen=True)
class Datetime(Feature):
    """A date, or a date and a time, as text in ISO 8601: datetime64 in the column, NaT missing.

    A time with an offset is converted to UTC, and to the zone of the column if it has one.
    """

    type = "datetime"
    usual_dtype = "datetime64[ns]"
    made_up_value = "2000-01-01"
    value_type = str

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there: `2024-05-31`, `2024-05-31T12:30:00+02:00`."""
        expected = "a date, or a date and time, such as 2024-05-31T12:30:00"
        parts = ISO_8601.fullmatch(value) if isinstance(value, str) else None
        if parts is None:
            return expected
        try:
            date = datetime.fromisoformat(parts["microseconds"])
        except ValueError:
            return expected
        is_exact = "[ns" in self.column_dtype
        if is_exact and date.year not in NANOSECOND_YEARS:
            return (
                f"a date from {NANOSECOND_YEARS[0]} to {NANOSECOND_YEARS[-1]}"
            )
        return None

    def column(self, values: Sequence[Value]) -> Any:
        """Return the dates, (n_records,), in the dtype of the column."""
        import pandas as pd  # a model of numbers alone does without

        dates = pd.to_datetime(self.fill(values), format="ISO8601", utc=True)
        dtype = pd.api.types.pandas_dtype(self.column_dtype)
        zone = getattr(dtype, "tz", None)
        local = (
            dates.tz_localize(None) if zone is None else dates.tz_convert(zone)
        )
        return local.astype(dtype).array


@dataclass(frozen=True)
class String(Feature):
    """Any text: an object in the column.

    A missing one is `missing_value`: NaN, or None if the model was fitted with None. It is never
    the text "nan".
    """

    type = "string"
    usual_dtype = "object"
    every_value_fits = True
    made_up_value = ""
    value_type = str
    missing_value: Any = np.nan

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; a number is not a text."""
        return None if isinstance(value, str) else "a string"

    def column(self, values: Sequence[Value]) -> Any:
        """Return the texts, (n_records,), in the dtype of the column."""
        texts = []
        for value in self.fill(values):
            texts.append(self.missing_value if value is None else value)
        return make_column(texts, self.column_dtype)


@dataclass(frozen=True)
class Category(CodedFeature):
    """One of `categories`: an unordered pandas Categorical, with the categories in their order."""

    type = "category"
    usual_dtype = "category"
    categories: tuple[Value, ...] = ()

    @cached_property
    def positions(self) -> dict[Value, int]:
        """The position of each category; of None, that of the default or of a missing value."""
        positions = {
            category: number for number, category in enumerate(self.categories)
        }
        positions[None] = positions.get(self.default, MISSING_POSITION)
        return positions

    @property
    def made_up_value(self) -> Value:
        """The first category."""
        return self.categories[0]

    @property
    def value_type(self) -> Any:
        """The types of the categories; JSON knows no difference between 1 and 1.0."""
        types: list[Any] = []
        for category in self.categories:
            is_number = _kind(category) is Real
            types.append(float | int if is_number else type(category))
        return reduce(or_, types)

    def mismatch(self, value: Value) -> str | None:
        """Return the categories if the value is none of them; True is not the category 1."""
        for category in self.categories:
            if _kind(category) is _kind(value) and category == value:
                return None
        expected = ", ".join(map(shorten, self.categories[:SHOWN_CATEGORIES]))
        hidden = len(self.categories) - SHOWN_CATEGORIES
        if hidden > 0:
            expected += f" and {hidden} more"
        return f"one of the categories {expected}"

    def accepts_all(self, values: Iterable[Value]) -> bool:
        """Return whether all values are categories that have the `value_type` or are None."""
        return self.positions.keys() >= set(values)

    def column(self, values: Sequence[Value]) -> Any:
        """Return the categories, (n_records,), in the dtype of the column."""
        positions = [self.positions[value] for value in values]
        return self.decode(np.array(positions, dtype=float))

    def encode(self, column: Columns) -> Matrix:
        """Return the position of each category in such a column, (n_records,)."""
        import pandas as pd  # a model of numbers alone does without

        categories = pd.Categorical(
            column, categories=pd.Index(self.categories)
        )
        return np.asarray(categories.codes, dtype=float)

    def decode(self, codes: Matrix) -> Any:
        """Return the column, (n_records,), that has these positions."""
        import pandas as pd  # a model of numbers alone does without

        positions = codes.astype(np.intp)
        column = pd.Categorical.from_codes(
            positions, pd.Index(self.categories)
        )
        return column if self.dtype is None else column.astype(self.dtype)

    def _find_misfit(self) -> str | None:
        kinds = set(map(_kind, self.categories))
        if not self.categories:
            return "a category needs its categories"
        has_missing = any(map(is_missing, self.categories))
        if has_missing or not kinds <= {str, Real, bool}:
            return "categories must be strings, numbers or booleans"
        if {bool, Real} <= kinds:
            return "categories must not mix booleans with numbers"
        if len(set(self.categories)) < len(self.categories):
            return "the same category is listed twice"
        return super()._find_misfit()


KINDS = (Numeric, Integer, Boolean, Datetime, Category, String)
TYPES: dict[str, type[Feature]] = {kind.type: kind for kind in KINDS}


def _kind(value: Value) -> type:
    """Return bool, Real or str for such a value: True equals 1 in Python, but is no number here."""
    for kind in (bool, Real, str):
        if isinstance(value, kind):
            return kind
    return type(value)
