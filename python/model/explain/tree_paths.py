"""Path-dependent SHAP values of trees, looked up where shap computes them for each record.

What a path adds to the values of its features depends on nothing of a record but which of the
path's conditions it meets (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9). A path of n
features has n values for each of the 2**n sets of its conditions. They are computed once and kept,
which is an idea of Yang 2021 (arXiv:2109.09847).

Example: a path adds 8 to the output, and half of the training records meet its first condition, a
quarter of them its second. Its leaf gives the base value 8 * 1/2 * 1/4 = 1. A record that meets
both conditions has the values 8 * [0.3125, 0.5625] = [2.5, 4.5], which add up to 8 - 1; one that
meets only the first has 8 * [0.0625, -0.1875] = [0.5, -1.5], which add up to 0 - 1.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.explain.conditions import (
    Condition,
    Ensemble,
    Leaf,
    Path,
    walk,
)
from python.model.types import Matrix

NUMBERS_LIMIT = 2**22  # of float64, 32 MiB
# A path takes as much memory as so many numbers while it is made, and so many for each output.
PATH_NUMBERS = 128
OUTPUT_NUMBERS = 16

Integers = NDArray[np.intp]


def make_lookup(ensemble: Ensemble, n_features: int) -> Attribute | None:
    """Return what looks up the values that shap computes for its reading of some trees.

    Of two outputs it is the second that is explained.
    None if there are more paths, or longer ones, than NUMBERS_LIMIT allows; if the threshold
    itself goes to the right; or if no training record came to a split.
    """
    if not _can_be_kept(ensemble):
        return None
    leaves = _read_leaves(ensemble)
    if leaves is None:
        return None
    outputs = np.array([leaf.outputs for leaf in leaves])
    if ensemble.num_outputs == 2:
        outputs = outputs[:, 1:]
    n_outputs = outputs.shape[1]
    offset = ensemble.base_offset[-n_outputs:]
    shares = [leaf.share for leaf in leaves]
    base_values = outputs.T @ shares + offset
    paths = [leaf.path for leaf in leaves]
    lookup = _Lookup.of(paths, outputs, n_features)

    def attribute(matrix: Matrix) -> Attribution:
        values = lookup.explain(matrix.astype(float))
        return drop_single_output(values, base_values)

    return attribute


def _can_be_kept(ensemble: Ensemble) -> bool:
    """Return whether the trees may have values to look up, if their paths are not too long."""
    is_split = ensemble.children_left >= 0
    n_trees = len(ensemble.children_left)
    n_paths = n_trees + np.count_nonzero(is_split)
    numbers_per_path = PATH_NUMBERS + OUTPUT_NUMBERS * ensemble.num_outputs
    if n_paths * numbers_per_path > NUMBERS_LIMIT:
        return False
    if ensemble.threshold_types.any():
        return False
    split_weights = ensemble.node_sample_weight[is_split]
    return bool(split_weights.all())


def _read_leaves(ensemble: Ensemble) -> list[Leaf] | None:
    """Return the leaves, those of the shortest paths first; None if there are too many values."""
    leaves = []
    n_values = 0
    for leaf in walk(ensemble):
        length = len(leaf.path)
        n_values += length * 2**length
        if n_values > NUMBERS_LIMIT:
            return None
        leaves.append(leaf)
    return sorted(leaves, key=_path_length)


def _path_length(leaf: Leaf) -> int:
    return len(leaf.path)


@dataclass(frozen=True, eq=False)
class _Conditions:
    """The conditions of all paths: an item of each array for each condition, path after path."""

    path: Integers
    """The number of the path."""
    feature: Integers
    above: Matrix
    upto: Matrix
    missing: NDArray[np.bool_]
    share: Matrix

    @classmethod
    def of(cls, paths: list[Path]) -> Self:
        """Return the conditions of the paths, whose numbers are their places in the list."""
        features: list[int] = []
        conditions: list[Condition] = []
        for path in paths:
            features += path.keys()
            conditions += path.values()
        n_fields = len(Condition._fields)
        by_condition = np.array(conditions).reshape(-1, n_fields)
        by_field = np.ascontiguousarray(by_condition.T)
        above, upto, missing, share = by_field
        numbers = np.arange(len(paths))
        lengths = [len(path) for path in paths]
        return cls(
            path=numbers.repeat(lengths),
            feature=np.array(features, dtype=np.intp),
            above=above,
            upto=upto,
            missing=missing.astype(bool),
            share=share,
        )

    @property
    def length(self) -> Integers:
        """How many conditions the path has that the condition is of."""
        n_conditions = np.bincount(self.path)
        return n_conditions[self.path]

    def are_met(self, record: Matrix) -> NDArray[np.bool_]:
        """Return for each condition whether the record, (n_features,), meets it."""
        values = record.take(self.feature)
        are_met = values <= self.upto
        # No value is up to a bound that is not there, NaN.
        are_met &= ~(values <= self.above)
        if np.isnan(record).any():
            are_met |= np.isnan(values) & self.missing
        return are_met


@dataclass(frozen=True, eq=False)
class _Lookup:
    """The values of all paths, and where those of a record are among them."""

    conditions: _Conditions
    bits: csr_array
    """From the conditions that are met to the number of each path's set, (n_paths, n_conditions).

    Bit n of the number says whether the path's condition n is met.
    """
    starts: Integers
    """Where the values of each condition start: there are 2**n, for a path of n conditions."""
    values: Matrix
    """The values of one condition after the other, for each output of 1."""
    outputs: csr_array
    """From conditions to sums for each feature, (n_outputs * n_features, n_conditions)."""
    n_outputs: int

    @classmethod
    def of(
        cls,
        paths: list[Path],
        outputs: Matrix,
        n_features: int,
    ) -> Self:
        """Take the paths, the shortest first, and what each adds to the outputs."""
        conditions = _Conditions.of(paths)
        n_values = 1 << conditions.length
        return cls(
            conditions=conditions,
            bits=_number_sets(conditions, len(paths)),
            starts=n_values.cumsum() - n_values,
            values=_values_of(conditions),
            outputs=_sum_outputs(conditions, outputs, n_features),
            n_outputs=outputs.shape[1],
        )

    def explain(self, matrix: Matrix) -> Matrix:
        """Return the values of records, (n_records, n_features, n_outputs)."""
        # One record after the other: what there is for each condition of a record stays in the
        # processor's cache.
        return np.stack([self._explain_record(record) for record in matrix])

    def _explain_record(self, record: Matrix) -> Matrix:
        are_met = self.conditions.are_met(record)
        sets = self.bits @ are_met
        places = sets.take(self.conditions.path) + self.starts
        values = self.values.take(places)
        sums: Matrix = self.outputs @ values
        by_output = sums.reshape(self.n_outputs, -1)
        return by_output.T


def _number_sets(conditions: _Conditions, n_paths: int) -> csr_array:
    """Return what makes the number of each path's set of the conditions, as in `_Lookup`."""
    path = conditions.path
    places = np.arange(len(path))
    first_of_path = np.searchsorted(path, path)
    number_in_path = places - first_of_path
    bits = 1 << number_in_path
    shape = (n_paths, len(path))
    return csr_array((bits, (path, places)), shape=shape)


