"""The model to come."""

import sys
import time
from concurrent.futures import Future
from pathlib import Path
from threading import Event

import joblib
import msgspec
import numpy as np
import pytest

from python import loading
from python.app import create_app
from python.errors import ArtifactError
from python.loading import load, load_in_background, load_to_serve
from python.model.base import Model
from python.model.explain.explainer import Explainer
from python.settings import Settings
from tests.artifacts import content
from tests.models import build
from tests.problems import problem

SECONDS_TO_LOAD = 30


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "model.joblib"
    joblib.dump(build("build_linear_binary").content, path)
    return Settings(model_name=str(path))


def test_what_serves_explains(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove_alone = Explainer.prove_alone
    proven = []

    def prove_late(self: Explainer) -> None:
        time.sleep(0.2)
        prove_alone(self)
        proven.append(self)

    monkeypatch.setattr(Explainer, "prove_alone", prove_late)
    load_to_serve(settings)
    assert len(proven) == 1


def test_what_takes_long_is_prepared_while_the_model_is_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_served = Event()

    def wait(*_: object, **__: object) -> None:
        is_served.wait(SECONDS_TO_LOAD)

    monkeypatch.setattr(loading, "prepare", wait)
    monkeypatch.setattr(loading, "EXPLAINS_AFTER_SECONDS", 0.01)
    model = load_to_serve(settings)
    assert not is_served.is_set()
    assert model.info()["explanation"] == "being prepared"
    is_served.set()


def test_a_model_is_sped_up_while_it_is_served(settings: Settings) -> None:
    model = load(settings)
    deadline = time.monotonic() + SECONDS_TO_LOAD
    while not model.info()["fast_predict"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert model.info()["fast_predict"] is True


def test_explanations_are_prepared_only_where_they_are_wanted(
    settings: Settings,
) -> None:
    model = load(settings, explains=False)
    deadline = time.monotonic() + SECONDS_TO_LOAD
    while not model.info()["fast_predict"] and time.monotonic() < deadline:
        time.sleep(0.01)
    # They would have been prepared before the model is sped up.
    assert model.info()["fast_predict"] is True
    assert model.info()["explanation"] == "being prepared"


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


def test_a_model_whose_examples_differ_is_not_ready(
    settings: Settings,
) -> None:
    artifact = joblib.load(settings.model_path)
    names = [feature["name"] for feature in artifact["metadata"]["features"]]
    records = [dict.fromkeys(names, 0.5)]
    artifact["examples"] = {"records": records, "predictions": [7]}
    joblib.dump(artifact, settings.model_path)
    future: Future[Model] = Future()
    client = create_app(settings, future).test_client()
    load_in_background(settings, future)
    assert isinstance(future.exception(SECONDS_TO_LOAD), ArtifactError)
    sentence = "not ready: example 0: the model said 7 when it was saved, here it says "
    problem(client.get("/ready"), 503, sentence)


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


def test_a_load_that_failed_in_an_unforeseen_way_names_the_type_and_logs_the_trace(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def load_model(*_: object) -> Model:
        raise RecursionError

    monkeypatch.setattr("python.loading.load_model", load_model)
    future: Future[Model] = Future()
    load_in_background(settings, future)
    assert isinstance(future.exception(SECONDS_TO_LOAD), RecursionError)
    client = create_app(settings, future).test_client()
    detail = "not ready: the model could not be loaded (RecursionError); the log has more"
    problem(client.get("/ready"), 503, detail)
    assert "RecursionError" in caplog.text
    assert "in load_model" in caplog.text


def test_a_request_does_not_wait_long_for_what_is_prepared(
    settings: Settings,
) -> None:
    """Python lets a thread compute for five milliseconds while another one waits."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.005)
    try:
        load_to_serve(settings)
        assert sys.getswitchinterval() <= 0.001
    finally:
        sys.setswitchinterval(before)


def test_a_copy_that_is_switched_off_says_so(settings: Settings) -> None:
    model = load(msgspec.structs.replace(settings, fast_predict=False))
    reason = model.info()["fast_predict_reason"]
    assert reason == "it is switched off (FAST_PREDICT=0)"


def test_a_copy_that_is_being_prepared_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_preparing = Event()
    may_end = Event()

    def make_copy(*_: object) -> None:
        is_preparing.set()
        may_end.wait(SECONDS_TO_LOAD)
        raise ValueError("no copy")

    monkeypatch.setattr("python.model.sklearn.make_copy", make_copy)
    model = load(settings)
    assert is_preparing.wait(SECONDS_TO_LOAD)
    assert model.info()["fast_predict"] is False
    reason = model.info()["fast_predict_reason"]
    may_end.set()
    assert reason == "a faster copy is being prepared"


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


def test_strict_versions_refuse_a_model_that_was_fitted_with_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "model.joblib"
    strict = Settings(model_name=str(path), strict_versions=True)
    joblib.dump(content(versions={"numpy": np.__version__}), path)
    assert load(strict).other_versions == {}
    joblib.dump(content(versions={"numpy": "0.1"}), path)
    assert load(Settings(model_name=str(path))).other_versions
    with pytest.raises(ArtifactError) as raised:
        load(strict)
    assert raised.value.detail == (
        f"the model was fitted with numpy 0.1 (here {np.__version__}): put numpy==0.1 into "
        "requirements.txt, fit it again, or set STRICT_VERSIONS=0"
    )
