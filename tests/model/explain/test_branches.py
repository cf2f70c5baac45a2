"""Branches: leaves below one node, whose values one table holds."""

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

from python.model.explain.branches import Branches, merge_tables
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


def list_branches(paths: Paths, n_paths: int | None = None) -> Branches:
    """The branches of the first paths, or of all."""
    n_leaves = len(paths.leaves.numbers)
    return Branches.of(paths, n_leaves if n_paths is None else n_paths)


def test_the_example_of_the_docstring() -> None:
    left, right = np.array([[[7.0], [-4.0]]]), np.array([[[2.0], [-1.0]]])
    merged = merge_tables(left, right, n_above=0, place=0)
    assert merged.tolist() == [[[6.0], [-2.0]]]


def test_a_player_that_is_above_has_its_bit_there() -> None:
    """Where the bit is set above, no split below lets the record pass any more."""
    left, right = np.array([[[7.0], [-4.0]]]), np.array([[[2.0], [-1.0]]])
    merged = merge_tables(left, right, n_above=1, place=0)
    # The masks 0 and 1 where the split sends the record left, then where it does not.
    assert merged.tolist() == [[[7 - 1], [-4 - 1], [-4 + 2], [-4 - 1]]]


def test_what_is_below_on_either_side_has_columns_and_outcomes_of_its_own() -> (
    None
):
    """The mask has no bit; each child's outcome has one, and each child's player a column."""
    # The rows: the bit of the split, then that of the child's own.
    left = np.array([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]]])
    right = 100 * left
    (merged,) = merge_tables(left, right, n_above=0, place=0)
    for row, of_row in enumerate(merged.tolist()):
        outcome, on_left, on_right = row & 1, row >> 1 & 1, row >> 2
        shared, of_left = left[0, outcome + 2 * on_left]
        more, of_right = right[0, 1 - outcome + 2 * on_right]
        assert of_row == [shared + more, of_left, of_right]


def test_a_small_tree_is_one_branch() -> None:
    """Its second split has a column, and an outcome, after those of its first."""
    rows = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    branches = list_branches(fit_tree(rows, np.array([0.0, 0.0, 5.0, 6.0])))
    assert branches.roots.tolist() == [0]
    assert branches.n_rows.tolist() == [4]
    assert branches.players.tolist() == [0, 1]
    assert branches.order.bits[branches.inner].tolist() == [0, 1]


def test_a_leaf_without_a_table_is_in_no_branch() -> None:
    rows = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    paths = fit_tree(rows, np.array([0.0, 0.0, 5.0, 6.0]))
    branches = list_branches(paths, n_paths=2)
    assert branches.roots.tolist() == paths.leaves.numbers[:2].tolist()
    assert len(branches.inner) == 0


def test_a_tree_without_a_split_has_no_branch() -> None:
    paths = fit_tree(np.array([[0.0], [1.0]]), np.array([3.0, 3.0]))
    assert len(list_branches(paths).roots) == 0


def forest_paths(n_classes: int = 2) -> Paths:
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(300, 30))
    forest = RandomForestClassifier(20, max_depth=8, random_state=0)
    noisy = rows[:, 0] + generator.normal(size=300)
    forest.fit(rows, np.digitize(noisy, np.arange(1, n_classes)))
    paths = Paths.of(read(forest), np.arange(30))
    assert paths is not None
    return paths


def test_branches_take_no_more_room_than_the_tables_of_their_leaves() -> None:
    paths = forest_paths()
    lengths = paths.leaves.lengths
    of_leaves = int((lengths * 2**lengths).sum())
    branches = list_branches(paths)
    n_numbers = int((branches.n_rows * branches.n_columns).sum())
    assert n_numbers <= of_leaves
    assert len(branches.roots) < len(lengths) / 3


def test_of_several_outputs_each_leaf_is_a_branch() -> None:
    paths = forest_paths(n_classes=3)
    branches = list_branches(paths)
    assert sorted(branches.roots) == sorted(paths.leaves.numbers)


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
    are_merged = len(explained._tables.ways.places) < n_leaves
    assert are_merged == (n_classes == 2)


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
