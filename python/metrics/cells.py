"""Cells: numbers in a file that its writer adds to, and that stay when the writer is killed.

A file begins with what it is, and how long the description of its families is; then there is the
description, and then the cells, each a float64.
"""

import mmap
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from python.metrics.families import (
    Family,
    Values,
    count_cells,
    read_families,
    write_families,
)

MAGIC = b"cells 1\n"
START = struct.Struct("<8sQ")
CELL_BYTES = 8


class Cells(NamedTuple):
    """Numbers that are added to with `cells.values[number] += 1`, and the families they are of."""

    families: Sequence[Family]
    values: Values


def make_private(families: Sequence[Family]) -> Cells:
    """Return cells in the memory of this process."""
    memory = bytearray(count_cells(families) * CELL_BYTES)
    return Cells(families, memoryview(memory).cast("d"))


def fill(families: Sequence[Family], numbers: Sequence[float]) -> Cells:
    """Return cells that hold these numbers, in the memory of this process."""
    cells = make_private(families)
    write(cells, 0, numbers)
    return cells


def write(cells: Cells, start: int, numbers: Sequence[float]) -> None:
    """Write numbers into the cells from `start` on."""
    for offset, number in enumerate(numbers):
        cells.values[start + offset] = number


def open_shared(path: Path, families: Sequence[Family]) -> Cells:
    """Return the cells in a file, with what is in them already if they are of the same families.

    One process at a time may open a file. Raises OSError if it cannot be made.
    """
    head = _make_head(families)
    n_bytes = len(head) + count_cells(families) * CELL_BYTES
    if not _is_usable(path, head, n_bytes):
        _make_file(path, head, n_bytes)
    with path.open("r+b") as file:
        memory = mmap.mmap(file.fileno(), n_bytes)
    return Cells(families, memoryview(memory)[len(head) :].cast("d"))


def _make_head(families: Sequence[Family]) -> bytes:
    description = write_families(families)
    # The cells are aligned, so that each is written at once.
    description += b" " * (-len(description) % CELL_BYTES)
    return START.pack(MAGIC, len(description)) + description


def _is_usable(path: Path, head: bytes, n_bytes: int) -> bool:
    try:
        with path.open("rb") as file:
            is_same = file.read(len(head)) == head
            return is_same and os.fstat(file.fileno()).st_size == n_bytes
    except FileNotFoundError:
        return False


def _make_file(path: Path, head: bytes, n_bytes: int) -> None:
    """Make a file of zeros; nobody sees half of it."""
    # Zeros are written: room that is not there would end the process once it adds to a cell.
    beside = path.with_suffix(".new")
    try:
        beside.write_bytes(head + bytes(n_bytes - len(head)))
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


class Reader:
    """Reads files of cells; the description of each is understood once."""

    def __init__(self) -> None:
        """Begin without any description."""
        self._known: dict[bytes, list[Family]] = {}

    def read(self, paths: Sequence[Path]) -> list[Cells]:
        """Return what is in the files; one that has gone, or is none, is left out.

        Cells of the same description have the same list of families.
        """
        known: dict[bytes, list[Family]] = {}
        found = []
        for path in paths:
            try:
                description, values = split(path.read_bytes())
                families = known.get(description)
                families = families or self._known.get(description)
                families = families or read_families(description)
            except (OSError, ValueError, TypeError, struct.error):
                continue
            known[description] = families
            found.append(Cells(families, values))
        # Those of files that have gone are forgotten.
        self._known = known
        return found


def split(content: bytes) -> tuple[bytes, Values]:
    """Return the description in a file, and its cells; raise an error if it is none."""
    magic, length = START.unpack_from(content)
    if magic != MAGIC:
        raise ValueError("no file of cells")
    end = START.size + length
    return content[START.size : end], memoryview(content)[end:].cast("d")
