"""The copy: what an estimator computes, without its overhead for each call."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.types import Matrix

log = logging.getLogger(__name__)

NEAR_TIE = 1e-9  # the difference between two probabilities
# scikit-learn's trees refuse larger ones.
LARGEST_NUMBER = float(np.finfo(np.float32).max)

Outputs = Callable[[Matrix], Matrix]
"""From the matrix that a predictor takes to its outputs.

These are probabilities, (n_rows, n_classes), or the numbers of a regressor, (n_rows,).
"""

Transform = Callable[[Matrix], Matrix]
"""From codes, (n_rows, n_features), to the matrix that a predictor takes, (n_rows, n_columns)."""


class Unproven(Exception):
    """There is no copy: it differs from its estimator or is no faster; the message says which."""


@dataclass(frozen=True)
class Copy:
    """A compiled replica of an estimator, which knows what it must leave to the estimator."""

    method: str
    """The estimator's method that it computes: `predict_proba`, or `predict` of a regressor."""
    classes: NDArray[Any] | None
    """The labels of a classifier; None for a regressor."""
    schema: Schema
    """The estimator's schema, with a code for every value: for texts as well."""
    transform: Transform
    """What the steps before the predictor do."""
    few: Outputs
    """What the predictor does, faster than `many` for up to `few_limit` records."""
    many: Outputs
    """What the predictor does, faster than `few` for more records."""
    exact_labels: bool
    """Whether the most probable class is the label even where two classes are as probable."""
    takes_missing: bool = True
    """Whether the predictor takes NaN."""
    few_limit: float = inf
    """The number of records up to which `few` is faster than `many`."""
    limit: float = inf
    """The number of records up to which the copy is faster than the estimator."""

    @property
    def has_classes(self) -> bool:
        """Whether it is the copy of a classifier."""
        return self.classes is not None

    def output(self, records: Records) -> Matrix | None:
        """Return the estimator's outputs for the records; None where it must compute them itself.

        They are probabilities, (n_records, n_classes), or numbers, (n_records,).
        """
        if len(records) > self.limit:
            return None
        try:
            return self.compute(self._encode(records))
        except Exception as error:
            # A step refuses these values, and the estimator says which.
            name = type(error).__name__
            log.debug("the estimator predicts because of %s", name)
            return None

    def compute(self, codes: Matrix) -> Matrix | None:
        """Return the estimator's outputs for codes, (n_records, n_features), or None as `output`.

        Raises an exception of any kind for codes that a step refuses.
        """
        with np.errstate(all="ignore"):
            matrix = self.transform(codes)
            if not self._takes(matrix):
                return None
            outputs = self.few if len(matrix) <= self.few_limit else self.many
            return outputs(matrix)

    def label(self, probabilities: Matrix) -> NDArray[Any] | None:
        """Return the most probable classes, (n_records,); None where a tie is too near to tell."""
        if not self.exact_labels:
            ordered = np.sort(probabilities, axis=1)
            lead = ordered[:, -1] - ordered[:, -2]
            if (lead < NEAR_TIE).any():
                return None
        most_probable = probabilities.argmax(axis=1)
        labels: NDArray[Any] = np.asarray(self.classes).take(most_probable)
        return labels

    def _encode(self, records: Records) -> Matrix:
        if records.schema.has_texts:
            return self.schema.encode(records.rows)
        return records.codes

    def _takes(self, matrix: Matrix) -> bool:
        # The sum of the squares shows at once what holds for nearly all records.
        if np.vdot(matrix, matrix) <= LARGEST_NUMBER:
            return True
        usable = np.abs(matrix) <= LARGEST_NUMBER
        if self.takes_missing:
            usable |= np.isnan(matrix)
        return bool(usable.all())
