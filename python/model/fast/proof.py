"""The proof: a copy and its original compute the same for every trial, or there is no copy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.data.schema import Schema
from python.model.estimator import Steps
from python.model.fast.copy import Copy
from python.model.fast.predictors import Form, Unproven, tolerance
from python.model.fast.transformers import without_names
from python.model.fast.trials import critical_rows
from python.model.refusals import accepts
from python.model.types import Estimator, Matrix

ALONE = 16  # records that are tried one by one: what a step makes of one may depend on others
MISSING_SHARE = 0.2


@dataclass(frozen=True)
class Original:
    """An estimator as its copy sees it: called with codes, or its predictor with a matrix.

    `form` gives a matrix the form in which the predictor is handed it.
    """

    estimator: Estimator
    steps: Steps
    schema: Schema
    method: str
    form: Form
    rows_at_once: int

    @cached_property
    def predictor(self) -> Estimator:
        """The predictor, fitted without names, so that it takes a matrix without a warning."""
        return without_names(self.steps.predictor)

    def compute(self, codes: Matrix) -> Matrix:
        """Return the estimator's outputs for codes, (n_records, n_features)."""
        return np.asarray(
            getattr(self.estimator, self.method)(self.schema.decode(codes))
        )

    def predict(self, codes: Matrix) -> NDArray[Any]:
        """Return the estimator's labels or numbers for codes, (n_records, n_features)."""
        return np.asarray(self.estimator.predict(self.schema.decode(codes)))

    def transform(self, codes: Matrix) -> Matrix:
        """Return the matrix that the predictor takes, (n_records, n_columns)."""
        return np.asarray(self.steps.transform(self.schema.decode(codes)), dtype=float)

    def compute_last(self, matrix: Matrix) -> Matrix:
        """Return the predictor's outputs for a matrix, (n_rows, n_columns)."""
        return np.asarray(getattr(self.predictor, self.method)(self.form(matrix)))

    def predict_last(self, matrix: Matrix) -> NDArray[Any]:
        """Return the predictor's labels or numbers for a matrix, (n_rows, n_columns)."""
        return np.asarray(self.predictor.predict(self.form(matrix)))


def prove(
    copy: Copy, original: Original, trials: Matrix, choose: np.random.Generator
) -> tuple[Copy, Matrix]:
    """Return the copy with what the proof shows of it, and those of the trials that it computes.

    `trials` are codes, (n_trials, n_features); the rows that decide are added to them.
    Raises Unproven for the first output that differs, and where the copy computes nothing.
    """
    critical = critical_rows(original.predictor, choose)
    first = next(critical)
    with_gaps = np.where(choose.random(first.shape) < MISSING_SHARE, np.nan, first)
    with_gaps[0] = np.nan
    copy = replace(copy, takes_missing=accepts(original.compute_last, with_gaps))

    accepted = trials[
        [accepts(partial(_must_compute, copy), row[None]) for row in trials]
    ]
    if not len(accepted) or not accepts(original.compute, accepted):
        raise Unproven(
            "the compiled copy answers what the estimator refuses, or nothing"
        )
    matrix = original.transform(accepted)
    if not np.array_equal(copy.transform(accepted), matrix, equal_nan=True):
        raise Unproven("a step gives other values than its copy")

    gaps = [with_gaps] if copy.takes_missing else []
    for rows in chain([matrix, first], gaps, critical):
        copy = _compare_last(copy, original, rows)
    for codes in _together_and_alone(accepted):
        outputs = copy.few(copy.transform(codes))
        labels = partial(original.predict, codes)
        trial = _Trial("whole model", original.compute(codes), outputs, labels)
        copy = _compare(copy, tolerance(original.predictor), trial)
    return copy, accepted


def _must_compute(copy: Copy, codes: Matrix) -> None:
    if copy.compute(codes) is None:
        raise ValueError("left to the estimator")


def _together_and_alone(codes: Matrix) -> Iterator[Matrix]:
    yield codes
    for row in codes[:ALONE]:
        yield row[None]


class _Trial(NamedTuple):
    """What `subject` and its copy compute for the same rows."""

    subject: str
    expected: Matrix
    outputs: Matrix
    predict_labels: Callable[[], NDArray[Any]]


def _compare_last(copy: Copy, original: Original, matrix: Matrix) -> Copy:
    expected = original.compute_last(matrix)
    labels = partial(original.predict_last, matrix)
    for compute in {copy.few, copy.many}:
        trial = _Trial("estimator", expected, compute(matrix), labels)
        copy = _compare(copy, tolerance(original.predictor), trial)
    return copy


def _compare(copy: Copy, tolerance: float, trial: _Trial) -> Copy:
    """Return the copy, with exact labels only if every bit is the same; raise Unproven."""
    subject, expected, outputs, predict_labels = trial
    if not np.array_equal(expected, outputs):
        copy = replace(copy, exact_labels=False)
        scale = 1.0 if copy.has_classes else _largest(expected)
        if not _close(expected, outputs, tolerance * scale):
            raise Unproven(f"the compiled copy gives other values than the {subject}")
    labels = copy.label(outputs) if copy.has_classes else None
    if labels is not None and not np.array_equal(labels, predict_labels()):
        raise Unproven(f"the compiled copy gives other labels than the {subject}")
    return copy


def _largest(numbers: Matrix) -> float:
    finite = numbers[np.isfinite(numbers)]
    return float(np.abs(finite).max(initial=1.0))


def _close(expected: Matrix, outputs: Matrix, most: float) -> bool:
    if expected.shape != outputs.shape:
        return False
    return np.allclose(expected, outputs, rtol=0, atol=most, equal_nan=True)
