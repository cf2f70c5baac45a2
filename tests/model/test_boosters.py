"""Boosters without an estimator around them: refused, each with a cure that works."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from catboost import CatBoost

from tests.artifacts import FEATURES, NAMES, client_of, content, post, refusal
from tests.models import ROOT

ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(60, 2)), columns=NAMES
)
RECORDS = ROWS.head(5).to_dict("records")
TWO = (ROWS["x"] > 0).astype(int)
THREE = pd.Series(np.digitize(ROWS["x"], [-0.5, 0.5]))
QUIET = {"verbose": -1, "min_data_in_leaf": 2}
CATBOOST_OPTIONS = {
    "iterations": 3,
    "verbose": 0,
    "allow_writing_files": False,
}


def train_lightgbm(target: Any, **options: Any) -> Any:
    return lightgbm.train(
        {**QUIET, **options}, lightgbm.Dataset(ROWS, target), 3
    )


def train_xgboost(target: Any, **options: Any) -> Any:
    return xgboost.train(options, xgboost.DMatrix(ROWS, target), 3)


def read_wrapper() -> Any:
    """Return the class that the documentation wraps a booster with."""
    page = (ROOT / "docs" / "outputs.md").read_text()
    start = page.index("import numpy as np\nfrom sklearn.base")
    source = page[start : page.index("```", start)]
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace["BoosterClassifier"]


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (TWO, {"objective": "binary"}),
        (TWO, {"application": "binary"}),
        (TWO, {"objective": "cross_entropy"}),
        (TWO, {"objective": "cross_entropy_lambda"}),
        (THREE, {"objective": "multiclass", "num_class": 3}),
        (THREE, {"objective": "multiclassova", "num_class": 3}),
    ],
)
def test_a_booster_of_lightgbm_with_classes_is_refused(
    target: Any, options: dict[str, Any]
) -> None:
    trained = train_lightgbm(target, **options)
    loaded = lightgbm.Booster(model_str=trained.model_to_string())
    for booster in (trained, loaded):
        sentence = refusal(content(FEATURES, booster))
        assert sentence.startswith(
            "the model is a Booster of LightGBM with the"
        )
        assert "fit an LGBMClassifier, or wrap the booster" in sentence


def test_the_booster_inside_a_classifier_of_lightgbm_is_refused() -> None:
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)
    booster = model.fit(ROWS, TWO).booster_
    assert "objective binary" in refusal(content(FEATURES, booster))


@pytest.mark.parametrize("objective", ["regression", "poisson", "lambdarank"])
def test_a_booster_of_lightgbm_that_predicts_numbers_is_served(
    objective: str,
) -> None:
    data = lightgbm.Dataset(ROWS, TWO, group=[30, 30])
    booster = lightgbm.train({**QUIET, "objective": objective}, data, 3)
    answer = post(client_of(content(FEATURES, booster)), "/predict", RECORDS)
    assert answer["prediction"] == booster.predict(ROWS.head(5)).tolist()


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (TWO, {"objective": "binary"}),
        (THREE, {"objective": "multiclass", "num_class": 3}),
    ],
)
def test_a_wrapped_booster_of_lightgbm_is_served(
    target: Any, options: dict[str, Any]
) -> None:
    booster = train_lightgbm(target, **options)
    model = read_wrapper()(booster)
    client = client_of(content(FEATURES, model))
    rows = post(client, "/predict?proba=1", RECORDS)["prediction"]
    probabilities = booster.predict(ROWS.head(5))
    if probabilities.ndim == 1:
        probabilities = np.column_stack([1 - probabilities, probabilities])
    assert [list(row.values()) for row in rows] == probabilities.tolist()
    labels = post(client, "/predict", RECORDS)["prediction"]
    assert labels == probabilities.argmax(axis=1).tolist()


@pytest.mark.parametrize(
    ("target", "options", "name"),
    [
        (TWO, {"objective": "binary:logistic"}, "XGBClassifier"),
        (THREE, {"objective": "multi:softprob", "num_class": 3}, "XGBClassifier"),
        (THREE, {"objective": "multi:softmax", "num_class": 3}, "XGBClassifier"),
        (ROWS["y"], {"objective": "reg:squarederror"}, "XGBRegressor"),
        (TWO + 1, {"objective": "count:poisson"}, "XGBRegressor"),
        (TWO, {"objective": "rank:pairwise"}, "XGBRanker"),
    ],
)  # fmt: skip
def test_a_booster_of_xgboost_is_refused_with_a_cure_that_works(
    target: Any, options: dict[str, Any], name: str, tmp_path: Path
) -> None:
    booster = train_xgboost(target, **options)
    sentence = refusal(content(FEATURES, booster))
    assert 'booster.save_model("booster.json")' in sentence
    assert f"model = {name}()" in sentence
    path = str(tmp_path / "booster.json")
    booster.save_model(path)
    model = getattr(xgboost, name)()
    model.load_model(path)
    client = client_of(content(FEATURES, model))
    predicted = booster.predict(xgboost.DMatrix(ROWS.head(5)))
    answer = post(client, "/predict", RECORDS)["prediction"]
    if name != "XGBClassifier":
        assert answer == predicted.tolist()
        return
    rows = post(client, "/predict?proba=1", RECORDS)["prediction"]
    probabilities = np.array([list(row.values()) for row in rows])
    assert answer == probabilities.argmax(axis=1).tolist()
    if options["objective"] == "multi:softmax":
        assert answer == predicted.tolist()
    elif probabilities.shape[1] == 2:
        assert np.allclose(probabilities[:, 1], predicted, atol=1e-7)
    else:
        assert np.allclose(probabilities, predicted, atol=1e-7)


@pytest.mark.parametrize(
    ("target", "loss"), [(TWO, "Logloss"), (THREE, "MultiClass")]
)
def test_a_classifier_that_predicts_scores_is_refused(
    target: Any, loss: str
) -> None:
    """`CatBoost` has classes, but predicts margins unless it is told otherwise."""
    model = CatBoost({"loss_function": loss, **CATBOOST_OPTIONS})
    sentence = refusal(content(FEATURES, model.fit(ROWS, target)))
    assert sentence.startswith('the model has the classes "0", "1"')
    assert "a score: serve a classifier whose predict() returns" in sentence
