"""The types of features. A new type is one class here, and one line in `TYPES`."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce
from numbers import Real
from operator import or_
from typing import Any, ClassVar, Self

import numpy as np

from python.model.data.columns import is_missing
from python.model.data.date_patterns import date_pattern
from python.model.data.dtypes import (
    NUMPY_DTYPES,
    datetime_dtype,
    find_largest,
    find_limits,
    make_column,
    text_dtype,
)
from python.model.data.features import (
    CodedFeature,
    Feature,
    JsonSchema,
    Value,
    is_gap,
)
from python.model.data.spelling import group_by_look, shorten, tell_apart_from
from python.model.types import Columns, Matrix

SHOWN_CATEGORIES = 20
MISSING_POSITION = -1  # pandas' own code for a missing category
EXACT_INTEGERS = 2**53  # below it, float64 has every whole number
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0, 10.0, -10.0, 100.0, 1000.0)
DATES = ("2000-01-01", "2001-02-03T04:05:06", "1970-01-01", "2024-02-29T23:59")
# What datetime64[ns] holds in full, and datetime64[us] with any offset.
NANOSECOND_YEARS = range(1678, 2262)
YEARS = range(2, 9999)
KINDS_OF_CATEGORIES = (str, Real, bool)
INT64_MAX = 2**63 - 1
# A date, or a date and a time to the nanosecond, perhaps with an offset.
ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>(?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,9})?)?)"
    r"(?P<offset>Z|[+-]\d\d:?[0-5]\d)?)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Numeric(CodedFeature):
    """A number: float64 in the column, NaN where it is missing."""

    type = "numeric"
    dtype_types: ClassVar[tuple[str, ...]] = ("numeric", "object")
    usual_dtype = "float64"
    is_number = True
    made_up_value: ClassVar[Value] = 0.0
    value_type: ClassVar[Any] = float

    @property
    def made_up_values(self) -> Sequence[Value]:
        """Numbers of several sizes, some of which are decimals."""
        return NUMBERS

    @cached_property
    def largest(self) -> float:
        """The largest number that the column holds."""
        return find_largest(self.column_dtype)

    @property
    def value_schema(self) -> JsonSchema:
        """A number: any that float64 holds, or those of a narrower column."""
        if self.every_value_fits:
            return {"type": "number", "format": "double"}
        return {
            "type": "number",
            "format": "float",
            "minimum": -self.largest,
            "maximum": self.largest,
        }

    @property
    def every_value_fits(self) -> bool:
        """Whether the column holds every float64 number."""
        return self.largest == sys.float_info.max

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; neither a text nor a boolean is a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a number"
        if abs(value) > sys.float_info.max:
            return "a number that fits into 64 bits"
        if abs(value) > self.largest:
            return f"a number that fits into {self.column_dtype}"
        return None

    def convert(self, value: Value) -> Value:
        """Return the number as a float: JSON knows no difference between 1 and 1.0."""
        return float(value)

    def column(self, values: Sequence[Value]) -> Any:
        """Return the numbers, (n_records,), in the dtype of the column."""
        return make_column(self.cells(values), self.column_dtype)

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
        values = []
        for code in codes.tolist():
            values.append(None if is_missing(code) else code)
        return self.column(values)


@dataclass(frozen=True)
class Integer(Numeric):
    """A whole number: int64 in the column, float64 where one may be missing."""

    type = "integer"
    dtype_types = ("integer", "numeric", "object")
    usual_dtype = "int64"
    dtype_with_missing = "float64"
    made_up_value = 0
    value_type = int | float

    @property
    def made_up_values(self) -> Sequence[Value]:
        """Some whole numbers that fit."""
        return [int(number) for number in NUMBERS if not self.mismatch(number)]

    @property
    def value_schema(self) -> JsonSchema:
        """A whole number that the column holds: for JSON Schema, 3.0 is one, too."""
        smallest, largest = self.limits
        schema = {"type": "integer", "minimum": smallest, "maximum": largest}
        if largest == INT64_MAX:
            schema["format"] = "int64"
        return schema

    @property
    def every_value_fits(self) -> bool:
        """Decimals do not."""
        return False

    @cached_property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest number that the column holds."""
        return find_limits(self.column_dtype)

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; 3.0 is a whole number, 3.5 and true are not."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a whole number"
        if isinstance(value, float) and not value.is_integer():
            return "a whole number"
        smallest, largest = self.limits
        if not smallest <= int(value) <= largest:
            return f"a whole number from {smallest} to {largest}"
        return None

    def convert(self, value: Value) -> Value:
        """Return the whole number as an int."""
        return int(value)


