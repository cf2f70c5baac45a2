"""Files of cells: what stays in them, and what happens where there is no room."""

from pathlib import Path

import pytest

from python.metrics import cells as module
from python.metrics.cells import CELL_BYTES, Reader, make_private, open_shared
from python.metrics.families import (
    COUNTER,
    HISTOGRAM,
    Family,
    count_cells,
    number_families,
    read_families,
    write_families,
)

FAMILIES = (
    Family("a_total", COUNTER, "As.", ("x",), (("1",), ('"é\n',))),
    Family("b_seconds", HISTOGRAM, "Bs.", bounds=(1.0, 2.0)),
    Family("c_total", COUNTER, "Cs."),
)


def test_families_describe_themselves() -> None:
    assert read_families(write_families(FAMILIES)) == list(FAMILIES)
    assert count_cells(FAMILIES) == 2 + 4 + 1
    assert number_families(FAMILIES) == {
        "a_total": {("1",): 0, ('"é\n',): 1},
        "b_seconds": {(): 2},
        "c_total": {(): 6},
    }


def test_who_opens_a_file_again_counts_on(tmp_path: Path) -> None:
    path = tmp_path / "x.cells"
    first = open_shared(path, FAMILIES)
    first.values[3] += 2
    second = open_shared(path, FAMILIES)
    second.values[3] += 0.5
    (read,) = Reader().read([path])
    assert read.families == list(FAMILIES)
    assert read.values.tolist() == [0, 0, 0, 2.5, 0, 0, 0]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_of_other_families_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.cells"
    open_shared(path, FAMILIES).values[0] += 1
    others = (FAMILIES[2], FAMILIES[0])
    assert open_shared(path, others).values.tolist() == [0, 0, 0]
    path.write_bytes(path.read_bytes()[:-1])
    assert open_shared(path, others).values.tolist() == [0, 0, 0]


def test_cells_begin_at_a_multiple_of_their_size(tmp_path: Path) -> None:
    for length in range(9):
        path = tmp_path / f"{length}.cells"
        family = Family("a_total", COUNTER, "x" * length)
        open_shared(path, [family])
        assert path.stat().st_size % CELL_BYTES == 0


def test_files_that_are_none_are_left_out(tmp_path: Path) -> None:
    good = tmp_path / "good.cells"
    open_shared(good, FAMILIES)
    content = good.read_bytes()
    bad = {
        "empty": b"",
        "short": content[:20],
        "half": content[: len(content) - 3],
        "other": b"elephant" + content[8:],
        "none": content[:16] + b"{" + content[17:],
    }
    paths = [tmp_path / "gone.cells", good]
    for name, its_content in bad.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(its_content)
    assert len(Reader().read(paths)) == 1


def test_files_of_one_description_have_the_same_families(
    tmp_path: Path,
) -> None:
    paths = [tmp_path / f"{name}.cells" for name in "ab"]
    for path in paths:
        open_shared(path, FAMILIES)
    reader = Reader()
    first, second = reader.read(paths)
    assert first.families is second.families
    assert reader.read(paths)[0].families is first.families


def test_room_that_is_not_there_is_no_file(tmp_path: Path) -> None:
    class Full(type(tmp_path)):  # type: ignore[misc]
        def write_bytes(self, content: bytes) -> int:
            super().write_bytes(content[:5])
            raise OSError(28, "No space left on device")

    path = Full(tmp_path / "x.cells")
    with pytest.raises(OSError, match="No space left"):
        module.open_shared(path, FAMILIES)
    assert list(tmp_path.iterdir()) == []


def test_private_cells_are_counted_in_as_shared_ones() -> None:
    cells = make_private(FAMILIES)
    cells.values[6] += 1
    assert cells.values.tolist() == [0] * 6 + [1]
