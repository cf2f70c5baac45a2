"""Progress: a bar on a terminal, and a summary at the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from python.score.jobs import JobError, OnError, Part

WORDS = {"skip": "left out", "null": "left without a result"}
MAX_LISTED_FAULTS = 20


class Tally:
    """Counts rows and lists faults, part by part."""

    def __init__(self, on_error: OnError) -> None:
        """Begin with no row."""
        self._on_error = on_error
        self._started = time.monotonic()
        self.n_rows = 0
        self.n_faulty = 0
        self._faults: list[str] = []

    def add(self, part: Part) -> None:
        """Count a part; raise JobError with its faults if there are some and it is to stop then."""
        self.n_rows += part.n_rows
        self.n_faulty += part.n_faulty
        self._faults += part.faults
        del self._faults[MAX_LISTED_FAULTS:]
        if part.n_faulty and self._on_error == "stop":
            raise JobError(
                "\n".join(self._list_faults())
                + "\nnothing is written; --on-error skip leaves such rows out, "
                "--on-error null their results"
            )

    def _list_faults(self) -> Iterator[str]:
        yield from self._faults
        if len(self._faults) == MAX_LISTED_FAULTS:
            yield f"and perhaps more: the first {MAX_LISTED_FAULTS} are listed"

    def summary(self) -> str:
        """Return how many rows there were, how long they took, and what did not fit."""
        seconds = time.monotonic() - self._started
        line = (
            f"{self.n_rows:,} rows in {seconds:.1f} s, "
            f"{self.n_rows / max(seconds, 1e-3):,.0f} a second"
        )
        if not self.n_faulty:
            return line
        what = WORDS[self._on_error]
        lines = [f"{line}; {self.n_faulty:,} {what}:", *self._list_faults()]
        return "\n".join(lines)


class Bar:
    """A bar on a terminal; elsewhere it shows nothing."""

    def __init__(self, progress: Progress, size: int | None) -> None:
        """Take how much there is to do, if that is known."""
        self._progress = progress
        self._task = progress.add_task("0 rows", total=size)

    def advance(self, size: int, n_rows: int) -> None:
        """Show that so much more is done, and how many rows that is by now."""
        description = f"{n_rows:,} rows"
        self._progress.update(
            self._task, advance=size, description=description
        )


@contextmanager
def shown(size: int | None) -> Iterator[Bar]:
    """Yield a bar for so much to do."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    is_hidden = not sys.stderr.isatty()
    progress = Progress(
        *columns, console=console, disable=is_hidden, transient=True
    )
    with progress:
        yield Bar(progress, size)
