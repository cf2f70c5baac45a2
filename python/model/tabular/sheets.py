"""Sheets: the rows of a CSV text, with the lines on which they begin, and faults in cells.

CSV is what RFC 4180 says: quotation marks around a cell that holds separators or the end of a line.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import NamedTuple

from python.errors import Fault
from python.model.data.features import Feature, Value
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.tabular.cells import hint, read_column
from python.model.tabular.layouts import Header, Layout

# csv refuses cells longer than 128 KB; whoever calls bounds what there is to read.
MAX_CELL_CHARACTERS = 1 << 30

Cells = Sequence[str]
"""The texts of a row, or of a column."""

csv.field_size_limit(MAX_CELL_CHARACTERS)


class Sheet(NamedTuple):
    """Rows of a CSV text, as cells and as records, among which are those with faults.

    `lines` has the number of the line on which each row begins. `faults` are in the order of rows.
    """

    lines: Sequence[int]
    cells: Sequence[Cells]
    records: Records
    faults: Sequence[Fault]


def read_sheet(
    text: str, header: Header, layout: Layout, decimal: str = "."
) -> Sheet:
    """Return the rows of a CSV text without its header; blank lines are none.

    The lines are numbered from 1.
    """
    lines, cells = _split(text, header.separator)
    ragged = _find_ragged(cells, layout.n_columns)
    for row in ragged:
        cells[row] = [""] * layout.n_columns
    columns = _read_columns(cells, layout, decimal)
    records = Records(layout.schema, list(zip(*columns, strict=True)))
    faults: list[Fault] = []
    if ragged or not fit(layout.schema, columns):
        faults += find_faults(records, ragged, decimal)
    return Sheet(lines, cells, records, faults)


def _read_columns(
    cells: Sequence[Cells], layout: Layout, decimal: str
) -> list[Sequence[Value]]:
    """Return the values of each feature, (n_features, n_rows)."""
    by_column = list(zip(*cells, strict=True))
    columns: list[Sequence[Value]] = []
    for feature, position in layout.places:
        if position is None or not by_column:
            columns.append([None] * len(cells))
        else:
            texts = by_column[position]
            columns.append(read_column(feature, texts, decimal))
    return columns


def _split(text: str, separator: str) -> tuple[list[int], list[list[str]]]:
    """Return the first line, and the cells, of each row that is not blank."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator)
    lines = []
    cells = []
    line = 1
    for row in reader:
        if row:
            lines.append(line)
            cells.append(row)
        line = reader.line_num + 1
    return lines, cells


def _find_ragged(cells: Sequence[Cells], n_columns: int) -> dict[int, str]:
    """Return what is wrong with rows that have more or fewer cells than the header, by row."""
    ragged: dict[int, str] = {}
    if set(map(len, cells)) == {n_columns}:
        return ragged
    for row, texts in enumerate(cells):
        if len(texts) != n_columns:
            ragged[row] = f"expected {n_columns} cells, got {len(texts)}"
    return ragged


def find_faults(
    records: Records, ragged: Mapping[int, str], decimal: str = "."
) -> Iterator[Fault]:
    """Yield whatever does not fit, in the order of the rows, with what was probably meant.

    `ragged` says of rows that as a whole do not fit why they do not.
    """
    features = records.schema.features
    for row, values in enumerate(records.rows):
        if row in ragged:
            yield Fault(row, None, ragged[row])
            continue
        for feature, value in zip(features, values, strict=True):
            detail = feature.fault(value)
            if detail is not None:
                yield Fault(row, feature.name, detail + hint(value, decimal))


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
