"""scikit-learn's trees, forests and boosting: all made of its `tree_` objects.

They round a value to float32 and compare it with a float64 threshold.
Source: https://scikit-learn.org/stable/auto_examples/tree/plot_unveil_tree_structure.html
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import has_attribute, read_attribute
from python.model.trees.ensemble import Combination, TreeModel
from python.model.trees.tree import Tree
from python.model.types import Estimator, Matrix


class NativeTree(Protocol):
    """The arrays of scikit-learn's `tree_`, an item for each node."""

    node_count: int
    children_left: NDArray[np.intp]
    children_right: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: Matrix
    missing_go_to_left: NDArray[np.uint8]
    value: Matrix  # (n_nodes, n_targets, n_classes or 1)
    weighted_n_node_samples: Matrix


def read_scikit_learn(predictor: Estimator) -> TreeModel | None:
    """Return the trees of a tree, a forest, bagging or boosting of scikit-learn, else None."""
    if _has_tree(predictor):
        return Averaged("tree", predictor.n_features_in_, predictor)
    members = read_attribute(predictor, "estimators_", [])
    # NumPy would take a list of pipelines apart.
    if isinstance(members, np.ndarray):
        members = members.ravel()
    are_trees = all(map(_has_tree, members))
    if not len(members) or not are_trees:
        return None
    return _read_ensemble(predictor)


def _read_ensemble(predictor: Estimator) -> TreeModel | None:
    n_features = predictor.n_features_in_
    if has_attribute(predictor, "_loss") and _starts_from_constant(predictor):
        return GradientBoosting("gradient boosting", n_features, predictor)
    if _is_forest(predictor):
        return Averaged("forest", n_features, predictor)
    if _is_bagging(predictor):
        return Bagged("bagging", n_features, predictor)
    if _is_adaptive(predictor):
        return AdaBoost("AdaBoost", n_features, predictor)
    return None


def _has_tree(estimator: Any) -> bool:
    """Whether it has a decision tree; a density's `tree_` finds neighbours."""
    tree = read_attribute(estimator, "tree_")
    return hasattr(tree, "children_left")


def _is_forest(predictor: Estimator) -> bool:
    """Whether the trees' mean is the prediction: it is not for bagging or an isolation forest."""
    from sklearn import ensemble

    forests = (
        ensemble.RandomForestClassifier,
        ensemble.RandomForestRegressor,
        ensemble.ExtraTreesClassifier,
        ensemble.ExtraTreesRegressor,
    )
    return isinstance(predictor, forests)


def _is_bagging(predictor: Estimator) -> bool:
    """Whether the trees' mean is the prediction, which it is if each of them has all classes."""
    from sklearn import ensemble

    if isinstance(predictor, ensemble.BaggingRegressor):
        return True
    if not isinstance(predictor, ensemble.BaggingClassifier):
        return False
    return _know_classes(predictor, predictor.n_classes_)


def _is_adaptive(predictor: Estimator) -> bool:
    """Whether the trees' votes are added up: it is the median of numbers for a regressor."""
    from sklearn.ensemble import AdaBoostClassifier

    if not isinstance(predictor, AdaBoostClassifier):
        return False
    if len(predictor.estimator_weights_) < len(predictor.estimators_):
        return False
    n_classes = len(predictor.classes_)
    return n_classes > 1 and _know_classes(predictor, n_classes)


def _know_classes(predictor: Estimator, n_classes: int) -> bool:
    """Whether each of the members has all classes; what only shows a tree may have none."""
    counts = set()
    for member in predictor.estimators_:
        counts.add(read_attribute(member, "n_classes_"))
    return counts == {n_classes}


def _starts_from_constant(predictor: Estimator) -> bool:
    """Whether each record has the same initial score, as it has unless `init` is a model."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    init = predictor.init_
    if isinstance(init, DummyClassifier):
        is_random: bool = init.strategy == "stratified"
        return not is_random
    return isinstance(init, DummyRegressor) or init == "zero"


@dataclass(frozen=True, eq=False)
class MadeOfNativeTrees(TreeModel):
    """What single trees, forests and gradient boosting have in common."""

    library = "scikit-learn"
    precision = np.float32

    predictor: Estimator

    @property
    def has_categories(self) -> bool:
        """No node splits by category."""
        return False

    @property
    def node_counts(self) -> list[int]:
        """The number of nodes of each tree, leaves included."""
        return [tree.node_count for tree in self.native_trees]


@dataclass(frozen=True, eq=False)
class Averaged(MadeOfNativeTrees):
    """A single tree, or a forest: the mean of its trees' probabilities or numbers.

    The outputs of several targets stand side by side, each target with its own classes.
    """

    @property
    def combination(self) -> Combination:
        """The mean."""
        return "mean"

    @property
    def n_targets(self) -> int:
        """How many things are predicted at once."""
        return int(self.predictor.n_outputs_)

    @cached_property
    def native_trees(self) -> tuple[NativeTree, ...]:
        """The `tree_` objects of scikit-learn."""
        if self.kind == "tree":
            return (self.predictor.tree_,)
        members = self.predictor.estimators_
        return tuple(member.tree_ for member in members)

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, with the outputs of all targets side by side."""
        trees = []
        for native in self.native_trees:
            values = self._values(native)
            trees.append(_tree(native, values))
        return tuple(trees)

    @property
    def base(self) -> Matrix:
        """Zeros."""
        return np.zeros(sum(self.widths))

    @property
    def widths(self) -> list[int]:
        """How many outputs each target has: its classes, or 1 for a number."""
        of_numbers = [1] * self.n_targets
        n_classes = getattr(self.predictor, "n_classes_", of_numbers)
        return [int(count) for count in np.ravel(n_classes)]

    def _values(self, native: NativeTree) -> Matrix:
        by_target = []
        for number, width in enumerate(self.widths):
            values = native.value[:, number, :width]
            by_target.append(values)
        return np.concatenate(by_target, axis=1)


