"""Writing: a file is written beside its place, proven by a fresh process, and moved there.

A file that could not be served never stands in the place of one that could.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from pickle import PicklingError
from tempfile import TemporaryDirectory
from typing import Any

import joblib

from python.errors import ArtifactError
from python.model.data.spelling import one_line
from python.model.skops import SUFFIX, dump_skops

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
PROVING = "python.proving"
# What the process that proves a file reads and writes beside it.
TRIALS_NAME = "trials"
REFUSAL_NAME = "refusal"

CURES = (
    "move it into a module in model_code/, import it from there and fit again, or write the file "
    "with cloudpickle.dump, as docs/inputs.md says"
)


def write_proven(
    content: dict[str, Any], trials: dict[str, Any], path: Path
) -> None:
    """Write the content of an artifact to the path, if it serves, and print its SHA-256.

    `trials` are rows with what the estimator predicts for them, in the form of `examples`.
    Raises ArtifactError with one sentence if the service would refuse the file or predict
    something else, and OSError if it cannot be written. Then nothing has changed at the path.
    """
    if not path.parent.is_dir():
        raise ArtifactError(f"there is no folder {path.parent}")
    with TemporaryDirectory(prefix=".saving-", dir=path.parent) as folder:
        candidate = Path(folder) / path.name
        types = _dump(content, candidate)
        joblib.dump(trials, candidate.with_name(TRIALS_NAME))
        _prove(candidate, types)
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
    try:
        joblib.dump(content, path)
    except (PicklingError, AttributeError, TypeError) as error:
        raise ArtifactError(
            f"a part of the model cannot be pickled ({one_line(error)}): {CURES}"
        ) from error
    return ""


def _prove(candidate: Path, trusted_types: str) -> None:
    """Raise ArtifactError unless the service, in a fresh process, predicts as the estimator did."""
    process = _start_proof(candidate, trusted_types)
    refusal = candidate.with_name(REFUSAL_NAME)
    if refusal.exists():
        raise ArtifactError(refusal.read_text(encoding="utf-8"))
    if process.returncode == 0:
        return
    lines = process.stderr.strip().splitlines() or ["it said nothing"]
    raise ArtifactError(
        f"{candidate.name} cannot be proven, because the process that should have done so ended "
        f"with {process.returncode}: {lines[-1]}"
    )


def _start_proof(
    candidate: Path, trusted_types: str
) -> subprocess.CompletedProcess[str]:
    """Return the process that proves the file, after it has ended.

    It finds what the service finds: the packages, and no modules but those of the project.
    """
    environ = {**os.environ}
    environ.pop("PYTHONPATH", None)
    return subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", PROVING),
            *(str(candidate.absolute()), trusted_types),
        ],
        cwd=PROJECT,
        env=environ,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
