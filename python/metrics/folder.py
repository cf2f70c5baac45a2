"""The folder of a replica's files of cells, and which versions of the model they are about.

| File | What is in it |
| --- | --- |
| `service.1.cells` | what worker 1 counts of all requests |
| `client.1.c775e7b757ed.cells` | what worker 1 counts of one client |
| `model.4e07408562be.1.cells` | what worker 1 counts of that version of the model |
| `swaps.cells` | what the command `swap` counts |
| `versions.json` | the last versions, and which of them each worker has |
"""

import fcntl
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from python.metrics.cells import Cells, make_private, open_shared
from python.metrics.families import Family

log = logging.getLogger(__name__)

MAX_VERSIONS = 5  # as many as the shelf keeps
NAME_DIGITS = 12


class Versions(NamedTuple):
    """The last versions of the model, the newest one last; and that of each worker."""

    last: list[str]
    of_workers: dict[str, str]


class Slot:
    """A worker's place in the folder. Whoever takes the place of the worker counts on.

    Without a folder, or where a file cannot be made, it counts in memory, and the log says so once.
    """

    def __init__(self, folder: Path | None, worker: int = 0) -> None:
        """Take the folder, which need not exist, and the number of the worker."""
        self.folder = folder
        self._worker = worker
        self.private: list[Cells] = []
        """The cells that only this process can see."""
        self.version: str | None = None
        """The version of the model that this worker has."""

    def open_service(self, families: Sequence[Family]) -> Cells:
        """Return the cells for what is counted of all requests."""
        return self._open(f"service.{self._worker}.cells", families)

    def open_client(self, name: str, families: Sequence[Family]) -> Cells:
        """Return the cells for what is counted of one client."""
        return self._open(self._name_client(name), families)

    def has_client(self, name: str) -> bool:
        """Return whether this worker, or one before it, has seen the client."""
        if self.folder is None:
            return False
        return (self.folder / self._name_client(name)).exists()

    def _name_client(self, name: str) -> str:
        digest = sha256(name.encode()).hexdigest()[:NAME_DIGITS]
        return f"client.{self._worker}.{digest}.cells"

    def count_clients(self) -> int:
        """Return how many clients this worker, and those before it, have seen."""
        if self.folder is None:
            return 0
        return len(list(self.folder.glob(f"client.{self._worker}.*.cells")))

    def open_model(self, version: str, families: Sequence[Family]) -> Cells:
        """Return the cells for a version of the model, which this worker has from now on."""
        self.version = version
        if self.folder is not None:
            try:
                _remember(self.folder, version, self._worker)
            except OSError as error:
                self._warn(error)
        return self._open(f"model.{version}.{self._worker}.cells", families)

    def _open(self, name: str, families: Sequence[Family]) -> Cells:
        if self.folder is not None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                return open_shared(self.folder / name, families)
            except (OSError, ValueError) as error:
                self._warn(error)
        cells = make_private(families)
        self.private.append(cells)
        return cells

    def _warn(self, error: Exception) -> None:
        if not self.private:
            log.warning(
                "metrics are counted in memory, and not shown: %s", error
            )


def list_files(folder: Path) -> list[Path]:
    """Return the files of cells that count, without those of versions that are long gone."""
    last = read_versions(folder).last
    files = []
    for path in sorted(folder.glob("*.cells")):
        kind, _, rest = path.name.partition(".")
        version = rest.partition(".")[0]
        if kind != "model" or version in last:
            files.append(path)
    return files


def read_versions(folder: Path) -> Versions:
    """Return the versions that the workers have had; none if the file is not there, or damaged."""
    try:
        last, of_workers = json.loads((folder / "versions.json").read_text())
        return Versions(last, of_workers)
    except (OSError, ValueError):
        return Versions([], {})


def _remember(folder: Path, version: str, worker: int) -> None:
    """Remember that a worker has a version, and delete the files of those before the last five."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        last, of_workers = read_versions(folder)
        if version in last:
            last.remove(version)
        last = [*last, version][-MAX_VERSIONS:]
        of_workers[str(worker)] = version
        beside = folder / "versions.new"
        beside.write_text(json.dumps(Versions(last, of_workers)))
        # In one moment, they are gone for who reads: counters that went one by one would seem to
        # have started anew.
        beside.replace(folder / "versions.json")
        _delete_others(folder)


def _delete_others(folder: Path) -> None:
    kept = list_files(folder)
    for path in folder.glob("model.*.cells"):
        if path not in kept:
            path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
