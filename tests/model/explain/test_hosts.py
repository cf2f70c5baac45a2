"""Hosts: leaves whose tables hold the values of others as well."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeRegressor

from python.model.explain.hosts import Hosts
from python.model.explain.interventional import Interventional
from python.model.explain.path_dependent import PathDependent
from python.model.explain.paths import Paths
from tests.model.trees.trials import read

Matrix = NDArray[np.float64]


def fit_tree(rows: Matrix, target: Matrix) -> Paths:
    """A tree, of which each column is a player."""
    tree = DecisionTreeRegressor(random_state=0).fit(rows, target)
    paths = Paths.of(read(tree), np.arange(rows.shape[1]))
    assert paths is not None
    return paths


def test_the_example_of_the_docstring() -> None:
    tables = [np.array([[7.0], [-4.0]]), np.array([[2.0], [-1.0]])]
    Hosts(np.array([0]), np.array([1])).take_in(tables)
    assert tables[1].tolist() == [[-2.0], [6.0]]


def test_a_host_has_more_players_than_its_guest() -> None:
    """Its mask's first bit is set where the guest's is not; the second is its own."""
    of_guest = np.array([[7.0], [-4.0]])
    of_host = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    Hosts(np.array([0]), np.array([1])).take_in([of_guest, of_host])
    assert of_host.tolist() == [[-3, 10], [9, 20], [-1, 30], [11, 40]]


def test_of_two_leaves_of_a_split_one_is_the_host() -> None:
    paths = fit_tree(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]))
    hosts = Hosts.of(paths, 2)
    assert sorted([*hosts.guests, *hosts.hosts]) == [0, 1]


def test_a_leaf_beside_a_split_is_a_guest_of_a_leaf_below_it() -> None:
    """Each split has another player, so one table is left of the three."""
    rows = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    paths = fit_tree(rows, np.array([0.0, 0.0, 5.0, 6.0]))
    assert paths.leaves.lengths.tolist() == [1, 2, 2]
    hosts = Hosts.of(paths, 3)
    assert hosts.guests.tolist() == [0, 2]
    assert set(hosts.hosts.tolist()) == {1}


def test_leaves_whose_player_was_there_before_are_no_guests() -> None:
    # Its bit may be set above already, and does not tell the leaves apart.
    rows = np.arange(4.0)[:, None]
    paths = fit_tree(rows, np.array([0.0, 3.0, 0.0, 5.0]))
    assert len(Hosts.of(paths, len(paths.leaves.numbers)).guests) == 0


def test_a_leaf_beyond_the_tables_is_no_host() -> None:
    paths = fit_tree(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]))
    assert len(Hosts.of(paths, 1).guests) == 0


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
    has_guests = len(explained._tables.nodes) < n_leaves
    assert has_guests == (n_classes == 2)


@pytest.mark.parametrize("n_players", [1, 3, 8])
@pytest.mark.parametrize(
    "predictor",
    [
        ExtraTreesRegressor(4, max_depth=8, random_state=0),
        GradientBoostingRegressor(n_estimators=6, max_depth=4),
        DecisionTreeRegressor(max_depth=10, random_state=0),
    ],
    ids=repr,
)
def test_values_in_tables_are_those_that_are_computed_without_them(
    predictor: Any, n_players: int
) -> None:
    """They are computed from node to node, which knows no masks that two paths share."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 8)).round(1)
    predictor.fit(rows, rows[:, 0] * rows[:, 1] + generator.normal(size=300))
    trees = read(predictor)
    paths = Paths.of(trees, np.arange(8) % n_players)
    assert paths is not None
    explained: Any = PathDependent(paths, n_players)
    numbers = trees.numbers(rows[:40] + 0.05)
    looked_up = explained.values(numbers)
    explained._tables = None
    computed = explained.values(numbers)
    np.testing.assert_allclose(looked_up, computed, rtol=0, atol=1e-12)


def test_most_leaves_of_a_forest_are_guests() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 30))
    forest = RandomForestClassifier(20, max_depth=8, random_state=0)
    forest.fit(rows, rows[:, 0] + generator.normal(size=300) > 0)
    paths = Paths.of(read(forest), np.arange(30))
    assert paths is not None
    n_leaves = len(paths.leaves.numbers)
    assert len(Hosts.of(paths, n_leaves).guests) > n_leaves / 2
