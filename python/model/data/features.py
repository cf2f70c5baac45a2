"""What every feature of a model can say: which values fit it, and what column they make.

The types of features, such as numbers and texts, are in `kinds`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from python.errors import ArtifactError, Fault
from python.model.data.dtypes import holds_missing, type_of
from python.model.data.spelling import shorten
from python.model.types import Columns, Matrix

MAX_KNOWN_VALUES = 20

Value: TypeAlias = Any
"""A value as JSON has it: None, a boolean, a number, a text, a list or a dict."""

JsonSchema: TypeAlias = dict[str, Value]
"""The members of a JSON Schema, such as `{"type": "number"}`."""


@dataclass(frozen=True)
class Feature(ABC):
    """One input column of the model.

    `default` stands in for a missing value; None is no default.
    `accepts_missing` is None until it has been found out what the estimator takes;
    `missing_rule_from` says who knew: the metadata, the samples or the estimator.
    `dtype` is the type of the column, as pandas names it, where it is not the usual one.
    `missing_value` stands for a missing value in a column of objects: NaN, None, NA or NaT.
    `known_values` are some that the encoders of the model were fitted with.
    `entry` is the feature's own entry in the metadata.
    """

    type: ClassVar[str]
    dtype_types: ClassVar[tuple[str, ...]]
    """The types that the dtype of such a column can belong to."""
    usual_dtype: ClassVar[str]
    dtype_with_missing: ClassVar[str | None] = None
    """What pandas makes of a column with gaps, where the usual dtype holds no missing value."""
    is_number: ClassVar[bool] = False
    """Whether each value is a number, or 1 and 0 for true and false."""
    misfit_kind: ClassVar[str] = "value"
    """Of what kind the fault of a value is that has the right type."""

    name: str
    default: Value = None
    accepts_missing: bool | None = None
    dtype: str | None = None
    missing_rule_from: str = "metadata"
    missing_value: Any = np.nan
    known_values: tuple[Value, ...] = ()
    entry: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def optional(self) -> bool:
        """Whether a record may leave the value out or have null for it."""
        return self.default is not None or bool(self.accepts_missing)

    @property
    def column_dtype(self) -> str:
        """The dtype of the column, as pandas names it."""
        return self.dtype or self.usual_dtype

    @property
    def can_be_missing(self) -> bool:
        """Whether the column can hold a missing value: one of int64 or bool cannot."""
        return holds_missing(self.column_dtype)

    def describe(self) -> dict[str, Any]:
        """Return the metadata's entry, and whether a value may be missing or must be there."""
        return {
            **self.entry,
            "accepts_missing": bool(self.accepts_missing),
            "accepts_missing_from": self.missing_rule_from,
            "required": not self.optional,
        }

    def with_rule(self, accepts_missing: bool, source: str) -> Self:
        """Return the same feature with a rule for missing values, and a column that holds them."""
        dtype = self.dtype
        if accepts_missing and not self.can_be_missing:
            dtype = self.dtype_with_missing or dtype
        return replace(
            self,
            accepts_missing=accepts_missing,
            missing_rule_from=source,
            dtype=dtype,
        )

    def with_missing_value(self, value: Any) -> Self:
        """Return the same feature, in whose column of objects this is a missing value."""
        return replace(self, missing_value=value)

    def with_known_values(self, values: Iterable[Value]) -> Self:
        """Return the same feature, with those of the values that fit as values to try."""
        fitting = [value for value in values if self.mismatch(value) is None]
        return replace(self, known_values=tuple(fitting[:MAX_KNOWN_VALUES]))

    @property
    def example(self) -> Value:
        """A value that fits: the default where there is one, or one that the model knows."""
        if self.default is not None:
            return self.default
        return next(iter(self.known_values), self.made_up_value)

    @property
    def trial_values(self) -> Sequence[Value]:
        """Values to try the model with: those that it knows, and one that it may not know."""
        if not self.known_values:
            return self.made_up_values
        return (*self.known_values, self.made_up_value)

    @property
    @abstractmethod
    def made_up_value(self) -> Value:
        """A value that fits, made up from the metadata."""

    @property
    def made_up_values(self) -> Sequence[Value]:
        """Several values that fit, made up from the metadata."""
        return [self.made_up_value]

    @property
    def every_value_fits(self) -> bool:
        """Whether a value only needs to have the `value_type`."""
        return False

    @property
    @abstractmethod
    def value_type(self) -> Any:
        """The type of a value that is not missing, as an annotation: `float`, `str | bool`."""

    @property
    @abstractmethod
    def value_schema(self) -> JsonSchema:
        """The JSON Schema of a value that is not missing: its type, and what else must hold."""

    def json_schema(self) -> JsonSchema:
        """Return the JSON Schema (2020-12) of what a record may have for the feature.

        Where the value is optional, it may be null. Every value fits the schema that fits the
        feature, and no other one does.
        """
        schema = dict(self.value_schema)
        if self.optional:
            schema["type"] = [*_list_types(schema), "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        if self.default is not None:
            schema["default"] = self.default
        return schema

    @abstractmethod
    def mismatch(self, value: Value) -> str | None:
        """Return what should be there instead of the value ("a number"); None if it fits."""

    def accepts_all(self, values: Iterable[Value]) -> bool:
        """Return whether all values fit that are None or have the `value_type`."""
        present = (value for value in values if value is not None)
        return all(self.mismatch(value) is None for value in present)

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
        return f"expected {expected}, got {shorten(value)}{self.difference(value)}"

    def find_fault(self, row: int, value: Value) -> Fault | None:
        """Return what does not fit about the value in a row; None if it fits."""
        detail = self.fault(value)
        if detail is None:
            return None
        return Fault(row, self.name, detail, self._find_kind(value))

    def _find_kind(self, value: Value) -> str:
        """Return of what kind the fault of a value is that does not fit."""
        if value is None:
            return "missing"
        # JSON knows no difference between 1 and 1.0.
        is_number = isinstance(value, int | float)
        if isinstance(value, bool):
            fits = self.value_type is bool
        elif is_number and self.is_number:
            fits = self.value_type is not bool
        else:
            fits = isinstance(value, self.value_type)
        return self.misfit_kind if fits else "type"

    def difference(self, value: Value) -> str:  # noqa: ARG002
        """Return how a value that does not fit differs from one that does and looks the same."""
        return ""

    def check(self) -> None:
        """Raise ArtifactError if the parts of the feature's entry do not fit each other."""
        reason = self._find_misfit()
        if reason is not None:
            raise ArtifactError(f'feature "{self.name}": {reason}')

    def _find_misfit(self) -> str | None:
        is_said = self.accepts_missing is not None
        if is_said and not _is_switch(self.accepts_missing):
            return "accepts_missing must be true or false"
        if is_gap(self.default):
            advice = "leave it out and set accepts_missing"
            return f"NaN is no default; {advice}"
        if self.default is not None:
            expected = self.mismatch(self.default)
            if expected is not None:
                return f"the default must be {expected}"
        never_missing = self.default is not None or self.can_be_missing
        if self.accepts_missing and not never_missing:
            return f"a column of {self.column_dtype} holds no missing value"
        return None if self.dtype is None else self._find_dtype_misfit()

    def _find_dtype_misfit(self) -> str | None:
        dtype = self.column_dtype
        other_type = type_of(dtype)
        if other_type not in self.dtype_types:
            return (
                f"a column of {dtype} is of another type than {self.type}: "
                f"{other_type}"
            )
        try:
            self.column([self.example])
        except Exception:
            # pandas refuses values with exceptions of many kinds.
            return f"a column of {dtype} does not hold {shorten(self.example)}"
        return None

    def convert(self, value: Value) -> Value:
        """Return a value that fits as it stands in the column."""
        return value

    def cells(self, values: Iterable[Value]) -> list[Value]:
        """Return what stands in the column for each value; None where it is missing."""
        gap = self.missing_value if self.column_dtype == "object" else None
        cells = []
        for value in self.fill(values):
            cells.append(gap if value is None else self.convert(value))
        return cells

    def fill(self, values: Iterable[Value]) -> list[Value]:
        """Return the values, with the default in place of each that is missing."""
        return [self.default if value is None else value for value in values]


class CodedFeature(Feature):
    """A feature for each value of which a float64 number can stand: its code."""

    @abstractmethod
    def encode(self, column: Columns) -> Matrix:
        """Return the codes of the values in such a column, (n_records,)."""

    @abstractmethod
    def decode(self, codes: Matrix) -> Any:
        """Return the column, (n_records,), whose values have these codes."""


def _list_types(schema: JsonSchema) -> list[str]:
    types = schema["type"]
    return types if isinstance(types, list) else [types]


def _is_switch(value: Value) -> bool:
    return isinstance(value, Real) and value in (0, 1)


def is_gap(value: Value) -> bool:
    """Return whether a value of the metadata is one of those that stand for a missing value."""
    return str(value) in ("nan", "NaN", "NaT", "<NA>") and not isinstance(
        value, str
    )
