"""Artifacts of a small model, whole or with one thing wrong, and what is said of them."""

import json
from typing import Any

import pandas as pd
import pytest
from flask import request
from flask.testing import FlaskClient
from sklearn.linear_model import LogisticRegression

from python.app import create_app
from python.errors import ArtifactError
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings

NAMES = ["x", "y"]
X = pd.DataFrame([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0]], columns=NAMES)
MODEL = LogisticRegression().fit(X, [0, 1, 1])
FEATURES = [{"name": name, "type": "numeric"} for name in NAMES]
METADATA_KEYS = ("class_names", "versions")


def content(
    features: Any = FEATURES, model: Any = MODEL, **more: Any
) -> dict[str, Any]:
    """Return what a model file holds; `more` are further keys, of the metadata or of the file."""
    metadata = {"features": features}
    for key in METADATA_KEYS:
        if key in more:
            metadata[key] = more.pop(key)
    return {"model": model, "metadata": metadata, **more}


def features_with(**entry: Any) -> list[dict[str, Any]]:
    """Return the entries of both features, that of `x` with these changes."""
    return [FEATURES[0] | entry, FEATURES[1]]


def load(content: Any) -> SklearnModel:
    """Load a model from what a file holds."""
    return SklearnModel.load(Artifact.of(content))


def refusal(content: Any) -> str:
    """Return the one sentence with which such a file is refused."""
    with pytest.raises(ArtifactError) as caught:
        load(content)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def client_of(content: Any) -> FlaskClient:
    """Return a client of the service with a model from what a file holds.

    Explanations are prepared when they are first requested, or asked about: most tests do neither.
    """
    model = load(content)
    app = create_app(Settings(), model)

    @app.before_request
    def prepare() -> None:
        if request.path == "/info":
            model.prepare_explanations()

    return app.test_client()


def post(client: FlaskClient, path: str, payload: Any) -> Any:
    """Return what the service responds with to a payload, whose numbers are written in full."""
    response = client.post(path, data=json.dumps(payload))
    assert response.status_code == 200, response.text
    return response.get_json()


def problems(client: FlaskClient, payload: Any) -> dict[str, str]:
    """Return the details of the faults in a payload, by their pointers."""
    response = client.post("/predict", data=json.dumps(payload))
    assert response.status_code == 422, response.text
    errors = response.get_json()["errors"]
    return {error["pointer"]: error["detail"] for error in errors}
