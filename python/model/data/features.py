"""The features of a model: each kind knows which values fit it, and makes a column of them.

A new type is one class here, and one line in `TYPES`.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from numbers import Real
from operator import or_
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.data.columns import is_missing
from python.model.data.spelling import shorten
from python.model.types import Columns, Matrix

SHOWN_CATEGORIES = 20
MISSING_POSITION = -1  # pandas' own code for a missing category

Value: TypeAlias = Any
"""A value as JSON has it: None, a boolean, a number, a text, a list or a dict."""


@dataclass(frozen=True)
class Feature(ABC):
    """One input column of the model.

    `default` stands in for a missing value; None is no default.
    `accepts_missing` is None until it has been found out what the estimator takes.
    `entry` is the feature's own entry in the metadata.
    """

    type: ClassVar[str]
    name: str
    default: Value = None
    accepts_missing: bool | None = None
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def optional(self) -> bool:
        """Whether a record may leave the value out or have null for it."""
        return self.default is not None or bool(self.accepts_missing)

    def describe(self) -> dict[str, Any]:
        """Return the metadata's entry, and whether a value may be missing or must be there."""
        accepts_missing = bool(self.accepts_missing)
        return {
            **self.entry,
            "accepts_missing": accepts_missing,
            "required": not self.optional,
        }

    @property
    def example(self) -> Value:
        """A value that fits: the default where there is one."""
        if self.default is None:
            return self.made_up_value
        return self.default

    @property
    @abstractmethod
    def made_up_value(self) -> Value:
        """A value that fits, made up from the metadata."""

    @property
    @abstractmethod
    def value_type(self) -> Any:
        """The type of a value that is not missing, as an annotation: `float`, `str | bool`."""

    @abstractmethod
    def mismatch(self, value: Value) -> str | None:
        """Return what should be there instead of the value ("a number"); None if it fits."""

    @abstractmethod
    def column(self, values: Sequence[Value]) -> Any:
        """Return the column that the estimator takes, (n_records,), of values that fit."""

    def fault(self, value: Value) -> str | None:
        """Return why the value, None where it is missing, does not fit; None if it does."""
        if value is None:
            if self.optional:
                return None
            return "missing: the feature has no default and accepts no missing value"
        expected = self.mismatch(value)
        if expected is None:
            return None
        return f"expected {expected}, got {shorten(value)}"

    def check(self) -> None:
        """Raise ArtifactError if the parts of the feature's entry do not fit each other."""
        if self.accepts_missing not in (None, True, False):
            raise ArtifactError(
                f'feature "{self.name}": accepts_missing must be true or false'
            )
        if is_missing(self.default):
            advice = "leave it out and set accepts_missing"
            raise ArtifactError(
                f'feature "{self.name}": NaN is no default; {advice}'
            )
        expected = None
        if self.default is not None:
            expected = self.mismatch(self.default)
        if expected is not None:
            raise ArtifactError(
                f'feature "{self.name}": the default must be {expected}'
            )

    def fill(self, values: Iterable[Value]) -> list[Value]:
        """Return the values, with the default in place of each that is missing."""
        return [self.default if value is None else value for value in values]


@dataclass(frozen=True)
class Numeric(Feature):
    """A number: float64 in the column, NaN where it is missing."""

    type = "numeric"
    made_up_value = 0.0
    value_type = float

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; neither a text nor a boolean is a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a number"
        if abs(value) > sys.float_info.max:
            return "a number that fits into 64 bits"
        return None

    def column(self, values: Sequence[Value]) -> Matrix:
        """Return the numbers, (n_records,), float64."""
        numbers = self.fill(values)
        return np.array(numbers, dtype=float)


@dataclass(frozen=True)
class String(Feature):
    """Any text: an object in the column, NaN where it is missing and never the text "nan"."""

    type = "string"
    made_up_value = ""
    value_type = str

    def mismatch(self, value: Value) -> str | None:
        """Return what should be there; a number is not a text."""
        if isinstance(value, str):
            return None
        return "a string"

    def column(self, values: Sequence[Value]) -> NDArray[np.object_]:
        """Return the texts, (n_records,), as objects."""
        texts = self.fill(values)
        column = [np.nan if text is None else text for text in texts]
        return np.array(column, dtype=object)


@dataclass(frozen=True)
class Category(Feature):
    """One of `categories`: an unordered pandas Categorical, with the categories in their order."""

    type = "category"
    categories: tuple[Value, ...] = ()

    @cached_property
    def positions(self) -> dict[Value, int]:
        """The position of each category; of None, that of the default or of a missing value."""
        positions: dict[Value, int] = {}
        for position, category in enumerate(self.categories):
            positions[category] = position
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
            if _kind(category) is Real:
                types.append(float | int)
            else:
                types.append(type(category))
        return reduce(or_, types)

    def mismatch(self, value: Value) -> str | None:
        """Return the categories if the value is none of them; True is not the category 1."""
        kind = _kind(value)
        for category in self.categories:
            if _kind(category) is kind and category == value:
                return None
        shown = self.categories[:SHOWN_CATEGORIES]
        expected = ", ".join(map(shorten, shown))
        hidden = len(self.categories) - SHOWN_CATEGORIES
        if hidden > 0:
            expected += f" and {hidden} more"
        return f"one of the categories {expected}"

    def column(self, values: Sequence[Value]) -> Any:
        """Return the categories, (n_records,), categorical."""
        positions = [self.positions[value] for value in values]
        return self.decode(np.array(positions, dtype=np.intp))

    def encode(self, column: Columns) -> NDArray[Any]:
        """Return the position of each category in such a column, (n_records,)."""
        return np.asarray(column.cat.codes)

    def decode(self, positions: NDArray[Any]) -> Any:
        """Return the column, (n_records,), categorical, that has these positions."""
        import pandas as pd  # a model of numbers alone does without

        codes = positions.astype(np.intp)
        categories = pd.Index(self.categories)
        return pd.Categorical.from_codes(codes, categories=categories)

    def check(self) -> None:
        """Raise ArtifactError if the categories are none, not JSON's scalars, or not distinct."""
        kinds = set(map(_kind, self.categories))
        are_scalars = kinds <= {str, Real, bool}
        if not self.categories:
            reason = "a category needs its categories"
        elif not are_scalars or any(map(is_missing, self.categories)):
            reason = "categories must be strings, numbers or booleans"
        elif {bool, Real} <= kinds:
            reason = "categories must not mix booleans with numbers"
        elif len(set(self.categories)) < len(self.categories):
            reason = "the same category is listed twice"
        else:
            super().check()
            return
        raise ArtifactError(f'feature "{self.name}": {reason}')


TYPES: dict[str, type[Feature]] = {
    Numeric.type: Numeric,
    Category.type: Category,
    String.type: String,
}


def _kind(value: Value) -> type:
    """Return bool, Real or str for such a value: True equals 1 in Python, but is no number here."""
    for kind in (bool, Real, str):
        if isinstance(value, kind):
            return kind
    return type(value)
