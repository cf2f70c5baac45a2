"""Verdicts: what one process has found of a model, for all processes that serve the same file."""

import fcntl
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import Field, asdict
from io import FileIO
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

log = logging.getLogger(__name__)

POLL_SECONDS = 0.05
# After that, the first is stuck, or slower than it is worth to wait for.
MAX_WAIT_SECONDS = 120


class Lasting(Protocol):
    """A dataclass of what JSON has, and of numbers that are not finite."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def lasts(self) -> bool:
        """Whether the verdict is kept for other processes, and not only for now."""


Kind = TypeVar("Kind", bound=Lasting)


def judge_once(
    path: Path | None,
    kind: type[Kind],
    judge: Callable[[], Kind],
    max_wait_seconds: float = MAX_WAIT_SECONDS,
) -> Kind:
    """Return the verdict in a file; if it holds none, that of `judge`, which is written into it.

    Processes that come at the same time wait for the first. If that one ends before it has come
    to a verdict, or comes to none that lasts, the next one judges. Without a path, after
    `max_wait_seconds`, and where a disk is full or read-only, each judges for itself.
    """
    if path is None:
        return judge()
    with _locked(path, max_wait_seconds) as file:
        verdict = None if file is None else _parse(file.read(), kind)
        if verdict is None:
            verdict = judge()
            if verdict.lasts:
                _keep(verdict, file)
    return verdict


@contextmanager
def _locked(path: Path, max_wait_seconds: float) -> Iterator[FileIO | None]:
    """Open a file for this process alone; None where the disk is full, or cannot be written to."""
    with ExitStack() as opened:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer, a full disk is noticed when it is written to, and not later.
            file = opened.enter_context(path.open("ab+", buffering=0))
            _lock(file, max_wait_seconds)
            # A process that was forked meanwhile has the file, too, and may have it for long.
            opened.callback(fcntl.flock, file, fcntl.LOCK_UN)
            file.seek(0)
        except OSError as error:
            log.warning("this process judges the model for itself: %s", error)
            yield None
            return
        yield file


def _lock(file: FileIO, max_wait_seconds: float) -> None:
    """Wait for the lock of a file; raise TimeoutError where that takes too long."""
    deadline = time.monotonic() + max_wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process takes too long") from None
            time.sleep(POLL_SECONDS)
        else:
            return


def _keep(verdict: Lasting, file: FileIO | None) -> None:
    if file is None:
        return
    text = json.dumps(asdict(verdict))
    try:
        file.truncate(0)
        file.write(text.encode())
    except OSError as error:
        log.warning("the next process judges the model for itself: %s", error)


def _parse(text: bytes, kind: type[Kind]) -> Kind | None:
    """Return the verdict; None where there is none, or only a part of one."""
    try:
        return kind(**json.loads(text))
    except (TypeError, ValueError):
        return None