def _sum_outputs(
    conditions: _Conditions,
    outputs: Matrix,
    n_features: int,
) -> csr_array:
    """Return what makes values for each output of those of conditions, as in `_Lookup`."""
    n_outputs = outputs.shape[1]
    n_conditions = len(conditions.path)
    first_rows = n_features * np.arange(n_outputs)
    rows = first_rows[:, None] + conditions.feature
    places = np.tile(np.arange(n_conditions), n_outputs)
    weights = outputs[conditions.path].T
    coordinates = (rows.ravel(), places)
    shape = (n_outputs * n_features, n_conditions)
    return csr_array((weights.ravel(), coordinates), shape=shape)


def _values_of(conditions: _Conditions) -> Matrix:
    """Return the values of all paths, which come in the order of their lengths."""
    lengths = conditions.length
    values = [np.zeros(0)]
    for length in np.unique(lengths):
        shares = conditions.share[lengths == length]
        by_path = shares.reshape(-1, length)
        values.append(compute_values(by_path).ravel())
    return np.concatenate(values)


def compute_values(shares: Matrix) -> Matrix:
    """Return the values of paths of one length for each set of conditions that a record meets.

    `shares` is (n_paths, length), the result (n_paths, length, 2**length), for an output of 1.
    Example: [[0.5, 0.25]] gives 0.3125 and 0.5625 where both conditions are met, the last item.

    A path counts the product of its conditions: one that is known as 1 if it is met, else 0, and
    one that is not known by its share. Values are means over all orders in which conditions become
    known, so an integral over the time t at which each is known with probability t. It is that of
    a polynomial, which the quadrature of Gauss and Legendre computes exactly.
    """
    length = shares.shape[1]
    sets = np.arange(2**length)
    bits = np.arange(length)
    is_met = (sets >> bits[:, None]) & 1
    share = shares[:, :, None]
    others_mean = np.zeros((len(shares), *is_met.shape))
    n_points = (length + 1) // 2
    # The points are between -1 and 1, the times between 0 and 1.
    points, weights = np.polynomial.legendre.leggauss(n_points)
    times = (points + 1) / 2
    for time, weight in zip(times, weights / 2, strict=True):
        factors = time * is_met + (1 - time) * share
        others_mean += weight * _multiply_others(factors)
    return others_mean * (is_met - share)


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
