"""Values against a background, path by path; whole models are compared in test_readings."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from lightgbm import LGBMRegressor
from scipy.special import beta

from python.model.explain import bits, interventional, tables
from python.model.explain import paths as paths_module
from python.model.explain.bits import count_equal, list_bits, sum_by_bit
from python.model.explain.interventional import (
    Interventional,
    can_be_read,
    compute_values,
)
from python.model.explain.long_paths import SHARES_OF_ORDERS, share_of_orders
from python.model.explain.paths import Paths
from tests.model.explain.forests import chain, fitted, records
from tests.model.explain.truth import shapley_values
from tests.model.trees.trials import data, read

PLAYERS = np.arange(6)


def paths_of(trees: Any, origins: Any = PLAYERS) -> Paths:
    paths = Paths.of(read(trees), origins)
    assert paths is not None
    return paths


def is_open(masks: Any) -> Any:
    """What a path of three players adds where the record's and a row's conditions are mixed."""
    return masks.all(axis=1).astype(float)


def test_the_values_of_a_path_are_those_by_definition() -> None:
    shares = np.array([0.1, 0.05, 0.2, 0.0, 0.3, 0.15, 0.0, 0.2])
    values = compute_values(shares[None])
    assert values.shape == (1, 8, 3)
    for mask in range(8):
        is_met = np.array([not mask >> bit & 1 for bit in range(3)])
        expected = np.zeros(3)
        for row, share in enumerate(shares):
            of_row = np.array([[not row >> bit & 1 for bit in range(3)]])
            expected += share * shapley_values(is_open, is_met, of_row)
        assert values[0, mask] == pytest.approx(expected)


def test_the_example_of_the_docstring() -> None:
    one_row = np.array([[0.0, 1, 0, 0]])
    values = 6 * compute_values(one_row)[0]
    assert values[2] == pytest.approx([3, -3])
    none_met = np.array([[0.0, 0, 0, 1]])
    assert not compute_values(none_met)[0, 1:].any()


@pytest.mark.parametrize(("a", "b"), [(0, 3), (1, 0), (1, 1), (2, 3), (3, 2)])
def test_shares_are_those_of_all_orders(a: int, b: int) -> None:
    orders = list(itertools.permutations(range(a + b)))
    right = [order for order in orders if set(order[:a]) == set(range(a))]
    n_first = np.array([a], dtype=np.uint8)
    share = share_of_orders(n_first, np.array([b], dtype=np.uint8))
    assert share == pytest.approx([len(right) / len(orders)])


def test_shares_are_right_for_the_longest_paths() -> None:
    a, b = np.indices(SHARES_OF_ORDERS.shape)
    expected = (a + b + 1) * beta(a + 1, b + 1)
    np.testing.assert_allclose(SHARES_OF_ORDERS, expected, rtol=1e-12)


@pytest.mark.parametrize("n_rows", [1, 2, 255, 256, 300])
@pytest.mark.parametrize("n_bits", [2, 8, 9, 40, 56, 64])
def test_rows_with_one_mask_are_counted_at_one_of_them(
    n_bits: int, n_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bits, "MASKS_AT_ONCE", 700)
    random = np.random.default_rng(0)
    some = random.integers(2**n_bits - 1, size=4, dtype=np.uint64)
    of_leaves = [random.choice(some, n_rows) for _ in range(6)]
    masks = np.stack([*of_leaves, np.full(n_rows, some[0])])
    counts = count_equal(masks, np.full(7, n_bits))
    for of_leaf, n_equal in zip(masks, counts, strict=True):
        is_first = n_equal > 0
        assert is_first.sum() == len(set(of_leaf.tolist()))
        found = zip(of_leaf[is_first].tolist(), n_equal[is_first], strict=True)
        assert dict(found) == Counter(of_leaf.tolist())


@pytest.mark.parametrize("n_bits", [1, 9, 10, 11, 32, 33, 64])
def test_numbers_are_added_up_by_the_bits_of_their_masks(n_bits: int) -> None:
    random = np.random.default_rng(0)
    masks = random.integers(0, 2**n_bits - 1, 200, np.uint64, endpoint=True)
    numbers = random.integers(-9, 9, size=200).astype(float)
    expected = np.zeros(n_bits)
    for mask, number in zip(masks.tolist(), numbers, strict=True):
        for bit in range(n_bits):
            expected[bit] += number * (mask >> bit & 1)
    assert sum_by_bit(masks, numbers, n_bits).tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_bits_are_listed_row_by_row(dtype: Any) -> None:
    last = np.iinfo(dtype).bits - 1
    words = np.array([[5, 0, 1], [0, 0, 0], [0, 1 << last, 2]], dtype=dtype)
    rows, places = list_bits(words)
    width = last + 1
    assert list(rows) == [0, 0, 0, 2, 2]
    assert list(places) == [0, 2, 2 * width, 2 * width - 1, 2 * width + 1]


@pytest.mark.parametrize("limit", [tables.TABLES_LIMIT_NUMBERS, 500, 0])
@pytest.mark.parametrize("n_rows", [1, 7, 64, 65, 300])
@pytest.mark.parametrize("classes", [2, 4])
def test_values_do_not_depend_on_the_way_or_the_parts(
    n_rows: int, classes: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = fitted("forest", classes=classes)
    paths = paths_of(trees)
    background = np.concatenate([records(1), records(3), records(4)])[:n_rows]
    expected = Interventional(paths, 6, background)
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    monkeypatch.setattr(paths_module, "MASKS_LIMIT_AT_ONCE", 16)
    values = Interventional(paths, 6, background)
    X = records(2)[:9]
    np.testing.assert_allclose(
        values.values(X), expected.values(X), rtol=0, atol=1e-13
    )
    np.testing.assert_allclose(
        values.base_values, expected.base_values, rtol=0, atol=1e-13
    )


@pytest.mark.parametrize("limit", [tables.TABLES_LIMIT_NUMBERS, 0])
def test_a_record_that_is_the_background_has_no_values(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    trees, X = fitted("forest"), records(1)
    values = Interventional(paths_of(trees), 6, X[[3, 3, 3]])
    assert not values.values(X[3:4]).any()
    assert values.base_values == pytest.approx(
        trees.predict_proba(X[3:4])[:, 1]
    )


@pytest.mark.parametrize("limit", [tables.TABLES_LIMIT_NUMBERS, 0])
def test_equal_rows_count_as_often_as_they_are_there(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    paths, X = paths_of(fitted("forest")), records(1)
    both = Interventional(paths, 6, X[[0] * 299 + [1]])
    first, second = (Interventional(paths, 6, X[[row]]) for row in (0, 1))
    expected = (299 * first.values(X) + second.values(X)) / 300
    np.testing.assert_allclose(both.values(X), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("limit", [0, 500])
@pytest.mark.parametrize("last", [0, 20])
@pytest.mark.parametrize("n_players", [64, 65, 300])
@pytest.mark.parametrize("name", ["forest", "boosting for a number"])
def test_many_players_have_the_values_that_few_have(
    name: str,
    n_players: int,
    last: int,
    limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Up to 64 players have a bit each in the masks of the rows; more are found by their paths.

    The last player is in a split, or those that are in one are among the first 21.
    """
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    trees = fitted(name)
    X = records(1)
    columns = np.array([0, 7, 8, 15, 16, last or n_players - 1])
    few = Interventional(paths_of(trees), 6, X[:30]).values(X)
    many = Interventional(paths_of(trees, columns), n_players, X[:30])
    values = many.values(X)
    spread = np.ptp(few)
    assert values[:, columns] == pytest.approx(few, rel=0, abs=1e-12 * spread)
    others = np.delete(values, columns, axis=1)
    assert not others.any()


