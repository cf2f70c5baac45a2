"""Sheets: the rows of a CSV text, with the lines on which they begin, and faults in cells.

CSV is what RFC 4180 says: quotation marks around a cell that holds separators or the end of a line.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from io import StringIO
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from python.errors import BadRequest, Fault
from python.model.data.features import Feature, Value
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.tabular.cells import QUOTED_EMPTY, hint, read_column
from python.model.tabular.layouts import Header, Layout

# csv refuses cells longer than 128 KB; whoever calls bounds what there is to read.
MAX_CELL_CHARACTERS = 1 << 30

# Stands for a cell that is empty between quotation marks, of which csv says no more than that it
# is empty: a character that nobody uses.
EMPTY_MARK = "\uf8e7"

Cells = Sequence[str]
"""The texts of a row, or of a column."""

csv.field_size_limit(MAX_CELL_CHARACTERS)


class Sheet(NamedTuple):
    """Rows of a CSV text, as cells and as records, among which are those with faults.

    `lines` has the number of the line on which each row begins. `faults` are in the order of rows.
    A row of `cells` that is a fault may have more or fewer of them than there are columns.
    """

    lines: Sequence[int]
    cells: Sequence[Cells]
    records: Records
    faults: Sequence[Fault]


class Reading(NamedTuple):
    """How a text is read.

    `first_line` is the number of the line on which it begins, and `decimal` the sign before the
    decimals of a number. Not more than `max_faults` are returned: to describe them takes time.
    """

    first_line: int
    decimal: str = "."
    max_faults: int | None = None


def read_sheet(
    text: str, header: Header, layout: Layout, reading: Reading
) -> Sheet:
    """Return the rows of a CSV text without its header; blank lines are none.

    Raises BadRequest where a quotation mark is not closed, or closed within a cell.
    """
    rows = _split(text, header.separator, reading.first_line)
    lines, cells, ragged = _take_rows(
        rows, layout.n_columns, reading.max_faults
    )
    aligned = _align(cells, ragged, layout.n_columns)
    columns = _read_columns(aligned, layout, reading.decimal)
    records = Records(layout.schema, list(zip(*columns, strict=True)))
    faults: list[Fault] = []
    if ragged or not fit(layout.schema, columns):
        found = find_faults(records, ragged, reading.decimal)
        faults += islice(found, reading.max_faults)
    return Sheet(lines, cells, records, faults)


def _read_columns(
    cells: Sequence[Cells], layout: Layout, decimal: str
) -> list[Sequence[Value]]:
    """Return the values of each feature, (n_features, n_rows)."""
    columns: list[Sequence[Value]] = []
    for feature, position in layout.places:
        if position is None:
            columns.append([None] * len(cells))
        else:
            # The other columns, of which there may be a million, take no memory.
            texts = list(map(itemgetter(position), cells))
            columns.append(read_column(feature, texts, decimal))
    return columns


def _take_rows(
    rows: Iterator[tuple[int, Cells]], n_columns: int, max_ragged: int | None
) -> tuple[list[int], list[Cells], dict[int, str]]:
    """Return the first lines and the cells of rows, and what is wrong with ragged ones, by row.

    Ragged rows have more or fewer cells than the header. They are faults as they are, so that
    nothing is read after the last of them that is returned.
    """
    lines: list[int] = []
    taken: list[Cells] = []
    ragged: dict[int, str] = {}
    for line, cells in rows:
        if len(cells) != n_columns:
            row = len(taken)
            ragged[row] = f"expected {n_columns} cells, got {len(cells)}"
        lines.append(line)
        taken.append(cells)
        if len(ragged) == max_ragged:
            break
    return lines, taken, ragged


def _align(
    cells: list[Cells], ragged: Mapping[int, str], n_columns: int
) -> list[Cells]:
    """Return the rows with blank cells in place of those of ragged rows."""
    if not ragged:
        return cells
    blank = [""] * n_columns
    aligned = list(cells)
    for row in ragged:
        aligned[row] = blank
    return aligned


def _split(
    text: str, separator: str, first_line: int
) -> Iterator[tuple[int, Cells]]:
    """Yield the first line, and the cells, of each row that is not blank."""
    may_be_empty = '""' in text
    if may_be_empty:
        text = _quoted_cells(separator).sub(_mark_empty, text)
    source = StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, strict=True)
    line = first_line
    try:
        for row in reader:
            if row:
                yield line, _restore_empty(row) if may_be_empty else row
            line = first_line + reader.line_num
    except csv.Error as error:
        raise BadRequest(f"line {line}: {_explain(error)}") from error


@cache
def _quoted_cells(separator: str) -> re.Pattern[str]:
    """Return a pattern of the cells between quotation marks, two of which stand for one."""
    before = rf"(?:(?<=[\r\n{re.escape(separator)}])|\A)"
    return re.compile(before + r'"(?:[^"]++|"")*+"')


def _mark_empty(cell: re.Match[str]) -> str:
    return EMPTY_MARK if cell[0] == '""' else cell[0]


def _restore_empty(row: list[str]) -> list[str]:
    if EMPTY_MARK not in row:
        return row
    return [QUOTED_EMPTY if text == EMPTY_MARK else text for text in row]


def _explain(error: csv.Error) -> str:
    """Return what is wrong with the quotation marks of a row."""
    if "expected after" in str(error):
        return (
            "a cell goes on after its quotation mark is closed: within a cell, "
            "a quotation mark is written twice"
        )
    return "the quotation mark of a cell is not closed"


def find_faults(
    records: Records, ragged: Mapping[int, str], decimal: str = "."
) -> Iterator[Fault]:
    """Yield whatever does not fit, in the order of the rows, with what was probably meant.

    `ragged` says of rows that as a whole do not fit why they do not.
    """
    for row, values in enumerate(records.rows):
        if row in ragged:
            yield Fault(row, None, ragged[row], "record")
            continue
        pairs = zip(records.schema.features, values, strict=True)
        for feature, value in pairs:
            fault = feature.find_fault(row, value)
            if fault is not None:
                yield _with_hint(fault, value, decimal)


def _with_hint(fault: Fault, value: Value, decimal: str) -> Fault:
    return fault._replace(detail=fault.detail + hint(value, decimal))


def fit(schema: Schema, columns: Sequence[Sequence[Value]]) -> bool:
    """Return whether all values fit, none of which is infinite; (n_features, n_rows).

    It takes a tenth of what finding the faults takes.
    """
    for feature, values in zip(schema.features, columns, strict=True):
        if not _have_types(feature, set(map(type, values))):
            return False
        if not feature.every_value_fits and not feature.accepts_all(values):
            return False
    return True


def _have_types(feature: Feature, types: set[type]) -> bool:
    """Return whether values of these types may be the feature's."""
    for kind in types:
        if kind is type(None):
            if not feature.optional:
                return False
        elif kind is bool:
            # Python takes a boolean for a whole number.
            if feature.value_type is not bool:
                return False
        elif not issubclass(kind, feature.value_type):
            return False
    return True
