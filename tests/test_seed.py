"""The requests of the original documentation page, answered as on it, values aside."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from python import __version__
from tests.laws import strict
from tests.serving import Client

RECORD = {"feature1": 1, "feature2": 1, "feature3": 2}


@pytest.fixture
def service(client: Client) -> FlaskClient:
    return client("build_rf_binary", debug=True)


def get(service: FlaskClient, path: str) -> Any:
    response = service.get(path)
    assert response.status_code == 200
    return (
        strict(response.data)
        if response.is_json
        else (response.mimetype, response.text)
    )


def post(service: FlaskClient, path: str, body: Any) -> Any:
    return strict(service.post(path, json=body).data)


def test_health(service: FlaskClient) -> None:
    assert get(service, "/health") == ("text/plain", "up")


def test_ready(service: FlaskClient) -> None:
    assert get(service, "/ready") == ("text/plain", "ready")


def test_service_info(service: FlaskClient) -> None:
    info = get(service, "/service-info")
    assert isinstance(info.pop("running-since"), float)
    assert info == {
        "debug": True,
        "environment": "development",
        "serving-model-name": "model.joblib",
        "serving-model-type": "SKLEARN_MODEL",
        "version-template": __version__,
    }


def test_info(service: FlaskClient) -> None:
    info = get(service, "/info")
    forest = "<class 'sklearn.ensemble._forest.RandomForestClassifier'>"
    assert info["metadata"]["features"] == get(service, "/features")
    assert info["model"] == {
        "type": forest,
        "predictor_type": forest,
        "has_probabilities": True,
        "probabilities_reason": None,
        "explanation": "ready",
        "is_explainable": True,
        "reason": None,
        "explanation_method": "tree path-dependent",
        "explanation_exactness": "exact",
        "explanation_proven": "values",
        "explanation_worst_error": info["model"]["explanation_worst_error"],
        "explanation_players": "features",
        "explanation_background": "training data",
        "needs_samples": False,
        "fast_predict": True,
        "fast_predict_reason": None,
        "other_versions": [],
        "task": "BINARY_CLASSIFICATION",
        "class_names": ["0", "1"],
    }


def test_predictions(service: FlaskClient) -> None:
    answer = post(service, "/predict", [RECORD, RECORD])
    assert answer == {"prediction": [answer["prediction"][0]] * 2}
    assert answer["prediction"][0] in (0, 1)


def test_probabilities(service: FlaskClient) -> None:
    answer = post(service, "/predict?proba=1", RECORD)
    assert list(answer) == ["prediction"]
    assert [list(row) for row in answer["prediction"]] == [["0", "1"]]


def test_features(service: FlaskClient) -> None:
    features = get(service, "/features")
    assert [(f["name"], f["type"], f["default"]) for f in features] == [
        (name, "numeric", -1) for name in RECORD
    ]
    assert sum(feature["importance"] for feature in features) == pytest.approx(
        1
    )


def test_explanations(service: FlaskClient) -> None:
    answer = post(service, "/predict?proba=1&explain=1", RECORD)
    assert list(answer["explanation"]) == list(RECORD)
    total = answer["base_value"] + sum(answer["explanation"].values())
    assert answer["explained_output"] == "probability"
    assert total == pytest.approx(answer["prediction"][0]["1"], abs=1e-12)