@dataclass(frozen=True, eq=False)
class Bagged(Averaged):
    """Bagging of trees: their mean, of which each may have been fitted with some features only."""

    @property
    def n_targets(self) -> int:
        """How many things are predicted at once."""
        return int(self.predictor.estimators_[0].n_outputs_)

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, their features numbered as in the estimator's input."""
        trees = []
        taken = self.predictor.estimators_features_
        for tree, numbers in zip(super().trees, taken, strict=True):
            feature = tree.feature.copy()
            feature[~tree.is_leaf] = numbers[feature[~tree.is_leaf]]
            trees.append(replace(tree, feature=feature))
        return tuple(trees)


@dataclass(frozen=True, eq=False)
class GradientBoosting(MadeOfNativeTrees):
    """Gradient boosting: an initial score, and the trees times the learning rate.

    `estimators_` has a row for each iteration that was fitted, fewer than were wanted where
    training stopped early, and in it a tree for each output.
    """

    @property
    def loss(self) -> Any:
        """The loss, with its `link`."""
        return self.predictor._loss

    @cached_property
    def native_trees(self) -> tuple[NativeTree, ...]:
        """The `tree_` objects of scikit-learn, iteration after iteration."""
        members = np.ravel(self.predictor.estimators_)
        return tuple(member.tree_ for member in members)

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, their values times the learning rate."""
        learning_rate = self.predictor.learning_rate
        trees = []
        for number, native in enumerate(self.native_trees):
            values = native.value[:, :, 0] * learning_rate
            output = number % self.n_outputs
            trees.append(_tree(native, values, output))
        return tuple(trees)

    @cached_property
    def base(self) -> Matrix:
        """The initial score of each output, the same for any record."""
        any_record = np.zeros((1, self.n_features), dtype=np.float32)
        initial = self.predictor._raw_predict_init(any_record)
        base: Matrix = initial[0]
        return base


@dataclass(frozen=True, eq=False)
class AdaBoost(MadeOfNativeTrees):
    """Adaptive boosting of classifiers: the weighted votes of its trees, (n_records, n_classes).

    A tree adds its share of the weights to the class that it votes for, and takes it, in equal
    parts, from the others (SAMME, Zhu et al. 2009, doi:10.4310/SII.2009.v2.n3.a8). That is the
    decision function; for two classes, the difference of both.
    """

    @cached_property
    def native_trees(self) -> tuple[NativeTree, ...]:
        """The `tree_` objects of scikit-learn."""
        members = self.predictor.estimators_
        return tuple(member.tree_ for member in members)

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The trees, with what their votes add."""
        n_classes = self.n_outputs
        of_others = -1 / (n_classes - 1)
        votes = np.full((n_classes, n_classes), of_others)
        np.fill_diagonal(votes, 1.0)
        weights = self.predictor.estimator_weights_[: len(self.native_trees)]
        shares = weights / self.predictor.estimator_weights_.sum()
        trees = []
        for native, share in zip(self.native_trees, shares, strict=True):
            classes = native.value[:, 0].argmax(axis=1)
            trees.append(_tree(native, share * votes[classes]))
        return tuple(trees)

    @property
    def base(self) -> Matrix:
        """Zeros, one for each class."""
        return np.zeros(len(self.predictor.classes_))


def _tree(
    native: NativeTree,
    values: Matrix,
    output: int = 0,
) -> Tree:
    nowhere = np.zeros(native.node_count, dtype=np.bool_)
    return Tree(
        left=native.children_left,
        right=native.children_right,
        feature=native.feature,
        threshold=native.threshold,
        missing_left=native.missing_go_to_left.astype(np.bool_),
        values=values,
        cover=native.weighted_n_node_samples,
        zero_is_missing=nowhere,
        category_set=np.full(native.node_count, -1),
        output=output,
    )
