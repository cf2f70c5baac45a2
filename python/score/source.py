"""Sources: where the chunks of an input come from."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from python.score.chunks import CsvChunk, CsvStream
from python.score.jobs import CSV, PARQUET, Chunk, JobError

STANDARD_STREAM = "-"
FORMATS = {".csv": CSV, ".parquet": PARQUET}


class Source(Protocol):
    """An input that is open; `size` is that of all its chunks, None where nobody knows."""

    header: Any
    size: int | None

    def chunks(self, separator: str) -> Iterator[Chunk]:
        """Yield the rows in chunks."""

    def measure(self, chunk: Chunk) -> int:
        """Return the size of a chunk, in the unit of `size`."""


class CsvSource:
    """CSV from a file or a stream; its size is in bytes."""

    def __init__(self, file: BinaryIO, size: int | None) -> None:
        self._stream = CsvStream(file)
        self.header = self._stream.header
        self.size = size

    def chunks(self, separator: str) -> Iterator[CsvChunk]:
        """Yield the rows in chunks."""
        return self._stream.chunks(separator)

    def measure(self, chunk: CsvChunk) -> int:
        """Return how many bytes a chunk has."""
        return len(chunk.text)


class ParquetSource:
    """A Parquet file; its size is in rows."""

    def __init__(self, path: Path) -> None:
        # It brings pyarrow.
        from python.score import parquet

        self._path = path
        self._parquet = parquet
        self.header = parquet.read_schema(path)
        self.size: int | None = parquet.count_rows(path)

    def chunks(self, separator: str) -> Iterator[Chunk]:  # noqa: ARG002
        """Yield the rows in chunks."""
        return self._parquet.read_batches(self._path)

    def measure(self, chunk: Chunk) -> int:
        """Return how many rows a chunk has."""
        n_rows: int = chunk.batch.num_rows
        return n_rows


def find_format(name: str) -> str:
    """Return the format that a file's name says; standard streams are CSV."""
    if name == STANDARD_STREAM:
        return CSV
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        raise JobError(
            f"{name}: the name must end in .csv or .parquet, or be - for a standard stream"
        )
    if FORMATS[suffix] == PARQUET:
        check_pyarrow()
    return FORMATS[suffix]


def check_pyarrow() -> None:
    """Raise JobError where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise JobError(
            "Parquet needs pyarrow: pip install -r requirements-score.txt"
        ) from error


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Yield the input of that name; raise JobError or OSError where it cannot be read."""
    if find_format(name) == PARQUET:
        yield ParquetSource(Path(name))
    elif name == STANDARD_STREAM:
        yield CsvSource(sys.stdin.buffer, None)
    else:
        path = Path(name)
        with path.open("rb") as file:
            yield CsvSource(file, path.stat().st_size)


def make_empty_chunk(header: Any) -> Chunk:
    """Return a chunk without rows of an input that has this header."""
    if isinstance(header, str):
        return CsvChunk(b"", 1)
    from python.score import parquet  # it brings pyarrow

    return parquet.make_empty_chunk(header)
