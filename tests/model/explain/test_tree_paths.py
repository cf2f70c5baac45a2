"""Looked up values are those that shap computes, for any trees; and which trees have none."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from python.model.explain import tree_paths
from python.model.explain.tree_paths import compute_values, make_lookup
from tests.model.explain.forests import (
    TREES,
    explainer_of,
    fitted,
    records,
    values_of_shap,
)
from tests.model.explain.truth import shapley_values


def assert_same(trees: Any, X: Any) -> None:
    expected_values, expected_base_values = values_of_shap(trees, X)
    lookup = make_lookup(explainer_of(trees).model, X.shape[1])
    assert lookup is not None
    values, base_value = lookup(X)
    n_outputs = len(expected_base_values)
    assert values.shape == (
        X.shape if n_outputs == 1 else (*X.shape, n_outputs)
    )
    assert values.reshape(*X.shape, -1) == pytest.approx(
        expected_values, abs=1e-12
    )
    assert np.ravel(base_value) == pytest.approx(
        expected_base_values, abs=1e-12
    )


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


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_records_on_the_thresholds(data: st.DataObject) -> None:
    trees = fitted("shallow forest")
    thresholds = np.concatenate(
        [
            part.tree_.threshold[part.tree_.feature >= 0]
            for part in trees.estimators_
        ]
    )
    near = thresholds.astype(np.float32)
    around = [
        near,
        np.nextafter(near, np.float32(np.inf)),
        np.nextafter(near, np.float32(-np.inf)),
    ]
    values = st.sampled_from(
        [*np.concatenate(around).astype(float), 1e300, -1e300, -0.0]
    )
    record = data.draw(st.lists(values, min_size=6, max_size=6))
    largest = np.finfo(np.float32).max
    assert_same(trees, np.array([record]).clip(-largest, largest))


@pytest.mark.parametrize("targets", [[2.5], [2.5, 0.5]])
def test_trees_without_a_split_count_for_the_base_value(
    targets: list[float],
) -> None:
    X = records(0)
    y = np.resize(targets, len(X))
    trees = RandomForestRegressor(3, random_state=0, min_samples_split=80)
    trees.fit(X, y)
    assert min(tree.tree_.node_count for tree in trees) == 1
    assert_same(trees, X[:2])


def test_the_values_of_a_path_are_those_by_definition() -> None:
    shares = np.array([0.5, 0.25, 0.9])
    values = compute_values(shares[None])
    assert values.shape == (1, 3, 8)
    for number in range(8):
        is_met = np.array([number >> bit & 1 for bit in range(3)], dtype=float)
        expected = shapley_values(
            lambda factors: factors.prod(axis=1), is_met, shares[None]
        )
        assert values[0, :, number] == pytest.approx(expected)


def test_the_example_of_the_docstring() -> None:
    values = 8 * compute_values(np.array([[0.5, 0.25]]))[0]
    assert values[:, 0b11] == pytest.approx([2.5, 4.5])
    assert values[:, 0b01] == pytest.approx([0.5, -1.5])


def test_long_paths_have_too_many_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ensemble = explainer_of(fitted("forest")).model
    monkeypatch.setattr(tree_paths, "PATH_NUMBERS", 0)
    monkeypatch.setattr(tree_paths, "OUTPUT_NUMBERS", 0)
    assert make_lookup(ensemble, 6) is not None
    monkeypatch.setattr(tree_paths, "NUMBERS_LIMIT", 1000)
    assert make_lookup(ensemble, 6) is None


@pytest.mark.parametrize(("n_features", "classes"), [(1, 0), (2, 40)])
def test_many_paths_and_outputs_are_left_to_shap_before_they_are_walked(
    n_features: int, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = np.random.default_rng(0)
    X = choose.normal(size=(3_000, n_features))
    if classes:
        forest = RandomForestClassifier(25, random_state=0)
        forest.fit(X, choose.integers(0, classes, len(X)))
    else:
        forest = RandomForestRegressor(25, random_state=0)
        forest.fit(X, choose.normal(size=len(X)))
    monkeypatch.setattr(tree_paths, "walk", None)
    assert make_lookup(explainer_of(forest).model, n_features) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (
            "threshold_types",
            np.array([[1, 0, 0]]),
        ),  # the threshold goes to the right
        (
            "node_sample_weight",
            np.zeros((1, 3)),
        ),  # no training record came to a split
    ],
)
def test_other_trees_are_left_to_shap(field: str, value: Any) -> None:
    ensemble = SimpleNamespace(
        num_outputs=1,
        base_offset=np.zeros(1),
        children_left=np.array([[1, -1, -1]]),
        children_right=np.array([[2, -1, -1]]),
        children_default=np.array([[1, -1, -1]]),
        features=np.array([[0, -2, -2]]),
        thresholds=np.zeros((1, 3)),
        threshold_types=np.zeros((1, 3), dtype=int),
        node_sample_weight=np.array([[2.0, 1, 1]]),
        values=np.array([[[0.0], [1], [2]]]),
    )
    assert make_lookup(ensemble, 2) is not None
    setattr(ensemble, field, value)
    assert make_lookup(ensemble, 2) is None