@dataclass(frozen=True)
class Boolean(Numeric):
    """True or false: bool in the column, an object where it may be missing."""

    type = "boolean"
    dtype_types = ("boolean", "integer", "numeric", "object")
    usual_dtype = "bool"
    dtype_with_missing = "object"
    made_up_value = False
    value_type = bool

    @property
    def made_up_values(self) -> Sequence[Value]:
        """Both of them."""
        return (False, True)

    @property
    def value_schema(self) -> JsonSchema:
        """True or false."""
        return {"type": "boolean"}

    @property
    def every_value_fits(self) -> bool:
        """There are two of them."""
        return True

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; neither 1 nor "true" is a boolean."""
        return None if isinstance(value, bool) else "true or false"

    def convert(self, value: Value) -> Value:
        """Return the boolean; its code may come instead, 1 or 0."""
        return bool(value)


@dataclass(frozen=True)
class Datetime(Feature):
    """A date, or a date and a time, as text in ISO 8601: datetime64 in the column, NaT missing.

    A time with an offset is converted to UTC, one without is UTC. A column with a zone has the
    same moments in its zone.
    """

    type = "datetime"
    dtype_types = ("datetime", "object")
    usual_dtype = "datetime64"
    made_up_value = DATES[0]
    value_type = str

    @property
    def made_up_values(self) -> Sequence[Value]:
        """Dates, and times with and without seconds."""
        return DATES

    @property
    def column_dtype(self) -> str:
        """The dtype of the column, with the unit in which the time is counted."""
        return self.dtype or datetime_dtype()

    @property
    def unit(self) -> str:
        """The unit in which the column counts: `ns`, `us`, `ms` or `s`."""
        counted = re.search(r"\[(ns|us|ms|s)\b", self.column_dtype)
        return counted[1] if counted else "ns"

    @property
    def value_schema(self) -> JsonSchema:
        """A text that has the form of a date, or of a date and a time."""
        has_nanoseconds = self.unit == "ns"
        pattern = date_pattern(has_nanoseconds=has_nanoseconds)
        return {"type": "string", "pattern": pattern}

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there: `2024-05-31`, `2024-05-31T12:30:00+02:00`."""
        expected = "a date, or a date and time, such as 2024-05-31T12:30:00"
        if not isinstance(value, str) or not ISO_8601.fullmatch(value):
            return expected
        try:
            date = datetime.fromisoformat(value)
        except ValueError:
            return expected
        years = NANOSECOND_YEARS if self.unit == "ns" else YEARS
        if date.year not in years:
            return f"a date from {years[0]} to {years[-1]}"
        return None

    def column(self, values: Sequence[Value]) -> Any:
        """Return the dates, (n_records,), in the dtype of the column."""
        import pandas as pd  # a model of numbers alone does without

        times = []
        offsets = []
        for value in self.fill(values):
            time, minutes = _split_offset(value)
            times.append(time)
            offsets.append(minutes)
        local = np.array(times, dtype=f"datetime64[{self.unit}]")
        dates = pd.DatetimeIndex(
            local - np.array(offsets, dtype="timedelta64[m]")
        )
        dtype = pd.api.types.pandas_dtype(self.column_dtype)
        zone = getattr(dtype, "tz", None)
        if zone is not None:
            return dates.tz_localize("UTC").tz_convert(zone).array
        return dates.astype(dtype).array


def _split_offset(value: str | None) -> tuple[str, int]:
    """Return a date and time without its offset, and the offset in minutes.

    `2024-05-31T12:30+02:00` is `2024-05-31T12:30` and 120; None is `NaT`.
    """
    parts = ISO_8601.fullmatch(value or "")
    if parts is None:
        return "NaT", 0
    local = f"{parts['date']}T{parts['time'] or '00:00'}"
    offset = parts["offset"] or "Z"
    if offset == "Z":
        return local, 0
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    return local, -minutes if offset[0] == "-" else minutes


