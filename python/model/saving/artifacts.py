"""Artifacts: the content of a model file, made of an estimator and its training data."""

import platform
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.data.spelling import shorten
from python.model.estimator import estimator_type
from python.model.saving.entries import Column, Entry, describe_features
from python.model.saving.predicted_rows import (
    PredictedRows,
    check_estimator,
    predict_rows,
)
from python.model.saving.profile import (
    profile_features,
    profile_predictions,
)
from python.model.saving.remarks import (
    print_assumptions,
    print_names,
    warn_of_mistakes,
)
from python.model.saving.sampling import cover_gaps, draw_rows, with_rows
from python.model.saving.training import Inputs, Training, read_training
from python.model.saving.versions import find_versions
from python.model.saving.writing import read_place, write_proven
from python.model.types import Estimator

MAX_TRIAL_ROWS = 10_000


class Wishes(NamedTuple):
    """What `save_model` may be told besides the model and its training data."""

    target: Any
    class_names: Any
    defaults: Mapping[str, Any]
    n_samples: int
    n_examples: int

    def check(self) -> None:
        """Raise ArtifactError for what can be no wish, whatever the model."""
        counts = {"samples": self.n_samples, "examples": self.n_examples}
        for name, count in counts.items():
            is_whole = isinstance(count, Integral)
            if not is_whole or isinstance(count, bool) or count < 0:
                raise ArtifactError(
                    f"{name} must be a number of rows, 0 or more, got {shorten(count)}"
                )
        if not isinstance(self.defaults, Mapping):
            raise ArtifactError(
                'defaults must be a dict of values by the name of the feature, such as {"age": 30},'
                f" got {shorten(self.defaults)}"
            )


def save(
    estimator: Estimator, inputs: Inputs, wishes: Wishes, path: Path | str
) -> None:
    """Write a file that serves the estimator, once that is proven; errors as `save_model` has."""
    place = read_place(path)
    content, trials = make_artifact(estimator, inputs, wishes)
    write_proven(content, trials, place)


def make_artifact(
    estimator: Estimator, inputs: Inputs, wishes: Wishes
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the content of a model file, and the rows to prove it with, as `examples` has them.

    It prints what it assumes, and warns of columns that look like a mistake.
    Raises ArtifactError in one sentence for what could not be served.
    """
    wishes.check()
    check_estimator(estimator)
    training = read_training(estimator, inputs)
    table = training.table
    target = _read_target(wishes.target, len(table))
    entries = describe_features(estimator, table, wishes.defaults)
    trials = _make_trials(estimator, training, target, wishes)
    if not hasattr(inputs, "iloc"):
        print_names(training.names)
    print_assumptions(entries, table)
    warn_of_mistakes(entries, table, target)
    content = {
        "model": estimator,
        "metadata": _make_metadata(estimator, entries, wishes),
        # It stands beside the metadata, all of which /info shows.
        "profile": profile_features(entries, table),
        "prediction_profile": profile_predictions(
            trials.predictions,
            are_classes=estimator_type(estimator) == "classifier",
        ),
    }
    content |= _make_tables(estimator, trials, wishes)
    return content, trials.content()


def _make_metadata(
    estimator: Estimator, entries: list[Entry], wishes: Wishes
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"features": entries}
    if wishes.class_names is not None:
        metadata["class_names"] = list(wishes.class_names)
    metadata["versions"] = find_versions(estimator)
    metadata["python"] = platform.python_version()
    metadata["saved_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    return metadata


def _read_target(target: Any, n_rows: int) -> Column | None:
    """Return the target as a column; None where there is none, or several columns of it."""
    import pandas as pd  # what is saved comes with a table

    if target is None:
        return None
    array = _read_array(target)
    if len(array) != n_rows:
        raise ArtifactError(f"X has {n_rows} rows, and y has {len(array)}")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim > 1:
        return None
    if array.dtype == object:
        _check_labels(array)
    return pd.Series(array)


def _check_labels(labels: NDArray[Any]) -> None:
    """Raise ArtifactError for an object that can be no label, such as a list."""
    for label in labels:
        if not isinstance(label, Hashable):
            raise ArtifactError(
                f"y has {shorten(label)} for a row: pass a label or a number for each"
            )


def _read_array(target: Any) -> NDArray[Any]:
    """Return an array of what is in the target; raise ArtifactError where there are no rows."""
    try:
        array = np.asarray(target)
    except ValueError as error:
        # NumPy makes no array of rows of several lengths.
        raise ArtifactError(
            "the rows of y do not have the same number of values"
        ) from error
    if array.ndim == 0:
        kind = type(target).__name__
        raise ArtifactError(
            "y must be a list, an array or a Series with a value for each row of X, "
            f"and is a {kind}"
        )
    return array


def _make_trials(
    estimator: Estimator,
    training: Training,
    target: Column | None,
    wishes: Wishes,
) -> PredictedRows:
    """Return the rows to prove the file with, all of them or 10,000, and their predictions."""
    n_rows = len(training.table)
    labels = None
    if target is not None and estimator_type(estimator) == "classifier":
        labels = target.to_numpy()
    drawn = draw_rows(n_rows, MAX_TRIAL_ROWS, labels)
    rows = with_rows(cover_gaps(training.table), drawn, MAX_TRIAL_ROWS)
    return predict_rows(estimator, training, rows, wishes.class_names)


def _find_labels(
    estimator: Estimator, trials: PredictedRows
) -> NDArray[Any] | None:
    """Return the label that is predicted for each row; None where there are no single labels."""
    is_classifier = estimator_type(estimator) == "classifier"
    predictions = trials.predictions
    if predictions.ndim == 2 and predictions.shape[1] == 1:
        predictions = predictions[:, 0]
    if not is_classifier or predictions.ndim > 1:
        return None
    return predictions


def _make_tables(
    estimator: Estimator, trials: PredictedRows, wishes: Wishes
) -> dict[str, Any]:
    """Return the samples and the examples of the artifact, as many as are wished for."""
    labels = _find_labels(estimator, trials)
    n_rows = len(trials.records)
    tables: dict[str, Any] = {}
    if wishes.n_samples > 0:
        rows = draw_rows(n_rows, wishes.n_samples, labels)
        tables["samples"] = trials.take(rows).records
    if wishes.n_examples > 0:
        rows = draw_rows(n_rows, wishes.n_examples, labels)
        with_gaps = cover_gaps(trials.records)
        rows = with_rows(with_gaps, rows, wishes.n_examples)
        tables["examples"] = trials.take(rows).content()
    return tables
