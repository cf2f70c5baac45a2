"""The model to come."""

import time
from concurrent.futures import Future
from pathlib import Path

import joblib
import pytest

from python.app import create_app
from python.errors import ArtifactError
from python.loading import load, load_in_background
from python.model.base import Model
from python.settings import Settings
from tests.models import build
from tests.problems import problem

SECONDS_TO_LOAD = 30


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "model.joblib"
    joblib.dump(build("build_linear_binary").content, path)
    return Settings(model_name=str(path))


def test_a_model_is_sped_up_while_it_is_served(settings: Settings) -> None:
    model = load(settings)
    deadline = time.monotonic() + SECONDS_TO_LOAD
    while not model.info()["fast_predict"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert model.info()["fast_predict"] is True


def test_a_model_is_loaded_in_the_background(settings: Settings) -> None:
    future: Future[Model] = Future()
    client = create_app(settings, future).test_client()
    load_in_background(settings, future)
    model = future.result(SECONDS_TO_LOAD)
    assert client.get("/ready").text == "ready"
    assert client.get("/ready").headers["X-Model-Version"] == model.version


def test_why_a_model_cannot_be_loaded_is_in_the_log_and_in_ready(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(model_name=str(tmp_path / "none.joblib"))
    future: Future[Model] = Future()
    client = create_app(settings, future).test_client()
    load_in_background(settings, future)
    assert isinstance(future.exception(SECONDS_TO_LOAD), ArtifactError)
    problem(client.get("/ready"), 503, "No such file or directory")
    assert "not ready: " in caplog.text


def test_a_process_that_cannot_serve_does_not_start(tmp_path: Path) -> None:
    settings = Settings(model_name=str(tmp_path / "none.joblib"))
    with pytest.raises(ArtifactError, match="No such file or directory"):
        create_app(settings)


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
    future.set_exception(
        ArtifactError("model.joblib holds a list, not a dict")
    )
    response = client.get("/ready")
    problem(response, 503, "not ready: model.joblib holds a list, not a dict")
    assert response.headers["Retry-After"] == "60"


def test_a_load_that_failed_in_an_unforeseen_way_keeps_the_reason_to_the_log() -> (
    None
):
    future: Future[Model] = Future()
    future.set_exception(RuntimeError("secret"))
    document = problem(
        create_app(Settings(), future).test_client().get("/ready"),
        503,
        "not ready",
    )
    assert "secret" not in document["detail"]
