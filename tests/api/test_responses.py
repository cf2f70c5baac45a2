"""Answers and faults of ours."""

import logging
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from python.api.request_id import request_id
from python.app import create_app
from python.errors import ArtifactError
from python.model.artifact import Artifact
from python.model.base import Model
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.laws import strict
from tests.problems import problem
from tests.serving import Client

FEATURE = {"name": "x", "type": "numeric"}


class Odd:
    """An estimator of its own making: no tags, no scikit-learn."""

    broken = False

    def predict(self, X: Any) -> Any:
        if self.broken or float(np.asarray(X)[0, 0]) == 7654.25:
            raise RuntimeError(f"the value is {np.asarray(X)[0, 0]}")
        return np.full(len(X), np.nan)


def odd(**metadata: Any) -> SklearnModel:
    return SklearnModel.load(
        Artifact.of({"model": Odd(), "metadata": {"features": [FEATURE], **metadata}})
    )


def test_nan_leaves_as_null() -> None:
    response = (
        create_app(Settings(), odd()).test_client().post("/predict", json={"x": 1})
    )
    assert strict(response.data) == {"prediction": [None]}


def test_metadata_of_any_kind_leaves_as_json() -> None:
    model = odd(
        fitted_on=np.datetime64("2026-01-02"),
        scores=np.array([0.5]),
        count=np.int64(3),
        by=Odd,
    )
    metadata = strict(create_app(Settings(), model).test_client().get("/info").data)[
        "metadata"
    ]
    assert metadata == {**metadata, "scores": [0.5], "count": 3, "by": str(Odd)}


def test_a_fault_of_ours_shows_an_id_and_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = odd()
    model.estimator.broken = True
    client = create_app(Settings(), model).test_client()
    response = client.post(
        "/predict", json={"x": 7654.25}, headers={"X-Request-ID": "abc-1"}
    )
    document = problem(response, 500)
    assert document["request_id"] == response.headers["X-Request-ID"] == "abc-1"
    assert "RuntimeError" not in response.text
    logged = next(
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.ERROR
    )
    assert "RuntimeError" in logged
    assert "in predict" in logged
    assert "7654" not in caplog.text
    model.estimator.broken = False
    assert client.post("/predict", json={"x": 1}).status_code == 200


def test_a_value_that_a_model_stumbles_over_is_pointed_at_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = create_app(Settings(), odd()).test_client()
    errors = {"#/0/x": "the model does not take this value"}
    problem(
        client.post("/predict", json=[{"x": 7654.25}, {"x": 1}]),
        422,
        "the model does not take these values",
        errors,
    )
    assert "RuntimeError" in caplog.text
    assert "7654" not in caplog.text


def test_a_request_that_has_not_come_in_from_outside_has_no_id() -> None:
    with create_app(Settings(), odd()).test_request_context():
        assert request_id() == "-"


def test_classes_and_features_of_any_name() -> None:
    names, classes = ['a "b"', "c\\d", "\n"], ['"', "\\\t"]
    X = np.arange(30.0).reshape(10, 3)
    model = SklearnModel.load(
        Artifact(
            RandomForestClassifier(2, random_state=0).fit(X, np.arange(10) > 4),
            {
                "features": [{"name": name, "type": "numeric"} for name in names],
                "class_names": classes,
            },
        )
    )
    client = create_app(Settings(), model).test_client()
    found = strict(
        client.post(
            "/predict?proba=1&explain=1", json=[dict(zip(names, X[0], strict=True))]
        ).data
    )
    assert list(found["prediction"][0]) == classes
    assert list(found["explanation"][0]) == names


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", "é"])
def test_a_request_id_that_is_none_is_replaced(sent: str, client: Client) -> None:
    given = (
        client().get("/health", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    )
    assert given != sent
    assert len(given) == 32


def test_while_the_model_is_loading_and_after_it_failed() -> None:
    future: Future[Model] = Future()
    client = create_app(Settings(), future).test_client()
    assert client.get("/health").text == "up"
    for method, path in (
        ("GET", "/ready"),
        ("GET", "/info"),
        ("GET", "/features"),
        ("POST", "/predict"),
        ("POST", "/preprocess"),
    ):
        response = client.open(path, method=method)
        problem(response, 503, "not ready: the model is being loaded")
        assert response.headers["Retry-After"] == "1"
    future.set_exception(ArtifactError("model.joblib holds a list, not a dict"))
    response = client.get("/ready")
    problem(response, 503, "not ready: model.joblib holds a list, not a dict")
    assert response.headers["Retry-After"] == "60"


def test_a_load_that_failed_in_an_unforeseen_way_keeps_the_reason_to_the_log() -> None:
    future: Future[Model] = Future()
    future.set_exception(RuntimeError("secret"))
    document = problem(
        create_app(Settings(), future).test_client().get("/ready"), 503, "not ready"
    )
    assert "secret" not in document["detail"]
