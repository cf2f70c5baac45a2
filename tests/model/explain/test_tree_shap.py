"""Which trees are explained by shap, and when something faster takes its place."""

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from catboost import CatBoostRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from python.model.explain import tree_paths, tree_shap
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.conditions import Ensemble
from python.model.explain.tree_paths import make_lookup
from python.model.explain.tree_shap import (
    MAX_NODES_WITH_BACKGROUND,
    make_interventional,
    make_path_dependent,
)
from python.model.explain.trials import N_TRIALS
from tests.matrix import fit
from tests.model.explain.forests import TREES, fitted, records, values_of_shap
from tests.model.explain.truth import load, shapley_values, total
from tests.models import numbers
from tests.records import explain

SMALL_LIMIT = 1000


def attribute(predictor: Any, X: Any) -> Attribution:
    explain_columns = make_path_dependent(predictor)
    assert explain_columns is not None
    return explain_columns(X)


def assert_same(attribution: Attribution, expected: Attribution) -> None:
    assert attribution.values == pytest.approx(expected.values, abs=1e-12)
    assert attribution.base_value == pytest.approx(
        expected.base_value, abs=1e-12
    )


@pytest.mark.parametrize("name", TREES)
def test_values_without_a_background_are_those_of_shap(name: str) -> None:
    trees = fitted(name)
    values, base_values = values_of_shap(trees, records(1))
    expected = Attribution(values[:, :, 0], base_values[0])
    assert_same(attribute(trees, records(1)), expected)


@pytest.mark.parametrize(
    ("estimator", "alone", "against"),
    [
        ("decision tree", True, True),
        ("random forest", True, True),
        ("extra trees", True, True),
        ("gradient boosting", True, True),
        ("histogram boosting", True, False),
        ("LightGBM", False, True),
        ("XGBoost", False, True),
        ("CatBoost", False, False),
        ("nearest neighbours", False, False),
        ("AdaBoost", False, False),
        ("bagging", False, False),
        ("voting", False, False),
    ],
)
def test_which_trees_are_explained(
    estimator: str, alone: bool, against: bool
) -> None:
    predictor = fit(estimator, "regression", "numbers")
    assert (make_path_dependent(predictor) is not None) == alone
    assert (
        make_interventional(predictor, numbers().head(9)) is not None
    ) == against


def test_trees_of_categories_are_not_given_to_shap() -> None:
    model = fit("histogram boosting", "binary", "categories")
    assert make_path_dependent(model) is None
    assert make_path_dependent(fit("histogram boosting", "binary", "numbers"))


@pytest.mark.parametrize(
    "estimator",
    ["decision tree", "random forest", "gradient boosting", "XGBoost"],
)
def test_values_against_a_background_are_those_by_definition(
    estimator: str,
) -> None:
    predictor = fit(estimator, "regression", "numbers")
    X = numbers()
    background = X.iloc[20:30]
    explain_columns = make_interventional(predictor, background)
    assert explain_columns is not None
    values, base_value = explain_columns(X.head(2))

    def output(rows: Any) -> Any:
        return predictor.predict(pd.DataFrame(rows, columns=X.columns))

    expected = [
        shapley_values(output, record, background.to_numpy())
        for record in X.head(2).to_numpy()
    ]
    assert values == pytest.approx(np.array(expected), abs=1e-6)
    mean = predictor.predict(background).mean()
    assert base_value == pytest.approx(mean, abs=1e-6)


def test_every_row_of_a_large_background_counts() -> None:
    trees = fitted("forest")
    X = np.concatenate([records(1), records(2)])
    explain_columns = make_interventional(trees, X)
    assert explain_columns is not None
    mean = trees.predict_proba(X)[:, 1].mean()
    assert explain_columns(X[:1]).base_value == pytest.approx(mean, abs=1e-6)


def test_trees_of_more_nodes_than_shap_can_count_get_no_background() -> None:
    choose = np.random.default_rng(0)
    data = pd.DataFrame(choose.normal(size=(40_000, 2)), columns=["x", "y"])
    regressor = DecisionTreeRegressor(random_state=0)
    regressor.fit(data, choose.normal(size=40_000))
    assert regressor.tree_.node_count > MAX_NODES_WITH_BACKGROUND
    assert make_interventional(regressor, data.head(10)) is None
    explanation = explain(load(regressor, data), data.head(3), data.head(10))
    prediction = regressor.predict(data.head(3))
    assert total(explanation) == pytest.approx(prediction, abs=1e-9)


