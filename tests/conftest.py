"""Fixtures: the service around real models, in process, and an empty folder for each test."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from flask import Flask
from flask.testing import FlaskClient

from python.app import create_app
from python.settings import Settings
from tests.discretion import LogKeeper, NotingClient
from tests.serving import Client, served

# The tests of Parquet need pyarrow, and with it pandas keeps texts in another form. The image has
# none: a model file with such texts would not be served there.
pd.options.mode.string_storage = "python"
Flask.test_client_class = NotingClient
LOG_KEEPER = LogKeeper()
# What a shell starts in the background ignores SIGINT, and so would all that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Measure coverage by the quick tests alone: with it, tests take 1.7 times as long."""
    if config.getoption("no_cov"):
        return  # pytest-cov fails for the mark where it measures nothing
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")


@pytest.fixture
def client() -> Client:
    """Makes a client of a service for a model, with settings other than the defaults."""

    def make(name: str = "build_rf_binary", **values: Any) -> FlaskClient:
        settings = Settings(**values)
        model = served(name, fast=settings.fast_predict)
        return create_app(settings, model).test_client()

    return make


@pytest.fixture(autouse=True)
def discreet_log() -> Iterator[None]:
    """Fail a test whose process logs what it has sent."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(LOG_KEEPER)
    yield
    root.removeHandler(LOG_KEEPER)
    root.setLevel(level)
    LOG_KEEPER.check()


@pytest.fixture(autouse=True)
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Run each test in an empty folder: example scripts write where they are run."""
    folder = tmp_path_factory.mktemp("cwd")
    monkeypatch.chdir(folder)
    return folder
