"""Records: what a request asks about, validated, with the way back to where each value stood."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from python.errors import pointer


class Framing(Protocol):
    """What knows the columns that numbers or values stand for: a schema."""

    def framed(self, coded: NDArray[np.float64]) -> Any:
        """The columns of coded records, (n_records, n_features)."""

    def typed(self, rows: Sequence[tuple[Any, ...]]) -> Any:
        """The columns of rows of values, (n_records, n_features)."""


class Records:
    """Validated records that know where in the request they came from, and what the model has answered to them."""

    def __init__(self, columns: Any, at: tuple[str | int, ...] = (), single: bool = False) -> None:
        """`columns`, (n_records, n_features): a DataFrame, an array, or `Coded` or `Rows`, of which they can be made."""
        self.at = at
        self.single = single
        self.answers: dict[str, Any] = {}
        self.coded = columns.matrix if isinstance(columns, Coded) else None
        self.rows = columns.rows if isinstance(columns, Rows) else None
        self._given = columns

    @cached_property
    def columns(self) -> Any:
        """What the estimator takes, (n_records, n_features): a DataFrame or an array."""
        return self._given.columns() if isinstance(self._given, Coded | Rows) else self._given

    def __len__(self) -> int:
        return len(self._given)

    def pointer(self, row: int, *feature: str) -> str:
        """The place in the body of a record, or of one of its values."""
        return pointer(*self.at, *(() if self.single else (row,)), *feature)


@dataclass(slots=True)
class Coded:
    """Records as numbers, (n_records, n_features): of a category its place among the categories, -1 if missing."""

    matrix: NDArray[np.float64]
    schema: Framing

    def __len__(self) -> int:
        return len(self.matrix)

    def columns(self) -> Any:
        """The columns that these numbers stand for."""
        return self.schema.framed(self.matrix)


@dataclass(slots=True)
class Rows:
    """Records as the values that came, in the order of the features, None being absent."""

    rows: Sequence[tuple[Any, ...]]
    schema: Framing

    def __len__(self) -> int:
        return len(self.rows)

    def columns(self) -> Any:
        """The columns that these values stand for."""
        return self.schema.typed(self.rows)
