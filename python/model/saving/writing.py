"""Writing: a file is written beside its place, proven by a fresh process, and moved there.

A file that could not be served never stands in the place of one that could.
"""

import hashlib
from os import PathLike
from pathlib import Path
from typing import Any

import joblib

from python.errors import ArtifactError
from python.model.data.spelling import shorten
from python.model.saving.pickling import refused_unless_pickled
from python.model.saving.proof import prove
from python.model.saving.workspace import clear_leavings, workspace
from python.model.skops import SUFFIX, dump_skops


def read_place(path: Path | str) -> Path:
    """Return where the file is to be; raise ArtifactError where none can be written."""
    if not isinstance(path, str | PathLike):
        raise ArtifactError(
            f"path must be a text or a Path, got {shorten(path)}"
        )
    place = Path(path)
    if place.is_dir():
        inside = place / "model.joblib"
        raise ArtifactError(f"{place} is a folder: write {inside}")
    if not place.parent.is_dir():
        raise ArtifactError(f"there is no folder {place.parent}")
    return place


def write_proven(
    content: dict[str, Any], trials: dict[str, Any], path: Path
) -> None:
    """Write the content of an artifact to the path, if it serves, and print its SHA-256.

    `trials` are rows with what the estimator predicts for them, in the form of `examples`.
    Raises ArtifactError with one sentence if the service would refuse the file or predict
    something else, and OSError if it cannot be written. Then nothing has changed at the path.
    """
    clear_leavings(path.parent)
    with workspace(path.parent) as folder:
        candidate = folder / path.name
        types = _dump(content, candidate)
        prove(candidate, types, trials)
        digest = _read_digest(candidate)
        candidate.replace(path)
    print(f"wrote {path}, SHA-256 {digest}")
    if types:
        print(f"to be served, it needs TRUSTED_TYPES={types}")


def _read_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _dump(content: dict[str, Any], path: Path) -> str:
    """Write the content, and return the types that have to be trusted, with commas."""
    if path.suffix == SUFFIX:
        return ",".join(dump_skops(content, path))
    with refused_unless_pickled("a part of the model"):
        joblib.dump(content, path)
    return ""
