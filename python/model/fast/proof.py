"""The proof: a copy and its original compute the same for every trial, or there is no copy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.data.schema import Schema
from python.model.estimator import Steps
from python.model.fast.copy import Copy, Unproven
from python.model.fast.predictors import Form, tolerance
from python.model.fast.transformers import without_names
from python.model.fast.trials import critical_rows
from python.model.refusals import accepts
from python.model.trees import TreeModel
from python.model.types import Columns, Estimator, Matrix

MAX_RECORDS_ALONE = 4
MISSING_SHARE = 0.2


@dataclass(frozen=True)
class Original:
    """An estimator as its copy sees it: called with codes, or its predictor with a matrix."""

    estimator: Estimator
    steps: Steps
    trees: TreeModel | None
    """The predictor's trees, if it has any."""
    schema: Schema
    """The copy's schema, with a code for every value."""
    method: str
    """The estimator's method whose outputs the copy computes."""
    form: Form
    """Gives a matrix the form in which the predictor is handed it."""
    rows_at_once: int
    """How many rows may be computed in one call."""

    @cached_property
    def predictor(self) -> Estimator:
        """The predictor, fitted without names, so that it takes a matrix without a warning."""
        return without_names(self.steps.predictor)

    @cached_property
    def tolerance(self) -> float:
        """By how much the copy's probabilities, or numbers relative to the largest, may differ."""
        return tolerance(self.predictor, self.trees)

    def compute(self, codes: Matrix) -> Matrix:
        """Return the estimator's outputs for codes, (n_records, n_features)."""
        compute = getattr(self.estimator, self.method)
        columns = self._decode(codes)
        return np.asarray(compute(columns))

    def predict(self, codes: Matrix) -> NDArray[Any]:
        """Return the estimator's labels or numbers for codes, (n_records, n_features)."""
        columns = self._decode(codes)
        return np.asarray(self.estimator.predict(columns))

    def transform(self, codes: Matrix) -> Matrix:
        """Return the matrix that the predictor takes, (n_records, n_columns)."""
        columns = self._decode(codes)
        matrix = self.steps.transform(columns)
        return np.asarray(matrix, dtype=float)

    def _decode(self, codes: Matrix) -> Columns:
        # Codes may be columns as they are, and a user's own function may write into columns.
        return self.schema.decode(codes.copy())

    def compute_last(self, matrix: Matrix) -> Matrix:
        """Return the predictor's outputs for a matrix, (n_rows, n_columns)."""
        compute = getattr(self.predictor, self.method)
        columns = self.form(matrix)
        return np.asarray(compute(columns))

    def predict_last(self, matrix: Matrix) -> NDArray[Any]:
        """Return the predictor's labels or numbers for a matrix, (n_rows, n_columns)."""
        columns = self.form(matrix)
        return np.asarray(self.predictor.predict(columns))


def prove(
    copy: Copy,
    original: Original,
    trials: Matrix,
    choose: np.random.Generator,
) -> tuple[Copy, Matrix]:
    """Return the copy with what the proof shows of it, and those of the trials that it computes.

    `trials` are codes, (n_trials, n_features); the rows that decide are added to them.
    Raises Unproven for the first output that differs, and where the copy computes nothing.
    """
    critical = critical_rows(original.predictor, original.trees, choose)
    first = next(critical)
    with_missing = _with_missing(first, choose)
    takes_missing = accepts(original.compute_last, with_missing)
    copy = replace(copy, takes_missing=takes_missing)

    accepted = _accepted_trials(copy, original, trials)
    matrix = original.transform(accepted)
    copied = copy.transform(accepted)
    if not np.array_equal(copied, matrix, equal_nan=True):
        raise Unproven("a step gives other values than its copy")

    matrices = [matrix, first]
    if takes_missing:
        matrices.append(with_missing)
    for rows in chain(matrices, critical):
        copy = _compare_last(copy, original, rows)
    for codes in _together_and_alone(accepted):
        copy = _compare_whole(copy, original, codes)
    return copy, accepted


