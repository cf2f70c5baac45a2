"""The features a model was fitted with: each reads its own value."""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from numbers import Real
from operator import or_
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.data.columns import missing

SHOWN_CATEGORIES = 20
SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class Feature(ABC):
    """One input column; `accepts_missing` is None until the estimator has been asked."""

    type: ClassVar[str]
    name: str
    default: Any = None
    accepts_missing: bool | None = None
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def optional(self) -> bool:
        """Whether a record may leave the value out or give null."""
        return self.default is not None or bool(self.accepts_missing)

    def described(self) -> dict[str, Any]:
        """The metadata's entry, and what a client must know besides."""
        return {
            **self.entry,
            "accepts_missing": bool(self.accepts_missing),
            "required": not self.optional,
        }

    @property
    def example(self) -> Any:
        """A value that the model can be asked about: the default, or one made up."""
        return self.made_up if self.default is None else self.default

    @property
    @abstractmethod
    def made_up(self) -> Any:
        """A value of this feature's type."""

    @property
    @abstractmethod
    def accepts(self) -> Any:
        """The types of a JSON value that is not null, as an annotation."""

    @abstractmethod
    def expects(self, value: Any) -> str:
        """What a value that does not fit should have been ("a number"); empty if it fits."""

    @abstractmethod
    def column(self, values: Sequence[Any]) -> Any:
        """The column that the estimator sees, (n_records,); raises KeyError for an unknown category."""

    def fault(self, value: Any) -> str | None:
        """Why `value` (None if absent) does not fit, in a sentence; None if it does."""
        if value is None:
            return (
                None
                if self.optional
                else "missing: the feature has no default and accepts no missing value"
            )
        expected = self.expects(value)
        return f"expected {expected}, got {shown(value)}" if expected else None

    def check(self) -> None:
        """Raise ArtifactError if the feature's own entry does not fit together."""
        if self.accepts_missing not in (None, True, False):
            raise ArtifactError(f'feature "{self.name}": accepts_missing must be true or false')
        if missing(self.default):
            raise ArtifactError(
                f'feature "{self.name}": NaN is no default; leave it out and set accepts_missing'
            )
        if self.default is not None and (expected := self.expects(self.default)):
            raise ArtifactError(f'feature "{self.name}": the default must be {expected}')

    def filled(self, values: Sequence[Any]) -> Sequence[Any]:
        """The values, the default standing in for each None."""
        return (
            values
            if self.default is None
            else [self.default if value is None else value for value in values]
        )


@dataclass(frozen=True)
class Numeric(Feature):
    """A number: float64 in the column, missing as NaN."""

    type = "numeric"
    made_up = 0.0
    accepts = float

    def expects(self, value: Any) -> str:
        """Neither a string nor a boolean is a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "a number"
        return "" if abs(value) <= sys.float_info.max else "a number that fits into 64 bits"

    def column(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """(n_records,), float64."""
        return np.array(self.filled(values), dtype=float)


@dataclass(frozen=True)
class String(Feature):
    """Any text: an object in the column, missing as NaN and never as the text "nan"."""

    type = "string"
    made_up = ""
    accepts = str

    def expects(self, value: Any) -> str:
        """A number is not a string either."""
        return "" if isinstance(value, str) else "a string"

    def column(self, values: Sequence[Any]) -> NDArray[np.object_]:
        """(n_records,), object."""
        return np.array(
            [np.nan if value is None else value for value in self.filled(values)], dtype=object
        )


@dataclass(frozen=True)
class Category(Feature):
    """One of `categories`: an unordered pandas Categorical in the column, with the categories in their order."""

    type = "category"
    categories: tuple[Any, ...] = ()

    @cached_property
    def codes(self) -> dict[Any, int]:
        """The place of each category; -1, pandas' code for a missing value, for None."""
        return {category: code for code, category in enumerate(self.categories)} | {None: -1}

    @cached_property
    def filled_codes(self) -> dict[Any, int]:
        """The same, with the place of the default for None."""
        return self.codes | {None: self.codes[self.default]}

    @property
    def made_up(self) -> Any:
        """The first category."""
        return self.categories[0]

    @property
    def accepts(self) -> Any:
        """The union of the categories' types, where JSON knows no difference between 1 and 1.0."""
        kinds = (
            float | int if _kind(category) is Real else type(category)
            for category in self.categories
        )
        return reduce(or_, kinds)

    def expects(self, value: Any) -> str:
        """True is not the category 1."""
        if any(
            _kind(category) is _kind(value) and category == value for category in self.categories
        ):
            return ""
        more = len(self.categories) - SHOWN_CATEGORIES
        known = ", ".join(map(shown, self.categories[:SHOWN_CATEGORIES])) + (
            f" and {more} more" if more > 0 else ""
        )
        return f"one of the categories {known}"

    def column(self, values: Sequence[Any]) -> Any:
        """(n_records,), categorical."""
        return self.decoded(
            np.fromiter(
                map(self.filled_codes.__getitem__, values), dtype=np.intp, count=len(values)
            )
        )

    def coded(self, column: Any) -> NDArray[Any]:
        """(n_records,): the places of the categories in such a column."""
        return np.asarray(column.cat.codes)

    def decoded(self, codes: NDArray[Any]) -> Any:
        """(n_records,), categorical, from the places of the categories; -1 is missing."""
        import pandas as pd  # a model of numbers alone never needs it

        return pd.Categorical.from_codes(
            codes.astype(np.intp), categories=pd.Index(self.categories)
        )

    def check(self) -> None:
        """Raise ArtifactError if the categories are none, of other types than JSON's scalars, or not distinct."""
        kinds = set(map(_kind, self.categories))
        if not self.categories:
            raise ArtifactError(f'feature "{self.name}": a category needs its categories')
        if not kinds <= {str, Real, bool} or any(map(missing, self.categories)):
            raise ArtifactError(
                f'feature "{self.name}": categories must be strings, numbers or booleans'
            )
        if {bool, Real} <= kinds:
            raise ArtifactError(
                f'feature "{self.name}": categories must not mix booleans with numbers'
            )
        if len(set(self.categories)) < len(self.categories):
            raise ArtifactError(f'feature "{self.name}": the same category is listed twice')
        super().check()


TYPES: dict[str, type[Feature]] = {kind.type: kind for kind in (Numeric, Category, String)}


def shown(value: Any) -> str:
    """A JSON value as a sentence may show it, cut where it is long."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _kind(value: Any) -> type:
    return next((kind for kind in (bool, Real, str) if isinstance(value, kind)), type(value))
