"""Records: the validated values that a request brings, in the forms that a model takes."""

from collections.abc import Sequence
from functools import cached_property

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

    @cached_property
    def codes(self) -> Matrix:
        """The records as numbers, (n_records, n_features); only for a schema without texts."""
        return self.schema.encode(self.rows)

    @cached_property
    def columns(self) -> Columns:
        """The records as the estimator takes them, (n_records, n_features)."""
        if self.schema.has_texts:
            return self.schema.columns(self.rows)
        return self.schema.decode(self.codes)
