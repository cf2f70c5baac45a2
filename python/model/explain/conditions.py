"""Conditions: what the paths from the root of a tree to its leaves demand of a record."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nan, prod
from typing import NamedTuple, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.types import Matrix

Integers = NDArray[np.int32]


class Ensemble(Protocol):
    """The arrays of shap's TreeEnsemble, (n_trees, n_nodes) if nothing else is said.

    The first node is the root. Trees of fewer nodes than others are filled up with leaves.
    """

    num_outputs: int
    base_offset: NDArray[np.float64]
    """What the outputs are without any tree, (n_outputs,)."""
    children_left: Integers
    """The node to which values up to the threshold go; below 0 for a leaf."""
    children_right: Integers
    children_default: Integers
    """The node to which missing values go."""
    features: Integers
    thresholds: Matrix
    threshold_types: Integers
    """Not 0 where the threshold itself goes to the right."""
    node_sample_weight: Matrix
    """How many training records came to the node, with their weights."""
    values: NDArray[np.float64]
    """What a leaf adds to the outputs, (n_trees, n_nodes, n_outputs)."""


class Condition(NamedTuple):
    """What a path demands of one feature: a value above one bound and up to another."""

    above: float = nan
    """The lower bound; NaN for none, since not even minus infinity is above minus infinity."""
    upto: float = inf
    missing: bool = True
    """Whether a missing value meets the condition."""
    share: float = 1.0
    """The share of the training records that met it, of those that came to its nodes."""


Path: TypeAlias = dict[int, Condition]
"""A path's condition for each feature by which it splits."""


class Leaf(NamedTuple):
    """A leaf: what it adds to each output, and the path to it."""

    outputs: list[float]
    path: Path

    @property
    def share(self) -> float:
        """How much the leaf counts where no feature is known: the product of the shares."""
        return prod(condition.share for condition in self.path.values())


def walk(ensemble: Ensemble) -> Iterator[Leaf]:
    """Yield each leaf of each tree.

    Example: the root splits feature 0 at 5, and 8 of 10 training records go left; there, one
    splits at 2, and 6 of the 8 go right. The path to the leaf there is
    {0: Condition(above=2, upto=5, missing=False, share=0.6)}, if missing values go elsewhere.
    """
    for number in range(len(ensemble.children_left)):
        nodes = _Nodes.of(ensemble, number)
        yield from nodes.walk()


@dataclass(frozen=True)
class _Nodes:
    """The nodes of one tree, as lists: Python reads their items faster than those of arrays."""

    left: list[int]
    right: list[int]
    default: list[int]
    feature: list[int]
    threshold: list[float]
    weight: list[float]
    outputs: list[list[float]]

    @classmethod
    def of(cls, ensemble: Ensemble, number: int) -> Self:
        """Return the nodes of the ensemble's tree of this number."""
        return cls(
            left=ensemble.children_left[number].tolist(),
            right=ensemble.children_right[number].tolist(),
            default=ensemble.children_default[number].tolist(),
            feature=ensemble.features[number].tolist(),
            threshold=ensemble.thresholds[number].tolist(),
            weight=ensemble.node_sample_weight[number].tolist(),
            outputs=ensemble.values[number].tolist(),
        )

    def walk(self) -> Iterator[Leaf]:
        """Yield each leaf, those to the right first."""
        waiting: list[tuple[int, Path]] = [(0, {})]
        while waiting:
            node, path = waiting.pop()
            left = self.left[node]
            right = self.right[node]
            if left < 0:
                yield Leaf(self.outputs[node], path)
                continue
            feature = self.feature[node]
            condition = path.get(feature, Condition())
            below = self._narrow(condition, node, left)
            above = self._narrow(condition, node, right)
            waiting.append((left, path | {feature: below}))
            waiting.append((right, path | {feature: above}))

    def _narrow(
        self,
        condition: Condition,
        node: int,
        child: int,
    ) -> Condition:
        """Return the condition of a path that goes on to a child of the node."""
        above = condition.above
        upto = condition.upto
        threshold = self.threshold[node]
        if child == self.left[node]:
            upto = min(upto, threshold)
        else:
            # In this order it is the threshold where there is no bound yet.
            above = max(threshold, above)
        missing = condition.missing and child == self.default[node]
        share = condition.share * self.weight[child] / self.weight[node]
        return Condition(above, upto, missing, share)
