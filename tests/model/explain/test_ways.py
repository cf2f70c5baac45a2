"""Ways: the rows of branches, compared with masks that are computed level by level."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeRegressor

from python.model.explain import tables
from python.model.explain.branches import Branches
from python.model.explain.interventional import Interventional
from python.model.explain.path_dependent import PathDependent
from python.model.explain.paths import Paths
from python.model.explain.ways import Ways
from tests.model.trees.trials import data, read, trials

PEAK_LIMIT_BYTES = 2**26  # as `MASKS_LIMIT_AT_ONCE` has it
PREDICTORS = {
    "deep forest": RandomForestRegressor(5, random_state=0),
    "three classes": RandomForestClassifier(5, max_depth=5, random_state=0),
    "histogram": HistGradientBoostingRegressor(max_iter=5),
    "lightgbm": LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
}


def fit(name: str) -> tuple[Paths, Any]:
    """The paths of a fitted predictor, two of whose columns are one player, and numbers."""
    predictor = PREDICTORS[name]
    is_classifier = hasattr(predictor, "predict_proba")
    X, y = data("three classes" if is_classifier else "regression")
    predictor.fit(X, y)
    players = np.maximum(np.arange(X.shape[1]) - 1, 0)
    paths = Paths.of(read(predictor), players)
    assert paths is not None
    return paths, paths.trees.numbers(trials(paths.trees, X)[:40])


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("name", PREDICTORS)
def test_rows_have_the_bits_of_masks_and_of_outcomes(
    name: str, is_long: bool
) -> None:
    """The masks are those that are computed level by level."""
    paths, numbers = fit(name)
    n_paths = len(paths.leaves.numbers) // 2
    branches = Branches.of(paths, n_paths)
    goes_left = paths.goes_left(numbers)
    masks = paths.masks(goes_left)
    ways = Ways.of(branches, 10 if is_long else 10**6)
    assert (ways.roots is not None) is is_long
    rows = ways.rows(paths, goes_left)
    assert len(np.unique(rows)) > 3
    for place, root in enumerate(branches.roots):
        n_above = branches.shape.n_above[root]
        expected = masks[root].astype(np.intp)
        outcomes = 0
        for node in branches.inner[branches.owners == place]:
            left = paths.children[0, node]
            goes_right = ~goes_left[paths.last_splits[left]]
            outcomes |= goes_right.astype(np.intp) << branches.order.bits[node]
        assert not np.any(outcomes & (1 << n_above) - 1)
        assert rows[place].tolist() == (expected | outcomes).tolist()


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("name", PREDICTORS)
def test_one_record_has_the_values_that_it_has_among_many_to_the_last_digit(
    name: str, is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_long:
        monkeypatch.setattr(tables, "MOST_SPLITS_OF_ONE", 10)
    paths, numbers = fit(name)
    n_players = numbers.shape[1] - 1
    methods = (
        PathDependent(paths, n_players),
        Interventional(paths, n_players, numbers[:7]),
    )
    for method in methods:
        if method._tables is not None:
            starts_from_masks = method._tables.ways_of_one.roots is not None
            assert starts_from_masks is is_long
        of_many = method.values(numbers)
        for row in range(len(numbers)):
            of_one = method.values(numbers[row : row + 1])
            assert of_one.tolist() == of_many[row : row + 1].tolist()


def test_trees_without_a_split_have_no_steps() -> None:
    tree = DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 3.0])
    paths = Paths.of(read(tree), np.array([0]))
    assert paths is not None
    assert len(Ways.of(Branches.of(paths, 1), 100).splits) == 0
    values = PathDependent(paths, 1).values(np.array([[5.0]]))
    assert values.tolist() == [[[0.0]]]


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_memory_for_many_records_is_bounded_where_a_tree_is_a_chain(
    n_outputs: int,
) -> None:
    """All splits above all leaves are 60 times as many as the nodes."""
    line = np.arange(250.0)
    X = np.stack([line, line % 7, line % 11], axis=1)
    y = np.stack([4.0**line] * n_outputs, axis=1).squeeze()
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    assert tree.get_depth() > len(line) / 2
    paths = Paths.of(read(tree), np.arange(3))
    assert paths is not None
    numbers = paths.trees.numbers(np.tile(X, (16, 1)))
    method = PathDependent(paths, 3)
    assert method._tables is not None
    tracemalloc.start()
    method.values(numbers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < PEAK_LIMIT_BYTES
