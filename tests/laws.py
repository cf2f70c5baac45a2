"""The laws: what every answer of every model obeys, whatever it was fitted with."""

import json
from typing import Any, NoReturn

import numpy as np
import pytest
from flask.testing import FlaskClient

from tests.models import Fitted

ROWS = 5
BACKGROUND_ROWS = 12
# How `predict` of a booster returns its margin.
MARGIN_OPTIONS: dict[str, dict[str, Any]] = {
    "LGBMClassifier": {"raw_score": True},
    "XGBClassifier": {"output_margin": True},
    "CatBoostClassifier": {"prediction_type": "RawFormulaVal"},
}
# They add up in 32 bits.
FLOAT32 = {"XGBClassifier", "CatBoostClassifier"}


def strict(text: str | bytes) -> Any:
    """Return a value of JSON as RFC 8259 has it: no NaN, no infinity."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def ask(client: FlaskClient, path: str, body: Any) -> Any:
    """Return what a request that succeeds brings back."""
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return strict(response.data)


def ask_info(client: FlaskClient) -> Any:
    return strict(client.get("/info").data)


def predict(client: FlaskClient, body: Any) -> Any:
    return ask(client, "/predict", body)["prediction"]


def inputs(fitted: Fitted) -> Any:
    """Return the first rows of the data in the form that the estimator was fitted with."""
    rows = fitted.data.head(ROWS)
    return (
        rows
        if hasattr(fitted.estimator, "feature_names_in_")
        else rows.to_numpy()
    )


def predicts_what_the_estimator_predicts(
    client: FlaskClient, fitted: Fitted
) -> None:
    expected = np.asarray(fitted.estimator.predict(inputs(fitted)))
    if expected.ndim == 2 and expected.shape[1] == 1:
        expected = expected[:, 0]
    assert are_alike(predict(client, fitted.records()), expected.tolist())


def keeps_the_order_of_records(client: FlaskClient, fitted: Fitted) -> None:
    forwards = predict(client, fitted.records())
    backwards = predict(client, fitted.records()[::-1])
    assert backwards == forwards[::-1]


def ignores_the_order_of_keys(client: FlaskClient, fitted: Fitted) -> None:
    turned = [dict(reversed(record.items())) for record in fitted.records()]
    expected = ask(client, "/predict", fitted.records())
    assert ask(client, "/predict", turned) == expected


def answers_one_record_as_in_a_batch(
    client: FlaskClient, fitted: Fitted
) -> None:
    together = predict(client, fitted.records())
    alone = [predict(client, record) for record in fitted.records()]
    assert are_alike(alone, [[prediction] for prediction in together])


def takes_an_envelope(client: FlaskClient, fitted: Fitted) -> None:
    plain = ask(client, "/predict", fitted.records())
    assert ask(client, "/predict", {"_data": fitted.records()}) == plain


def gives_probabilities_that_sum_to_one(
    client: FlaskClient, fitted: Fitted
) -> None:
    if not hasattr(fitted.estimator, "predict_proba"):
        response = client.post("/predict?proba=1", json=fitted.records())
        assert response.status_code == 422
        return
    rows = ask(client, "/predict?proba=1", fitted.records())["prediction"]
    names = ask_info(client)["model"]["class_names"]
    if isinstance(names[0], list):
        check_probabilities_of_outputs(rows, names, fitted)
        return
    assert [list(row) for row in rows] == [names] * ROWS
    probabilities = [list(row.values()) for row in rows]
    assert np.allclose(np.sum(probabilities, axis=1), 1)
    expected = fitted.estimator.predict_proba(inputs(fitted))
    assert np.allclose(probabilities, expected, rtol=1e-12)


def explains_by_values_that_add_up(
    client: FlaskClient, fitted: Fitted
) -> None:
    check_explanation(client, fitted, fitted.records(), has_background=False)


def explains_against_a_background(client: FlaskClient, fitted: Fitted) -> None:
    body = {
        "_data": fitted.records(),
        "_samples": fitted.records(BACKGROUND_ROWS),
    }
    output = check_explanation(client, fitted, body, has_background=True)
    if hasattr(fitted.estimator, "predict_proba") and output:
        assert output == "probability"


def explains_one_record_as_in_a_batch(
    client: FlaskClient, fitted: Fitted
) -> None:
    if not ask_info(client)["model"]["is_explainable"]:
        return
    background = {"_samples": fitted.records(BACKGROUND_ROWS)}
    records = fitted.records()
    together = ask(
        client, "/predict?explain=1", {"_data": records} | background
    )
    alone = ask(
        client, "/predict?explain=1", {"_data": records[0]} | background
    )
    kind = list if isinstance(alone["base_value"], list) else dict
    assert isinstance(alone["explanation"], kind)
    first = flatten(together["explanation"][0])
    assert flatten(alone["explanation"]) == pytest.approx(first, abs=1e-9)
    assert alone["base_value"] == pytest.approx(
        together["base_value"], abs=1e-9
    )


def names_its_features(client: FlaskClient, fitted: Fitted) -> None:
    features = strict(client.get("/features").data)
    assert [feature["name"] for feature in features] == list(
        fitted.data.columns
    )
    assert ask_info(client)["metadata"]["features"] == features
    assert len({"importance" in feature for feature in features}) == 1
    for feature in features:
        assert isinstance(feature.get("importance", 0.0), float)


def shows_what_the_last_step_sees(client: FlaskClient, fitted: Fitted) -> None:
    rows = ask(client, "/preprocess", fitted.records())
    assert len(rows) == ROWS
    assert len({tuple(row) for row in rows}) == 1


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


def check_probabilities_of_outputs(
    rows: list[Any], names: list[list[str]], fitted: Fitted
) -> None:
    """Assert that each record has an object for each of several labels, as the estimator has it."""
    expected = fitted.estimator.predict_proba(inputs(fitted))
    for row, probabilities in zip(rows, expected, strict=True):
        assert [list(output) for output in row] == names
        for output, probability in zip(row, probabilities, strict=True):
            assert output["1"] == pytest.approx(probability, rel=1e-12)
            assert sum(output.values()) == pytest.approx(1)


def check_explanation(
    client: FlaskClient, fitted: Fitted, body: Any, *, has_background: bool
) -> str:
    """Assert that base value and values add up to the output of the estimator itself.

    Returns the name of the output; "" if the model is not explained like this.
    """
    response = client.post("/predict?explain=1", json=body)
    model = ask_info(client)["model"]
    is_explained = model["is_explainable"]
    if is_explained and model["needs_samples"]:
        is_explained = has_background
    if not is_explained:
        assert response.status_code == 422
        return ""
    answer = strict(response.data)
    assert response.status_code == 200, answer
    names = list(fitted.data.columns)
    sums = add_up(answer, names)
    output: str = answer["explained_output"]
    # The trees that shap compares with a background are in 32 bits.
    is_exact = (
        type(fitted.estimator).__name__ not in FLOAT32 and not has_background
    )
    relative, absolute = (1e-9, 1e-9) if is_exact else (1e-4, 1e-6)
    expected = pytest.approx(sums, rel=relative, abs=absolute)
    assert output_of_the_estimator(fitted, output) == expected
    return output


def add_up(answer: Any, names: list[str]) -> Any:
    """Return base value plus values, (n_records,) or with classes (n_records, n_classes).

    Those of several outputs stand side by side.
    """
    base_value = answer["base_value"]
    if isinstance(base_value, list):
        by_output = []
        for number, of_output in enumerate(base_value):
            part = {
                "base_value": of_output,
                "explanation": [
                    of_record[number] for of_record in answer["explanation"]
                ],
            }
            sums = add_up(part, names)
            by_output.append(sums.reshape(len(sums), -1))
        return np.concatenate(by_output, axis=1)
    sums = []
    if not isinstance(base_value, dict):
        for values in answer["explanation"]:
            assert list(values) == names
            sums.append(base_value + sum(values.values()))
        return np.array(sums)
    for classes in answer["explanation"]:
        row = []
        for class_name, values in classes.items():
            assert list(values) == names
            row.append(base_value[class_name] + sum(values.values()))
        sums.append(row)
    return np.array(sums)


def output_of_the_estimator(fitted: Fitted, output: str) -> Any:
    """Return what the values must add up to, from the estimator's own public methods."""
    model = fitted.estimator
    rows = inputs(fitted)
    if output == "prediction":
        return model.predict(rows)
    if output == "log_prediction":
        return np.log(model.predict(rows))
    if output == "margin" and hasattr(model, "decision_function"):
        return model.decision_function(rows)
    if output == "probability":
        probabilities = model.predict_proba(rows)
        is_binary = probabilities.shape[1] == 2
        return probabilities[:, 1] if is_binary else probabilities
    options = MARGIN_OPTIONS.get(type(model).__name__)
    if options is not None:
        return model.predict(rows, **options)
    positive = model.predict_proba(rows)[:, 1]
    return np.log(positive) - np.log1p(-positive)


def flatten(explanation: Any) -> list[float]:
    """Return the values of an explanation one after the other, output by output, class by class."""
    values: list[float] = []
    if isinstance(explanation, list):
        for of_output in explanation:
            values.extend(flatten(of_output))
        return values
    for value in explanation.values():
        if isinstance(value, dict):
            values.extend(value.values())
        else:
            values.append(value)
    return values


def are_alike(predictions: list[Any], expected: list[Any]) -> bool:
    """Whether labels are the same, and numbers but for the order in which they were added."""
    if np.asarray(expected).dtype == float:
        return bool(np.allclose(predictions, expected, rtol=1e-12, atol=1e-12))
    return predictions == expected
