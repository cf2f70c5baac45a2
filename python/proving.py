"""Proving: `python -m python.proving FILE`, which `save_model` starts before it moves a file.

It is a process of its own, so that it finds what the service finds and nothing of the notebook.
Beside the file stand rows with what the estimator predicted for them there.
"""

import sys
from pathlib import Path

import joblib

from python.api.examples import compare
from python.errors import ArtifactError
from python.loading import load_checked
from python.model.examples import Examples
from python.model.saving.writing import REFUSAL_NAME, TRIALS_NAME
from python.model.sklearn import SklearnModel
from python.settings import Settings


def prove(path: Path, trusted_types: str) -> None:
    """Raise ArtifactError if the service would not load the file, or predict otherwise.

    `trusted_types` are those that it will have to trust.
    The predictions are compared twice, if a compiled copy predicts after a while.
    """
    model = load_checked(path, Settings(trusted_types=trusted_types))
    trials = Examples.of(joblib.load(path.with_name(TRIALS_NAME)))
    compare(model, trials, "row")
    model.speed_up()
    if isinstance(model, SklearnModel) and model.copy is not None:
        compare(model, trials, "row")


def main(path: Path, trusted_types: str = "") -> None:
    """Prove the file; write the sentence beside it and exit with 1 if it is refused."""
    try:
        prove(path, trusted_types)
    except ArtifactError as error:
        path.with_name(REFUSAL_NAME).write_text(error.detail, encoding="utf-8")
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
