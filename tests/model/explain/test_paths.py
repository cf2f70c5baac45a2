"""What paths demand of records, with input features as players."""

from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from python.model.explain import paths as module
from python.model.explain import walk
from python.model.explain.paths import Paths
from python.model.trees import Tree, TreeModel
from python.model.trees.categories import NO_SETS, CategorySets
from python.model.trees.tree import join
from tests.model.explain.forests import chain
from tests.model.trees.trials import data, read, trials

PLAYERS = np.arange(5)
GROUPS = np.array([0, 0, 1, 2, 1])


def read_paths(predictor: Any, origins: Any = PLAYERS) -> Paths:
    paths = Paths.of(read(predictor), origins)
    assert paths is not None
    return paths


def example() -> Tree:
    """The tree of the docstring: splits column 4 at 5, then left of it at 2."""
    no = np.zeros(5, dtype=bool)
    return Tree(
        left=np.array([1, 3, -1, -1, -1]),
        right=np.array([2, 4, -1, -1, -1]),
        feature=np.array([4, 4, -2, -2, -2]),
        threshold=np.array([5.0, 2, np.nan, np.nan, np.nan]),
        missing_left=no,
        values=np.array([[np.nan], [np.nan], [1], [2], [3]]),
        cover=np.array([10.0, 8, 2, 2, 6]),
        zero_is_missing=no,
        category_set=np.full(5, -1),
    )


class Example(TreeModel):
    """One tree, whose leaves are the output."""

    library = "scikit-learn"
    precision = np.float64
    trees = (example(),)
    base = np.zeros(1)


def test_the_example_of_the_docstring() -> None:
    paths = Paths.of(Example("tree", 5), PLAYERS)
    assert paths is not None
    total = paths.outputs[:, 0] + paths.base[0]
    (path,) = np.flatnonzero(total == 3)
    assert list(paths.players) == [4, 4, 4]
    assert paths.shares[path] == pytest.approx(0.6)
    records = np.zeros((4, 5))
    records[:, 4] = [2, 2.5, 5, 5.5]
    masks = paths.masks(paths.goes_left(records))[paths.leaves.numbers[path]]
    assert list(masks) == [1, 0, 0, 1]


@pytest.mark.parametrize(
    "origins", [PLAYERS, GROUPS], ids=["columns", "groups"]
)
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    "predictor",
    [
        RandomForestRegressor(7, random_state=0),
        RandomForestClassifier(7, max_depth=6, random_state=0),
        HistGradientBoostingClassifier(max_iter=7),
        LGBMClassifier(n_estimators=7, verbose=-1, n_jobs=1),
    ],
    ids=lambda predictor: type(predictor).__name__,
)
def test_a_record_meets_all_conditions_of_its_own_leaf_alone(
    predictor: Any, gaps: bool, origins: Any
) -> None:
    is_classifier = hasattr(predictor, "predict_proba")
    X, y = data("three classes" if is_classifier else "regression", gaps=gaps)
    predictor.fit(X, y)
    paths = read_paths(predictor, origins)
    trees = paths.trees
    rows = trials(trees, X, gaps=gaps)[:600]
    numbers = trees.numbers(rows)
    masks = paths.masks(paths.goes_left(numbers))[paths.leaves.numbers]
    assert ((masks == 0).sum(axis=0) == len(trees.trees)).all()
    np.testing.assert_allclose(
        paths.predict(numbers), trees.raw_output(rows), rtol=0, atol=1e-12
    )


def test_a_path_has_one_condition_for_each_of_its_players() -> None:
    X, y = data("regression")
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    paths = read_paths(tree, GROUPS)
    leaves = paths.leaves
    assert len(leaves.nodes) == tree.get_n_leaves()
    assert leaves.lengths.max() == 3 < tree.get_depth()
    assert list(leaves.lengths) == sorted(leaves.lengths)
    for start, stop in zip(leaves.starts, leaves.starts[1:], strict=False):
        players = paths.players[start:stop]
        assert len(set(players)) == len(players)


