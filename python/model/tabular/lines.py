"""Lines: the text of CSV, as RFC 4180 has it, but with a newline alone at the end of a line."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, Literal, TypeAlias

import msgspec

Quoting: TypeAlias = Literal[0, 1]
"""`csv.QUOTE_MINIMAL` or `csv.QUOTE_ALL`."""


def write_rows(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return the rows of CSV, without a header, of columns that are all as long; None is empty.

    Numbers are written with as many digits as it takes to read the same number.
    """
    rows = list(zip(*columns.values(), strict=True))
    at_once = _write_at_once(rows, len(columns))
    if at_once is not None:
        return at_once
    text = _write(rows, csv.QUOTE_MINIMAL)
    if "\r" in text:
        # csv writes it as it is, and reads it as the end of a line.
        text = _write(rows, csv.QUOTE_ALL)
    return text.encode()


def _write(rows: Iterable[Sequence[Any]], quoting: Quoting) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerows(rows)
    return text.getvalue()


def _write_at_once(
    rows: Sequence[Sequence[Any]], n_columns: int
) -> bytes | None:
    """Return the rows of CSV, made of those of JSON, which takes a tenth of the time.

    It is None where the two differ by more than brackets and quotation marks: where a value is
    missing, or a text holds a comma, a bracket, a quotation mark or a control character.
    """
    if not rows or n_columns < 2:
        return None
    # [[1,0.5,"a"],[2,0.1,"b"]]
    text = msgspec.json.encode(rows)
    n_commas = len(rows) * n_columns - 1
    if b"\\" in text or b"null" in text or text.count(b",") != n_commas:
        return None
    if text.count(b"[") != len(rows) + 1:
        return None
    lines = text[2:-2].replace(b'"', b"").replace(b"],[", b"\n")
    return lines + b"\n"


def write_header(names: Sequence[str]) -> bytes:
    """Return the first line of CSV."""
    return write_rows({name: [name] for name in names})
