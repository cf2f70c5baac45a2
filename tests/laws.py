"""The laws: what every answer of every model obeys, whatever it was fitted with."""

import json
from typing import Any, NoReturn

import numpy as np
import pytest
from flask.testing import FlaskClient

from tests.models import Fitted

RAW: dict[str, dict[str, Any]] = {
    "LGBMClassifier": {"raw_score": True},
    "XGBClassifier": {"output_margin": True},
    "CatBoostClassifier": {"prediction_type": "RawFormulaVal"},
}
FLOAT32 = {"XGBClassifier", "CatBoostClassifier"}


def strict(text: str | bytes) -> Any:
    """JSON as RFC 8259 has it: no NaN, no infinity."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def ask(client: FlaskClient, path: str, body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return strict(response.data)


def predicts_what_the_estimator_predicts(client: FlaskClient, fitted: Fitted) -> None:
    expected = np.asarray(fitted.estimator.predict(rows(fitted)))
    expected = (
        expected[:, 0] if expected.ndim == 2 and expected.shape[1] == 1 else expected
    )
    answer = ask(client, "/predict", fitted.records())["prediction"]
    assert alike(answer, expected.tolist())


def keeps_the_order_of_records(client: FlaskClient, fitted: Fitted) -> None:
    there = ask(client, "/predict", fitted.records())["prediction"]
    assert ask(client, "/predict", fitted.records()[::-1])["prediction"] == there[::-1]


def ignores_the_order_of_keys(client: FlaskClient, fitted: Fitted) -> None:
    turned = [dict(reversed(record.items())) for record in fitted.records()]
    assert ask(client, "/predict", turned) == ask(client, "/predict", fitted.records())


def answers_one_record_as_in_a_batch(client: FlaskClient, fitted: Fitted) -> None:
    together = ask(client, "/predict", fitted.records())["prediction"]
    alone = [
        ask(client, "/predict", record)["prediction"] for record in fitted.records()
    ]
    assert alike(alone, [[row] for row in together])


def takes_an_envelope(client: FlaskClient, fitted: Fitted) -> None:
    assert ask(client, "/predict", {"_data": fitted.records()}) == ask(
        client, "/predict", fitted.records()
    )


def gives_probabilities_that_sum_to_one(client: FlaskClient, fitted: Fitted) -> None:
    if (
        not hasattr(fitted.estimator, "predict_proba")
        or fitted.estimator.predict(rows(fitted)).size > 5
    ):
        assert client.post("/predict?proba=1", json=fitted.records()).status_code == 422
        return
    answer = ask(client, "/predict?proba=1", fitted.records())["prediction"]
    names = ask_info(client)["model"]["class_names"]
    assert [list(row) for row in answer] == [names] * 5
    assert np.allclose([sum(row.values()) for row in answer], 1)
    assert np.allclose(
        [list(row.values()) for row in answer],
        fitted.estimator.predict_proba(rows(fitted)),
        rtol=1e-12,
    )


def explains_by_values_that_add_up(client: FlaskClient, fitted: Fitted) -> None:
    check_explanation(client, fitted, fitted.records(), None)


def explains_against_a_background(client: FlaskClient, fitted: Fitted) -> None:
    background = fitted.records(12)
    output = check_explanation(
        client, fitted, {"_data": fitted.records(), "_samples": background}, background
    )
    if hasattr(fitted.estimator, "predict_proba") and output:
        assert output == "probability"


def explains_one_record_as_in_a_batch(client: FlaskClient, fitted: Fitted) -> None:
    if not ask_info(client)["model"]["is_explainable"]:
        return
    background = {"_samples": fitted.records(12)}
    together = ask(
        client, "/predict?explain=1", {"_data": fitted.records()} | background
    )
    alone = ask(
        client, "/predict?explain=1", {"_data": fitted.records()[0]} | background
    )
    assert isinstance(alone["explanation"], dict)
    assert flat(alone["explanation"]) == pytest.approx(
        flat(together["explanation"][0]), abs=1e-9
    )
    assert alone["base_value"] == pytest.approx(together["base_value"], abs=1e-9)


def names_its_features(client: FlaskClient, fitted: Fitted) -> None:
    features = strict(client.get("/features").data)
    assert [feature["name"] for feature in features] == list(fitted.data.columns)
    assert ask_info(client)["metadata"]["features"] == features
    assert len({"importance" in feature for feature in features}) == 1
    assert all(
        isinstance(feature.get("importance", 0.0), float) for feature in features
    )


def shows_what_the_last_step_sees(client: FlaskClient, fitted: Fitted) -> None:
    answer = ask(client, "/preprocess", fitted.records())
    assert len(answer) == 5
    assert len({tuple(row) for row in answer}) == 1


LAWS = [
    predicts_what_the_estimator_predicts,
    keeps_the_order_of_records,
    ignores_the_order_of_keys,
    answers_one_record_as_in_a_batch,
    takes_an_envelope,
    gives_probabilities_that_sum_to_one,
    explains_by_values_that_add_up,
    explains_against_a_background,
    explains_one_record_as_in_a_batch,
    names_its_features,
    shows_what_the_last_step_sees,
]


def check_explanation(
    client: FlaskClient, fitted: Fitted, body: Any, background: Any
) -> str:
    """base + sum = the output of the estimator, asked outside of the service."""
    response = client.post("/predict?explain=1", json=body)
    model = ask_info(client)["model"]
    if not model["is_explainable"] or (model["needs_samples"] and background is None):
        assert response.status_code == 422
        return ""
    answer = strict(response.data)
    assert response.status_code == 200, answer
    several = isinstance(answer["base_value"], dict)
    names = list(fitted.data.columns)
    for row in answer["explanation"]:
        assert (
            [list(values) for values in row.values()] == [names] * len(row)
            if several
            else list(row) == names
        )
    base = np.array(
        list(answer["base_value"].values()) if several else answer["base_value"]
    )
    sums = [
        [sum(v.values()) for v in row.values()] if several else sum(row.values())
        for row in answer["explanation"]
    ]
    output: str = answer["explained_output"]
    total = base + np.array(sums)
    inexact = (
        type(fitted.estimator).__name__ in FLOAT32 or background is not None
    )  # shap's background trees are float32
    assert served(fitted, output) == pytest.approx(
        total, rel=1e-4 if inexact else 1e-9, abs=1e-6 if inexact else 1e-9
    )
    return output


def served(fitted: Fitted, output: str) -> Any:
    """What the values must add up to, from the estimator's own public methods."""
    model, X = fitted.estimator, rows(fitted)
    if output == "prediction":
        return model.predict(X)
    if output == "log_prediction":
        return np.log(model.predict(X))
    if output == "margin" and hasattr(model, "decision_function"):
        return model.decision_function(X)
    if output == "probability":
        probabilities = model.predict_proba(X)
        return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
    raw = RAW.get(type(model).__name__)
    if raw:
        return model.predict(X, **raw)
    positive = model.predict_proba(X)[:, 1]
    return np.log(positive) - np.log1p(-positive)


def rows(fitted: Fitted) -> Any:
    return (
        fitted.data.head(5)
        if hasattr(fitted.estimator, "feature_names_in_")
        else fitted.data.head(5).to_numpy()
    )


def ask_info(client: FlaskClient) -> Any:
    return strict(client.get("/info").data)


def flat(explanation: dict[str, Any]) -> list[float]:
    return [
        v
        for value in explanation.values()
        for v in (value.values() if isinstance(value, dict) else [value])
    ]


def alike(a: list[Any], b: list[Any]) -> bool:
    """The same labels; the same numbers, but for the order in which the processor added."""
    return (
        bool(np.allclose(a, b, rtol=1e-12, atol=1e-12))
        if np.asarray(b).dtype == float
        else a == b
    )
