"""Path-dependent values: those of the game in which unknown players follow the training records.

A coalition's worth is what the trees give where a split by a known player sends the record its
way, and a split by any other sends it both ways, each by the share of the training records that
went there (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9). The columns of a player become
known together. So to a coalition a path adds its leaf's output, times 1 or 0 for each player in
the coalition, whose condition the record meets or not, times the condition's share for each other.

Example: a path adds 8 to the output, and half of the training records meet its first condition, a
quarter of them its second. Its leaf gives the base value 8 * 1/2 * 1/4 = 1. A record that meets
both conditions has the values 8 * [0.3125, 0.5625] = [2.5, 4.5], which add up to 8 - 1; one that
meets only the first has 8 * [0.0625, -0.1875] = [0.5, -1.5], which add up to 0 - 1.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from python.model.explain.paths import Paths
from python.model.explain.tables import Group, Tables, count_short
from python.model.explain.walk import Masks
from python.model.trees.tree import Flags
from python.model.types import Matrix

SMALLEST = float(np.finfo(np.float64).tiny)


class PathDependent:
    """The path-dependent values of trees, looked up if all paths have tables, else computed."""

    def __init__(self, paths: Paths, n_players: int) -> None:
        self._paths = paths
        self._n_players = n_players
        self.base_values = _base_values(paths)
        self._tables: Tables | None = None
        n_paths = len(paths.leaves.numbers)
        if count_short(paths) == n_paths:
            self._tables = Tables.of(
                paths, n_paths, n_players, self._make_values
            )

    def values(self, numbers: Matrix) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs).

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        if self._tables is not None:
            return self._tables.values(numbers)
        return self._paths.compute(numbers, self._values)

    def _values(self, goes_left: Flags) -> Matrix:
        """Return the values of records from their `Paths.goes_left`."""
        masks = self._paths.masks(goes_left)
        return np.stack([self._add_up(of_record) for of_record in masks.T])

    def _make_values(self, group: Group) -> Matrix:
        starts = self._paths.leaves.starts
        of_group = slice(starts[group.first], starts[group.stop])
        shares = self._paths.shares[of_group].reshape(-1, group.n_players)
        return compute_values(shares)

    def _add_up(self, masks: Masks) -> Matrix:
        """Return the values of one record, (n_players, n_outputs), from its masks, (n_nodes,).

        They are an integral over time, as in `compute_values`. At a time, each player of a path
        has a factor, and its value is the product of the others' factors, times whether it is met
        less its share: the product of all factors, times a quotient. The factor is that of the
        player's last node on the path. So the products of leaves are added up from below, and
        each node adds their sum, times what its split changes in the quotient.
        That takes one step for each node, however long the paths are (an idea of Yu et al. 2022,
        arXiv:2209.08192).
        """
        paths = self._paths
        is_met, was_met = paths.are_met(masks)
        n_longest = int(paths.leaves.lengths[-1])
        by_output = np.zeros((paths.outputs.shape[1], len(masks)))
        for time, weight in times(n_longest):
            by_output += weight * self._changes(time, is_met, was_met)
        return self._sum_by_player(by_output)

    def _sum_by_player(self, of_nodes: Matrix) -> Matrix:
        """Return (n_players, n_outputs) for (n_outputs, n_nodes)."""
        player = self._paths.conditions.player
        sums = [
            np.bincount(player, of_output, self._n_players)
            for of_output in of_nodes
        ]
        return np.stack(sums, axis=1)

    def _changes(self, time: float, is_met: Flags, was_met: Flags) -> Matrix:
        """Return what each node adds to its player's values at a time, (n_outputs, n_nodes)."""
        paths = self._paths
        factor, quotient = _factors(time, is_met, paths.conditions.share)
        factor_before, quotient_before = _factors(
            time, was_met, paths.conditions.share_before
        )
        products = paths.multiply_down(factor / factor_before)
        of_leaves = products[paths.leaves.numbers]
        below = [
            paths.add_up(of_leaves * output) for output in paths.outputs.T
        ]
        return np.stack(below) * (quotient - quotient_before)


def _base_values(paths: Paths) -> NDArray[np.float64]:
    """Return the worths of the coalition without players, (n_outputs,)."""
    before = np.maximum(paths.conditions.share_before, SMALLEST)
    shares = paths.multiply_down(paths.conditions.share / before)
    return paths.outputs.T @ shares[paths.leaves.numbers] + paths.base


def _factors(
    time: float,
    is_met: Flags,
    share: Matrix,
) -> tuple[Matrix, Matrix]:
    """Return the factor of each condition at a time, and the quotient of its player's value.

    The factor is the mean of whether it is met, where its player is known with that probability.
    """
    factor = (1 - time) * share
    factor += time * is_met
    # Where it is 0, so is all that is divided by it.
    np.maximum(factor, SMALLEST, out=factor)
    return factor, (is_met - share) / factor


def times(n_players: int) -> Iterator[tuple[float, float]]:
    """Yield points between 0 and 1 with weights, for integrals of a path's polynomials.

    They are exact up to a degree of one less than the players (Gauss and Legendre).
    """
    n_points = max(1, (n_players + 1) // 2)
    points, weights = np.polynomial.legendre.leggauss(n_points)
    for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
        yield (point + 1) / 2, weight / 2


def compute_values(shares: Matrix) -> Matrix:
    """Return the values of paths that add 1, (n_paths, n_masks, n_players), for each mask.

    `shares` is (n_paths, n_players). A value is the mean over the orders in which the players
    become known, so an integral over the time t at which each is known with probability t.
    """
    n_players = shares.shape[1]
    is_met = _list_met(n_players)
    share = shares[:, :, None]
    values = np.zeros((len(shares), *is_met.shape))
    for time, weight in times(n_players):
        factors = time * is_met + (1 - time) * share
        values += weight * _multiply_others(factors)
    values *= is_met - share
    return np.ascontiguousarray(values.transpose(0, 2, 1))


def _list_met(n_players: int) -> Flags:
    """Return for each player and mask whether the player's condition is met."""
    masks = np.arange(2**n_players)
    bits = 1 << np.arange(n_players)
    is_met: Flags = (masks & bits[:, None]) == 0
    return is_met


def _multiply_others(factors: Matrix) -> Matrix:
    """Return for each factor of a path the product of the others, along the second axis.

    Example: the factors 2, 3, 5 have the others' products 15, 10, 6.
    """
    before_last = factors[:, :-1]
    from_last_to_second = factors[:, :0:-1]
    products = np.ones_like(factors)
    products[:, 1:] = before_last.cumprod(axis=1)
    products[:, :-1] *= from_last_to_second.cumprod(axis=1)[:, ::-1]
    return products
