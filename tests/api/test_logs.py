"""Lines of the log."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from python.api.logs import RequestLine, log_to_standard_output
from python.app import create_app
from python.settings import Settings
from tests.serving import load_odd

RECORD = {"x": 1}
VALUE = 7654.25


@contextmanager
def unconfigured_log() -> Iterator[None]:
    """Take away what pytest has configured, as a process has it that starts."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers[:] = []
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns what has been logged since, a dict for each line."""
    return lambda: [
        json.loads(line) for line in capsys.readouterr().out.splitlines()
    ]


def test_a_request_has_a_line(lines: Any) -> None:
    model = load_odd()
    with unconfigured_log():
        client = create_app(Settings(), model).test_client()
        client.post(
            "/predict?proba=0",
            json=[RECORD, RECORD],
            headers={
                "X-Request-ID": "abc-1",
                "X-Forwarded-For": "10.0.0.1, 192.0.2.7",
            },
        )
    (line,) = (line for line in lines() if "route" in line)
    assert tuple(line) == RequestLine.__struct_fields__
    assert line["level"] == "INFO"
    assert line["request_id"] == "abc-1"
    assert line["address"] == "192.0.2.7"
    assert (line["method"], line["route"]) == ("POST", "/predict")
    assert (line["status"], line["records"]) == (200, 2)
    assert line["model_version"] == model.version
    assert 0 < line["model_milliseconds"] < line["milliseconds"]


def test_a_failure_logs_its_trace_once_under_its_ids(lines: Any) -> None:
    model = load_odd()
    model.estimator.broken = True
    with unconfigured_log():
        client = create_app(Settings(), model).test_client()
        response: Any = client.post("/predict", json=RECORD)
    trace, request = lines()
    assert trace["level"] == request["level"] == "ERROR"
    assert trace["message"].startswith("RuntimeError at\n")
    assert "in predict" in trace["message"]
    for name in ("request_id", "trace_id"):
        assert trace[name] == request[name] == response.json[name]


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/nowhere/7654.25", ""),
        ("GET", "/predict", "/predict"),
        ("GET", "/docs/7654.25.js", "/docs/<name>"),
        ("DELETE", "/predict/", ""),
        ("PROPFIND", "/info", "/info"),
    ],
)
def test_a_line_has_routes_and_no_paths(
    method: str, path: str, route: str, lines: Any
) -> None:
    with unconfigured_log():
        client = create_app(Settings(), load_odd()).test_client()
        client.open(path, method=method)
    (line,) = lines()
    assert line["route"] == route
    assert line["method"] == {"PROPFIND": "other"}.get(method, method)


@pytest.mark.parametrize(("level", "n_lines"), [("DEBUG", 2), ("INFO", 0)])
def test_probes_that_succeed_are_logged_for_those_who_debug(
    level: Any, n_lines: int, lines: Any
) -> None:
    with unconfigured_log():
        settings = Settings(log_level=level)
        client = create_app(settings, load_odd()).test_client()
        client.get("/health")
        client.get("/ready")
    assert len(lines()) == n_lines


@pytest.mark.parametrize(
    "forwarded",
    ["", "x", "192.0.2.7, <script>", "1" * 10_000, 'a"b', "10.0.0.1,"],
)
def test_an_address_that_is_none_is_not_logged(
    forwarded: str, lines: Any
) -> None:
    with unconfigured_log():
        client = create_app(Settings(), load_odd()).test_client()
        client.get("/info", headers={"X-Forwarded-For": forwarded})
    (line,) = lines()
    assert line["address"] == "127.0.0.1"


def test_lines_below_the_level_are_left_out(lines: Any) -> None:
    with unconfigured_log():
        log_to_standard_output("ERROR")
        logging.getLogger().warning("quiet")
        logging.getLogger("some.where").error("loud")
    (line,) = lines()
    assert (line["logger"], line["message"]) == ("some.where", "loud")
    assert line["request_id"] == ""


def test_the_message_of_an_exception_is_left_out(lines: Any) -> None:
    with unconfigured_log():
        log_to_standard_output("INFO")
        try:
            raise ValueError(f"the value is {VALUE}")
        except ValueError:
            logging.getLogger().exception("failed")
    (line,) = lines()
    assert line["message"].startswith("failed\nValueError at\n")
    assert str(VALUE) not in line["message"]


def test_a_line_has_no_colours(lines: Any) -> None:
    with unconfigured_log():
        log_to_standard_output("INFO")
        logging.getLogger("werkzeug").warning(
            "\x1b[31m\x1b[1mRunning\x1b[0m on"
        )
    (line,) = lines()
    assert line["message"] == "Running on"


def test_a_terminal_shows_plain_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_odd()
    model.estimator.broken = True
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with unconfigured_log():
        client = create_app(Settings(), model).test_client()
        logging.getLogger().warning("before")
        client.post("/predict", json=RECORD, headers={"X-Request-ID": "abc-1"})
    log = capsys.readouterr().out
    assert log.splitlines()[0].endswith("WARNING root [-] before")
    assert "ERROR python.api.problems [abc-1] RuntimeError at\n" in log
    assert "[abc-1] POST /predict 500 in " in log.splitlines()[-1]


def test_without_a_standard_output_lines_go_to_the_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python has None for a file that was closed before it started."""
    monkeypatch.setattr(sys, "stdout", None)
    with unconfigured_log():
        log_to_standard_output("INFO")
        logging.getLogger("python.x").info("hello")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "hello"
