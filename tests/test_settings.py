"""The settings, and the file that is their manual."""

import re
from pathlib import Path

import msgspec
import pytest
from dotenv import dotenv_values

from python.app import create_app
from python.model import FAMILIES
from python.settings import (
    PROJECT,
    Settings,
    SettingsError,
    find_misspelt,
)
from tests.laws import strict
from tests.models import ROOT
from tests.serving import Client, served

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


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WORKER", "WORKERS"),
        ("WOKERS", "WORKERS"),
        ("workers", "WORKERS"),
        ("THREAD", "THREADS"),
        ("MAX_CONTENT_LENGHT", "MAX_CONTENT_LENGTH"),
        ("APIKEY", "API_KEY"),
        ("API_KEY_FILES", "API_KEY_FILE"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("Log_Level", "LOG_LEVEL"),
        ("MODELNAME", "MODEL_NAME"),
        ("REQUEST_TIMEOUTS", "REQUEST_TIMEOUT"),
        ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
        ("debug", "DEBUG"),
        ("port", "PORT"),
    ],
)
def test_a_variable_that_is_nearly_a_setting_is_said(
    name: str, meant: str
) -> None:
    assert find_misspelt([name, "PATH", meant]) == [
        f"{name} is no setting; did you mean {meant}?"
    ]


# Of shells, terminals, desktops, Docker, Kubernetes, CI, Python, uWSGI, clouds and this project.
ORDINARY = """
PATH HOME USER SHELL LOGNAME HOSTNAME HOSTTYPE MACHTYPE OSTYPE PWD OLDPWD TERM LANG LANGUAGE LC_ALL
LC_CTYPE EDITOR VISUAL PAGER MANPAGER LESS LESSOPEN LS_COLORS COLORTERM COLUMNS LINES SHLVL TZ TMPDIR
TEMP TMP MAIL DISPLAY WAYLAND_DISPLAY XDG_RUNTIME_DIR XDG_SESSION_ID XDG_DATA_DIRS DBUS_SESSION_BUS_ADDRESS
SSH_AUTH_SOCK SSH_CLIENT SSH_CONNECTION SSH_TTY SUDO_USER SUDO_UID SUDO_COMMAND PS1 IFS EUID UID GROUPS
PPID RANDOM SECONDS BASH BASH_VERSION ZSH_VERSION HISTFILE HISTSIZE PROMPT_COMMAND INPUTRC BROWSER PORTS
HOSTS PAGES MODE MODEL DEBUGGER DEBUG_MODE LOG LOGS LOGGING LOG_FILE LOG_FORMAT LOG_DIR VERBOSE
APP_KEY APP_ENV APP_NAME APP_PORT APP_DEBUG APP_URL API_URL API_HOST API_TOKEN SECRET_KEY AUTH_KEY ACCESS_KEY
API_VERSION BASE_URL URL URL_PATH ENV NODE_ENV RAILS_ENV FLASK_ENV FLASK_APP FLASK_DEBUG TIMEOUT
REQUEST_METHOD SERVER_PORT SERVER_NAME REMOTE_ADDR HTTP_HOST HTTP_PORT HTTPS_PORT IMAGE TAG NGINX_TAG
BALANCER_TAG CERTIFICATES SECRETS KUBERNETES_PORT KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
KUBERNETES_PORT_443_TCP MODEL_PORT MODEL_SERVICE_HOST MODEL_SERVICE_PORT WORKER_ID WORKERS_PORT
WORKER_CONNECTIONS WORKER_CLASS WEB_CONCURRENCY THREAD_COUNT NUM_THREADS OMP_NUM_THREADS MKL_NUM_THREADS
OPENBLAS_NUM_THREADS NUMEXPR_MAX_THREADS PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE
PYTHONHASHSEED PYTHON_VERSION VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PIP_INDEX_URL PIP_NO_CACHE_DIR
HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy all_proxy PROXIES CI GITHUB_ACTIONS
GITHUB_TOKEN GITLAB_CI BUILD_NUMBER JENKINS_URL RUNNER_OS AWS_REGION AWS_PROFILE AWS_ACCESS_KEY_ID
AWS_SECRET_ACCESS_KEY AZURE_CLIENT_ID GOOGLE_APPLICATION_CREDENTIALS OPENAI_API_KEY ANTHROPIC_API_KEY
DATABASE_URL REDIS_URL POSTGRES_USER POSTGRES_PASSWORD PGHOST PGPORT MYSQL_HOST DOCKER_HOST
COMPOSE_PROJECT_NAME COMPOSE_FILE MAKEFLAGS MAKELEVEL MFLAGS CFLAGS LDFLAGS CC CXX GPG_KEY GPG_TTY
INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS MAINPID SYSTEMD_EXEC_PID CUDA_VISIBLE_DEVICES
RUN_FOLDER SERVICE_LISTENER SERVICE_STATUS_PORT SERVICE_STATISTICS SERVICE_SUPERVISOR SERVICE_LOGS_REQUESTS
SERVICE_VERDICTS SERVICE_KEYS UWSGI_PROCESSES UWSGI_ORIGINAL_PROC_NAME UWSGI_RELOADS PROMETHEUS_MULTIPROC_DIR
OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN MODEL_PATH MODEL_URI MODEL_ID MODEL_DIR _
"""


def test_ordinary_variables_are_no_misspelt_settings() -> None:
    names = ORDINARY.split()
    assert len(set(names)) > 200
    assert find_misspelt(names) == []


def test_no_setting_is_taken_for_another() -> None:
    names = [field.name.upper() for field in msgspec.structs.fields(Settings)]
    assert find_misspelt(names) == []


def test_a_misspelt_setting_is_in_the_log_without_its_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("WORKER", "API_KEYSS"):
        monkeypatch.setenv(name, "s3cret")
    create_app(model=served("build_rf_binary"))
    lines = [
        (record.levelname, record.message)
        for record in caplog.records
        if record.name == "python.app"
    ]
    assert lines == [
        ("WARNING", "API_KEYSS is no setting; did you mean API_KEYS?"),
        ("WARNING", "WORKER is no setting; did you mean WORKERS?"),
    ]
