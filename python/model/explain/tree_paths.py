"""Paths: path-dependent SHAP values of trees, looked up where shap computes them anew for each record."""

from collections.abc import Iterator
from math import inf, nan, prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from python.model.explain.attribution import Attribution

MAX_NUMBERS = 2**22  # 32 MiB
PATH, OUTPUT = (
    128,
    16,
)  # numbers as large as a path, and one of its outputs, while they are made

Matrix = NDArray[np.float64]


class Condition(NamedTuple):
    """What a path asks of one feature: to be above, up to, or missing; and the share of the training records that did it."""

    above: float = nan  # no bound: nothing compares with it, not even minus infinity
    upto: float = inf
    missing: bool = True
    share: float = 1.0


Path = dict[int, Condition]


class Paths:
    """What each path of each tree gives its features, for every set of its conditions that a record may meet.

    SHAP values depend on nothing else of a record (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9). A path of n features
    has n values for each of 2**n sets; to keep them is an idea of Yang 2021 (arXiv:2109.09847).
    """

    def __init__(self, trees: Any, n_features: int) -> None:
        """`trees` is shap's TreeEnsemble; of two outputs it is the second that is explained.

        Raises ValueError for more values or paths than MAX_NUMBERS allows, or other comparisons than "up to",
        ZeroDivisionError for a split that no training record came to.
        """
        if trees.threshold_types.any():
            raise ValueError("records with the threshold itself go to the right")
        n_paths = len(trees.children_left) + np.count_nonzero(trees.children_left >= 0)
        if n_paths * (PATH + OUTPUT * trees.num_outputs) > MAX_NUMBERS:
            raise ValueError(
                f"{n_paths} paths to {trees.num_outputs} outputs are too many"
            )
        leaves, paths = zip(
            *sorted(
                _few_enough(_walk(trees)),
                key=lambda leaf_and_path: len(leaf_and_path[1]),
            ),
            strict=True,
        )
        outputs = (
            np.array(leaves)[:, -1:] if trees.num_outputs == 2 else np.array(leaves)
        )
        self._base = outputs.T @ [
            prod(condition.share for condition in path.values()) for path in paths
        ]
        self._base += trees.base_offset[-outputs.shape[1] :]

        lengths = np.array([len(path) for path in paths])
        # From here on there is an item for each condition, path after path, the shortest first.
        self._path = np.arange(len(paths)).repeat(lengths)
        self._feature = np.array(
            [feature for path in paths for feature in path], dtype=np.intp
        )
        conditions = np.array(
            [condition for path in paths for condition in path.values()]
        ).reshape(-1, 4)
        self._above, self._upto, missing, share = np.ascontiguousarray(conditions.T)
        self._missing = missing.astype(bool)
        item, length = np.arange(len(self._path)), lengths[self._path]
        bit = item - np.searchsorted(self._path, self._path)
        self._sets = csr_array(
            (1 << bit, (self._path, item)), shape=(len(paths), len(item))
        )
        self._first = (1 << length).cumsum() - (1 << length)
        self._values = np.concatenate(
            [
                _values(share[length == n].reshape(-1, n)).ravel()
                for n in np.unique(lengths)
            ]
        )
        place = self._feature + n_features * np.arange(outputs.shape[1])[:, None]
        sums = (
            outputs[self._path].T.ravel(),
            (place.ravel(), np.tile(item, outputs.shape[1])),
        )
        self._sums = csr_array(sums, shape=(outputs.shape[1] * n_features, len(item)))
        self._shape = (outputs.shape[1], n_features)

    def __call__(self, X: Matrix) -> Attribution:
        """The values of records, (n_records, n_features, n_outputs), and the base value, (n_outputs,)."""
        # One after the other: what there is for each condition of a record stays in the processor's cache.
        return Attribution(
            np.stack([self._explained(record) for record in X]), self._base
        )

    def _explained(self, record: Matrix) -> Matrix:
        asked = record.take(self._feature)
        met = (asked <= self._upto) & ~(asked <= self._above)
        if np.isnan(record).any():
            met |= np.isnan(asked) & self._missing
        place = (self._sets @ met).take(self._path) + self._first
        values: Matrix = self._sums @ self._values.take(place)
        return values.reshape(self._shape).T


def _walk(trees: Any) -> Iterator[tuple[Any, Path]]:
    """Each leaf's outputs, and its path."""
    names = (
        "children_left",
        "children_right",
        "children_default",
        "features",
        "thresholds",
        "node_sample_weight",
        "values",
    )
    for tree in zip(*(getattr(trees, name) for name in names), strict=True):
        lefts, rights, defaults, features, thresholds, weights, values = (
            field.tolist() for field in tree
        )
        waiting: list[tuple[int, Path]] = [(0, {})]
        while waiting:
            node, path = waiting.pop()
            if lefts[node] < 0:
                yield values[node], path
                continue
            feature, threshold = features[node], thresholds[node]
            so_far = path.get(feature, Condition())
            for child, bounds in (
                (lefts[node], {"upto": min(so_far.upto, threshold)}),
                (
                    rights[node],
                    {"above": max(threshold, so_far.above)},
                ),  # a number, when the other is NaN
            ):
                missing, share = (
                    so_far.missing and child == defaults[node],
                    so_far.share * weights[child] / weights[node],
                )
                waiting.append(
                    (
                        child,
                        path
                        | {
                            feature: so_far._replace(
                                missing=missing, share=share, **bounds
                            )
                        },
                    )
                )


def _few_enough(leaves: Iterator[tuple[Any, Path]]) -> Iterator[tuple[Any, Path]]:
    numbers = 0
    for leaf, path in leaves:
        numbers += len(path) << len(path)
        if numbers > MAX_NUMBERS:
            raise ValueError(f"more than {MAX_NUMBERS} values")
        yield leaf, path


def _values(shares: Matrix) -> Matrix:
    """What paths of one length give, (n_paths, length, 2**length), for each output of 1, from the shares, (n_paths, length).

    A condition counts as met or not, where it is among those that are known, and else by its share. The mean over all orders in
    which they become known is an integral over the time t at which each is known with probability t: of a polynomial, so that
    the quadrature of Gauss and Legendre is exact.
    """
    length = shares.shape[1]
    met = (np.arange(2**length) >> np.arange(length)[:, None]) & 1
    share = shares[:, :, None]
    mean = np.zeros((len(shares), *met.shape))
    points, weights = np.polynomial.legendre.leggauss((length + 1) // 2 or 1)
    for point, weight in zip((points + 1) / 2, weights / 2, strict=True):
        factors = point * met + (1 - point) * share
        others = np.ones_like(factors)
        others[:, 1:] = factors[:, :-1].cumprod(axis=1)
        others[:, :-1] *= factors[:, :0:-1].cumprod(axis=1)[:, ::-1]
        mean += weight * others
    return mean * (met - share)
