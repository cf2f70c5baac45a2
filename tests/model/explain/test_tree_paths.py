"""Looked up values are those that shap computes, for any trees; and what cannot be looked up, shap still computes."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import shap
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier

from python.model.explain import tree_paths, tree_shap
from python.model.explain.tree_paths import Paths

TREES = {
    "forest": RandomForestClassifier(7, random_state=0),
    "shallow forest": RandomForestClassifier(20, max_depth=3, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "extra trees for a number": ExtraTreesRegressor(5, max_depth=8, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=9, random_state=0),
    "boosting for a number": GradientBoostingRegressor(
        n_estimators=9, loss="huber", random_state=0
    ),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "histogram boosting for a number": HistGradientBoostingRegressor(
        max_iter=5, loss="poisson", random_state=0
    ),
}


def records(seed: int, *, gaps: bool = False) -> Any:
    choose = np.random.default_rng(seed)
    X = choose.normal(size=(120, 6)).astype(np.float32).astype(float)
    X[:, 3] = X[:, 3].round()
    return np.where(choose.random(X.shape) < 0.2, np.nan, X) if gaps else X


def fitted(name: str, *, classes: int = 2, gaps: bool = False, **more: Any) -> Any:
    X = records(0, gaps=gaps)
    score = np.nan_to_num(X) @ [1, -2, 0.5, 1, 0, 3] + np.nan_to_num(X[:, 0] * X[:, 5])
    regression = not hasattr(TREES[name], "predict_proba")
    target = (
        np.exp(score / 9)
        if regression
        else np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    )
    return TREES[name].fit(X, target, **more)


def both(trees: Any, X: Any) -> tuple[Any, Any]:
    """The looked up values and base value, and shap's."""
    explainer = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    looked_up, base = Paths(explainer.model, X.shape[1])(X)
    computed = np.asarray(explainer.shap_values(X, check_additivity=False)).reshape(
        *X.shape, -1
    )
    expected = np.ravel(explainer.expected_value)
    if computed.shape[2] == 2:
        computed, expected = computed[:, :, 1:], expected[1:]
    return (looked_up, base), (computed, expected)


def assert_same(trees: Any, X: Any) -> None:
    for looked_up, computed in zip(*both(trees, X), strict=True):
        assert looked_up == pytest.approx(computed, abs=1e-12)


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


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_records_on_the_thresholds(data: st.DataObject) -> None:
    trees = fitted("shallow forest")
    thresholds = np.concatenate(
        [part.tree_.threshold[part.tree_.feature >= 0] for part in trees.estimators_]
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
    assert_same(
        trees,
        np.array([record]).clip(np.finfo(np.float32).min, np.finfo(np.float32).max),
    )


def test_trees_without_a_split_give_nothing() -> None:
    X = records(0)
    trees = RandomForestRegressor(3, random_state=0).fit(X, np.full(len(X), 2.5))
    values, base = tree_shap.trees(trees)(X[:2])  # type: ignore[misc]
    assert not values.any()
    assert base == 2.5


def test_one_model_is_explained_with_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    trees, X = fitted("forest"), records(1)
    way = tree_shap.trees(trees)
    monkeypatch.setattr(shap.TreeExplainer, "shap_values", None)
    assert way
    values, base = way(X)
    assert base + values.sum(axis=1) == pytest.approx(trees.predict_proba(X)[:, 1])


def test_long_paths_are_left_to_shap(monkeypatch: pytest.MonkeyPatch) -> None:
    trees, X = fitted("forest"), records(1)
    expected = tree_shap.trees(trees)(X)  # type: ignore[misc]
    monkeypatch.setattr(tree_paths, "MAX_NUMBERS", 1000)
    with monkeypatch.context() as free_paths:
        free_paths.setattr(tree_paths, "PATH", 0)
        free_paths.setattr(tree_paths, "OUTPUT", 0)
        with pytest.raises(ValueError, match="more than 1000"):
            both(trees, X)
    monkeypatch.setattr(Paths, "__call__", None)
    for found, told in zip(tree_shap.trees(trees)(X), expected, strict=True):  # type: ignore[misc]
        assert found == pytest.approx(told, abs=1e-12)


def test_each_feature_is_proven_on_its_own_thresholds() -> None:
    trees = fitted("forest")
    explainer = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    proven = tree_shap._bounds(explainer.model, 8)
    assert proven.shape == (tree_shap.N_BOUNDS, 8)
    for feature, values in enumerate(proven.T):
        splits = [one.tree_.threshold[one.tree_.feature == feature] for one in trees]
        assert set(values[~np.isnan(values)]) <= (set(np.concatenate(splits)) or {0.0})
    assert 0 < np.isnan(proven).mean() < 0.5


@pytest.mark.parametrize("part", ["_upto", "_missing", "_values", "_base"])
def test_values_that_differ_from_shaps_are_not_used(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, X = fitted("forest", gaps=True), records(2, gaps=True)
    expected = tree_shap.trees(trees)(X)  # type: ignore[misc]

    class Broken(Paths):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            own = getattr(self, part)
            setattr(self, part, ~own if own.dtype == bool else own + 0.01)

    monkeypatch.setattr(tree_shap, "Paths", Broken)
    for found, told in zip(tree_shap.trees(trees)(X), expected, strict=True):  # type: ignore[misc]
        assert found == pytest.approx(told, abs=1e-12)


@pytest.mark.parametrize("wrong", [0.0, 1e-6])
def test_long_paths_are_left_to_shapiq_where_it_gives_shaps_values(
    wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, X = fitted("forest"), records(1)
    asked, by_lookup = [], tree_shap.trees(trees)

    def by_shapiq(*_: Any) -> Any:
        def way(matrix: Any) -> Any:
            asked.append(len(matrix))
            values, base = by_lookup(matrix)  # type: ignore[misc]
            return values + wrong, base

        return way

    monkeypatch.setattr(tree_shap, "_by_shapiq", by_shapiq)
    tree_shap.trees(trees)(X)  # type: ignore[misc]
    assert not asked
    monkeypatch.setattr(tree_paths, "MAX_NUMBERS", 1000)
    for found, told in zip(tree_shap.trees(trees)(X), by_lookup(X), strict=True):  # type: ignore[misc]
        assert found == pytest.approx(told, abs=1e-12)
    assert asked == ([tree_shap.N_BOUNDS] if wrong else [tree_shap.N_BOUNDS, len(X)])


@pytest.mark.parametrize(("n_features", "classes"), [(1, 0), (2, 40)])
def test_many_paths_and_outputs_are_left_to_shap_before_they_are_walked(
    n_features: int, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = np.random.default_rng(0)
    X = choose.normal(size=(3_000, n_features))
    target = (
        choose.integers(0, classes, len(X)) if classes else choose.normal(size=len(X))
    )
    trees = (RandomForestClassifier if classes else RandomForestRegressor)(
        25, random_state=0
    ).fit(X, target)
    explainer = shap.TreeExplainer(trees, feature_perturbation="tree_path_dependent")
    monkeypatch.setattr(tree_paths, "_walk", None)
    with pytest.raises(ValueError, match="are too many"):
        Paths(explainer.model, n_features)


def test_other_comparisons_are_refused() -> None:
    with pytest.raises(ValueError, match="the threshold itself"):
        Paths(SimpleNamespace(threshold_types=np.array([[0, 1]])), 2)
