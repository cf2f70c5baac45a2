"""The keys: what a setting or a file of them may be, and how a file is followed."""

import logging
import os
import time
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path

import pytest

from python import keys
from python.app import create_app
from python.keys import MAX_FILE_BYTES, Keys
from python.settings import Settings, SettingsError
from tests.serving import served


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "api_keys"


@pytest.fixture
def pass_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[float], None]:
    """Lets seconds pass, for the clock and for the age of files."""
    passed = 0.0
    monotonic, wall = time.monotonic, time.time
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed)
    monkeypatch.setattr(time, "time", lambda: wall() + passed)

    def more(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    return more


def name_of(found: Keys, key: str) -> str:
    return found.find_client(key.encode("latin1"))


def test_each_key_is_known_by_its_name(file: Path) -> None:
    file.write_text(
        "# of the partners\n\n  bank = b=n,k== \r\n#off=old\nshop=s h#op\n"
    )
    found = Keys(
        Settings(
            api_key="s3cret",
            api_keys="app=a1, web.2_-=w",
            api_key_file=str(file),
        )
    )
    assert name_of(found, "s3cret") == "default"
    assert name_of(found, "a1") == "app"
    assert name_of(found, "w") == "web.2_-"
    assert name_of(found, "b=n,k==") == "bank"
    assert name_of(found, "s h#op") == "shop"
    for other in ("", "old", "a1 ", "A1", "app", "app=a1", "s3cret\0", "\xe9"):
        assert name_of(found, other) == ""


NAME = (
    " has no name of at most 64 letters and digits of ASCII, points, "
    "underscores and hyphens, and = behind it"
)


@pytest.mark.parametrize(
    ("entries", "number", "detail"),
    [
        (["s3cret"], 1, NAME),
        (["a=1", "s3cret x=2"], 2, NAME),
        (["=s3cret"], 1, NAME),
        (["s3cret" * 11 + "=1"], 1, NAME),
        (["a=1", "s3cret="], 2, " is empty"),
        (["a=s3cret", "a=s3cret2"], 2, " has the same name as one before"),
        (
            ["a=s3cret", "b=s3cret"],
            2,
            " is the same as one before, by another name",
        ),
        (["default=s3cret"], 1, " has the same name as one before"),
        (
            ["a=s3cret\x07"],
            1,
            " has characters that are not ASCII, or that control",
        ),
        (
            ["a=s3crét"],
            1,
            " has characters that are not ASCII, or that control",
        ),
    ],
)
def test_a_faulty_key_is_named_by_its_place_and_not_repeated(
    entries: list[str], number: int, detail: str, file: Path
) -> None:
    file.write_text("# keys\n" + "\n".join(entries))
    with pytest.raises(SettingsError) as caught:
        Keys(Settings(api_key="k", api_keys=",".join(entries)))
    assert str(caught.value) == f"API_KEYS: key {number}{detail}"
    with pytest.raises(SettingsError) as caught:
        Keys(Settings(api_key="k", api_key_file=str(file)))
    line = number + 1
    assert str(caught.value) == f"API_KEY_FILE: the key in line {line}{detail}"
    assert "s3cr" not in str(caught.value)


def test_without_a_file_that_can_be_read_the_service_does_not_start(
    file: Path,
) -> None:
    def fault() -> str:
        with pytest.raises(SettingsError) as caught:
            create_app(
                Settings(api_key_file=str(file)), served("build_rf_binary")
            )
        return str(caught.value).removeprefix("API_KEY_FILE: ")

    assert fault() == "the file cannot be read: No such file or directory"
    file.mkdir()
    assert fault() == "it is no file"
    file.rmdir()
    file.write_text("# nobody\n\n")
    assert fault() == "the file has no key"
    file.write_text("a=" + "x" * MAX_FILE_BYTES)
    assert fault() == "the file has more than 65536 bytes"
    file.unlink()
    os.mkfifo(file)
    assert fault() == "it is no file"


def test_a_file_that_changes_is_read_again_after_a_second(
    file: Path, pass_seconds: Callable[[float], None]
) -> None:
    file.write_text("old=1\n")
    found = Keys(Settings(api_keys="fixed=0", api_key_file=str(file)))
    pass_seconds(60)
    assert name_of(found, "1") == "old"
    with file.open("a") as opened:
        opened.write("new=2\n")
    assert name_of(found, "2") == ""  # looked at less than a second ago
    pass_seconds(1.5)
    assert name_of(found, "2") == "new"
    assert name_of(found, "1") == "old"
    other = file.with_name("other")
    other.write_text("new=2\n")
    other.replace(file)
    pass_seconds(1.5)
    assert name_of(found, "1") == ""
    assert name_of(found, "2") == "new"
    assert name_of(found, "0") == "fixed"


def test_a_file_that_is_being_written_is_read_once_it_is_a_second_old(
    file: Path, pass_seconds: Callable[[float], None]
) -> None:
    file.write_text("old=1\n")
    found = Keys(Settings(api_key_file=str(file)))
    pass_seconds(60)
    file.write_text("old=1\nnew=234\n")
    now = time.time()
    os.utime(file, (now, now))
    pass_seconds(0.5)
    assert name_of(found, "234") == ""
    pass_seconds(1)
    assert name_of(found, "234") == "new"


def test_the_file_is_looked_at_once_a_second_whatever_is_sent(
    file: Path,
    pass_seconds: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file.write_text("old=1\n")
    found = Keys(Settings(api_key_file=str(file)))
    looks = []
    look_at = keys.look_at

    def noted(path: Path) -> keys.Look:
        looks.append(path)
        return look_at(path)

    monkeypatch.setattr(keys, "look_at", noted)
    for _ in range(3):
        pass_seconds(1.1)
        for number in range(100):
            found.find_client(b"%d" % number)
    assert len(looks) == 3


def test_a_file_that_becomes_faulty_keeps_its_keys_and_logs_one_line(
    file: Path,
    pass_seconds: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "python.keys")
    file.write_text("old=s3cret\n")
    found = Keys(Settings(api_key_file=str(file)))

    def log_after_looks() -> list[tuple[str, str]]:
        caplog.clear()
        for _ in range(3):
            pass_seconds(2)
            assert name_of(found, "s3cret") == "old"
            assert name_of(found, "s3cret2") == ""
        return [(line.levelname, line.message) for line in caplog.records]

    assert log_after_looks() == []
    kept = "; the keys that it had stay good"
    file.write_text("new=s3cret2\ns3cret3\n")
    fault = f"API_KEY_FILE: the key in line 2{NAME}{kept}"
    assert log_after_looks() == [("ERROR", fault)]
    file.unlink()
    fault = "API_KEY_FILE: the file cannot be read: No such file or directory"
    assert log_after_looks() == [("ERROR", fault + kept)]
    file.write_text("")
    fault = "API_KEY_FILE: the file has no key"
    assert log_after_looks() == [("ERROR", fault + kept)]
    file.write_text("old=s3cret\nmore=1\n")
    assert log_after_looks() == [("INFO", "API_KEY_FILE: read again, 2 keys")]


def test_a_process_that_starts_with_a_faulty_file_has_the_last_good_keys(
    file: Path, pass_seconds: Callable[[float], None]
) -> None:
    memory = file.with_name("run") / "keys"
    settings = Settings(api_keys="fixed=0", api_key_file=str(file))
    file.write_text("old=s3cret\n")
    first = Keys(settings, memory)
    file.write_text("old=s3cret2\n")
    pass_seconds(2)
    assert name_of(first, "s3cret2") == "old"
    file.write_text("s3cret3\n")
    with pytest.raises(SettingsError, match="line 1 has no name"):
        Keys(settings)
    second = Keys(settings, memory)
    assert name_of(second, "s3cret2") == "old"
    assert name_of(second, "0") == "fixed"
    assert name_of(second, "s3cret") == ""
    assert memory.stat().st_mode & 0o777 == 0o600
    assert "s3cret" not in memory.read_text()
    assert list(memory.parent.iterdir()) == [memory]
    file.write_text("new=s3cret4\n")
    pass_seconds(2)
    assert name_of(second, "s3cret4") == "new"
    assert name_of(second, "s3cret2") == ""
    for damaged in ("", "{", '{"old": "no digits"}'):
        memory.write_text(damaged)
        file.write_text("s3cret3\n")
        with pytest.raises(SettingsError, match="line 1 has no name"):
            Keys(settings, memory)


def test_keys_that_cannot_be_kept_are_good_all_the_same(file: Path) -> None:
    file.write_text("old=1\n")
    settings = Settings(api_key_file=str(file))
    assert name_of(Keys(settings, file / "keys"), "1") == "old"


def test_all_keys_are_compared_whichever_is_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Keys(Settings(api_keys="a=1,b=22,c=333"))
    compared = []

    def counted(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return compare_digest(one, other)

    monkeypatch.setattr("python.keys.compare_digest", counted)
    for key in ("1", "22", "333", "none", "x" * 65536):
        compared.clear()
        name_of(found, key)
        assert compared == [(32, 32)] * 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads any file")
def test_a_change_of_permissions_is_a_change(
    file: Path, pass_seconds: Callable[[float], None]
) -> None:
    file.write_text("old=1\n")
    found = Keys(Settings(api_key_file=str(file)))
    file.chmod(0)
    pass_seconds(2)
    assert name_of(found, "1") == "old"
    file.chmod(0o600)
    file.write_text("new=2\n")
    pass_seconds(2)
    assert name_of(found, "2") == "new"
