"""Coalitions: Shapley values of any function of a record, from what it returns alone.

A coalition is a set of features that are known; the other features are as in each row of a
background, one row after the other. Its worth is the function's mean over these rows, and the
value of a feature is how much its joining adds to the worth, as a mean over the orders in which
features can join (Lundberg and Lee 2017, arXiv:1705.07874).

Example: the function is the product of two features, the record (2, 3), the background one row,
(1, 0). The worths are 0 of no feature, 0 of the first, 3 of the second, 6 of both.
So the first adds 0 or 3, the second 3 or 6: the values are 1.5 and 4.5, the base value 0.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from python.model.data.columns import mix_rows, slice_rows, stack_rows
from python.model.explain.attribution import Attribute, Attribution
from python.model.types import Columns, Matrix

METHODS = ("exact", "permutation")
MAX_FEATURES_EXACT = 8
ORDER_PAIRS = 10
ROWS_LIMIT_AT_ONCE = 50_000

Function: TypeAlias = Callable[[Columns], Matrix]
"""What is explained: from columns to (n_rows,) or (n_rows, n_classes)."""


class Coalitions(NamedTuple):
    """The coalitions whose worths are computed, and what each worth counts for each feature.

    `members` is (n_coalitions, n_features), the empty coalition first;
    `weights` is (n_features, n_coalitions).
    """

    members: NDArray[np.bool_]
    weights: Matrix


def make_shapley(function: Function, background: Columns) -> Attribute:
    """Return what explains a function of columns: exactly for few features, else by samples.

    The values always add up. Those by samples are the means over orders that are the same for
    every record, so that a record is explained alone as it is among others. The orders come in
    pairs, one the reverse of the other (Mitchell et al. 2022, arXiv:2104.12199).
    """
    coalitions = _choose_coalitions(background.shape[1])

    def attribute(columns: Columns) -> Attribution:
        worths = []
        for row in range(len(columns)):
            record = slice_rows(columns, row, row + 1)
            table = stack_rows(background, record)
            of_record = _compute_worths(function, table, coalitions.members)
            worths.append(of_record)
        by_record = np.stack(worths)
        weights = coalitions.weights
        features_last = np.tensordot(by_record, weights, axes=(1, 1))
        values = np.moveaxis(features_last, -1, 1)
        base_value = by_record[0, 0]
        return Attribution(values, base_value)

    return attribute


def method_name(n_features: int) -> str:
    """Return which kind of values there are for so many features: "exact" or "permutation"."""
    exact, sampled = METHODS
    return exact if n_features <= MAX_FEATURES_EXACT else sampled


def n_coalitions(n_features: int) -> int:
    """Return how often a record is predicted with each row of the background."""
    if n_features <= MAX_FEATURES_EXACT:
        return 1 << n_features
    return 2 * ORDER_PAIRS * (n_features + 1)


def _compute_worths(
    function: Function,
    table: Columns,
    members: NDArray[np.bool_],
) -> Matrix:
    """Return the worth of each coalition, (n_coalitions,) or (n_coalitions, n_classes).

    The record is the last row of the table, the background are the others.
    """
    n_background = len(table) - 1
    n_at_once = max(1, ROWS_LIMIT_AT_ONCE // n_background)
    worths = []
    for start in range(0, len(members), n_at_once):
        stop = start + n_at_once
        some = members[start:stop]
        outputs = function(_mix(table, some))
        of_one_row = outputs.shape[1:]
        shape = (len(some), n_background, *of_one_row)
        by_coalition = outputs.reshape(shape)
        worths.append(by_coalition.mean(axis=1))
    return np.concatenate(worths)


def _mix(table: Columns, members: NDArray[np.bool_]) -> Columns:
    """Return the record with each row of the background, for one coalition after the other.

    Features in the coalition are the record's, which is the last row, all others the background's.
    """
    n_features = members.shape[1]
    record_row = len(table) - 1
    background_rows = np.arange(record_row)
    # Three axes: the coalitions, the rows of the background, the features.
    is_member = members[:, None, :]
    rows = np.where(is_member, record_row, background_rows[:, None])
    return mix_rows(table, rows.reshape(-1, n_features))


def _choose_coalitions(n_features: int) -> Coalitions:
    if n_features <= MAX_FEATURES_EXACT:
        return _all_coalitions(n_features)
    orders = _sample_orders(n_features)
    return _coalitions_along_orders(orders)


def _all_coalitions(n_features: int) -> Coalitions:
    """Return every coalition: the bits of its number say which features are in it.

    A coalition of `n_others` features besides the one that joins or has joined stands for
    1 in `n_features * comb(n_features - 1, n_others)` of the orders.
    """
    numbers = np.arange(2**n_features)
    bits = np.arange(n_features)
    members = (numbers[:, None] >> bits) % 2 == 1
    sizes = members.sum(axis=1)
    n_others = sizes[:, None] - members
    n_alike = comb(n_features - 1, n_others)
    weight = 1 / (n_features * n_alike)
    weights = np.where(members, weight, -weight)
    return Coalitions(members, weights.T)


def _sample_orders(n_features: int) -> list[NDArray[np.intp]]:
    """Return orders of the features, each followed by its reverse."""
    choose = np.random.default_rng(0)
    orders = []
    for _ in range(ORDER_PAIRS):
        order = choose.permutation(n_features)
        orders.append(order)
        orders.append(order[::-1])
    return orders


def _coalitions_along_orders(orders: list[NDArray[np.intp]]) -> Coalitions:
    """Return the coalitions that there are as the features join in each order.

    They are `n_features + 1` for each order, from the empty one to that of all features.
    """
    n_features = len(orders[0])
    sizes = np.arange(n_features + 1)
    share = 1 / len(orders)
    members = []
    weights = np.zeros((n_features, len(orders) * len(sizes)))
    for number, order in enumerate(orders):
        places = np.argsort(order)
        members.append(places < sizes[:, None])
        empty = number * len(sizes)
        before = empty + np.arange(n_features)
        after = before + 1
        weights[order, after] += share
        weights[order, before] -= share
    return Coalitions(np.concatenate(members), weights)
