"""Coalitions: Shapley values of any function of a matrix, from its answers alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from python.model.data.columns import mix_rows, slice_rows, stack_rows
from python.model.explain.attribution import Attribute, Attribution

Array = NDArray[np.float64]

MAX_FEATURES_EXACT = 8
ORDER_PAIRS = 10
MAX_ROWS_AT_ONCE = 50_000


def shapley_values(answer: Callable[[Any], Array], background: Any) -> Attribute:
    """Shapley values of any function of columns: exact for few features, over sampled orders for more; they always add up.

    A coalition's worth is the mean answer with the other features as in each row of the background (Lundberg and Lee 2017,
    arXiv:1705.07874). The orders come in pairs, one the reverse of the other (Mitchell et al. 2022, arXiv:2104.12199), and are
    the same for every record, so that a record is explained alone as it is among others.
    """
    coalitions, weights = _coalitions(background.shape[1])

    def way(columns: Any) -> Attribution:
        tables = (
            stack_rows(background, slice_rows(columns, row, row + 1))
            for row in range(len(columns))
        )
        worths = np.stack([_worths(answer, table, coalitions) for table in tables])
        return Attribution(
            np.moveaxis(np.tensordot(worths, weights, axes=(1, 1)), -1, 1), worths[0, 0]
        )

    return way


def method_name(n_features: int) -> str:
    """Which of the two `shapley_values` takes: 2 to the power of `n_features` coalitions are soon too many."""
    return "exact" if n_features <= MAX_FEATURES_EXACT else "permutation"


def n_coalitions(n_features: int) -> int:
    """How often a record is predicted with each row of the background."""
    return (
        2**n_features
        if n_features <= MAX_FEATURES_EXACT
        else 2 * ORDER_PAIRS * (n_features + 1)
    )


def _worths(
    answer: Callable[[Any], Array], table: Any, coalitions: NDArray[np.bool_]
) -> Array:
    """The mean answer for each coalition, (n_coalitions,) or (n_coalitions, n_classes); the record is the table's last row."""
    last = len(table) - 1
    means = []
    at_once = max(1, MAX_ROWS_AT_ONCE // last)
    for start in range(0, len(coalitions), at_once):
        some = coalitions[start : start + at_once]
        places = np.where(some[:, None, :], last, np.arange(last)[None, :, None])
        answers = answer(mix_rows(table, places.reshape(-1, some.shape[1])))
        means.append(answers.reshape(len(some), last, *answers.shape[1:]).mean(axis=1))
    return np.concatenate(means)


@cache
def _coalitions(n: int) -> tuple[NDArray[np.bool_], Array]:
    return (
        _all_coalitions(n) if n <= MAX_FEATURES_EXACT else _coalitions_along_orders(n)
    )


def _all_coalitions(n: int) -> tuple[NDArray[np.bool_], Array]:
    """Every coalition, (2**n, n), the empty one first, and the weight of its worth for each feature, (n, 2**n)."""
    coalitions = (np.arange(2**n)[:, None] >> np.arange(n)) % 2 == 1
    others = coalitions.sum(axis=1)[:, None] - coalitions
    weight = 1 / (n * comb(n - 1, others))
    return coalitions, np.where(coalitions, weight, -weight).T


def _coalitions_along_orders(n: int) -> tuple[NDArray[np.bool_], Array]:
    """The coalitions met when features join in sampled orders, the empty one first, and their weights, as above."""
    choose = np.random.default_rng(0)
    orders = [
        order
        for _ in range(ORDER_PAIRS)
        for forth in [choose.permutation(n)]
        for order in (forth, forth[::-1])
    ]
    coalitions = np.array(
        [
            np.isin(np.arange(n), order[:size])
            for order in orders
            for size in range(n + 1)
        ]
    )
    weights = np.zeros((n, len(coalitions)))
    for number, order in enumerate(orders):
        joined = number * (n + 1) + np.arange(n)
        weights[order, joined + 1] += 1 / len(orders)
        weights[order, joined] -= 1 / len(orders)
    return coalitions, weights
