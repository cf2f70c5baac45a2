"""The proof of a file, which a process of its own makes: it finds what the service finds."""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from python.errors import ArtifactError
from python.model.saving.pickling import refused_unless_pickled

PROJECT = Path(__file__).resolve().parent.parent.parent.parent
PROVING = "python.proving"
PROOF_LIMIT_SECONDS = 3600


class Streams(NamedTuple):
    """The standard streams of the process: what it reads, its last word, and what it says else."""

    rows: IO[bytes]
    verdict: IO[bytes]
    log: IO[bytes]


def prove(candidate: Path, trusted_types: str, trials: dict[str, Any]) -> None:
    """Raise ArtifactError unless the service, in a fresh process, predicts as the estimator did.

    The trials are rows of the training data. They are in a file without a name, which is gone with
    the processes that have it open, however these end.
    """
    with (
        TemporaryFile() as rows,
        TemporaryFile() as verdict,
        TemporaryFile() as log,
    ):
        _write_trials(trials, rows)
        streams = Streams(rows, verdict, log)
        status = _run(candidate, trusted_types, streams)
        last_word = _read(verdict)
        if not last_word:
            reason = f"ended with {status}: {_read_last_line(log)}"
            raise ArtifactError(
                f"{candidate.name} cannot be proven, because the process that should have done "
                f"so {reason}"
            )
    refusal = json.loads(last_word)["refusal"]
    if refusal is not None:
        raise ArtifactError(refusal)


def _write_trials(trials: dict[str, Any], file: IO[bytes]) -> None:
    # The model may have predicted objects of any class.
    what = "what the model predicts"
    with refused_unless_pickled(what, "predict numbers, texts or dates"):
        pickle.dump(trials, file)
    file.seek(0)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


def _read_last_line(file: IO[bytes]) -> str:
    lines = _read(file).splitlines() or ["it said nothing"]
    return lines[-1]


def _run(candidate: Path, trusted_types: str, streams: Streams) -> int:
    """Return the status of the process that proves the file, after it has ended.

    It finds what the service finds: the packages, and no modules but those of the project.
    """
    environ = {**os.environ}
    environ.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", PROVING]
    arguments = [str(candidate.absolute()), trusted_types, str(os.getpid())]
    try:
        process = subprocess.run(  # noqa: S603
            [*command, *arguments],
            cwd=PROJECT,
            env=environ,
            timeout=PROOF_LIMIT_SECONDS,
            check=False,
            stdin=streams.rows,
            stdout=streams.verdict,
            stderr=streams.log,
        )
    except subprocess.TimeoutExpired as error:
        raise ArtifactError(
            f"{candidate.name} cannot be proven within {PROOF_LIMIT_SECONDS} seconds: "
            "pass fewer rows of X, which are all predicted, or a model that predicts faster"
        ) from error
    return process.returncode
