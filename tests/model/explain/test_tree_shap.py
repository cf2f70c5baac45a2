"""Which trees are explained by shap, where the reading does not take them, and how exactly."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from python.model.explain import paths
from python.model.explain.attribution import Attribution
from python.model.explain.tree_shap import (
    MAX_NODES_WITH_BACKGROUND,
    make_interventional,
    make_path_dependent,
)
from tests.matrix import fit
from tests.model.explain.forests import TREES, fitted, records, values_of_shap
from tests.model.explain.truth import load, shapley_values, total
from tests.models import numbers
from tests.records import explain, of_data


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
        ("LightGBM", False, False),
        ("XGBoost", False, False),
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
    ["decision tree", "random forest", "gradient boosting"],
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


@pytest.mark.parametrize(
    "predictor",
    [
        DecisionTreeRegressor(max_depth=6, random_state=0),
        RandomForestRegressor(4, max_depth=6, random_state=0),
    ],
)
def test_thresholds_that_float32_would_round_up_to_a_value_are_rounded_down(
    predictor: Any,
) -> None:
    choose = np.random.default_rng(0)
    X = choose.integers(-9, 10, size=(300, 4)) / 10
    y = X[:, 0] * X[:, 1] + X[:, 2] - X[:, 3] ** 2
    predictor.fit(X, y)
    background = X[50:80]
    explain_columns = make_interventional(predictor, background)
    assert explain_columns is not None
    values, _ = explain_columns(X[:5])
    expected = [
        shapley_values(predictor.predict, record, background)
        for record in X[:5]
    ]
    assert values == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("background", [False, True])
def test_trees_that_are_too_large_to_be_read_are_left_to_shap(
    background: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = numbers()
    forest = RandomForestRegressor(9, max_depth=4, random_state=0)
    model = load(forest.fit(data, data.sum(axis=1)), data)
    rows = data.iloc[20:40] if background else None
    expected = explain(model, data.head(3), rows)
    monkeypatch.setattr(paths, "NODES_LIMIT", 1)
    explanation = explain(load(forest, data), data.head(3), rows)
    assert explanation.values == pytest.approx(expected.values, abs=1e-6)
    method = "tree interventional" if background else "tree path-dependent"
    samples = None if rows is None else of_data(model.schema, rows)
    assert model.explanation_method(samples) == method
