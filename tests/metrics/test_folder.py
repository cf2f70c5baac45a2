"""The folder of a replica: who counts where, and which versions stay."""

import logging
from pathlib import Path

import pytest

from python.metrics.families import COUNTER, Family
from python.metrics.folder import (
    MAX_VERSIONS,
    Slot,
    list_files,
    read_versions,
)

FAMILY = Family("a_total", COUNTER, "As.")


def names(folder: Path) -> list[str]:
    return [path.name for path in list_files(folder)]


def test_the_last_five_versions_stay(tmp_path: Path) -> None:
    for version in "abcdef":
        for worker in (1, 2):
            Slot(tmp_path, worker).open_model(version, [FAMILY])
    assert MAX_VERSIONS == 5
    assert read_versions(tmp_path).last == list("bcdef")
    assert names(tmp_path) == [
        f"model.{version}.{worker}.cells"
        for version in "bcdef"
        for worker in (1, 2)
    ]
    assert read_versions(tmp_path).of_workers == {"1": "f", "2": "f"}


def test_a_version_that_comes_back_counts_on_and_is_the_last(
    tmp_path: Path,
) -> None:
    Slot(tmp_path, 1).open_model("a", [FAMILY]).values[0] += 7
    Slot(tmp_path, 1).open_model("b", [FAMILY])
    cells = Slot(tmp_path, 1).open_model("a", [FAMILY])
    assert cells.values.tolist() == [7]
    assert read_versions(tmp_path).last == ["b", "a"]


def test_versions_that_are_damaged_are_none(tmp_path: Path) -> None:
    (tmp_path / "versions.json").write_text("[")
    Slot(tmp_path, 3).open_model("a", [FAMILY])
    assert read_versions(tmp_path).last == ["a"]


def test_without_a_folder_cells_are_private() -> None:
    slot = Slot(None)
    cells = slot.open_service([FAMILY])
    assert slot.private == [cells]
    assert not slot.has_client("x")
    assert slot.count_clients() == 0


def test_where_no_file_can_be_made_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    slot = Slot(in_the_way / "metrics", 1)
    with caplog.at_level(logging.WARNING):
        slot.open_service([FAMILY]).values[0] += 1
        slot.open_model("a", [FAMILY]).values[0] += 1
        slot.open_client("x", [FAMILY]).values[0] += 1
    assert len(caplog.records) == 1
    assert "metrics are counted in memory" in caplog.text
    assert len(slot.private) == 3
