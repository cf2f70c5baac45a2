"""`python service.py`, without its server; test_serving.py starts that."""

import re
import shlex
from concurrent.futures import Future

import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from python.app import create_app
from python.development import curl, print_next_steps
from python.errors import ArtifactError
from python.model import FAMILIES
from python.model.base import Model
from python.settings import Settings
from tests.artifacts import X, content, load
from tests.laws import strict
from tests.models import ROOT
from tests.serving import served


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("build_rf_binary", "/predict?proba=1&explain=1"),
        ("build_rf_regression", "/predict?explain=1"),
        ("neighbours of a search", "/predict?proba=1"),
        ("several outputs", "/predict"),
    ],
)
def test_the_command_requests_what_the_model_offers(
    name: str, path: str
) -> None:
    model = served(name)
    command, option, body, url = shlex.split(curl(Settings(port=5001), model))
    assert (command, option) == ("curl", "-d")
    assert url == f"http://localhost:5001{path}"
    client = create_app(Settings(), model).test_client()
    response = client.post(path, data=body)
    assert response.status_code == 200
    assert strict(response.data)["prediction"]


def test_the_command_sends_the_key_where_there_is_one() -> None:
    model = served("build_rf_binary")
    settings = Settings(api_key="s3cret")
    command = curl(settings, model)
    assert "s3cret" not in command
    _, option, header, _, body, url = shlex.split(command)
    assert option == "-H"
    name, _, value = header.partition(": ")
    client = create_app(settings, model).test_client()
    response = client.post(
        url.removeprefix("http://localhost:5000"),
        data=body,
        headers={name: value.replace("$API_KEY", "s3cret")},
    )
    assert response.status_code == 200


def test_no_page_is_named_where_there_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    future: Future[Model] = Future()
    future.set_result(served("build_rf_binary"))
    print_next_steps(Settings(page=False), future)
    assert "browser" not in capsys.readouterr().out


def test_the_command_leaves_out_what_is_missing_in_the_first_sample() -> None:
    rows = X.assign(y=[None, 1.0, 2.0]).astype(float)
    model = HistGradientBoostingClassifier().fit(rows, [0, 1, 1])
    loaded = load(content(model=model, samples=rows))
    _, _, body, _ = shlex.split(curl(Settings(), loaded))
    assert strict(body) == {"x": 0.0}


def test_what_to_do_next_is_printed_once_there_is_a_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = Settings(port=5001)
    model = served("build_rf_binary")
    future: Future[Model] = Future()
    future.set_result(model)
    print_next_steps(settings, future)
    printed = capsys.readouterr().out
    assert "http://localhost:5001/\n" in printed
    assert f"\n{curl(settings, model)}\n" in printed
    page = re.search(r"docs/[\w-]+\.md", printed)
    assert page
    assert (ROOT / page[0]).exists()
    assert settings.model_path.name in printed
    failed: Future[Model] = Future()
    failed.set_exception(ArtifactError("there is none"))
    print_next_steps(settings, failed)
    assert capsys.readouterr().out == ""


def test_the_environment_takes_precedence_over_variables_env(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVIRONMENT", "shell")
    monkeypatch.delenv("PORT", raising=False)
    settings = Settings.read(FAMILIES)
    assert settings.environment == "shell"
    assert settings.port == 5000
