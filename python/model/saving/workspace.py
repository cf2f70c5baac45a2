"""The workspace: a folder beside a file, in which the file is written before it is moved.

It is removed in any case but one: where the process is killed. The next one clears it up then.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

PREFIX = ".saving-"


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """Yield a new folder, which is locked and then removed."""
    folder, lock = _make_folder(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def clear_leavings(parent: Path) -> None:
    """Remove the folders of processes that no longer live, and print which.

    A lock ends with its process, on every machine and in every container that sees the folder.
    """
    for folder in parent.glob(f"{PREFIX}*"):
        lock = _lock(folder, wait=False)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            _unlock(lock)
            print(f"removed {folder}, left behind by an interrupted save")


def _make_folder(parent: Path) -> tuple[Path, int | None]:
    """Return a new folder and what holds its lock."""
    while True:
        folder = Path(mkdtemp(prefix=PREFIX, dir=parent))
        lock = _lock(folder, wait=True)
        # Who cleared up may have taken it for left behind, before it was locked.
        if folder.exists():
            return folder, lock
        _unlock(lock)


def _lock(folder: Path, *, wait: bool) -> int | None:
    """Return the descriptor that holds the lock of a folder; None where nobody can have it.

    Windows and some network file systems do not lock folders, and nothing is cleared up there.
    """
    if sys.platform == "win32":
        return None
    import fcntl  # not on Windows

    operation = fcntl.LOCK_EX
    if not wait:
        operation |= fcntl.LOCK_NB
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, operation)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
