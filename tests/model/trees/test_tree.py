"""How a record walks: up to the threshold, or in the set, to the left; missing ones as told."""

import numpy as np
import pytest

from python.model.trees import Tree
from python.model.trees.categories import CategorySets
from python.model.trees.tree import round_down

INF, NAN = np.inf, np.nan
# Feature 0 up to 2.5, then feature 1 in the set {1, 40}.
TREE = Tree(
    left=np.array([1, 3, -1, -1, -1]),
    right=np.array([2, 4, -1, -1, -1]),
    feature=np.array([0, 1, -2, -2, -2]),
    threshold=np.array([2.5, NAN, NAN, NAN, NAN]),
    missing_left=np.array([True, False, False, False, False]),
    values=np.array([[NAN], [NAN], [10.0], [20.0], [30.0]]),
    cover=np.array([10.0, 6, 4, 5, 1]),
    zero_is_missing=np.zeros(5, dtype=bool),
    category_set=np.array([-1, 0, -1, -1, -1]),
    category_sets=CategorySets.of([np.array([1, 40])]),
)


@pytest.mark.parametrize(
    ("record", "leaf"),
    [
        ((2.5, 1), 3),
        ((np.nextafter(2.5, INF), 1), 2),
        ((INF, 1), 2),
        ((-INF, 40), 3),
        ((NAN, 40), 3),
        ((0, 2), 4),
        ((0, 400), 4),
        ((0, -1), 4),
        ((0, NAN), 4),
    ],
)
def test_a_record_ends_in_the_leaf_of_its_path(
    record: tuple[float, float], leaf: int
) -> None:
    assert TREE.leaves(np.array([record])).tolist() == [leaf]


def test_many_records_walk_at_once() -> None:
    numbers = np.array([[0.0, 1], [3, 1], [NAN, 2]])
    assert TREE.leaves(numbers).tolist() == [3, 2, 4]
    assert TREE.leaves(numbers[:0]).tolist() == []


def test_a_tree_knows_its_kinds_of_nodes_and_its_outputs() -> None:
    assert TREE.is_leaf.tolist() == [False, False, True, True, True]
    assert TREE.splits_by_category.tolist() == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert TREE.outputs == slice(0, 1)


def test_a_threshold_that_is_rounded_down_parts_the_same_values() -> None:
    generator = np.random.default_rng(0)
    largest = float(np.finfo(np.float32).max)
    values = generator.normal(size=1000).astype(np.float32)
    ends = np.array([0, -largest, largest, INF, -INF], dtype=np.float32)
    values = np.append(values, ends)
    beside = [np.nextafter(values.astype(float), side) for side in (-INF, INF)]
    thresholds = np.concatenate(
        [values.astype(float), *beside, [2 * largest, -2 * largest]]
    )
    rounded = round_down(thresholds, np.float32)
    assert rounded.dtype == np.float32
    expected = values <= thresholds[:, None]
    assert np.array_equal(values <= rounded[:, None], expected)
