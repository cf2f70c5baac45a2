"""Formats: chunks of CSV and of Parquet become tables, and results become one of the two."""

from collections.abc import Mapping
from typing import Any

from python.errors import BadRequest
from python.model.tabular.lines import write_rows
from python.model.tabular.numbers import read_numbers
from python.model.tabular.results import Results, list_cells
from python.model.tabular.sheets import Reading, read_sheet
from python.score.chunks import CsvChunk
from python.score.jobs import PARQUET, Chunk, Content, JobError
from python.score.tables import Input, Table


def read_chunk(source: Input, chunk: Chunk) -> Table:
    """Return the table that a chunk of the input is; raise JobError if it is not UTF-8."""
    if not isinstance(chunk, CsvChunk):
        from python.score.parquet import read_batch  # it brings pyarrow

        return read_batch(source, chunk)
    text = _decode(chunk)
    table = None
    if source.decimal == ".":
        table = _read_at_once(source, text, chunk.first_line)
    return table or _read_cells(source, text, chunk.first_line)


def _read_at_once(source: Input, text: str, first_line: int) -> Table | None:
    """Return the table of a chunk of numbers; None where anything about it is in doubt."""
    sheet = read_numbers(text, source.header, source.layout, source.kept)
    if sheet is None:
        return None
    lines = range(first_line, first_line + len(sheet.records))
    return Table(sheet.records, dict(sheet.texts), [], lines, "line")


def _read_cells(source: Input, text: str, first_line: int) -> Table:
    reading = Reading(first_line, source.decimal)
    try:
        sheet = read_sheet(text, source.header, source.layout, reading)
    except BadRequest as error:
        raise JobError(error.detail) from error
    kept: dict[str, Any] = {}
    for name in source.kept:
        position = source.header.names.index(name)
        # A row that is too short has nothing there.
        kept[name] = [
            cells[position] if position < len(cells) else ""
            for cells in sheet.cells
        ]
    return Table(sheet.records, kept, sheet.faults, sheet.lines, "line")


def _decode(chunk: CsvChunk) -> str:
    try:
        return chunk.text.decode()
    except UnicodeDecodeError as error:
        line = chunk.first_line + chunk.text.count(b"\n", 0, error.start)
        raise JobError(
            f"line {line}: the input is not UTF-8; write it as UTF-8"
        ) from error


def make_content(
    kept: Mapping[str, Any], results: Results, writes: str
) -> Content:
    """Return a part of the output: the columns that are kept, and the results beside them."""
    if writes == PARQUET:
        from python.score.parquet import make_batch  # it brings pyarrow

        return make_batch(kept, results)
    columns = dict(kept)
    for name, column in results.items():
        columns[name] = list_cells(column)
    return write_rows(columns)
