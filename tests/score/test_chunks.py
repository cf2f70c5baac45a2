"""Where a stream of CSV is cut: between rows, and whatever is quoted, never within one."""

import csv
from io import BytesIO, StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from python.score import chunks
from python.score.chunks import CsvStream
from python.score.jobs import JobError

HEADER = "a,b,c\n"
CELLS = st.text(st.sampled_from('x1 ,;"\n\r'), max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=12)
STRAY = 'a,b\n1,5" pipe\n2,6\n3,"7\n8"\n4,9" x\n'


def cut(text: str, chunk_bytes: int) -> list[tuple[int, str]]:
    """Return the chunks of a text after its header, each with its first line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_BYTES", chunk_bytes)
        patch.setattr(chunks, "START_BYTES", chunk_bytes)
        stream = CsvStream(BytesIO(text.encode()))
        return [
            (chunk.first_line, chunk.text.decode())
            for chunk in stream.chunks(",")
        ]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text, newline="")))


@given(ROWS, st.integers(1, 40))
def test_the_chunks_have_the_rows_of_the_whole(
    rows: list[list[str]], chunk_bytes: int
) -> None:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    parts = cut(HEADER + text.getvalue(), chunk_bytes)
    assert "".join(part for _, part in parts) == text.getvalue()
    assert [row for _, part in parts for row in rows_of(part)] == rows


@pytest.mark.parametrize("chunk_bytes", range(1, len(STRAY) + 1))
def test_a_quotation_mark_within_a_cell_stands_for_itself(
    chunk_bytes: int,
) -> None:
    parts = cut(STRAY, chunk_bytes)
    found = [row for _, part in parts for row in rows_of(part)]
    assert found == rows_of(STRAY)[1:]


def test_a_chunk_knows_on_which_line_it_begins() -> None:
    text = HEADER + '1,2,3\n4,"5\n5",6\n7,8,9\n'
    parts = cut(text, 1)
    assert [line for line, _ in parts] == [2, 3, 5]


def test_the_last_line_need_not_end() -> None:
    assert cut("a,b,c\n1,2,3", 1) == [(2, "1,2,3")]
    assert cut("a,b,c", 1) == []


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    stream = CsvStream(BytesIO(b"\xef\xbb\xbfa,b\n1,2\n"))
    assert stream.header == "a,b\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the input is empty: its first line must be a header"),
        (b"\x1f\x8b\x08", "the input is compressed with gzip: decompress it"),
        (b"PAR1\x00", "the input is Parquet: its name must end in .parquet"),
        (b"\xff\xfea\x00", "the input is UTF-16: write it as UTF-8"),
    ],
)
def test_what_is_no_csv_is_called_by_its_name(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(JobError, match=sentence):
        CsvStream(BytesIO(content))


def test_a_row_without_an_end_is_no_reason_to_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(chunks, "MAX_ROW_BYTES", 10_000)
    text = b"a,b\n1,2\n" + b'3,"' + b"x" * 100_000
    stream = CsvStream(BytesIO(text))
    with pytest.raises(JobError, match="line 3: the row has no end within"):
        list(stream.chunks(","))