def _with_missing(matrix: Matrix, choose: np.random.Generator) -> Matrix:
    """Return the matrix with some values missing, and all of them in its first row."""
    is_missing = choose.random(matrix.shape) < MISSING_SHARE
    is_missing[0] = True
    return np.where(is_missing, np.nan, matrix)


def _accepted_trials(
    copy: Copy,
    original: Original,
    trials: Matrix,
) -> Matrix:
    """Return those of the trials that the copy computes.

    Raises Unproven if there are none, or if the estimator refuses one of them.
    """
    is_computed = [_computes(copy, row[None]) for row in trials]
    accepted = trials[is_computed]
    if not len(accepted) or not accepts(original.compute, accepted):
        raise Unproven(
            "the compiled copy answers what the estimator refuses, or nothing"
        )
    return accepted


def _computes(copy: Copy, codes: Matrix) -> bool:
    """Return whether the copy computes these rows, rather than leave them to the estimator."""
    try:
        return copy.compute(codes) is not None
    except Exception:  # a step refuses them
        return False


def _together_and_alone(codes: Matrix) -> Iterator[Matrix]:
    """Yield all rows, then some alone: what a step makes of one may depend on the others."""
    yield codes
    for row in codes[:MAX_RECORDS_ALONE]:
        yield row[None]


class _Trial(NamedTuple):
    """What `subject` and its copy compute for the same rows."""

    subject: str
    expected: Matrix
    outputs: Matrix
    predict_labels: Callable[[], NDArray[Any]]


def _compare_last(
    copy: Copy,
    original: Original,
    matrix: Matrix,
) -> Copy:
    """Compare the predictor, and both ways of its copy, for the rows of a matrix."""
    expected = original.compute_last(matrix)
    predict_labels = cache(partial(original.predict_last, matrix))
    for compute in {copy.few, copy.many}:
        trial = _Trial("estimator", expected, compute(matrix), predict_labels)
        copy = _compare(copy, original.tolerance, trial)
    return copy


def _compare_whole(
    copy: Copy,
    original: Original,
    codes: Matrix,
) -> Copy:
    """Compare the estimator and its copy, from the first step to the last, for codes."""
    expected = original.compute(codes)
    matrix = copy.transform(codes)
    outputs = copy.few(matrix)
    predict_labels = partial(original.predict, codes)
    trial = _Trial("whole model", expected, outputs, predict_labels)
    return _compare(copy, original.tolerance, trial)


def _compare(
    copy: Copy,
    tolerance: float,
    trial: _Trial,
) -> Copy:
    """Return the copy, with `exact_labels` only if every bit of the outputs is the same.

    Raises Unproven if outputs differ by more than the tolerance, or if a label differs.
    """
    subject, expected, outputs, predict_labels = trial
    if not np.array_equal(expected, outputs):
        copy = replace(copy, exact_labels=False)
        scale = 1.0 if copy.has_classes else _largest(expected)
        if not _close(expected, outputs, tolerance * scale):
            raise Unproven(
                f"the compiled copy gives other values than the {subject}"
            )
    if not copy.has_classes:
        return copy
    labels = copy.label(outputs)
    if labels is not None and not np.array_equal(labels, predict_labels()):
        raise Unproven(
            f"the compiled copy gives other labels than the {subject}"
        )
    return copy


def _largest(numbers: Matrix) -> float:
    """Return the largest finite absolute value, at least 1."""
    finite = numbers[np.isfinite(numbers)]
    return float(np.abs(finite).max(initial=1.0))


def _close(
    expected: Matrix,
    outputs: Matrix,
    tolerance: float,
) -> bool:
    """Return whether no output differs by more than the absolute tolerance."""
    if expected.shape != outputs.shape:
        return False
    return np.allclose(
        expected, outputs, rtol=0, atol=tolerance, equal_nan=True
    )