@dataclass(frozen=True)
class String(Feature):
    """Any text: in a column as pandas makes it of texts, or of objects.

    A missing one is `missing_value`: NaN, or what the model was fitted with, such as None. It is
    never the text "nan".
    """

    type = "string"
    dtype_types = ("string", "object")
    usual_dtype = "object"
    made_up_value = ""
    value_type = str

    @property
    def value_schema(self) -> JsonSchema:
        """Any text."""
        return {"type": "string"}

    @property
    def every_value_fits(self) -> bool:
        """Any text does."""
        return True

    def with_missing_value(self, value: Any) -> Self:
        """Return the same feature; what is no NaN stands for a missing text in objects alone."""
        dtype = self.dtype if isinstance(value, float) else "object"
        return replace(self, missing_value=value, dtype=dtype)

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; a number is not a text."""
        if isinstance(value, str):
            return None
        return "a string"

    def column(self, values: Sequence[Value]) -> Any:
        """Return the texts, (n_records,), in the dtype of the column."""
        texts = self.cells(values)
        if self.dtype is None and all(map(is_missing, texts)):
            # Where there is a text, pandas sees for itself that it is a column of texts.
            return make_column(texts, text_dtype())
        return make_column(texts, self.column_dtype)


@dataclass(frozen=True)
class Category(CodedFeature):
    """One of `categories`: a pandas Categorical, with the categories in their order.

    With `ordered`, it is one whose values are compared by that order: "S" is less than "M".
    """

    type = "category"
    dtype_types = (
        "category",
        "string",
        "boolean",
        "integer",
        "numeric",
        "object",
    )
    usual_dtype = "category"
    misfit_kind = "category"
    categories: tuple[Value, ...] = ()
    ordered: bool = False

    @cached_property
    def positions(self) -> dict[Value, int]:
        """The position of each category; of None, that of the default or of a missing value."""
        positions: dict[Value, int] = {}
        for position, category in enumerate(self.categories):
            positions[category] = position
        positions[None] = positions.get(self.default, MISSING_POSITION)
        return positions

    @cached_property
    def _by_kind(self) -> set[Value]:
        """The categories, each with its kind: True equals 1 in Python."""
        return {(_kind(category), category) for category in self.categories}

    @cached_property
    def _expected(self) -> str:
        """What a sentence says should be there: it may say so of a hundred values."""
        shown = self.categories[:SHOWN_CATEGORIES]
        expected = ", ".join(map(shorten, shown))
        hidden = len(self.categories) - SHOWN_CATEGORIES
        if hidden > 0:
            expected += f" and {hidden} more"
        return f"one of the categories {expected}"

    @cached_property
    def _texts_by_look(self) -> dict[str, list[str]]:
        """The categories that are texts, by what one sees of them: there may be thousands."""
        texts = [item for item in self.categories if isinstance(item, str)]
        return group_by_look(texts)

    @property
    def made_up_value(self) -> Value:
        """The first category."""
        return self.categories[0]

    @property
    def made_up_values(self) -> Sequence[Value]:
        """The categories."""
        return self.categories

    @property
    def value_type(self) -> Any:
        """The types of the categories; JSON knows no difference between 1 and 1.0."""
        types: list[Any] = []
        for category in self.categories:
            if _kind(category) is Real:
                types.append(float | int)
            else:
                types.append(type(category))
        return reduce(or_, types)

    @property
    def value_schema(self) -> JsonSchema:
        """One of the categories."""
        categories = list(self.categories)
        types = sorted(set(map(_json_type, categories)))
        if len(types) == 1:
            return {"type": types[0], "enum": categories}
        return {"type": types, "enum": categories}

    def with_missing_value(self, value: Any) -> Self:
        """Return the same feature; a Categorical holds NaN alone, so that others need objects."""
        dtype = self.dtype if isinstance(value, float) else "object"
        return replace(self, missing_value=value, dtype=dtype)

    def mismatch(self, value: Value) -> str | None:
        """Return the categories if the value is none of them; True is not the category 1."""
        kind = _kind(value)
        if kind in KINDS_OF_CATEGORIES and (kind, value) in self._by_kind:
            return None
        return self._expected

    def difference(self, value: Value) -> str:
        """Return how a text differs from a category that looks the same."""
        if not isinstance(value, str):
            return ""
        return tell_apart_from(value, self._texts_by_look)

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
        if self.column_dtype == "category":
            return pd.Categorical.from_codes(
                positions,
                pd.Index(self.categories),
                ordered=bool(self.ordered),
            )
        categories = (*self.categories, None)  # the last one is missing
        values = [categories[position] for position in positions]
        return make_column(self.cells(values), self.column_dtype)

    def _find_misfit(self) -> str | None:
        kinds = set(map(_kind, self.categories))
        if not self.categories:
            return "a category needs its categories"
        stranger = self._find_stranger()
        if stranger is not None:
            return (
                f"categories must be strings, numbers or booleans, {stranger}"
            )
        if {bool, Real} <= kinds:
            return "categories must not mix booleans with numbers"
        if len(set(self.categories)) < len(self.categories):
            return "the same category is listed twice"
        return self._find_order_misfit() or super()._find_misfit()

    def _find_order_misfit(self) -> str | None:
        if self.ordered not in (True, False):
            return "ordered must be true or false"
        if self.ordered and self.column_dtype != self.usual_dtype:
            return f"a column of {self.column_dtype} has no ordered categories"
        return None

    def _find_stranger(self) -> str | None:
        """Return which category can be none, and what to write instead; None if all can."""
        for category in self.categories:
            if category is None or is_gap(category):
                gap = "None" if category is None else str(category)
                return f"and {gap} is among them: leave it out and set accepts_missing to True"
            if _kind(category) not in KINDS_OF_CATEGORIES:
                return f"got {shorten(category)}"
            if category in (np.inf, -np.inf):
                return f"and {category} is among them, which JSON does not have: leave it out"
        return None


KINDS = (Numeric, Integer, Boolean, Datetime, Category, String)
TYPES: dict[str, type[Feature]] = {kind.type: kind for kind in KINDS}


def _kind(value: Value) -> type:
    """Return bool, Real or str for such a value: True equals 1 in Python, but is no number here."""
    for kind in (bool, Real, str):
        if isinstance(value, kind):
            return kind
    return type(value)


def _json_type(category: Value) -> str:
    """Return what JSON Schema calls the type of a category."""
    if isinstance(category, str):
        return "string"
    if isinstance(category, bool):
        return "boolean"
    return "integer" if isinstance(category, int) else "number"
