"""The shelf: which models are kept, and which a restart takes."""

import os
from hashlib import sha256
from pathlib import Path

import pytest

from python.production.shelf import MAX_KEPT, Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "model.joblib").write_bytes(b"0")
    return Shelf(tmp_path / "model.joblib")


def put(shelf: Shelf, content: bytes, age_seconds: int = 0) -> str:
    file = shelf.model.with_name("new")
    file.write_bytes(content)
    digest = shelf.put(file)
    place = shelf.path(digest)
    seconds = place.stat().st_mtime - age_seconds
    os.utime(place, (seconds, seconds))
    return digest


def test_a_model_is_kept_under_its_digest_for_everybody_to_read(
    shelf: Shelf,
) -> None:
    digest = put(shelf, b"1")
    assert digest == sha256(b"1").hexdigest()
    assert shelf.path(digest).read_bytes() == b"1"
    assert shelf.path(digest).name == f"{digest}.joblib"
    assert shelf.path(digest).stat().st_mode & 0o777 == 0o644
    assert shelf.model.read_bytes() == b"0"
    shelf.place(digest)
    assert shelf.model.read_bytes() == b"1"
    assert {path.name for path in shelf.model.parent.iterdir()} == {
        "model.joblib",
        "model.joblib.versions",
        "new",
    }


def test_the_last_five_are_kept(shelf: Shelf) -> None:
    digests = [put(shelf, bytes([n]), 100 - n) for n in range(MAX_KEPT + 3)]
    shelf.write_history(digests)
    assert shelf.read_history() == digests[-MAX_KEPT:]
    kept = [path.stem for path in shelf.list_models()]
    assert kept == digests[: -MAX_KEPT - 1 : -1]


def test_one_that_was_rolled_back_is_kept_while_there_is_room(
    shelf: Shelf,
) -> None:
    digests = [put(shelf, bytes([n]), 100 - n) for n in range(3)]
    shelf.write_history(digests[:1])
    assert len(shelf.list_models()) == 3


def test_what_cannot_be_copied_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(OSError, match="No such file"):
        shelf.put(shelf.model.with_name("none"))
    assert list(shelf.folder.iterdir()) == []
