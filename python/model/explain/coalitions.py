"""Coalitions: Shapley values of any function of a record, from what it returns alone.

A coalition is a set of features that are known; the other features are as in each row of a
background, one row after the other. Its worth is the function's mean over these rows, and the
value of a feature is how much its joining adds to the worth, as a mean over the orders in which
features can join (Lundberg and Lee 2017, arXiv:1705.07874).

Example: the function is the product of two features, the record (2, 3), the background one row,
(1, 0). The worths are 0 of no feature, 0 of the first, 3 of the second, 6 of both.
So the first adds 0 or 3, the second 3 or 6: the values are 1.5 and 4.5, the base value 0.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from python.errors import TooSlow, Unprocessable
from python.model.data.columns import (
    mix_rows,
    slice_rows,
    stack_rows,
    take_rows,
)
from python.model.explain.attribution import Attribute, Attribution
from python.model.types import Columns, Matrix

MAX_FEATURES_EXACT = 8
# Fewer orders where more would take too long; two pairs are the fewest that have a standard error.
ORDER_PAIRS = (10, 4, 2)
ROWS_LIMIT_AT_ONCE = 50_000
SECONDS_AT_ONCE = 0.5
# An estimator adds up numbers that nobody sees, which may be larger than what it predicts.
CALL_ROUNDING = 1e-10
REFUSED_MIXTURE = (
    "record {record} cannot be explained against {rows}: the model does not "
    "take some of their mixtures, as where values of the two exclude each other"
)
REFUSED_ROW = "row {} of the background"
REFUSED_ROWS = "rows {} to {} of the background"
TOOK_TOO_LONG = (
    "the explanation has taken more than {:.3g} seconds and was given up: "
    "send fewer records, or fewer rows of background"
)

Function: TypeAlias = Callable[[Columns], Matrix]
"""What is explained: from columns to (n_rows,) or (n_rows, n_classes)."""


class Estimate(NamedTuple):
    """The values of a record, (n_features,) or (n_features, n_classes), and how exact they are.

    The standard error has the same shape; None where the values are exact.
    """

    values: Matrix
    standard_error: Matrix | None


@dataclass(frozen=True, eq=False)
class AllCoalitions:
    """Every coalition of the features: the bits of its number say which are in it."""

    n_features: int
    method = "exact"

    @property
    def members(self) -> NDArray[np.bool_]:
        """Which features are in each coalition, (n_coalitions, n_features), the empty one first."""
        numbers = np.arange(2**self.n_features)
        bits = np.arange(self.n_features)
        is_member: NDArray[np.bool_] = (numbers[:, None] >> bits) % 2 == 1
        return is_member

    @cached_property
    def _without(self) -> NDArray[np.intp]:
        """The numbers of the coalitions that each feature may join, (n_features, n_numbers)."""
        return np.stack([np.flatnonzero(~has) for has in self.members.T])

    @cached_property
    def _weights(self) -> Matrix:
        """In which share of the orders each feature joins these coalitions, of the same shape.

        A feature joins a coalition of `n_others` in 1 of
        `n_features * comb(n_features - 1, n_others)` of the orders.
        """
        n_others = self.members.sum(axis=1)[self._without]
        n_alike = comb(self.n_features - 1, n_others)
        weights: Matrix = 1 / (self.n_features * n_alike)
        return weights

    def estimate(self, worths: Matrix) -> Estimate:
        """Return the values of the worths, (n_coalitions,) or (n_coalitions, n_classes).

        That of a feature which changes no worth is 0, and not nearly so.
        """
        joining = 1 << np.arange(self.n_features)[:, None]
        gains = worths[self._without + joining] - worths[self._without]
        values: Matrix = np.einsum("fc,fc...->f...", self._weights, gains)
        return Estimate(values, None)


@dataclass(frozen=True, eq=False)
class Orders:
    """The coalitions that there are as the features join, in orders that are chosen by chance.

    The orders come in pairs, one the reverse of the other (Mitchell et al. 2022,
    arXiv:2104.12199), and are the same for every record, so that a record is explained alone as
    it is among others. There are `n_features + 1` coalitions for each order.
    """

    places: NDArray[np.intp]
    """The place of each feature in each order, (n_orders, n_features)."""
    method = "permutation"

    @property
    def members(self) -> NDArray[np.bool_]:
        """Which features are in each coalition, (n_coalitions, n_features), the empty one first."""
        n_features = self.places.shape[1]
        sizes = np.arange(n_features + 1)
        is_member = self.places[:, None, :] < sizes[:, None]
        return is_member.reshape(-1, n_features)

    def estimate(self, worths: Matrix) -> Estimate:
        """Return the values of the worths, (n_coalitions,) or (n_coalitions, n_classes).

        They are means over the pairs, and the standard error is that of such a mean.
        """
        gains = self._gains(worths)
        of_both_orders = gains.reshape(-1, 2, *gains.shape[1:])
        of_pairs = of_both_orders.mean(axis=1)
        deviation = of_pairs.std(axis=0, ddof=1)
        return Estimate(
            of_pairs.mean(axis=0), deviation / np.sqrt(len(of_pairs))
        )

    def _gains(self, worths: Matrix) -> Matrix:
        """Return what each feature adds in each order, (n_orders, n_features) or by class."""
        n_orders, n_features = self.places.shape
        shape = (n_orders, n_features + 1, *worths.shape[1:])
        by_place = np.diff(worths.reshape(shape), axis=1)
        orders = np.arange(n_orders)
        gains: Matrix = by_place[orders[:, None], self.places]
        return gains


Coalitions: TypeAlias = AllCoalitions | Orders
"""The coalitions whose worths are computed."""


def choose_coalitions(
    n_features: int,
    most_predictions: float = inf,
) -> Coalitions:
    """Return every coalition of few features, else those of orders: of as many as there may be.

    `most_predictions` is how often a record may be predicted with each row of the background.
    Where all are too many, they are those of the fewest orders.
    """
    if n_features <= MAX_FEATURES_EXACT and 2**n_features <= most_predictions:
        return AllCoalitions(n_features)
    n_pairs = ORDER_PAIRS[-1]
    for wanted in ORDER_PAIRS:
        if 2 * wanted * (n_features + 1) <= most_predictions:
            n_pairs = wanted
            break
    in_orders = 2 * n_pairs * (n_features + 1)
    if n_features <= MAX_FEATURES_EXACT and 2**n_features <= in_orders:
        return AllCoalitions(n_features)
    return Orders(_sample_places(n_features, n_pairs))


def make_shapley(
    function: Function,
    background: Columns,
    coalitions: Coalitions,
    seconds_per_prediction: float = 0.0,
    most_seconds: float = inf,
) -> Attribute:
    """Return what explains a function of columns, by the worths of the coalitions.

    The values always add up. It raises TooLarge where it takes more than `most_seconds`, and
    Unprocessable where the function does not take the mixture of a record and a row.
    """
    rows_at_once = ROWS_LIMIT_AT_ONCE
    if seconds_per_prediction > 0:
        some_rows = int(SECONDS_AT_ONCE / seconds_per_prediction)
        rows_at_once = min(rows_at_once, max(1, some_rows))
    members = coalitions.members

    def attribute(columns: Columns) -> Attribution:
        deadline = time.monotonic() + most_seconds
        estimates = []
        for row in range(len(columns)):
            record = slice_rows(columns, row, row + 1)
            mixtures = Mixtures(stack_rows(background, record), members)
            try:
                worths = mixtures.worths(function, rows_at_once, deadline)
            except TimeoutError:
                raise TooSlow(TOOK_TOO_LONG.format(most_seconds)) from None
            except Exception as error:
                rows = mixtures.find_refused(function, rows_at_once, deadline)
                if not rows:
                    raise
                detail = REFUSED_MIXTURE.format(record=row, rows=rows)
                raise Unprocessable(detail) from error
            estimates.append(coalitions.estimate(worths))
        return _stack(estimates, worths)

    return attribute


def _stack(estimates: list[Estimate], worths: Matrix) -> Attribution:
    """Return the estimates of records, of which the last one has these worths."""
    values = np.stack([estimate.values for estimate in estimates])
    standard_error = None
    if estimates[0].standard_error is not None:
        standard_error = np.stack(
            [
                estimate.standard_error
                for estimate in estimates
                if estimate.standard_error is not None
            ]
        )
    base_value = worths[0]
    sizes = np.abs(base_value) + np.abs(values).sum(axis=1)
    rounding = CALL_ROUNDING * sizes
    return Attribution(values, base_value, rounding, standard_error)


class Mixtures:
    """The mixtures of a record with each row of a background, for each coalition.

    Example: the background has the rows (1, 0) and (4, 5), the record is (2, 3). For the coalition
    of the first feature the mixtures are (2, 0) and (2, 5).
    """

    def __init__(self, table: Columns, members: NDArray[np.bool_]) -> None:
        """Take the background with the record for its last row, and the coalitions."""
        self._table = table
        self._members = members
        self._n_background = len(table) - 1

    def worths(
        self,
        function: Function,
        rows_at_once: int,
        deadline: float = inf,
    ) -> Matrix:
        """Return the worth of each coalition, (n_coalitions,) or (n_coalitions, n_classes).

        Raises TimeoutError once `time.monotonic()` is past the deadline.
        """
        n_at_once = max(1, rows_at_once // self._n_background)
        worths = []
        for start in range(0, len(self._members), n_at_once):
            if time.monotonic() > deadline:
                raise TimeoutError
            some = self._members[start : start + n_at_once]
            outputs = function(self._mix(some))
            shape = (len(some), self._n_background, *outputs.shape[1:])
            worths.append(outputs.reshape(shape).mean(axis=1))
        return np.concatenate(worths)

    def find_refused(
        self,
        function: Function,
        rows_at_once: int,
        deadline: float = inf,
    ) -> str:
        """Return the row of the background, in words, whose mixtures the function does not take.

        The rows are halved until one is left, so that a few calls find it among thousands; they are
        several if there is no time for that. It is "" where the function takes all mixtures.
        """
        start = 0
        stop = self._n_background
        while stop - start > 1:
            middle = (start + stop) // 2
            try:
                self._of_rows(start, middle).worths(
                    function, rows_at_once, deadline
                )
            except TimeoutError:
                return REFUSED_ROWS.format(start, stop - 1)
            except Exception:
                stop = middle
            else:
                start = middle
        try:
            self._of_rows(start, stop).worths(function, rows_at_once)
        except Exception:
            return REFUSED_ROW.format(start)
        return ""

    def _of_rows(self, start: int, stop: int) -> "Mixtures":
        """Return the mixtures of the record with some rows of the background."""
        numbers = [*range(start, stop), self._n_background]
        return Mixtures(take_rows(self._table, numbers), self._members)

    def _mix(self, members: NDArray[np.bool_]) -> Columns:
        n_features = members.shape[1]
        background_rows = np.arange(self._n_background)
        # Three axes: the coalitions, the rows of the background, the features.
        is_member = members[:, None, :]
        rows = np.where(
            is_member, self._n_background, background_rows[:, None]
        )
        return mix_rows(self._table, rows.reshape(-1, n_features))


def _sample_places(n_features: int, n_pairs: int) -> NDArray[np.intp]:
    """Return the place of each feature in orders, each of them followed by its reverse."""
    choose = np.random.default_rng(0)
    places = []
    for _ in range(n_pairs):
        place = np.argsort(choose.permutation(n_features))
        places.append(place)
        places.append(n_features - 1 - place)
    return np.stack(places)
