"""Proving: `python -m python.proving FILE`, which `save_model` starts before it moves a file.

It is a process of its own, so that it finds what the service finds and nothing of the notebook.
Rows come in its standard input, pickled with what the estimator predicted for them there.
Its standard output is a JSON object: the sentence of a `refusal`, or null. Where there is none, the
proof has come to no end.
"""

import json
import os
import pickle
import sys
import time
from pathlib import Path
from threading import Thread
from typing import IO

from python.api.examples import compare
from python.errors import ArtifactError
from python.loading import load_checked
from python.model.examples import Examples
from python.model.sklearn import SklearnModel
from python.settings import Settings

POLL_SECONDS = 0.5


def prove(path: Path, rows: IO[bytes], trusted_types: str = "") -> str | None:
    """Return why the service would not load the file, or predicts otherwise; None if it serves.

    `trusted_types` are those that it will have to trust.
    The predictions are compared twice, if a compiled copy predicts after a while.
    """
    try:
        model = load_checked(path, Settings(trusted_types=trusted_types))
        trials = Examples.of(pickle.load(rows))  # noqa: S301
        compare(model, trials, "row")
        model.speed_up()
        if isinstance(model, SklearnModel) and model.copy is not None:
            compare(model, trials, "row")
    except ArtifactError as error:
        return error.detail
    return None


def end_with(parent: int) -> None:
    """Let this process end soon after its parent, which may be killed at any time."""
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


def main(path: Path, trusted_types: str, parent: int) -> None:
    """Prove the file for a parent; write the last word to the standard output."""
    if (
        sys.platform != "win32"
    ):  # where a virtual environment's Python is a child of another
        Thread(target=end_with, args=(parent,), daemon=True).start()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as last_word:
        # What the code of a model prints is no verdict.
        os.dup2(2, 1)
        refusal = prove(path, sys.stdin.buffer, trusted_types)
        json.dump({"refusal": refusal}, last_word)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
