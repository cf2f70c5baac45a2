"""What the texts of cells are read as, for each type of feature."""

import math

import pytest

from python.model.data.features import Feature, Value
from python.model.data.kinds import (
    Boolean,
    Category,
    Datetime,
    Integer,
    Numeric,
    String,
)
from python.model.tabular.cells import hint, read_column

NUMBER = Numeric("x")
WHOLE = Integer("x")
MIXED = Category("x", categories=("1", 2, 3.5, "true"))
NUMBERS = Category("x", categories=(1, 2))
SWITCHES = Category("x", categories=(True, False))


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [
        (NUMBER, "1.5", 1.5),
        (NUMBER, "-1e-3", -0.001),
        (NUMBER, " .5", 0.5),
        (NUMBER, "+5.", 5.0),
        (NUMBER, "0.1234567890123456789", 0.1234567890123456789),
        (NUMBER, "", None),
        # Python would read these.
        (NUMBER, "1_000", "1_000"),
        (NUMBER, "nan", "nan"),
        (NUMBER, "-Infinity", "-Infinity"),
        (NUMBER, "٣", "٣"),
        (NUMBER, "1e400", "1e400"),
        (NUMBER, "0x10", "0x10"),
        (NUMBER, "1,5", "1,5"),
        (NUMBER, "true", "true"),
        (WHOLE, "9007199254740993", 9007199254740993),
        (WHOLE, "3.0", 3.0),
        (WHOLE, "3.5", 3.5),
        (WHOLE, "1e3", 1000.0),
        (WHOLE, "x", "x"),
        (Boolean("x"), "TRUE", True),
        (Boolean("x"), "false", False),
        (Boolean("x"), "1", "1"),
        (Boolean("x"), "", None),
        (Datetime("x"), "2024-05-31", "2024-05-31"),
        (String("x"), "NA", "NA"),
        (String("x"), "1", "1"),
        (String("x"), "", None),
        (MIXED, "1", "1"),
        (MIXED, "2", 2),
        (MIXED, "3.50", 3.5),
        (MIXED, "true", "true"),
        (MIXED, "4", "4"),
        (NUMBERS, "1", 1),
        (NUMBERS, "2.0", 2.0),
        (NUMBERS, "", None),
        (SWITCHES, "True", True),
        (SWITCHES, "1", "1"),
    ],
)
def test_a_cell(feature: Feature, text: str, value: Value) -> None:
    (read,) = read_column(feature, [text], ".")
    assert read == value
    assert type(read) is type(value)


def test_a_column_of_plain_numbers_is_read_as_its_cells_are() -> None:
    texts = ["1", " 2.5 ", "-3e2", "0.1"]
    alone = [read_column(NUMBER, [text], ".")[0] for text in texts]
    assert read_column(NUMBER, texts, ".") == alone == [1, 2.5, -300, 0.1]
    with_others = read_column(NUMBER, [*texts, "", "nan", "1_0"], ".")
    assert with_others == [*alone, None, "nan", "1_0"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,5", 1.5), ("-1,5e3", -1500.0), ("7", 7.0), ("", None)],
)
def test_decimal_commas(text: str, value: Value) -> None:
    assert read_column(NUMBER, [text], ",") == [value]


@pytest.mark.parametrize("text", ["1.234", "1.234,5", "1,234,5"])
def test_with_decimal_commas_a_point_is_no_part_of_a_number(text: str) -> None:
    assert read_column(NUMBER, [text], ",") == [text]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("NA", "a cell is empty where its value is missing"),
        ("null", "a cell is empty where its value is missing"),
        ("1,5", "a number has a point before its decimals"),
        ("abc", ""),
    ],
)
def test_what_was_meant(text: str, advice: str) -> None:
    assert hint(text, ".").removeprefix("; ") == advice
    assert not math.isnan(len(hint(text, ",")))
