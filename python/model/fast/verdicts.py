"""Verdicts: what one process has proven of a copy, for all processes that serve the same file."""

import fcntl
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from io import FileIO
from math import inf
from pathlib import Path
from typing import Self

from python.model.fast.copy import Copy, Unproven

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What a proof shows: the fields of a proven copy, or why there is none."""

    takes_missing: bool = True
    exact_labels: bool = False
    few_limit: float = inf
    limit: float = inf
    objection: str = ""

    @classmethod
    def of(cls, prove: Callable[[], Copy]) -> Self:
        """Return the verdict of a proof, which returns the copy or raises Unproven."""
        try:
            copy = prove()
        except Unproven as error:
            return cls(objection=str(error))
        return cls(
            copy.takes_missing, copy.exact_labels, copy.few_limit, copy.limit
        )

    def apply(self, copy: Copy) -> Copy:
        """Return the copy as it was proven, where it is not proven yet; raise Unproven."""
        if self.objection:
            raise Unproven(self.objection)
        return replace(
            copy,
            takes_missing=self.takes_missing,
            exact_labels=self.exact_labels,
            few_limit=self.few_limit,
            limit=self.limit,
        )


def judge_once(path: Path | None, judge: Callable[[], Verdict]) -> Verdict:
    """Return the verdict in a file; if it holds none, that of `judge`, which is written into it.

    Processes that come at the same time wait for the first. If that one ends before it has come
    to a verdict, the next one judges. Without a path, and where a disk is full or read-only, each
    judges for itself.
    """
    if path is None:
        return _judge(judge)
    with _locked(path) as file:
        verdict = None if file is None else _parse(file.read())
        if verdict is None:
            verdict = _judge(judge)
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
            log.warning("each process judges its copy for itself: %s", error)
            yield None
            return
        yield file


def _keep(verdict: Verdict, file: FileIO | None) -> None:
    if file is None:
        return
    try:
        file.truncate(0)
        file.write(json.dumps(asdict(verdict)).encode())
    except OSError as error:
        log.warning("the next process judges its copy for itself: %s", error)


def _parse(text: bytes) -> Verdict | None:
    """Return the verdict; None where there is none, or only a part of one."""
    try:
        return Verdict(**json.loads(text))
    except (TypeError, ValueError):
        return None


def _judge(judge: Callable[[], Verdict]) -> Verdict:
    start = time.process_time()
    verdict = judge()
    seconds = time.process_time() - start
    log.info("the copy was judged in %.1f seconds of a processor", seconds)
    return verdict
