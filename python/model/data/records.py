"""Records: the validated values that a request brings, in the forms that a model takes."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from python.model.data.schema import Row, Schema
from python.model.types import Columns, Matrix


class Records:
    """Records that fit their schema; each form of them is made when it is first needed, once."""

    def __init__(self, schema: Schema, rows: Sequence[Row]) -> None:
        """Take rows of values that fit the schema, in the order of its features."""
        self.schema = schema
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, numbers: Sequence[int]) -> "Records":
        """Return the records with these numbers, in their order."""
        return Records(self.schema, [self.rows[number] for number in numbers])

    @cached_property
    def codes(self) -> Matrix:
        """The records as numbers, (n_records, n_features); only for a schema that has codes."""
        return self.schema.encode(self.rows)

    @cached_property
    def columns(self) -> Columns:
        """The records as the estimator takes them, (n_records, n_features)."""
        if self.schema.is_float:
            return self.schema.decode(self.codes)
        return self.schema.columns(self.rows)


class NumberRecords(Records):
    """Records of numbers alone, that come as a matrix: NaN where one is missing.

    It is the same as `Records`, without a Python object for each of the numbers.
    """

    def __init__(self, schema: Schema, numbers: Matrix) -> None:
        """Take numbers, (n_records, n_features), for a schema of float64 columns."""
        self.schema = schema
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def take(self, numbers: Sequence[int]) -> Records:
        """Return the records with these numbers, in their order."""
        return NumberRecords(self.schema, self._numbers[numbers])

    @cached_property
    def has_gaps(self) -> bool:
        """Whether any number is missing."""
        return bool(np.isnan(self._numbers).any())

    @cached_property
    def rows(self) -> Sequence[Row]:  # type: ignore[override]
        """The values of the features, None where one is missing."""
        values = self._numbers.astype(object)
        values[np.isnan(self._numbers)] = None
        return list(map(tuple, values.tolist()))

    @cached_property
    def codes(self) -> Matrix:
        """The numbers, with the default in place of each that is missing."""
        return self.schema.fill_numbers(self._numbers)
