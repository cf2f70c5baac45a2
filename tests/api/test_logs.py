"""Lines of the log."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from python.api.logs import log_to_standard_error
from python.app import create_app
from python.settings import Settings
from tests.serving import load_odd


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


def test_a_line_has_the_id_of_its_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = load_odd()
    model.estimator.broken = True
    with unconfigured_log():
        client = create_app(Settings(log_level="WARNING"), model).test_client()
        logging.getLogger().warning("before")
        client.post(
            "/predict", json={"x": 1}, headers={"X-Request-ID": "abc-1"}
        )
    log = capsys.readouterr().err
    assert log.splitlines()[0].endswith("WARNING root [-] before")
    assert "ERROR python.api.problems [abc-1] RuntimeError" in log


def test_lines_below_the_level_are_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with unconfigured_log():
        log_to_standard_error("ERROR")
        logging.getLogger().warning("quiet")
        logging.getLogger().error("loud")
    log = capsys.readouterr().err
    assert "loud" in log
    assert "quiet" not in log
