"""Bodies of CSV: from bytes to validated records, or to a list of every fault.

Faults have the pointers that RFC 7111 has for CSV: `#cell=4,2` is the second cell of the third row
after the header.
"""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import TypeAlias

from python.api.bodies import SentRecords
from python.api.problems import ErrorMember
from python.errors import (
    MAX_FAULTS,
    BadRequest,
    Fault,
    MisfitRecords,
    Unprocessable,
)
from python.model.data.schema import Schema
from python.model.tabular.layouts import lay_out, read_header
from python.model.tabular.sheets import Reading, Sheet, read_sheet

ROWS_OF_HEADER = 1


Positions: TypeAlias = Mapping[str, int | None]
"""In which column of a body each feature stands; None where it has none."""


class SentSheet(SentRecords):
    """Records that know in which cells of the body they stood."""

    def __init__(
        self, schema: Schema, sheet: Sheet, positions: Positions
    ) -> None:
        """Take a sheet without faults."""
        super().__init__(schema, sheet.records.rows, (), single=False)
        self._positions = positions

    def locate(self, fault: Fault) -> ErrorMember:
        """Return a fault with the pointer to its row, or to its cell."""
        return locate_cell(fault, self._positions)


def locate_cell(fault: Fault, positions: Positions) -> ErrorMember:
    """Return a fault with the pointer to its row, or to the cell if its feature has a column."""
    number = fault.row + 1 + ROWS_OF_HEADER
    place = f"#row={number}"
    position = None
    if fault.feature is not None:
        position = positions.get(fault.feature)
    if position is not None:
        place = f"#cell={number},{position + 1}"
    return {"pointer": place, "detail": fault.detail}


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
    positions = dict(zip(schema.names, layout.positions, strict=True))
    first_line = head.count("\n") + 1
    reading = Reading(first_line, max_faults=MAX_FAULTS)
    sheet = read_sheet(rows, header, layout, reading)
    if sheet.faults:
        errors = [locate_cell(fault, positions) for fault in sheet.faults]
        raise MisfitRecords(
            "the records do not fit the features of the model",
            errors,
            sheet.faults,
        )
    if not sheet.cells:
        raise Unprocessable("there are no records after the header")
    return SentSheet(schema, sheet, positions)


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
    lines = StringIO(text, newline="")
    next(csv.reader(lines))
    end = lines.tell()
    return text[:end], text[end:]
