"""Comparison: the values of a method against a background, with those by all coalitions.

Record and background differ in a few features alone, so that no other feature has a value, and
there are few coalitions however many features there are.
"""

import logging
from functools import cache

import numpy as np

from python.model.data.columns import mix_rows, stack_rows, take_rows
from python.model.explain.coalitions import AllCoalitions, Mixtures
from python.model.explain.methods import MakeMethod, Method, Subject
from python.model.explain.outputs import Output, outputs_of
from python.model.trees.categories import Integers
from python.model.types import Columns, Matrix

log = logging.getLogger(__name__)

MAX_FEATURES = 6
# So many pairs have to show it, of so many that are tried: two rows that are predicted alike have
# no values, and show nothing.
PAIRS = 2
MAX_PAIRS = 8
# The values of both are each off by what was lost in their terms.
ROUNDINGS = 8
ROWS_AT_ONCE = 10_000


def compare(make: MakeMethod, subject: Subject) -> bool | None:
    """Return whether a method's values are those by all coalitions, for pairs of the probes.

    None where no pair can show it.
    """
    n_shown = 0
    n_pairs = min(MAX_PAIRS, len(subject.probes) // 2)
    for number in range(n_pairs):
        background = take_rows(subject.probes, [2 * number])
        other = take_rows(subject.probes, [2 * number + 1])
        method = make(background)
        pair = _make_pair(method, background, other)
        if pair is None:
            continue
        is_right = pair.is_right(method, subject)
        if is_right is False:
            return False
        if is_right:
            n_shown += 1
        if n_shown == PAIRS:
            break
    return True if n_shown else None


def _make_pair(
    method: Method, background: Columns, other: Columns
) -> "Pair | None":
    """Return the background with some features of another row, those with the largest values.

    None where the method has no values for that row.
    """
    attribution = method.attribute(other)
    if attribution is None:
        return None
    by_feature = attribution.values[0]
    sizes = np.abs(by_feature.reshape(len(by_feature), -1)).max(axis=1)
    features = np.argsort(-sizes, kind="stable")[:MAX_FEATURES]
    rows = np.zeros((1, len(by_feature)), dtype=np.intp)
    rows[0, features] = 1
    record = mix_rows(stack_rows(background, other), rows)
    return Pair(background, record, features)


class Pair:
    """A record and a background of one row, which differ in some features alone."""

    def __init__(
        self, background: Columns, record: Columns, features: Integers
    ) -> None:
        self._background = background
        self._record = record
        self._features = features

    def is_right(self, method: Method, subject: Subject) -> bool | None:
        """Return whether a method against the background gives the values by all coalitions.

        None where that cannot be told: the estimator does not take a mixture, its output for one is
        infinite, there are no values, or none that are larger than rounding.
        """
        output_of = cache(outputs_of(subject.estimator, self._record))
        attribution = method.attribute(self._record)
        if attribution is None:
            return False
        output = method.find_output(attribution, output_of)
        if output is None:
            return False
        try:
            worths, rounding = self._worths(output, subject)
        except Exception as error:
            log.info("mixtures cannot be compared: %s", type(error).__name__)
            return None
        if not np.isfinite(worths).all():
            return None
        expected = self._values(worths)
        difference = np.abs(attribution.values[0] - expected)
        tolerance = float(np.max(attribution.tolerance)) + rounding
        allowed = ROUNDINGS * tolerance
        if not np.all(difference <= allowed):
            return False
        has_values = bool(np.abs(expected).max() > allowed)
        return True if has_values else None

    def _worths(
        self, output: Output, subject: Subject
    ) -> tuple[Matrix, float]:
        """Return the worths of all coalitions of the features, and how far they may be off."""
        roundings = []

        def sums(columns: Columns) -> Matrix:
            output_of = cache(outputs_of(subject.estimator, columns))
            of_columns, rounding = output.sums(output_of)
            roundings.append(float(np.max(rounding)))
            return of_columns

        of_features = AllCoalitions(len(self._features)).members
        members = np.zeros((len(of_features), subject.n_features), bool)
        members[:, self._features] = of_features
        table = stack_rows(self._background, self._record)
        worths = Mixtures(table, members).worths(sums, ROWS_AT_ONCE)
        return worths, max(roundings)

    def _values(self, worths: Matrix) -> Matrix:
        """Return the values of all features, (n_features,) or (n_features, n_classes)."""
        coalitions = AllCoalitions(len(self._features))
        n_features = self._record.shape[1]
        values = np.zeros((n_features, *worths.shape[1:]))
        values[self._features] = coalitions.estimate(worths).values
        return values
