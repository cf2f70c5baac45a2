"""Fixtures: the service around real models, asked in process."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import pytest
from flask.testing import FlaskClient

from python.app import create_app
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.models import build


@cache
def served(name: str, *, fast: bool = True) -> SklearnModel:
    """The model of that name, loaded from a file as the service loads it, and sped up if `fast`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(build(name).content, path)
        model = SklearnModel.load(Artifact.load(path))
    if fast:
        model.speed_up()
    return model


Client = Callable[..., FlaskClient]


@pytest.fixture
def client() -> Client:
    """Makes a client of a service for a model, with settings other than the defaults."""

    def make(name: str = "build_rf_binary", **given: Any) -> FlaskClient:
        settings = Settings(**given)
        return create_app(
            settings, served(name, fast=settings.fast_predict)
        ).test_client()

    return make


@pytest.fixture(autouse=True)
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Run each test in an empty folder: example scripts write where they are run."""
    folder = tmp_path_factory.mktemp("cwd")
    monkeypatch.chdir(folder)
    return folder
