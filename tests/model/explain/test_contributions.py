"""The boosters' own contributions, as their libraries return them; and what they add up to."""

from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor, Pool
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.ensemble import RandomForestClassifier
from xgboost import DMatrix, XGBClassifier, XGBRegressor

from python.model.explain.attribution import Attribution
from python.model.explain.contributions import make_contributions
from tests.matrix import MARGIN, fit
from tests.model.explain.truth import load, total
from tests.models import mixed, numbers
from tests.records import explain

BOOSTERS = ("LightGBM", "XGBoost", "CatBoost")
CATBOOST: dict[str, Any] = {
    "iterations": 5,
    "verbose": 0,
    "allow_writing_files": False,
}


def attribute(predictor: Any, columns: Any) -> Attribution:
    explain_columns = make_contributions(predictor)
    assert explain_columns is not None
    return explain_columns(columns)


def margin(library: str, predictor: Any, columns: Any) -> Any:
    return predictor.predict(columns, **MARGIN[library])


@pytest.mark.parametrize("library", BOOSTERS)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_values_of_one_output_are_those_of_the_library(
    library: str, task: str
) -> None:
    predictor = fit(library, task, "missing")
    columns = numbers(missing=True).head(9)
    if library == "LightGBM":
        expected = predictor.predict(columns, pred_contrib=True)
    elif library == "XGBoost":
        matrix = DMatrix(columns)
        expected = predictor.get_booster().predict(matrix, pred_contribs=True)
    else:
        pool = Pool(columns)
        expected = predictor.get_feature_importance(pool, type="ShapValues")
    values, base_value = attribute(predictor, columns)[:2]
    assert values == pytest.approx(expected[:, :-1], abs=1e-12)
    assert np.full(9, base_value) == pytest.approx(expected[:, -1], abs=1e-12)


@pytest.mark.parametrize("library", BOOSTERS)
@pytest.mark.parametrize("data", ["numbers", "missing", "categories"])
def test_values_of_each_class_add_up_to_its_margin(
    library: str, data: str
) -> None:
    predictor = fit(library, "three classes", data)
    columns = (
        mixed() if data == "categories" else numbers(missing=data == "missing")
    )
    values, base_value = attribute(predictor, columns)[:2]
    assert values.shape == (*columns.shape, 3)
    assert base_value.shape == (3,)
    expected = margin(library, predictor, columns)
    assert base_value + values.sum(axis=1) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("kind", [XGBClassifier, XGBRegressor])
def test_the_trees_after_the_best_iteration_are_left_out(kind: Any) -> None:
    columns = numbers()
    target = (columns["size"] > 0) * 1
    halves = columns[::2], target[::2], columns[1::2], target[1::2]
    predictor = kind(n_estimators=50, early_stopping_rounds=2, learning_rate=1)
    predictor.fit(*halves[:2], eval_set=[halves[2:]], verbose=False)
    assert (
        predictor.best_iteration
        < predictor.get_booster().num_boosted_rounds() - 1
    )
    values, base_value = attribute(predictor, columns)[:2]
    expected = margin("XGBoost", predictor, columns)
    assert base_value + values.sum(axis=1) == pytest.approx(expected, abs=1e-5)


def test_the_value_that_stands_for_a_missing_one_is_xgboosts() -> None:
    columns = numbers(missing=True).fillna(-9.0)
    predictor = XGBRegressor(n_estimators=5, missing=-9.0).fit(
        columns, columns["size"]
    )
    values, base_value = attribute(predictor, columns)[:2]
    expected = predictor.predict(columns)
    assert base_value + values.sum(axis=1) == pytest.approx(expected, abs=1e-5)


def test_a_linear_booster_has_contributions_although_it_has_no_trees() -> None:
    columns = numbers()
    predictor = XGBRegressor(booster="gblinear", n_estimators=5)
    predictor.fit(columns, columns["size"])
    values, base_value = attribute(predictor, columns)[:2]
    expected = predictor.predict(columns)
    assert base_value + values.sum(axis=1) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "predictor",
    [
        LGBMClassifier(
            objective="multiclass", num_class=2, n_estimators=5, verbose=-1
        ),
        CatBoostClassifier(loss_function="MultiClass", **CATBOOST),
    ],
    ids=lambda predictor: type(predictor).__name__,
)
def test_two_margins_are_one_log_odds(predictor: Any) -> None:
    data = numbers()
    predictor.fit(data, np.where(data["size"] > 0, "b", "a"))
    explanation = explain(load(predictor, data), data.head(9))
    probability = predictor.predict_proba(data.head(9))[:, 1]
    assert explanation.output == "log_odds"
    log_odds = np.log(probability / (1 - probability))
    assert total(explanation) == pytest.approx(log_odds)


@pytest.mark.parametrize(
    "kind", [LGBMRegressor, XGBRegressor, CatBoostRegressor]
)
def test_one_record_is_explained_as_in_a_batch(kind: Any) -> None:
    data = numbers()
    silent = CATBOOST if kind is CatBoostRegressor else {"n_estimators": 5}
    predictor = kind(**silent).fit(data, data["size"])
    values, base_value = attribute(predictor, data)[:2]
    one_value, one_base_value = attribute(predictor, data.iloc[7:8])[:2]
    assert one_value == pytest.approx(values[7:8])
    assert one_base_value == pytest.approx(base_value)


def test_other_models_have_none() -> None:
    assert make_contributions(RandomForestClassifier()) is None
