"""Chunks: a stream of CSV in pieces of whole rows, each of about two megabytes."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, TypeAlias

from python.score.jobs import JobError

CHUNK_BYTES = 2 * 1024 * 1024
START_BYTES = 64 * 1024
MAX_ROW_BYTES = 64 * 1024 * 1024
GZIP_PREFIX = b"\x1f\x8b"
PARQUET_PREFIX = b"PAR1"
UTF_16_PREFIXES = (b"\xff\xfe", b"\xfe\xff")


Pattern: TypeAlias = re.Pattern[bytes]
FindEnd: TypeAlias = Callable[[bytes, Pattern], int]
"""From a block and the pattern of quoted cells to the length of the rows that are wanted."""


class CsvChunk(NamedTuple):
    """Whole rows of CSV, and the number of the line on which they begin."""

    text: bytes
    first_line: int


class CsvStream:
    """A stream of CSV, of which a chunk is in memory at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read the first row, which is the header.

        Raises JobError where there is none, and where the stream is of another kind.
        """
        self._stream = stream
        self._line = 1
        self._rest = stream.read(START_BYTES)
        _check_kind(self._rest)
        # Before the header is known, any of the usual separators may be one.
        quoted = _make_pattern(b",;\t|")
        header = self._take(_find_first_end, quoted)
        self.header = header.removeprefix(BOM_UTF8).decode(errors="replace")

    def chunks(self, separator: str) -> Iterator[CsvChunk]:
        """Yield the rows after the header in chunks; raise JobError for a row without an end."""
        quoted = _make_pattern(separator.encode())
        while True:
            first_line = self._line
            self._rest += self._stream.read(CHUNK_BYTES)
            text = self._take(_find_last_end, quoted)
            if not text:
                return
            yield CsvChunk(text, first_line)

    def _take(self, find_end: FindEnd, quoted: Pattern) -> bytes:
        """Return the rows up to the end that is found; all there is, where the stream ends."""
        while True:
            end = find_end(self._rest, quoted)
            if not end:
                more = self._stream.read(CHUNK_BYTES)
                if more:
                    self._check_length()
                    self._rest += more
                    continue
                end = len(self._rest)
            text = self._rest[:end]
            self._rest = self._rest[end:]
            self._line += text.count(b"\n")
            return text

    def _check_length(self) -> None:
        if len(self._rest) > MAX_ROW_BYTES:
            raise JobError(
                f"line {self._line}: the row has no end within {MAX_ROW_BYTES >> 20} MiB; "
                "is a quotation mark not closed?"
            )


def _find_first_end(block: bytes, quoted: Pattern) -> int:
    """Return how many of the bytes are the first row; 0 if it does not end."""
    for start, stop in _find_plain_parts(block, quoted):
        newline = block.find(b"\n", start, stop)
        if newline >= 0:
            return newline + 1
    return 0


def _find_last_end(block: bytes, quoted: Pattern) -> int:
    """Return how many of the bytes are whole rows."""
    for start, stop in reversed(_find_plain_parts(block, quoted)):
        newline = block.rfind(b"\n", start, stop)
        if newline >= 0:
            return newline + 1
    return 0


def _find_plain_parts(block: bytes, quoted: Pattern) -> list[tuple[int, int]]:
    """Return where the parts outside of quoted cells begin and end."""
    parts = []
    place = 0
    if b'"' in block:
        for cell in quoted.finditer(block):
            parts.append((place, cell.start()))
            place = cell.end()
    parts.append((place, len(block)))
    return parts


def _make_pattern(separators: bytes) -> Pattern:
    """Return a pattern of quoted cells; one without an end goes on to the end of the text.

    A quotation mark within a cell that does not begin with one stands for itself.
    """
    return re.compile(
        rb'(?:(?<=[\r\n%s])|\A)"(?:[^"]++|"")*+"?' % re.escape(separators)
    )


def _check_kind(start: bytes) -> None:
    """Raise JobError for a stream that begins as no CSV does."""
    kinds = {
        GZIP_PREFIX: "compressed with gzip: decompress it first",
        PARQUET_PREFIX: "Parquet: its name must end in .parquet",
    }
    for prefix, kind in kinds.items():
        if start.startswith(prefix):
            raise JobError(f"the input is {kind}")
    if start.startswith(UTF_16_PREFIXES):
        raise JobError("the input is UTF-16: write it as UTF-8")
    if not start:
        raise JobError("the input is empty: its first line must be a header")
