"""Values of trees against brute force over all coalitions, and which readings are proven."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import shap
from catboost import Pool
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

from python.model.estimator import split_steps
from python.model.explain import tables
from python.model.explain.attribution import Attribute
from python.model.explain.methods import Subject
from python.model.explain.origins import find_origins, sum_by_feature
from python.model.explain.outputs import find_outputs
from python.model.explain.paths import Paths
from python.model.explain.readings import (
    make_interventional,
    make_path_dependent,
)
from python.model.explain.tables import TABLES_LIMIT_NUMBERS
from tests import records as served
from tests.model.explain.tree_models import (
    CLASSIFIERS,
    Case,
    cases,
    raw_output,
    score,
    table,
)
from tests.model.explain.truth import (
    Matrix,
    brute_force,
    load,
    weigh,
    worths_by_cover,
)
from tests.models import ROOT, features

CASES = list(cases())
ROWS = slice(0, 4)
BACKGROUND = slice(20, 32)


def subject_of(model: Any, data: pd.DataFrame) -> Subject:
    steps = split_steps(model)
    probes = data.head(12)
    origins = find_origins(steps, data.shape[1], probes)
    return Subject(
        model, steps, probes, find_outputs(model, data.head(1)), origins
    )


def explain(
    attribute: Attribute | None, subject: Subject, data: pd.DataFrame
) -> tuple[Matrix, Matrix]:
    """The values, (n_records, n_features, n_outputs), and base values."""
    assert attribute is not None
    values, base = attribute(subject.steps.transform_sparse(data))[:2]
    return values.reshape(*data.shape, -1), np.ravel(base)


def tolerance(subject: Subject, outputs: Any) -> float:
    """A billionth of the spread; in float32, 4 units in the last place of the largest number."""
    assert subject.paths is not None
    spread = float(np.ptp(outputs))
    if subject.paths.trees.sum_precision is np.float32:
        largest = np.float32(np.abs(outputs).max())
        return 4 * float(np.spacing(largest))
    return 1e-9 * spread


def test_there_are_more_than_sixty_models() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_against_a_background_are_those_by_brute_force(
    case: Case,
) -> None:
    data = case.data
    model = case.fit(data)
    subject = subject_of(model, data)
    assert subject.paths is not None
    background = data[BACKGROUND]
    attribute = make_interventional(
        subject.paths,
        data.shape[1],
        subject.steps.transform_sparse(background),
    )
    values, base = explain(attribute, subject, data[ROWS])
    output = raw_output(model)
    expected = [
        brute_force(output, data.iloc[row : row + 1], background)
        for row in range(ROWS.start, ROWS.stop)
    ]
    outputs = np.asarray(output(background), dtype=float)
    allowed = tolerance(subject, outputs)
    assert np.abs(values - np.stack(expected)).max() <= allowed
    means = outputs.reshape(len(background), -1).mean(axis=0)
    assert np.abs(base - means).max() <= allowed


@pytest.mark.parametrize("case", CASES[::3], ids=str)
@pytest.mark.parametrize("limit", [TABLES_LIMIT_NUMBERS, 0])
def test_values_without_a_background_are_those_by_brute_force(
    case: Case, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    data = case.data
    subject = subject_of(case.fit(data), data)
    paths = subject.paths
    assert paths is not None
    n_features = data.shape[1]
    attribute = make_path_dependent(paths, n_features)
    rows = data[ROWS]
    values, base = explain(attribute, subject, rows)
    numbers = paths.trees.numbers(subject.steps.transform_sparse(rows))
    for record, of_record in zip(numbers, values, strict=True):
        by_coalition = worths_by_cover(
            paths.trees, subject.origins, record, n_features
        )
        expected = weigh(by_coalition, n_features)
        allowed = 1e-9 * float(np.ptp(by_coalition))
        assert np.abs(of_record - expected).max() <= allowed
        assert np.abs(base - by_coalition[0]).max() <= allowed


@pytest.mark.parametrize("name", ["tree", "forest", "boosting"])
@pytest.mark.parametrize("limit", [TABLES_LIMIT_NUMBERS, 0])
def test_values_of_columns_without_a_background_are_those_of_shap(
    name: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    data = table()
    model = CLASSIFIERS[name]().fit(data, score(data) > 0)
    subject = subject_of(model, data)
    assert subject.paths is not None
    values, base = explain(
        make_path_dependent(subject.paths, data.shape[1]), subject, data
    )
    explainer = shap.TreeExplainer(
        model, feature_perturbation="tree_path_dependent"
    )
    numbers = subject.paths.trees.numbers(data)
    expected = np.asarray(explainer.shap_values(numbers))
    expected = expected.reshape(*data.shape, -1)[:, :, -1:]
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    expected_base = np.ravel(explainer.expected_value)[-1:]
    assert base == pytest.approx(expected_base, abs=1e-12)


@pytest.mark.parametrize("gaps", [False, True])
def test_values_of_catboost_are_those_that_it_computes_itself(
    gaps: bool,
) -> None:
    """CatBoost's own values add up for trees that split alike at each depth, and for no others."""
    data = table(gaps=gaps)
    model = CLASSIFIERS["CatBoost"]().fit(data, score(data) > 0)
    subject = subject_of(model, data)
    assert subject.paths is not None
    values, base = explain(
        make_path_dependent(subject.paths, data.shape[1]), subject, data
    )
    expected = model.get_feature_importance(Pool(data), type="ShapValues")
    np.testing.assert_allclose(
        values[:, :, 0], expected[:, :-1], rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(base[0], expected[:, -1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("limit", [0, 60])
@pytest.mark.parametrize(
    "name", ["forest", "histogram boosting, 3 classes", "LightGBM, gaps"]
)
def test_long_paths_without_tables_have_the_same_values(
    name: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = [case for case in CASES if str(case) in (name, f"{name}, 300")]
    data = case.data
    subject = subject_of(case.fit(data), data)
    assert subject.paths is not None
    background = data[BACKGROUND]
    by_tables = make_interventional(subject.paths, data.shape[1], background)
    expected, expected_base = explain(by_tables, subject, data)
    monkeypatch.setattr(tables, "TABLES_LIMIT_NUMBERS", limit)
    by_pairs = make_interventional(subject.paths, data.shape[1], background)
    values, base = explain(by_pairs, subject, data)
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(base, expected_base, rtol=0, atol=1e-12)


def test_a_threshold_that_float32_rounds_up_to_a_value_attributes_right() -> (
    None
):
    data = pd.DataFrame(
        {
            "member": [0.0, 0, 1, 1, 1, 1],
            "rate": [0.1, 0.2, 0.1, 0.1, 0.2, 0.2],
        }
    )
    tree = DecisionTreeRegressor(random_state=0)
    tree.fit(data, [3.0, 3, 0, 0, 10, 10])
    record = pd.DataFrame({"member": [1.0], "rate": [0.1]})
    background = pd.DataFrame({"member": [0.0], "rate": [0.15]})
    explanation = served.explain(load(tree, data), record, background)
    assert explanation.values[0] == pytest.approx([2.0, -5.0], abs=1e-12)
    assert explanation.base_value == pytest.approx(3.0)


def test_encoded_columns_are_one_player() -> None:
    data = table(colours=True)
    encode = OneHotEncoder(sparse_output=False)
    columns = make_column_transformer(
        (encode, ["colour"]), remainder="passthrough"
    )
    forest = RandomForestRegressor(20, max_depth=5, random_state=0)
    model = make_pipeline(columns, forest).fit(data, score(data))
    loaded = load(model, data)
    background = data[BACKGROUND]
    explanation = served.explain(loaded, data[:3], background)
    assert loaded.info()["explanation_method"] == "tree path-dependent"
    expected = [
        brute_force(model.predict, data.iloc[row : row + 1], background)
        for row in range(3)
    ]
    np.testing.assert_allclose(
        explanation.values, np.stack(expected)[:, :, 0], rtol=0, atol=1e-10
    )
    matrix = pd.DataFrame(columns.transform(data))
    by_columns = brute_force(forest.predict, matrix[:1], matrix[BACKGROUND])
    origins = find_origins(split_steps(model), 5, data.head())
    assert origins is not None
    summed = sum_by_feature(by_columns.T, origins, 5)
    assert np.abs(summed - explanation.values[0]).max() > 0.01


def test_prices_behind_a_sparse_encoder_add_up_to_what_is_served() -> None:
    data = table(colours=True)
    encode = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (encode, ["colour"]),
        remainder="passthrough",
        sparse_threshold=1.0,
    )
    prices = 2e5 + 5e4 * score(data)
    regressor = XGBRegressor(n_estimators=30, max_depth=4, n_jobs=1)
    model = make_pipeline(columns, regressor).fit(data, prices)
    assert hasattr(columns.transform(data), "toarray")
    loaded = load(model, data)
    for background in (None, data[BACKGROUND]):
        explanation = served.explain(loaded, data[:5], background)
        assert explanation.output == "prediction"
        total = explanation.base_value + explanation.values.sum(axis=1)
        np.testing.assert_allclose(total, model.predict(data[:5]), rtol=1e-6)
    expected = brute_force(model.predict, data[:1], data[BACKGROUND])
    largest = np.float32(np.abs(model.predict(data)).max())
    error = np.abs(explanation.values[0] - expected[:, 0]).max()
    assert error <= 4 * np.spacing(largest)


def test_trees_that_predict_something_else_are_not_proven() -> None:
    class Twisted(RandomForestRegressor):  # type: ignore[misc]
        """Takes another way where a record is mixed of others."""

        def predict(self, X: Any) -> Any:
            moved = X.assign(rate=X["rate"] + 0.05 * X["member"])
            return super().predict(moved)

    data = table()
    plain = RandomForestRegressor(5, max_depth=4, random_state=0)
    plain.fit(data, score(data))
    assert subject_of(plain, data).paths is not None
    twisted = Twisted(5, max_depth=4, random_state=0).fit(data, score(data))
    assert subject_of(twisted, data).paths is None


def with_rounded_thresholds(paths: Paths) -> Paths:
    rounded = paths.tree.threshold.astype(np.float32).astype(float)
    return replace(paths, tree=replace(paths.tree, threshold=rounded))


def with_missing_elsewhere(paths: Paths) -> Paths:
    missing_left = ~paths.tree.missing_left
    return replace(paths, tree=replace(paths.tree, missing_left=missing_left))


def with_another_leaf(paths: Paths) -> Paths:
    outputs = paths.outputs.copy()
    outputs[len(outputs) // 2] += np.ptp(outputs) / 4
    return replace(paths, outputs=outputs)


@pytest.mark.parametrize(
    "name",
    [
        "tree, 3 classes",
        "forest, 300",
        "histogram boosting, poisson, 100000",
        "LightGBM, 0 is missing, 100000",
        "XGBoost, 100000",
        "XGBoost, gamma, 0",
    ],
)
@pytest.mark.parametrize(
    "break_reading",
    [with_rounded_thresholds, with_missing_elsewhere, with_another_leaf],
)
def test_readings_with_a_mistake_are_not_proven(
    name: str,
    break_reading: Callable[[Paths], Paths],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (case,) = [case for case in CASES if str(case) == name]
    data = case.data
    model = case.fit(data)
    right = subject_of(model, data).paths
    assert right is not None
    wrong = break_reading(right)
    before = right.tree.threshold[right.splits]
    after = wrong.tree.threshold[wrong.splits]
    if break_reading is with_rounded_thresholds and name.startswith("XGB"):
        # Its thresholds are float32 already.
        assert np.array_equal(before, after)
        return
    monkeypatch.setattr(Paths, "of", lambda *_: wrong)
    assert subject_of(model, data).paths is None


@pytest.mark.slow
def test_no_process_imports_shap_where_trees_are_read(tmp_path: Path) -> None:
    data = table(colours=True)
    columns = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    forest = RandomForestRegressor(5, max_depth=4, random_state=0)
    model = make_pipeline(columns, forest).fit(data, score(data))
    entries = features(data)
    content = {"model": model, "metadata": {"features": entries}}
    joblib.dump(content, tmp_path / "model.joblib")
    data.head(9).to_json(tmp_path / "rows.json", orient="records")
    script = """
import json, sys
from python.app import create_app
from python.settings import Settings
service = create_app(Settings(model_name=sys.argv[1])).test_client()
rows = json.load(open(sys.argv[2]))
for body in (rows, {"_data": rows, "_samples": rows}):
    response = service.post("/predict?explain=1", json=body)
    assert response.status_code == 200, response.text
assert service.get("/info").json["model"]["is_explainable"]
print("shap" in sys.modules)
"""
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            script,
            str(tmp_path / "model.joblib"),
            str(tmp_path / "rows.json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.stdout.splitlines()[-1:] == ["False"], run.stderr
