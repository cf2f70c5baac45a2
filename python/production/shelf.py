"""The shelf: the last models that were served, under their SHA-256 in a folder beside the model.

`model.joblib` is what a restart takes. `model.joblib.versions` has it as well, and those before.
It is used outside of the containers, so it needs nothing but Python.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

MAX_KEPT = 5
# The service runs as another user.
READABLE_FOR_ALL = 0o644
FOLDER_FOR_ALL = 0o755


class Shelf:
    """The models that are kept beside the one that a restart takes."""

    def __init__(self, model: Path) -> None:
        """Take the path of the model that a restart takes."""
        self.model = model
        self.folder = model.with_name(f"{model.name}.versions")
        self._history = self.folder / "history.json"
        self._dropped = self.folder / "dropped"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until nobody else changes the shelf, and keep others out."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def path(self, digest: str) -> Path:
        """Return where the model with this SHA-256 is, or would be."""
        return self.folder / f"{digest}{self.model.suffix}"

    def list_models(self) -> list[Path]:
        """Return the models, the one that came last first."""
        models = list(self.folder.glob(f"*{self.model.suffix}"))
        return sorted(models, key=_time_of, reverse=True)

    def put(self, file: Path) -> str:
        """Keep a copy of a file, and return its SHA-256; raise OSError if that fails."""
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(FOLDER_FOR_ALL)
        with NamedTemporaryFile(dir=self.folder, delete=False) as copy:
            place = Path(copy.name)
            try:
                with file.open("rb") as source:
                    shutil.copyfileobj(source, copy)
                copy.flush()
                digest = read_digest(place)
                place.chmod(READABLE_FOR_ALL)
                place.replace(self.path(digest))
            finally:
                place.unlink(missing_ok=True)
        return digest

    def place(self, digest: str) -> None:
        """Let a restart take the model with this SHA-256."""
        if self.model.exists() and read_digest(self.model) == digest:
            return
        self._replace(self.path(digest))

    def drop(self, file: Path) -> None:
        """Let a restart take a file, and remember that; the model before is kept."""
        self.remember(file)
        if self.model.exists():
            before = read_digest(self.model)
            if not self.path(before).exists():
                self.put(self.model)
        self._replace(file)

    def remember(self, file: Path) -> None:
        """Remember a file as the last one that was dropped."""
        self._dropped.write_text(_describe(file))

    def remembers_any(self) -> bool:
        """Return whether a file has been dropped before."""
        return self._dropped.exists()

    def remembers(self, file: Path) -> bool:
        """Return whether a file is the last one that was dropped.

        One with the same content and the same time is the same one, also after a backup.
        """
        return (
            self._dropped.exists()
            and self._dropped.read_text() == _describe(file)
        )

    def _replace(self, file: Path) -> None:
        """Put a copy of a file into the place of the model, never half of it."""
        beside = self.model.with_name(f".{self.model.name}.{os.getpid()}")
        shutil.copyfile(file, beside)
        beside.chmod(READABLE_FOR_ALL)
        beside.replace(self.model)

    def read_history(self) -> list[str]:
        """Return the SHA-256 of the models that were served, the one that is served now last."""
        if not self._history.exists():
            return []
        history: list[str] = json.loads(self._history.read_text())
        return history

    def write_history(self, digests: list[str]) -> None:
        """Remember which models were served, and drop all files but the last five of them."""
        beside = self._history.with_suffix(".new")
        beside.write_text(json.dumps(digests[-MAX_KEPT:]))
        beside.replace(self._history)
        kept = [self.path(digest) for digest in digests[-MAX_KEPT:]]
        others = [path for path in self.list_models() if path not in kept]
        for path in others[max(MAX_KEPT - len(set(kept)), 0) :]:
            path.unlink()


def read_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _describe(path: Path) -> str:
    return f"{read_digest(path)} {int(_time_of(path))}"


def _time_of(path: Path) -> float:
    return path.stat().st_mtime
