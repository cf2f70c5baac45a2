"""The text of CSV: what is written is what is read, by the fast way as by the slow one."""

import csv
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.model.tabular.lines import write_header, write_rows

TEXTS = st.text(st.sampled_from('ab1,;"\n\r\\ß €null[]'), max_size=5)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(TEXTS, NUMBERS, st.integers(-(2**53), 2**53), st.none())


def read(text: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(text.decode(), newline="")))


@given(st.lists(st.tuples(VALUES, VALUES), max_size=6))
def test_what_is_written_is_read(rows: list[tuple[Any, Any]]) -> None:
    columns = {
        "a": [row[0] for row in rows],
        "b": [row[1] for row in rows],
    }
    cells = read(write_rows(columns))
    assert len(cells) == len(rows)
    for written, row in zip(cells, rows, strict=True):
        for text, value in zip(written, row, strict=True):
            if isinstance(value, float | int):
                assert type(value)(text) == value
            else:
                assert text == (value or "")


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"a": [1, 2], "b": [0.5, -3.25]}, "1,0.5\n2,-3.25\n"),
        ({"a": ["x", "ß"], "b": [1, 2]}, "x,1\nß,2\n"),
        ({"a": ["", "y"], "b": [None, 2]}, ",\ny,2\n"),
        ({"a": ["null", "],["], "b": [1, 2]}, 'null,1\n"],[",2\n'),
        ({"a": [1.5, 2.5]}, "1.5\n2.5\n"),
        ({"a": [None]}, '""\n'),
        ({"a": [], "b": []}, ""),
    ],
)
def test_lines(columns: dict[str, list[Any]], text: str) -> None:
    assert write_rows(columns).decode() == text


def test_a_header_is_quoted_where_it_must_be() -> None:
    assert write_header(["a", 'b"', "c,d"]) == b'a,"b""","c,d"\n'
