"""Values of the game in which unknown players follow the training records, path by path."""

from typing import Any

import numpy as np
import pytest

from python.model.explain import paths as paths_module
from python.model.explain import tables
from python.model.explain.path_dependent import (
    PathDependent,
    compute_values,
    times,
)
from python.model.explain.paths import Paths
from tests.model.explain.forests import TREES, fitted, records, values_of_shap
from tests.model.explain.truth import shapley_values
from tests.model.trees.trials import read

PLAYERS = np.arange(6)


def values_of(trees: Any, X: Any) -> tuple[Any, Any]:
    reading = read(trees)
    paths = Paths.of(reading, PLAYERS)
    assert paths is not None
    values = PathDependent(paths, len(PLAYERS))
    return values.values(reading.numbers(X)), values.base_values


def assert_same(trees: Any, X: Any) -> None:
    expected_values, expected_base_values = values_of_shap(trees, X)
    values, base_values = values_of(trees, X)
    np.testing.assert_allclose(values, expected_values, rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        base_values, expected_base_values, rtol=0, atol=1e-12
    )


@pytest.fixture(params=["looked up", "computed"], autouse=True)
def way(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.param == "computed":
        monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", 0)


@pytest.mark.parametrize("name", TREES)
def test_values_are_those_of_shap(name: str) -> None:
    assert_same(fitted(name), records(1))


@pytest.mark.parametrize("name", ["forest", "tree", "histogram boosting"])
def test_each_of_several_classes_is_explained(name: str) -> None:
    assert_same(fitted(name, classes=4), records(1))


@pytest.mark.parametrize("name", ["forest", "tree", "histogram boosting"])
def test_missing_values_go_where_the_trees_send_them(name: str) -> None:
    X = records(2, gaps=True)
    assert np.isnan(X).any(axis=1).sum() > 50
    assert_same(fitted(name, gaps=True), X)


def test_weights_of_records_count() -> None:
    weights = np.random.default_rng(3).exponential(size=120)
    assert_same(fitted("forest", sample_weight=weights), records(1))


def test_a_share_of_nothing_adds_nothing() -> None:
    weights = np.ones(120)
    weights[:40] = 0
    trees = fitted("forest", sample_weight=weights)
    values, base_values = values_of(trees, records(1))
    total = base_values + values.sum(axis=1)
    expected = trees.predict_proba(records(1))[:, 1:]
    np.testing.assert_allclose(total, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_records", [1, 100])
def test_values_do_not_depend_on_how_many_are_computed_at_once(
    n_records: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, X = fitted("forest"), records(1)[:n_records]
    expected, _ = values_of(trees, X)
    monkeypatch.setattr(paths_module, "MASKS_LIMIT_AT_ONCE", 1000)
    monkeypatch.setattr(tables, "LIMIT_NUMBERS_AT_ONCE", 1000)
    monkeypatch.setattr(tables, "LIMIT_NUMBERS_PER_PART", 100)
    values, _ = values_of(trees, X)
    np.testing.assert_array_equal(values, expected)


def test_the_values_of_a_path_are_those_by_definition() -> None:
    shares = np.array([0.5, 0.25, 0.9])
    values = compute_values(shares[None])
    assert values.shape == (1, 8, 3)
    for mask in range(8):
        is_met = np.array([not mask >> bit & 1 for bit in range(3)])
        expected = shapley_values(
            lambda factors: factors.prod(axis=1),
            is_met.astype(float),
            shares[None],
        )
        assert values[0, mask] == pytest.approx(expected)


def test_the_example_of_the_docstring() -> None:
    values = 8 * compute_values(np.array([[0.5, 0.25]]))[0]
    assert values[0b00] == pytest.approx([2.5, 4.5])
    assert values[0b10] == pytest.approx([0.5, -1.5])


@pytest.mark.parametrize("n_players", [1, 2, 7, 20])
def test_integrals_are_exact_for_one_power_less_than_players(
    n_players: int,
) -> None:
    power = n_players - 1
    total = sum(weight * time**power for time, weight in times(n_players))
    assert total == pytest.approx(1 / n_players, rel=1e-14)