def test_the_shares_of_all_leaves_of_a_tree_add_up_to_one() -> None:
    X, y = data("regression")
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    paths = read_paths(tree, GROUPS)
    starts = paths.leaves.starts
    shares = np.multiply.reduceat(paths.shares, starts[:-1])
    assert shares.sum() == pytest.approx(1)
    covers = paths.tree.cover[paths.leaves.nodes] / len(X)
    assert shares == pytest.approx(covers)


@pytest.mark.parametrize("n_columns", [8, 16, 30, 64, 65])
def test_a_path_has_up_to_64_players(n_columns: int) -> None:
    tree, X = chain(n_columns)
    assert tree.get_depth() == n_columns
    paths = Paths.of(read(tree), np.arange(n_columns))
    if n_columns > walk.MAX_PLAYERS:
        assert paths is None
        return
    assert paths is not None
    assert paths.leaves.lengths[-1] == n_columns
    expected = tree.predict(X)
    rounding = 1e-12 * np.ptp(expected)
    total = paths.predict(X)[:, 0]
    assert total == pytest.approx(expected, rel=0, abs=rounding)


def test_too_many_nodes_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = data("regression")
    trees = read(DecisionTreeRegressor(random_state=0).fit(X, y))
    monkeypatch.setattr(module, "NODES_LIMIT", trees.node_counts[0] - 1)
    assert Paths.of(trees, PLAYERS) is None


def test_trees_without_a_split_are_all_base() -> None:
    X, _ = data("regression")
    forest = RandomForestRegressor(3).fit(X, np.full(len(X), 2.5))
    paths = read_paths(forest)
    assert paths.base == 2.5
    assert not paths.outputs.any()
    assert paths.predict(X[:2]).tolist() == [[2.5], [2.5]]


@pytest.mark.parametrize("level", [0.0, 1e8])
def test_the_mean_of_a_trees_leaves_is_in_the_base(level: float) -> None:
    X, y = data("regression")
    forest = RandomForestRegressor(5, max_depth=4, random_state=0)
    paths = read_paths(forest.fit(X, y + level))
    assert np.abs(paths.outputs).max() < np.ptp(y)
    assert abs(paths.base[0] - level) < np.ptp(y)


def test_joined_trees_keep_their_nodes_and_their_sets() -> None:
    first = example()
    sets = CategorySets.of([np.array([1, 3]), np.array([2])])
    by_category = np.array([0, 1, -1, -1, -1])
    second = Tree(
        **{
            **vars(example()),
            "category_set": by_category,
            "category_sets": sets,
        }
    )
    joined, roots = join([first, second, second])
    assert list(roots) == [0, 5, 10]
    assert joined.left[10] == 11
    assert joined.right[5] == 7
    assert (joined.left < 0).sum() == 9
    assert first.category_sets is NO_SETS
    values = np.array([[3.0], [2.0]])
    nodes = np.array([[5], [11]])
    assert joined.goes_left(nodes, values).tolist() == [[True], [True]]
    assert joined.goes_left(nodes, values[::-1]).tolist() == [[False], [False]]
    assert joined.goes_left(np.array([0]), np.array([5.0])) == [True]


def test_few_records_at_once_have_masks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = data("regression")
    paths = read_paths(DecisionTreeRegressor(random_state=0).fit(X, y))
    rows = X[:100]
    assert [len(part) for part in paths.split(rows)] == [100]
    n_nodes = len(paths.bits)
    monkeypatch.setattr(module, "MASKS_LIMIT_AT_ONCE", 47 * n_nodes)
    assert [len(part) for part in paths.split(rows)] == [40, 40, 20]
    monkeypatch.setattr(module, "MASKS_LIMIT_AT_ONCE", 1)
    assert [len(part) for part in paths.split(rows)] == [8] * 12 + [4]
