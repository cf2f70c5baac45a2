"""Outputs: a file is written beside its place and renamed, so that there is never half of one."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from python.model.tabular.lines import write_header
from python.score.jobs import PARQUET, Content, JobError, Plan
from python.score.source import STANDARD_STREAM, find_format


class Writer(Protocol):
    """What takes the parts of an output."""

    def write(self, content: Content) -> object:
        """Write a part."""


def check_output(name: str, *, force: bool) -> None:
    """Raise JobError where an output of that name cannot be written, or would replace a file."""
    find_format(name)
    if name == STANDARD_STREAM:
        return
    check_place(Path(name), force=force)
    if Path(name).is_dir():
        raise JobError(f"{name} is a folder: name a file in it")


def check_place(path: Path, *, force: bool) -> None:
    """Raise JobError where nothing can be written at a path, or something is there already."""
    if not path.parent.is_dir():
        raise JobError(f"there is no folder {path.parent}")
    if path.exists() and not force:
        raise JobError(f"{path} exists; --force replaces it")


@contextmanager
def open_output(name: str, plan: Plan) -> Iterator[Writer]:
    """Yield what takes the parts of the output; the file is there when the block has ended.

    If the block raises, the file is not there, or is what it was before.
    Raises OSError where it cannot be written. A standard stream gets the parts as they come.
    """
    if name == STANDARD_STREAM:
        _write_start(sys.stdout.buffer, plan)
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if find_format(name) == PARQUET:
            yield from _write_parquet(beside, plan)
        else:
            yield from _write_csv(beside, plan)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write_csv(path: Path, plan: Plan) -> Iterator[Writer]:
    with path.open("wb") as file:
        _write_start(file, plan)
        yield file
        file.flush()
        os.fsync(file.fileno())


def _write_start(file: BinaryIO, plan: Plan) -> None:
    file.write(write_header(plan.names))


def _write_parquet(path: Path, plan: Plan) -> Iterator[Writer]:
    from python.score.parquet import ParquetWriter  # it brings pyarrow

    writer = ParquetWriter(path, plan.empty)
    yield writer
    writer.close()
