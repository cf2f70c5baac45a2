"""Verdicts: what one process has proven of a model, for all processes that serve the same file."""

import fcntl
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = logging.getLogger(__name__)

Verdict = TypeVar("Verdict", bound="DataclassInstance")
"""A dataclass of what JSON has, and of infinite numbers."""


def judge_once(
    path: Path | None, kind: type[Verdict], judge: Callable[[], Verdict]
) -> Verdict:
    """Return the verdict in a file; if it holds none, that of `judge`, which is written into it.

    Processes that come at the same time wait for the first. If that one ends before it has come
    to a verdict, the next one judges. Without a path, and where a disk is full or read-only, each
    judges for itself.
    """
    if path is None:
        return judge()
    with _locked(path) as file:
        verdict = None if file is None else _parse(file.read(), kind)
        if verdict is None:
            verdict = judge()
            _keep(verdict, file)
    return verdict


@contextmanager
def _locked(path: Path) -> Iterator[FileIO | None]:
    """Open a file for this process alone; None where the disk is full, or cannot be written to."""
    with ExitStack() as opened:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer, a full disk is noticed when it is written to, and not later.
            file = opened.enter_context(path.open("ab+", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
        except OSError as error:
            log.warning("each process judges the model for itself: %s", error)
            yield None
            return
        yield file


def _keep(verdict: "DataclassInstance", file: FileIO | None) -> None:
    if file is None:
        return
    try:
        file.truncate(0)
        file.write(json.dumps(asdict(verdict)).encode())
    except OSError as error:
        log.warning("the next process judges the model for itself: %s", error)


def _parse(text: bytes, kind: type[Verdict]) -> Verdict | None:
    """Return the verdict; None where there is none, or only a part of one."""
    try:
        return kind(**json.loads(text))
    except (TypeError, ValueError):
        return None