def test_catboosts_trees_are_never_given_to_shap() -> None:
    settings = {"iterations": 2, "verbose": 0, "allow_writing_files": False}
    predictor = CatBoostRegressor(**settings).fit(records(0), records(0)[:, 0])
    assert make_path_dependent(predictor) is None
    assert make_interventional(predictor, records(1)) is None


def test_trees_without_a_split_give_nothing() -> None:
    X = records(0)
    trees = RandomForestRegressor(3, random_state=0).fit(
        X, np.full(len(X), 2.5)
    )
    values, base = attribute(trees, X[:2])
    assert not values.any()
    assert base == 2.5


def test_one_model_is_explained_with_paths(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees, X = fitted("forest"), records(1)
    explain_columns = make_path_dependent(trees)
    monkeypatch.setattr(shap.TreeExplainer, "shap_values", None)
    assert explain_columns
    values, base = explain_columns(X)
    assert base + values.sum(axis=1) == pytest.approx(
        trees.predict_proba(X)[:, 1]
    )


def test_long_paths_are_left_to_shap(monkeypatch: pytest.MonkeyPatch) -> None:
    trees, X = fitted("forest"), records(1)
    expected = attribute(trees, X)
    monkeypatch.setattr(tree_paths, "NUMBERS_LIMIT", SMALL_LIMIT)
    n_calls = []
    shap_values = shap.TreeExplainer.shap_values

    def counted(*arguments: Any, **options: Any) -> Any:
        n_calls.append(1)
        return shap_values(*arguments, **options)

    monkeypatch.setattr(tree_shap, "make_by_shapiq", no_attribute)
    explain_columns = make_path_dependent(trees)
    monkeypatch.setattr(shap.TreeExplainer, "shap_values", counted)
    assert explain_columns is not None
    assert_same(explain_columns(X), expected)
    assert n_calls == [1]


def no_attribute(*_: Any) -> None:
    return None


def broken(ensemble: Ensemble, field: str) -> Any:
    """shap's reading of trees, with a mistake in one of its arrays."""
    other = copy.copy(ensemble)
    if field == "children_default":
        # Missing values go where they should not.
        left, right = ensemble.children_left, ensemble.children_right
        is_left = ensemble.children_default == left
        other.children_default = np.where(is_left, right, left)
    else:
        setattr(other, field, getattr(ensemble, field) + 0.01)
    return other


@pytest.mark.parametrize(
    "field", ["thresholds", "children_default", "values", "base_offset"]
)
def test_values_that_differ_from_shaps_are_not_used(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, X = fitted("forest", gaps=True), records(2, gaps=True)
    expected = attribute(trees, X)
    wrong: list[Attribute] = []

    def make_broken(ensemble: Ensemble, n_features: int) -> Attribute | None:
        lookup = make_lookup(broken(ensemble, field), n_features)
        assert lookup is not None
        wrong.append(lookup)
        return lookup

    monkeypatch.setattr(tree_shap, "make_lookup", make_broken)
    assert_same(attribute(trees, X), expected)
    values, base_value = wrong[0](X)
    error = np.abs(values - expected.values).max()
    assert error + np.abs(base_value - expected.base_value) > 1e-6


@pytest.mark.parametrize("error", [0.0, 1e-6])
def test_long_paths_are_left_to_shapiq_where_it_gives_shaps_values(
    error: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees, X = fitted("forest"), records(1)
    by_lookup = make_path_dependent(trees)
    assert by_lookup is not None
    n_records = []

    def by_shapiq(matrix: Any) -> Attribution:
        n_records.append(len(matrix))
        values, base_value = by_lookup(matrix)
        return Attribution(values + error, base_value)

    def make_by_shapiq(_: Any) -> Attribute:
        return by_shapiq

    monkeypatch.setattr(tree_shap, "make_by_shapiq", make_by_shapiq)
    attribute(trees, X)
    assert not n_records
    monkeypatch.setattr(tree_paths, "NUMBERS_LIMIT", SMALL_LIMIT)
    assert_same(attribute(trees, X), by_lookup(X))
    assert n_records == ([N_TRIALS] if error else [N_TRIALS, len(X)])


def test_what_refuses_the_trials_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trees, X = fitted("forest"), records(1)
    expected = attribute(trees, X)

    def refuse(matrix: Any) -> Attribution:
        raise ValueError(f"{len(matrix)} records are refused")

    def make_refusing(*_: Any) -> Attribute:
        return refuse

    monkeypatch.setattr(tree_shap, "make_lookup", make_refusing)
    monkeypatch.setattr(tree_shap, "make_by_shapiq", no_attribute)
    assert_same(attribute(trees, X), expected)
