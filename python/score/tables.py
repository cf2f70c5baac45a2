"""Tables: rows of the input between reading and writing, and the two formats of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from python.errors import Fault
from python.model.data.records import Records
from python.model.data.spelling import shorten, suggest
from python.model.tabular.cells import POINT_WANTED
from python.model.tabular.layouts import (
    Header,
    Layout,
    check_twice,
    read_header,
)
from python.score.jobs import JobError

POINT_CURE = ", unless --decimal , says otherwise"


@dataclass(frozen=True)
class Table:
    """Rows of the input: as records, and as they are in the columns to keep.

    Those with faults are among the records; `faults` are in the order of the rows.
    `numbers` are what a person calls the rows by, as the `noun` says: a line, or a row.
    """

    records: Records
    kept: dict[str, Any]
    faults: Sequence[Fault]
    numbers: Sequence[int]
    noun: str

    def describe(self, fault: Fault) -> str:
        """Return where a fault is, and what it is."""
        place = f"{self.noun} {self.numbers[fault.row]}"
        if fault.feature is not None:
            place += f", column {shorten(fault.feature)}"
        cure = POINT_CURE if fault.detail.endswith(POINT_WANTED) else ""
        return f"{place}: {fault.detail}{cure}"

    def keep_rows(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return the columns to keep, with some of the rows."""
        kept: dict[str, Any] = {}
        for name, column in self.kept.items():
            if hasattr(column, "take"):  # pyarrow
                # pyarrow does not know the type of an empty list.
                kept[name] = column.take(np.asarray(rows, dtype=np.int64))
            else:
                kept[name] = [column[row] for row in rows]
        return kept


class Input(NamedTuple):
    """How to read the chunks of an input: its header, where its features are, and what to keep."""

    header: Header
    layout: Layout
    kept: list[str]
    decimal: str
    writes: str


def find_header(given: Any, names: Sequence[str]) -> Header:
    """Return the header of a source: a line of CSV, or a schema of Parquet; errors as there."""
    if isinstance(given, str):
        return read_header(given, names)
    check_twice(given.names)
    return Header("", list(given.names))


def find_kept(
    wanted: tuple[str, ...] | None, names: Sequence[str]
) -> list[str]:
    """Return which of the columns to keep, in their order: all of them for None.

    Raises JobError where one that is wanted is not there.
    """
    if wanted is None:
        return list(names)
    for name in wanted:
        if name not in names:
            raise JobError(
                f"--keep: the input has no column {shorten(name)}{suggest(name, names)}"
            )
    return [name for name in names if name in wanted]
