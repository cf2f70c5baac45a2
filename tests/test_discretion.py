"""The check of logs finds what it looks for."""

import json

import pytest

from tests import discretion
from tests.discretion import check_log, note_raw, note_sent


@pytest.fixture(autouse=True)
def nothing_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discretion, "SENT", set())


@pytest.mark.parametrize(
    "told",
    ["the value is 7654.25", "POST /predict?zip=AB12345 since", "s3cret, x"],
)
@pytest.mark.parametrize("form", ["{}", '{{"time":"now","message":"{}"}}'])
def test_a_line_that_tells_is_found(told: str, form: str) -> None:
    note_sent(
        "/predict?zip=AB12345", b'{"x": 7654.25}', {"X_API_Key": "s3cret"}
    )
    with pytest.raises(AssertionError, match="the log tells"):
        check_log(form.format(told))


def test_a_key_of_plain_letters_is_found() -> None:
    note_sent("/", None, {"Authorization": "Bearer plainkey"})
    with pytest.raises(AssertionError):
        check_log("who sent plainkey?")


def test_raw_requests_are_looked_at() -> None:
    note_raw(b"POST /predict?q=AB12345 HTTP/1.1\r\nHost: x\r\n\r\n[7654.25]")
    for told in ("AB12345", "7654.25"):
        with pytest.raises(AssertionError):
            check_log(told)


def test_a_line_that_does_not_tell_passes() -> None:
    note_sent("/predict?proba=1", b'{"feature1": 7654.25, "x": 3}')
    line = {"time": "7654.25", "message": "feature1 of 3 is ready in 12 ms"}
    check_log(f"service-1 | {json.dumps(line, separators=(',', ':'))}")


def test_a_line_for_a_request_has_no_member_of_its_own() -> None:
    with pytest.raises(AssertionError):
        check_log('{"time":"now","route":"/predict","body":"x"}')
