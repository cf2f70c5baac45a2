"""Values of what predicts several things at once, against brute force over all coalitions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import (
    ClassifierChain,
    MultiOutputClassifier,
    MultiOutputRegressor,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier, XGBRegressor

from python.app import create_app
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.laws import ask
from tests.model.explain.tree_models import catboost, score, table, xgboost
from tests.model.explain.truth import Matrix, brute_force, load
from tests.models import features
from tests.records import explain

DATA = table()
SCORE = score(DATA)
NUMBERS = np.column_stack([SCORE, 300 + SCORE**2])
THREE_NUMBERS = np.column_stack([NUMBERS, DATA["rate"]])
LABELS = np.column_stack([SCORE > 0, DATA["rate"] > 0]) * 1
MIXED = np.column_stack(
    [SCORE > 0, np.digitize(SCORE, [-2, 2]), DATA["rate"] > 0]
)
ROWS = DATA[:2]
BACKGROUND = DATA[20:32]
small = {"n_estimators": 8, "max_depth": 4, "random_state": 0}

# Estimators and targets, and whether they are explained without samples.
REGRESSORS: dict[str, tuple[Any, Any, bool]] = {
    "forest": (RandomForestRegressor(**small), NUMBERS, True),
    "extra trees": (ExtraTreesRegressor(**small), THREE_NUMBERS, True),
    "each by a forest": (
        MultiOutputRegressor(RandomForestRegressor(**small)),
        NUMBERS,
        True,
    ),
    "scaled": (
        make_pipeline(StandardScaler(), RandomForestRegressor(**small)),
        THREE_NUMBERS,
        True,
    ),
    "linear": (LinearRegression(), NUMBERS, False),
    "XGBoost": (XGBRegressor(**xgboost), NUMBERS, True),
    "XGBoost, trees for all": (
        XGBRegressor(multi_strategy="multi_output_tree", **xgboost),
        THREE_NUMBERS,
        True,
    ),
    "CatBoost": (
        CatBoostRegressor(loss_function="MultiRMSE", **catboost),
        NUMBERS,
        True,
    ),
}
CLASSIFIERS: dict[str, tuple[Any, Any, bool]] = {
    "forest": (RandomForestClassifier(**small), LABELS, True),
    "tree": (DecisionTreeClassifier(max_depth=4), MIXED, True),
    "forest of mixed": (RandomForestClassifier(**small), MIXED, True),
    "each by a forest": (
        MultiOutputClassifier(RandomForestClassifier(**small)),
        MIXED,
        True,
    ),
    "neighbours": (KNeighborsClassifier(), MIXED, False),
    "one against the rest": (
        make_pipeline(
            StandardScaler(), OneVsRestClassifier(LogisticRegression())
        ),
        LABELS,
        True,
    ),
    "chain": (ClassifierChain(DecisionTreeClassifier()), LABELS, False),
    "XGBoost": (XGBClassifier(**xgboost), LABELS, True),
    "CatBoost": (
        CatBoostClassifier(loss_function="MultiLogloss", **catboost),
        LABELS,
        True,
    ),
}


def probabilities(model: Any, data: pd.DataFrame) -> Matrix:
    """Side by side, of two classes the second."""
    output = model.predict_proba(data)
    if not isinstance(output, list):
        return np.asarray(output, dtype=float)
    explained = [
        table[:, 1:] if table.shape[1] == 2 else table for table in output
    ]
    return np.concatenate(explained, axis=1)


def check(explanation: Any, output: Any, *, single: bool) -> None:
    """Compare with brute force; `single` is whether the library adds up float32."""
    outputs = output(BACKGROUND)
    largest = np.float32(np.abs(outputs).max())
    allowed = 1e-9 * float(np.ptp(outputs))
    if single:
        allowed = 4 * float(np.spacing(largest))
    for row, values in enumerate(explanation.values):
        record = ROWS.iloc[row : row + 1]
        expected = brute_force(output, record, BACKGROUND)
        assert values.shape == expected.shape
        assert np.abs(values - expected).max() <= allowed
    sums = explanation.base_value + explanation.values.sum(axis=1)
    assert np.abs(sums - output(ROWS)).max() <= 4 * allowed


def fit_and_load(case: Any) -> tuple[Any, SklearnModel, bool]:
    """Return a fitted estimator, the model of it, and whether that is explained alone."""
    estimator, target, alone = case
    model = estimator.fit(DATA, target)
    loaded = load(model, DATA)
    info = loaded.info()
    assert info["is_explainable"], info["reason"]
    assert info["needs_samples"] != alone
    return model, loaded, alone


@pytest.mark.parametrize("name", REGRESSORS)
def test_several_numbers_are_explained(name: str) -> None:
    model, loaded, alone = fit_and_load(REGRESSORS[name])
    explanation = explain(loaded, ROWS, BACKGROUND)
    assert explanation.output == "prediction"
    check(explanation, model.predict, single=name.startswith("XGBoost"))
    if alone:
        explanation = explain(loaded, ROWS)
        sums = explanation.base_value + explanation.values.sum(axis=1)
        assert sums == pytest.approx(model.predict(ROWS), rel=1e-5)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_several_labels_are_explained(name: str) -> None:
    model, loaded, alone = fit_and_load(CLASSIFIERS[name])

    def output(data: pd.DataFrame) -> Matrix:
        return probabilities(model, data)

    explanation = explain(loaded, ROWS, BACKGROUND)
    assert explanation.output == "probability"
    check(explanation, output, single=name == "XGBoost")
    if alone:
        explanation = explain(loaded, ROWS)
        sums = explanation.base_value + explanation.values.sum(axis=1)
        if explanation.output == "log_odds":
            sums = 1 / (1 + np.exp(-sums))
        assert sums == pytest.approx(output(ROWS), rel=1e-5)


def test_each_output_has_values_without_a_background_of_its_own_trees() -> (
    None
):
    """A forest for one of the numbers alone has the same values as among several."""
    forests = RandomForestRegressor(**small)
    model = MultiOutputRegressor(forests).fit(DATA, NUMBERS)
    together = explain(load(model, DATA), ROWS)
    for number, forest in enumerate(model.estimators_):
        alone = explain(load(forest, DATA), ROWS)
        assert together.values[:, :, number] == pytest.approx(alone.values)
        assert together.base_value[number] == pytest.approx(alone.base_value)


def test_the_response_has_an_explanation_for_each_output() -> None:
    model = RandomForestClassifier(**small).fit(DATA, MIXED)
    loaded = load(model, DATA)
    service = create_app(Settings(), loaded).test_client()
    rows = ROWS.to_dict("records")
    body = {"_data": rows, "_samples": BACKGROUND.to_dict("records")}
    answer = ask(service, "/predict?proba=1&explain=1", body)
    names = [feature["name"] for feature in features(DATA)]
    assert answer["explained_output"] == "probability"
    first, second, third = answer["base_value"]
    assert list(second) == ["0", "1", "2"]
    for of_record, prediction in zip(
        answer["explanation"], answer["prediction"], strict=True
    ):
        of_first, of_second, of_third = of_record
        assert list(of_first) == list(of_third) == names
        total = first + sum(of_first.values())
        assert total == pytest.approx(prediction[0]["1"], abs=1e-12)
        total = third + sum(of_third.values())
        assert total == pytest.approx(prediction[2]["1"], abs=1e-12)
        for label, values in of_second.items():
            total = second[label] + sum(values.values())
            assert total == pytest.approx(prediction[1][label], abs=1e-12)
    single = ask(service, "/predict?explain=1", rows[0])
    assert [list(values) for values in single["explanation"][::2]] == [
        names
    ] * 2


def test_numbers_have_a_base_value_each() -> None:
    model = RandomForestRegressor(**small).fit(DATA, NUMBERS)
    service = create_app(Settings(), load(model, DATA)).test_client()
    answer = ask(service, "/predict?explain=1", ROWS.to_dict("records"))
    assert answer["explained_output"] == "prediction"
    for of_record, prediction in zip(
        answer["explanation"], answer["prediction"], strict=True
    ):
        totals = [
            base + sum(values.values())
            for base, values in zip(
                answer["base_value"], of_record, strict=True
            )
        ]
        assert totals == pytest.approx(prediction)