def test_backgrounds_that_take_too_long_are_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = paths_of(fitted("forest"))
    n_nodes = len(paths.bits)
    assert can_be_read(paths, 1000)
    monkeypatch.setattr(interventional, "ROWS_LIMIT_NODES", 1000 * n_nodes - 1)
    assert not can_be_read(paths, 1000)
    assert can_be_read(paths, 999)
    monkeypatch.setattr(interventional, "ROWS_LIMIT_MASKS", 998)
    assert can_be_read(paths, 999)
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", 0)
    assert not can_be_read(paths, 999)


@pytest.mark.parametrize("n_columns", [3, 9, 20, 40, 64])
def test_paths_may_be_as_long_as_a_word(n_columns: int) -> None:
    tree, X = chain(n_columns)
    paths = paths_of(tree, np.arange(n_columns))
    values = Interventional(paths, n_columns, X[:8])
    expected = tree.predict(X)
    total = values.base_values + values.values(X).sum(axis=1)
    rounding = 1e-12 * np.ptp(expected)
    assert total[:, 0] == pytest.approx(expected, rel=0, abs=rounding)
    mean = expected[:8].mean()
    assert values.base_values == pytest.approx([mean], rel=0, abs=rounding)


def test_trees_without_a_split_have_values_of_0() -> None:
    X, _ = data("regression")
    trees = LGBMRegressor(n_estimators=2, verbose=-1, n_jobs=1)
    trees.fit(X, np.full(len(X), 2.0))
    paths = paths_of(trees, np.arange(5))
    values = Interventional(paths, 5, X[:3])
    assert values.values(X[:2]).tolist() == np.zeros((2, 5, 1)).tolist()
    assert values.base_values == pytest.approx([2.0])


@pytest.mark.parametrize("n_columns", [20, 40, 64])
def test_long_paths_of_many_players_have_the_same_values(
    n_columns: int,
) -> None:
    tree, X = chain(n_columns)
    few = Interventional(paths_of(tree, np.arange(n_columns)), n_columns, X)
    columns = 299 - 4 * np.arange(n_columns)
    many = Interventional(paths_of(tree, columns), 300, X)
    expected = few.values(X)
    rounding = 1e-12 * np.ptp(expected)
    assert many.values(X)[:, columns] == pytest.approx(
        expected, rel=0, abs=rounding
    )
