"""Bodies of CSV: from bytes to validated records, or to a list of every fault.

Faults have the pointers that RFC 7111 has for CSV: `#cell=4,2` is the second cell of the third row
after the header.
"""

import csv
from collections.abc import Sequence
from io import StringIO

from python.api.bodies import SentRecords
from python.api.problems import fault_at
from python.errors import MAX_FAULTS, BadRequest, Unprocessable
from python.model.data.schema import Schema
from python.model.tabular.layouts import lay_out, read_header
from python.model.tabular.sheets import Reading, Sheet, read_sheet

ROWS_OF_HEADER = 1


class SentSheet(SentRecords):
    """Records that know in which cells of the body they stood."""

    def __init__(
        self, schema: Schema, sheet: Sheet, names: Sequence[str]
    ) -> None:
        """Take a sheet without faults, and the names of all its columns."""
        super().__init__(schema, sheet.records.rows, (), single=False)
        self._names = names

    def pointer(self, row: int, feature: str | None) -> str:
        """Return the pointer to a row, or to one of its cells."""
        return cell_pointer(self._names, row, feature)


def cell_pointer(names: Sequence[str], row: int, feature: str | None) -> str:
    """Return the pointer to a row, or to the cell of a feature if it has a column."""
    number = row + 1 + ROWS_OF_HEADER
    if feature is None or feature not in names:
        return f"#row={number}"
    column = list(names).index(feature) + 1
    return f"#cell={number},{column}"


def read_csv(
    body: bytes, schema: Schema, *, reject_unknown: bool
) -> SentRecords:
    """Return the records in a body of CSV with a header.

    Raises BadRequest for what is not UTF-8 and for an empty body, Unprocessable for what does not
    fit.
    """
    head, rows = _split(_decode(body))
    header = read_header(head, schema.names)

    def may_be_there(name: str) -> bool:  # noqa: ARG001
        return not reject_unknown

    layout = lay_out(schema, header.names, may_be_there)
    first_line = head.count("\n") + 1
    reading = Reading(first_line, max_faults=MAX_FAULTS)
    sheet = read_sheet(rows, header, layout, reading)
    if sheet.faults:
        errors = []
        for row, feature, detail in sheet.faults:
            place = cell_pointer(header.names, row, feature)
            errors.append(fault_at(place, detail))
        raise Unprocessable(
            "the records do not fit the features of the model", errors
        )
    if not sheet.cells:
        raise Unprocessable("there are no records after the header")
    return SentSheet(schema, sheet, header.names)


def _decode(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(
            f"the body is not CSV in UTF-8: byte {error.start} is not"
        ) from error
    if not text.strip():
        raise BadRequest(
            "there is no body: expected CSV with a header of the features"
        )
    return text


def _split(text: str) -> tuple[str, str]:
    """Return the header, whose names may hold the ends of lines, and the rows after it."""
    reader = csv.reader(StringIO(text, newline=""))
    next(reader)
    lines = StringIO(text, newline="")
    header = ""
    for _ in range(reader.line_num):
        header += lines.readline()
    return header, lines.read()
