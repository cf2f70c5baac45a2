"""Rows of numbers alone: read at once as they are read cell by cell, or not at once."""

import numpy as np
import pytest

from python.model.data.kinds import Integer, Numeric
from python.model.data.records import NumberRecords, Records
from python.model.data.schema import Schema
from python.model.tabular import numbers
from python.model.tabular.layouts import Header, Layout
from python.model.tabular.numbers import read_numbers
from python.model.tabular.sheets import Reading, read_sheet

SCHEMA = Schema(
    [
        Numeric("a", accepts_missing=False),
        Numeric("b", accepts_missing=True),
        Numeric("c", default=-1, accepts_missing=False),
    ]
)
HEADER = Header(",", ["b", "id", "a", "c"])
LAYOUT = Layout(SCHEMA, [2, 0, 3], 4)
PLAIN = "1.5,x,2,3\n,y z,-4e-3, 5\n0.1,,7.,\n"


@pytest.fixture(autouse=True)
def _any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "MIN_CHARACTERS", 0)


@pytest.mark.parametrize("text", [PLAIN, PLAIN.removesuffix("\n"), "0,0,0,0"])
def test_numbers_are_read_at_once_as_cell_by_cell(text: str) -> None:
    sheet = read_numbers(text, HEADER, LAYOUT, ["id"])
    assert sheet is not None
    expected = read_sheet(text, HEADER, LAYOUT, Reading(1))
    assert not expected.faults
    assert sheet.records.rows == expected.records.rows
    assert same(sheet.records.codes, expected.records.codes)
    assert sheet.texts["id"] == [cells[1] for cells in expected.cells]


def test_every_number_is_read_to_the_last_bit() -> None:
    draw = np.random.default_rng(0)
    bits = draw.integers(0, 2**63, size=(5000, 3), dtype=np.uint64)
    table = bits.view(float)
    table = table[np.isfinite(table).all(axis=1)]
    lines = [f"{b!r},,{a!r},{c!r}" for a, b, c in table.tolist()]
    sheet = read_numbers("\n".join(lines), HEADER, LAYOUT)
    assert sheet is not None
    assert same(sheet.records.codes, table)


@pytest.mark.parametrize(
    "row",
    [
        "1,x,2",
        "1,x,2,3,4",
        "1,x,,3",
        "nan,x,2,3",
        "inf,x,2,3",
        "1e400,x,2,3",
        "1_0,x,2,3",
        "٣,x,2,3",
        "true,x,2,3",
        '1,"x",2,3',
        "",
        "a,x,2,3",
    ],
)
def test_what_is_in_doubt_is_left_to_be_read_cell_by_cell(row: str) -> None:
    for text in (PLAIN + row + "\n" + PLAIN, row + "\n" + PLAIN):
        assert read_numbers(text, HEADER, LAYOUT) is None


def test_a_text_that_says_nan_is_in_doubt_where_a_number_is_missing() -> None:
    assert read_numbers("1,nan,2,3\n", HEADER, LAYOUT, ["id"]) is not None
    assert read_numbers(",Nancy,2,3\n", HEADER, LAYOUT, ["id"]) is None


def test_a_feature_that_is_kept_is_read_cell_by_cell() -> None:
    assert read_numbers(PLAIN, HEADER, LAYOUT, ["a"]) is None


def test_whole_numbers_are_read_cell_by_cell() -> None:
    schema = Schema([Integer("a", accepts_missing=True, dtype="float64")])
    layout = Layout(schema, [0], 1)
    assert read_numbers("1\n2\n", Header(",", ["a"]), layout) is None


def test_records_of_numbers_are_records() -> None:
    table = np.array([[1.0, np.nan, np.nan], [2, 3, 4]])
    fast = NumberRecords(SCHEMA, table)
    plain = Records(SCHEMA, [(1.0, None, None), (2.0, 3.0, 4.0)])
    assert len(fast) == len(plain)
    assert fast.rows == plain.rows
    for records in ((fast, plain), (fast.take([1]), plain.take([1]))):
        assert same(records[0].codes, records[1].codes)
        assert same(records[0].columns, records[1].columns)


def same(first: object, second: object) -> bool:
    return np.array_equal(
        np.asarray(first), np.asarray(second), equal_nan=True
    )
