"""The settings, and the file that is their manual."""

import re
from pathlib import Path

import msgspec
import pytest
from dotenv import dotenv_values

from python.model import FAMILIES
from python.settings import PROJECT, Settings, SettingsError
from tests.laws import strict
from tests.models import ROOT
from tests.serving import Client

MANUAL = (ROOT / "variables.env").read_text()


@pytest.mark.parametrize(
    "text", ["0", "false", "False", "no", "NO", "off", "", "  "]
)
def test_a_switch_is_off(text: str) -> None:
    assert Settings.from_environ({"DEBUG": text}, FAMILIES).debug is False


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", "on", " 1 "])
def test_a_switch_is_on(text: str) -> None:
    assert Settings.from_environ({"DEBUG": text}, FAMILIES).debug is True


def test_all_faults_are_reported_together_and_without_their_values() -> None:
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
        "MAX_EXPLAIN_SECONDS": "1e1",
        "MAX_PROOF_SECONDS": "-3",
    }
    with pytest.raises(SettingsError) as raised:
        Settings.from_environ(environ, FAMILIES)
    lines = str(raised.value).splitlines()[1:]
    assert sorted(line.split(":")[0].strip() for line in lines) == sorted(
        environ
    )
    assert all(": expected " in line for line in lines)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["+2", "2.0", "1_000", "007", "0x10", "²", "٣"]
)
def test_a_whole_number_is_written_as_nginx_and_uwsgi_read_it(
    text: str,
) -> None:
    with pytest.raises(
        SettingsError, match="THREADS: expected a whole number of 1 or more"
    ):
        Settings.from_environ({"THREADS": text}, FAMILIES)
    assert Settings.from_environ({"THREADS": " 12 "}, FAMILIES).threads == 12


def test_the_manual_has_every_setting_with_its_default() -> None:
    documented = dotenv_values(ROOT / "variables.env")
    assert list(documented) == [
        field.name.upper() for field in msgspec.structs.fields(Settings)
    ]
    environ = {name: value or "" for name, value in documented.items()}
    assert Settings.from_environ(environ, FAMILIES) == Settings()


def test_compose_docker_and_a_shell_read_the_manual_alike() -> None:
    for line in MANUAL.splitlines():
        assert re.fullmatch(r"(#.*|[A-Z0-9_]+=[\w./-]*|)", line), line


def test_the_manual_explains_each_setting_above_it() -> None:
    blocks = MANUAL.strip().split("\n\n")[1:]
    for block in blocks:
        assert re.fullmatch(r"(# .+\n)+[A-Z0-9_]+=.*", block), block


def test_the_model_path_starts_at_the_project_and_not_at_the_working_directory(
    elsewhere: Path,
) -> None:
    assert (
        Settings().model_path
        == PROJECT / "model.joblib"
        == ROOT / "model.joblib"
    )
    assert (
        Settings(model_name=str(elsewhere / "m.joblib")).model_path
        == elsewhere / "m.joblib"
    )


def test_service_info_has_debug_as_a_boolean(client: Client) -> None:
    assert (
        strict(client(debug=True).get("/service-info").data)["debug"] is True
    )
    assert strict(client().get("/service-info").data)["debug"] is False


@pytest.mark.parametrize(
    "key",
    ["one\ntwo", "a\tb", "a\0b", "a\x7fb", "schlüssel", "ключ", "a\udcfcb"],
)
def test_a_key_that_clients_cannot_send_alike_is_refused_and_not_repeated(
    key: str,
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"API_KEY": key}, FAMILIES)
    expected = (
        "API_KEY: expected ASCII without control characters, as a header has "
        "none of these and clients send any other character as different bytes"
    )
    assert str(caught.value).splitlines()[1:] == [f"  {expected}"]
    assert key not in str(caught.value)


def test_a_key_may_be_of_any_character_of_ascii() -> None:
    key = "".join(map(chr, range(0x21, 0x7F))) + " x"
    settings = Settings.from_environ({"API_KEY": key}, FAMILIES)
    assert settings.api_key == key
