"""The settings, and the file that is their manual."""

import re
from pathlib import Path

import msgspec
import pytest
from dotenv import dotenv_values

from python.model import FAMILIES
from python.settings import PROJECT, Settings, SettingsError
from tests.conftest import Client
from tests.laws import strict
from tests.models import ROOT

MANUAL = (ROOT / "variables.env").read_text()


@pytest.mark.parametrize("text", ["0", "false", "False", "no", "NO", "off", "", "  "])
def test_false_is_false(text: str) -> None:
    assert Settings.from_environ({"DEBUG": text}, FAMILIES).debug is False


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", "on", " 1 "])
def test_true_is_true(text: str) -> None:
    assert Settings.from_environ({"DEBUG": text}, FAMILIES).debug is True


def test_all_faults_are_told_together_and_no_value_with_them() -> None:
    environ = {
        "DEBUG": "maybe",
        "PORT": "70000",
        "MODEL_TYPE": "TELEPATHY",
        "MODEL_SHA256": "s3cret",
        "UNKNOWN_FEATURES": "s3cret",
        "MAX_CONTENT_LENGTH": "16M",
        "MAX_EXPLAIN_ROWS": "0",
        "LOG_LEVEL": "LOUD",
        "WORKERS": "-1",
        "THREADS": "1.5",
        "REQUEST_TIMEOUT": "60.0",
        "MAX_EXPLAIN_PREDICTIONS": "5e5",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(environ, FAMILIES)
    lines = str(caught.value).splitlines()[1:]
    assert sorted(line.split(":")[0].strip() for line in lines) == sorted(environ)
    assert all(": expected " in line for line in lines)
    assert "s3cret" not in str(caught.value)


def test_the_manual_holds_every_setting_with_its_default() -> None:
    documented = dotenv_values(ROOT / "variables.env")
    assert list(documented) == [field.name.upper() for field in msgspec.structs.fields(Settings)]
    assert (
        Settings.from_environ({name: value or "" for name, value in documented.items()}, FAMILIES)
        == Settings()
    )


def test_the_manual_reads_alike_for_compose_docker_and_a_shell() -> None:
    for line in MANUAL.splitlines():
        assert re.fullmatch(r"(#.*|[A-Z0-9_]+=[\w./-]*|)", line), line


def test_the_manual_says_why_above_each_setting() -> None:
    blocks = MANUAL.strip().split("\n\n")[1:]
    assert all(re.fullmatch(r"(# .+\n)+[A-Z0-9_]+=.*", block) for block in blocks), blocks


def test_the_model_is_found_from_the_project_wherever_one_is(elsewhere: Path) -> None:
    assert Settings().model_path == PROJECT / "model.joblib" == ROOT / "model.joblib"
    assert Settings(model_name=str(elsewhere / "m.joblib")).model_path == elsewhere / "m.joblib"


def test_debug_is_told_as_a_boolean(client: Client) -> None:
    assert strict(client(debug=True).get("/service-info").data)["debug"] is True
    assert strict(client().get("/service-info").data)["debug"] is False
