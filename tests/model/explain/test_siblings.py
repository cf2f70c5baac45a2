"""Siblings: leaves of one split that share a table."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeRegressor

from python.model.explain.interventional import Interventional
from python.model.explain.path_dependent import PathDependent
from python.model.explain.paths import Paths
from python.model.explain.siblings import Siblings
from tests.model.trees.trials import read

Matrix = NDArray[np.float64]


def fit_tree(rows: Matrix, target: Matrix) -> Paths:
    """A tree, of which each column is a player."""
    tree = DecisionTreeRegressor(random_state=0).fit(rows, target)
    paths = Paths.of(read(tree), np.arange(rows.shape[1]))
    assert paths is not None
    return paths


def test_the_example_of_the_docstring() -> None:
    siblings = Siblings(np.array([0]), np.array([1]), np.array([1]))
    tables = np.array([[[2.0], [-1.0]], [[7.0], [-4.0]]])
    assert siblings.join(tables).tolist() == [[[-2.0], [6.0]]]


def test_the_leaves_of_one_split_are_siblings() -> None:
    paths = fit_tree(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]))
    siblings = Siblings.of(paths, 2)
    assert sorted([*siblings.left, *siblings.right]) == [0, 1]
    assert siblings.bits.tolist() == [1]


def test_leaves_whose_player_was_there_before_are_none() -> None:
    # Its bit may be set above already, and does not tell the leaves apart.
    rows = np.arange(4.0)[:, None]
    paths = fit_tree(rows, np.array([0.0, 3.0, 0.0, 5.0]))
    assert len(Siblings.of(paths, len(paths.leaves.numbers)).left) == 0


def test_a_leaf_beyond_the_tables_has_no_sibling() -> None:
    paths = fit_tree(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]))
    assert len(Siblings.of(paths, 1).left) == 0


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("is_against", [False, True])
def test_a_record_has_the_same_values_alone_and_among_others(
    n_classes: int, *, is_against: bool
) -> None:
    """Their tables lie in another order, and their values are added up in the same one."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(300, 6))
    y = np.digitize(X[:, 0] * X[:, 1] + X[:, 2], np.arange(1, n_classes))
    forest = RandomForestClassifier(20, max_depth=6, random_state=0).fit(X, y)
    trees = read(forest)
    paths = Paths.of(trees, np.arange(6))
    assert paths is not None
    explained: Any = PathDependent(paths, 6)
    if is_against:
        explained = Interventional(paths, 6, trees.numbers(X[200:]))
    numbers = trees.numbers(X[:50])
    together = explained.values(numbers)
    alone = [explained.values(numbers[row : row + 1]) for row in range(50)]
    assert np.array_equal(together, np.concatenate(alone))
    n_leaves = len(paths.leaves.numbers)
    has_siblings = len(explained._tables.nodes) < n_leaves
    assert has_siblings == (n_classes == 2)
