"""Each kind of feature knows which values fit it, and makes a column of them."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from python.errors import ArtifactError
from python.model.data.features import (
    TYPES,
    Category,
    Feature,
    Numeric,
    String,
)

COLOUR = Category("colour", categories=("red", "green"))
MISSING = "missing: the feature has no default and accepts no missing value"


def test_the_metadata_names_three_types() -> None:
    types = {"numeric": Numeric, "category": Category, "string": String}
    assert types == TYPES


@pytest.mark.parametrize(
    "value", [0, -1.5, 10**308, 1.7976931348623157e308, 5e-324]
)
def test_a_number_fits_a_numeric_feature(value: Any) -> None:
    assert Numeric("size").fault(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("1", 'expected a number, got "1"'),
        ("", 'expected a number, got ""'),
        (True, "expected a number, got true"),
        ([1], "expected a number, got a list"),
        ({"a": 1}, "expected a number, got an object"),
        (None, MISSING),
    ],
)
def test_anything_else_does_not_fit_a_numeric_feature(
    value: Any, fault: str
) -> None:
    assert Numeric("size").fault(value) == fault


@pytest.mark.parametrize("value", [10**309, -(10**309)])
def test_a_number_beyond_64_bits_does_not_fit(value: int) -> None:
    fault = Numeric("size").fault(value)
    assert fault is not None
    assert fault.startswith("expected a number that fits into 64 bits, got ")


@pytest.mark.parametrize("value", ["", "nan", "größe", "0"])
def test_any_text_fits_a_string_feature(value: str) -> None:
    assert String("word").fault(value) is None


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (1, "expected a string, got 1"),
        (False, "expected a string, got false"),
        (["a"], "expected a string, got a list"),
        (None, MISSING),
    ],
)
def test_anything_else_does_not_fit_a_string_feature(
    value: Any, fault: str
) -> None:
    assert String("word").fault(value) == fault


@pytest.mark.parametrize(
    ("categories", "value"),
    [
        (("red", "green"), "green"),
        ((1, 2), 2),
        ((1, 2), 2.0),
        ((1.5, "1"), "1"),
        ((True, False), False),
    ],
)
def test_one_of_its_categories_fits_a_category(
    categories: tuple[Any, ...], value: Any
) -> None:
    assert Category("level", categories=categories).fault(value) is None


@pytest.mark.parametrize(
    ("categories", "value", "fault"),
    [
        (("red", "green"), "Red", 'expected one of the categories "red", "green", got "Red"'),
        (("red",), 0, 'expected one of the categories "red", got 0'),
        ((0, 1), True, "expected one of the categories 0, 1, got true"),
        ((True, False), 1, "expected one of the categories true, false, got 1"),
        ((1,), "1", 'expected one of the categories 1, got "1"'),
        ((1,), [1], "expected one of the categories 1, got a list"),
        ((1,), None, MISSING),
    ],
)  # fmt: skip
def test_anything_else_does_not_fit_a_category(
    categories: tuple[Any, ...], value: Any, fault: str
) -> None:
    assert Category("level", categories=categories).fault(value) == fault


def test_a_fault_lists_twenty_categories_and_counts_the_others() -> None:
    fault = Category("level", categories=tuple(range(23))).fault(99)
    listed = ", ".join(map(str, range(20)))
    assert (
        fault == f"expected one of the categories {listed} and 3 more, got 99"
    )


@pytest.mark.parametrize(
    ("feature", "optional"),
    [
        (Numeric("size"), False),
        (Numeric("size", accepts_missing=False), False),
        (Numeric("size", accepts_missing=True), True),
        (Numeric("size", default=0), True),
        (Numeric("size", default=0, accepts_missing=False), True),
        (String("word", default=""), True),
    ],
)
def test_a_default_or_an_estimator_that_accepts_missing_makes_a_value_optional(
    feature: Feature, optional: bool
) -> None:
    assert feature.optional is optional
    assert (feature.fault(None) is None) is optional


def test_a_description_is_the_entry_of_the_metadata_and_what_may_be_missing() -> (
    None
):
    entry = {"name": "size", "type": "numeric", "unit": "cm"}
    feature = Numeric("size", accepts_missing=True, entry=entry)
    described = entry | {"accepts_missing": True, "required": False}
    assert feature.describe() == described
    feature = Numeric("size", entry=entry)
    assert feature.describe() == entry | {
        "accepts_missing": False,
        "required": True,
    }


@pytest.mark.parametrize(
    ("feature", "made_up", "example"),
    [
        (Numeric("size", default=7), 0.0, 7),
        (Numeric("size"), 0.0, 0.0),
        (String("word", default="a"), "", "a"),
        (COLOUR, "red", "red"),
        (Category("colour", default="green", categories=("red", "green")), "red", "green"),
    ],
)  # fmt: skip
def test_the_example_is_the_default_or_made_up(
    feature: Feature, made_up: Any, example: Any
) -> None:
    assert feature.made_up_value == made_up
    assert feature.example == example


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (Numeric("size"), float),
        (String("word"), str),
        (COLOUR, str),
        (Category("level", categories=(1, 2.5)), float | int),
        (Category("level", categories=("a", 1)), str | float | int),
        (Category("level", categories=("a", True)), str | bool),
    ],
)
def test_the_type_of_a_value_is_an_annotation(
    feature: Feature, expected: Any
) -> None:
    assert feature.value_type == expected


def test_a_numeric_column_is_float64_with_nan_where_it_is_missing() -> None:
    column = Numeric("size", accepts_missing=True).column([1, None, 2.5])
    assert column.dtype == np.float64
    np.testing.assert_array_equal(column, [1.0, np.nan, 2.5])
    np.testing.assert_array_equal(
        Numeric("size", default=-1).column([None, 3]), [-1, 3]
    )


def test_a_text_column_tells_a_missing_text_from_the_text_nan() -> None:
    column = String("word", accepts_missing=True).column(["nan", None, ""])
    assert column.dtype == object
    assert pd.isna(column).tolist() == [False, True, False]
    assert column[0] == "nan"
    assert String("word", default="a").column([None, "b"]).tolist() == [
        "a",
        "b",
    ]


@pytest.mark.parametrize(
    ("default", "filled"), [(None, ["green", None, "red"]), ("red", ["green", "red", "red"])]
)  # fmt: skip
def test_a_category_column_is_an_unordered_categorical(
    default: str | None, filled: list[str | None]
) -> None:
    feature = Category("colour", default, True, categories=("red", "green"))
    column = feature.column(["green", None, "red"])
    expected = pd.Categorical(
        filled, categories=["red", "green"], ordered=False
    )
    pd.testing.assert_extension_array_equal(column, expected)


def test_positions_follow_the_categories_and_minus_one_is_missing() -> None:
    assert COLOUR.positions == {"red": 0, "green": 1, None: -1}
    with_default = Category("colour", "green", categories=("red", "green"))
    assert with_default.positions[None] == 1


def test_a_category_column_of_positions_has_these_positions() -> None:
    positions = np.array([1.0, -1.0, 0.0])
    column = pd.Series(COLOUR.decode(positions))
    assert column.astype(object).where(column.notna(), None).tolist() == [
        "green",
        None,
        "red",
    ]
    np.testing.assert_array_equal(COLOUR.encode(column), positions)


def test_filling_puts_the_default_in_place_of_each_missing_value() -> None:
    assert Numeric("size", default=9).fill([1, None, 0]) == [1, 9, 0]
    assert Numeric("size").fill([1, None, 0]) == [1, None, 0]


def category(*categories: Any, default: Any = None) -> Category:
    return Category("x", default, categories=categories)


@pytest.mark.parametrize(
    "feature",
    [
        Numeric("x"),
        Numeric("x", 0, False),
        Numeric("x", 10**308),
        String("x", "", True),
        category("a", default="a"),
        category(0, 1.5, "a", default=1.5),
        category(True, False, "a"),
    ],
)
def test_a_feature_whose_parts_fit_passes_its_check(feature: Feature) -> None:
    feature.check()


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (Numeric("x", "1"), "the default must be a number"),
        (Numeric("x", True), "the default must be a number"),
        (Numeric("x", 10**309), "the default must be a number that fits into 64 bits"),
        (Numeric("x", np.nan), "NaN is no default; leave it out and set accepts_missing"),
        (Numeric("x", None, "yes"), "accepts_missing must be true or false"),  # type: ignore[arg-type]
        (String("x", 1), "the default must be a string"),
        (String("x", np.nan), "NaN is no default; leave it out and set accepts_missing"),
        (category(), "a category needs its categories"),
        (category("a", "a"), "the same category is listed twice"),
        (category(1, 1.0), "the same category is listed twice"),
        (category("a", None), "categories must be strings, numbers or booleans"),
        (category(1.0, np.nan), "categories must be strings, numbers or booleans"),
        (category(1, True), "categories must not mix booleans with numbers"),
        (category("a", default="b"), 'the default must be one of the categories "a"'),
        (category(0, 1, default=True), "the default must be one of the categories 0, 1"),
    ],
)  # fmt: skip
def test_a_feature_whose_parts_do_not_fit_says_so(
    feature: Feature, reason: str
) -> None:
    with pytest.raises(ArtifactError) as caught:
        feature.check()
    assert str(caught.value) == f'feature "x": {reason}'


class Even(Numeric):
    """A new type of feature."""

    type = "even"

    def mismatch(self, value: Any) -> str | None:
        return super().mismatch(value) or (
            "an even number" if value % 2 else None
        )


def test_a_new_type_is_one_class_that_says_what_does_not_fit() -> None:
    entry: Mapping[str, Any] = json.loads('{"name": "x", "type": "even"}')
    feature = Even("x", entry=entry)
    assert feature.fault(4) is None
    assert feature.fault(3) == "expected an even number, got 3"
    assert feature.describe()["type"] == "even"
