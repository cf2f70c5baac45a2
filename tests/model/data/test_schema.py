"""A schema turns rows into codes and columns, and points at every fault in records."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from python.errors import Fault
from python.model.data.features import Feature
from python.model.data.kinds import Category, Numeric, String
from python.model.data.schema import Row, Schema

NUMBERS = (Numeric("size"), Numeric("a/b ~c"))
GAPPY_NUMBERS = (
    Numeric("size", default=-1),
    Numeric("a/b ~c", accepts_missing=True),
)
COLOUR = Category("colour", None, True, categories=("red", "green"))
LEVEL = Category("level", default=2, categories=(1, 2, 3))
MIXED = (*GAPPY_NUMBERS, COLOUR, LEVEL)
WORD = String("word", accepts_missing=True)

MIXED_ROWS: list[Row] = [
    (1.5, 2, "green", 3),
    (None, None, None, None),
    (-0.0, 10**20, "red", 1.0),
]
# By hand: size has the default -1 and level the default 2, which is at position 1.
MIXED_CODES = np.array(
    [
        [1.5, 2.0, 1.0, 2.0],
        [-1.0, np.nan, -1.0, 1.0],
        [0.0, 1e20, 0.0, 0.0],
    ]
)
MIXED_FRAME = pd.DataFrame(
    {
        "size": [1.5, -1.0, 0.0],
        "a/b ~c": [2.0, np.nan, 1e20],
        "colour": pd.Categorical(
            ["green", None, "red"], categories=["red", "green"]
        ),
        "level": pd.Categorical([3, 2, 1], categories=[1, 2, 3]),
    }
)


def assert_same_values(array: Any, expected: list[list[Any]]) -> None:
    """Assert that the array of objects has these values, None where one is missing."""
    assert array.dtype == object
    values = array.copy()
    values[pd.isna(array)] = None
    assert values.tolist() == expected


def test_numbers_are_an_array_of_float64_for_an_estimator_without_names() -> (
    None
):
    columns = Schema(NUMBERS).columns([(1, 2.5), (3, 10**20)])
    assert columns.dtype == np.float64
    np.testing.assert_array_equal(columns, [[1.0, 2.5], [3.0, 1e20]])


def test_numbers_are_a_frame_of_float64_for_an_estimator_with_names() -> None:
    columns = Schema(NUMBERS, named=True).columns([(1, 2.5), (3, 10**20)])
    expected = pd.DataFrame({"size": [1.0, 3.0], "a/b ~c": [2.5, 1e20]})
    assert_frame_equal(columns, expected)


def test_missing_numbers_are_their_default_or_nan() -> None:
    columns = Schema(GAPPY_NUMBERS).columns([(None, 2), (3, None)])
    np.testing.assert_array_equal(columns, [[-1.0, 2.0], [3.0, np.nan]])


def test_a_frame_has_numbers_and_categories_each_with_its_type() -> None:
    assert_frame_equal(
        Schema(MIXED, named=True).columns(MIXED_ROWS), MIXED_FRAME
    )


def test_numbers_and_categories_are_objects_for_an_estimator_without_names() -> (
    None
):
    assert_same_values(
        Schema(MIXED).columns(MIXED_ROWS),
        [[1.5, 2.0, "green", 3], [-1.0, None, None, 2], [0.0, 1e20, "red", 1]],
    )


def test_a_frame_with_texts_has_what_pandas_makes_of_the_texts() -> None:
    schema = Schema((*GAPPY_NUMBERS, COLOUR, WORD), named=True)
    columns = schema.columns([(1, 2, "red", "nan"), (None, None, None, None)])
    expected = pd.DataFrame(
        {
            "size": [1.0, -1.0],
            "a/b ~c": [2.0, np.nan],
            "colour": pd.Categorical(
                ["red", None], categories=["red", "green"]
            ),
            "word": ["nan", np.nan],
        }
    )
    assert_frame_equal(columns, expected)
    assert columns["word"].isna().tolist() == [False, True]


def test_an_array_with_texts_is_one_of_objects() -> None:
    columns = Schema((NUMBERS[0], WORD)).columns([(1, "nan"), (2, None)])
    assert_same_values(columns, [[1.0, "nan"], [2.0, None]])


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    "features", [NUMBERS, GAPPY_NUMBERS, MIXED, (*MIXED, WORD)]
)
def test_no_rows_make_no_rows(
    features: tuple[Feature, ...], named: bool
) -> None:
    columns = Schema(features, named=named).columns([])
    assert columns.shape == (0, len(features))
    assert not named or list(columns) == [feature.name for feature in features]


def test_codes_are_numbers_as_they_are_and_positions_of_categories() -> None:
    codes = Schema(MIXED).encode(MIXED_ROWS)
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(codes, MIXED_CODES)


def test_codes_of_numbers_that_must_be_there_are_the_numbers() -> None:
    np.testing.assert_array_equal(
        Schema(NUMBERS).encode([(1, 2.5)]), [[1.0, 2.5]]
    )


def test_a_category_that_must_be_there_has_its_position_as_its_code() -> None:
    schema = Schema(
        [Category("colour", categories=("red", "green")), *NUMBERS]
    )
    np.testing.assert_array_equal(
        schema.encode([("green", 5, 6)]), [[1.0, 5.0, 6.0]]
    )


@pytest.mark.parametrize("features", [NUMBERS, GAPPY_NUMBERS, MIXED])
def test_no_rows_have_no_codes(features: tuple[Feature, ...]) -> None:
    assert Schema(features).encode([]).shape == (0, len(features))


def test_decoded_codes_are_the_columns_that_pandas_would_hold() -> None:
    assert_frame_equal(
        Schema(MIXED, named=True).decode(MIXED_CODES), MIXED_FRAME
    )


def test_decoded_codes_of_numbers_are_themselves() -> None:
    codes = np.array([[1.0, np.nan]])
    np.testing.assert_array_equal(Schema(NUMBERS).decode(codes), codes)


def test_columns_from_elsewhere_are_encoded_by_their_categories() -> None:
    np.testing.assert_array_equal(
        Schema(MIXED, named=True).encode_columns(MIXED_FRAME), MIXED_CODES
    )


@pytest.mark.parametrize("form", [np.array, pd.DataFrame])
def test_columns_of_integers_are_encoded_as_float64(
    form: Callable[..., Any],
) -> None:
    codes = Schema(NUMBERS).encode_columns(form([[1, 2], [3, 4]]))
    assert codes.dtype == np.float64
    np.testing.assert_array_equal(codes, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("features", [NUMBERS, (*NUMBERS, COLOUR)])
def test_columns_that_hold_texts_for_numbers_have_no_codes(
    features: tuple[Feature, ...],
) -> None:
    columns = pd.DataFrame({"size": ["large"], "a/b ~c": [1.0]})
    if COLOUR in features:
        columns["colour"] = pd.Categorical(
            ["red"], categories=["red", "green"]
        )
    with pytest.raises(ValueError, match="could not convert string to float"):
        Schema(features, named=True).encode_columns(columns)


CATEGORY_LISTS = st.one_of(
    st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True),
    st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True),
    st.permutations([True, False]),
)
FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**30), 10**30),
)


@st.composite
def features_and_rows(draw: st.DrawFn) -> tuple[list[Feature], list[Row]]:
    """Draw features of numbers and categories, and rows of values that fit them."""
    features: list[Feature] = []
    values = []
    for number in range(draw(st.integers(1, 4))):
        categories = tuple(draw(st.one_of(st.just([]), CATEGORY_LISTS)))
        value = st.sampled_from(categories) if categories else FINITE
        default = draw(st.one_of(st.none(), value))
        accepts_missing = draw(st.booleans())
        if categories:
            name = f"category {number}"
            features.append(
                Category(name, default, accepts_missing, categories=categories)
            )
        else:
            features.append(
                Numeric(f"number {number}", default, accepts_missing)
            )
        values.append(
            st.one_of(st.none(), value) if features[-1].optional else value
        )
    return features, draw(st.lists(st.tuples(*values), max_size=5))


@settings(max_examples=50, deadline=None)
@given(features_and_rows(), st.booleans())
def test_rows_become_codes_and_columns_and_the_same_codes_again(
    case: tuple[list[Feature], list[Row]], named: bool
) -> None:
    features, rows = case
    schema = Schema(features, named=named)
    for feature in features:
        feature.check()
    records = [dict(zip(schema.names, row, strict=True)) for row in rows]
    assert schema.faults(records, reject_unknown=True) == []
    codes = schema.encode(rows)
    columns = schema.columns(rows)
    if named or schema.is_numeric:
        np.testing.assert_array_equal(schema.encode_columns(columns), codes)
    if named:
        assert_frame_equal(schema.decode(codes), columns)
    assert_columns_hold_the_rows(features, rows, columns)


def assert_columns_hold_the_rows(
    features: list[Feature], rows: list[Row], columns: Any
) -> None:
    table = pd.DataFrame(columns).astype(object)
    for row, written in zip(rows, table.itertuples(index=False), strict=True):
        for feature, value, column_value in zip(
            features, row, written, strict=True
        ):
            expected = feature.default if value is None else value
            if expected is None:
                assert pd.isna(column_value)
            elif isinstance(feature, Numeric):
                assert column_value == float(expected)
            else:
                assert column_value == expected
                assert isinstance(column_value, bool) == isinstance(
                    expected, bool
                )


def test_a_schema_says_what_kinds_of_features_it_has() -> None:
    assert Schema(NUMBERS).is_numeric
    assert Schema(NUMBERS).has_codes
    assert not Schema(MIXED).is_numeric
    assert Schema(MIXED).categories == {2: COLOUR, 3: LEVEL}
    assert not Schema([*MIXED, WORD]).has_codes


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        ([(0, 0, "red", 1), (0, 0, "green", 3)], True),
        ([(0, 0, None, None)], True),
        ([(0, 0, "blue", 1)], False),
        ([(0, 0, "red", 1), (0, 0, "red", 4)], False),
        ([], True),
    ],
)
def test_rows_have_known_categories_or_not(
    rows: list[Row], known: bool
) -> None:
    assert Schema(MIXED).accepts(rows) is known


def test_a_tolerant_schema_accepts_every_missing_value_and_keeps_its_form() -> (
    None
):
    schema = Schema([*NUMBERS, LEVEL], named=True).tolerant()
    assert schema.named
    assert schema.faults([{"size": None}], reject_unknown=True) == []
    columns = schema.columns([(None, None, None)])
    assert columns.isna().to_numpy().tolist() == [[True, True, False]]


def test_accepts_missing_is_settled_by_a_rule_for_the_feature() -> None:
    rules = {"size": True, "a/b ~c": False}
    schema = Schema(NUMBERS).with_rules(rules, "samples")
    assert {f.missing_rule_from for f in schema.features} == {"samples"}
    assert [feature.accepts_missing for feature in schema.features] == [
        True,
        False,
    ]
    assert [feature.accepts_missing for feature in NUMBERS] == [None, None]


def test_a_row_has_the_values_in_the_order_of_the_features() -> None:
    record = {"colour": "red", "unknown": 1, "size": 3}
    assert Schema(MIXED).row(record) == (3, None, "red", None)


def test_the_example_has_a_value_that_fits_each_feature() -> None:
    schema = Schema([*MIXED, WORD])
    example = {
        "size": -1,
        "a/b ~c": 0.0,
        "colour": "red",
        "level": 2,
        "word": "",
    }
    assert schema.example() == example
    assert schema.faults([example], reject_unknown=True) == []


MISSING = "missing: the feature has no default and accepts no missing value"
NOTHING = "the record holds none of the model's features"


@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ({"size": 1, "a/b ~c": 2}, []),
        ({"size": 1}, [("a/b ~c", MISSING, "missing")]),
        ({"size": None, "a/b ~c": "2"}, [("size", MISSING, "missing"), ("a/b ~c", 'expected a number, got "2"', "type")]),
        ({"size": 1, "a/b ~c": 2, "sise": 3}, [("sise", 'unknown feature; did you mean "size"?', "unknown")]),
        ({"size": 1, "a/b ~c": 2, "?": None}, [("?", "unknown feature", "unknown")]),
        ({"?": 1}, [("?", "unknown feature", "unknown"), ("size", MISSING, "missing"), ("a/b ~c", MISSING, "missing")]),
        ({}, [(None, NOTHING, "record")]),
        ([1], [(None, "expected a record (an object), got a list", "record")]),
        ("size", [(None, 'expected a record (an object), got "size"', "record")]),
        (None, [(None, "expected a record (an object), got null", "record")]),
    ],
)  # fmt: skip
def test_each_fault_has_its_row_its_feature_and_a_reason(
    record: Any, faults: list[tuple[str | None, str, str]]
) -> None:
    fitting = {"size": 0, "a/b ~c": 0}
    expected = [Fault(1, *fault) for fault in faults]
    records = [fitting, record, fitting]
    assert Schema(NUMBERS).faults(records, reject_unknown=True) == expected


def test_faults_come_in_the_order_of_the_records() -> None:
    schema = Schema(NUMBERS)
    faults = schema.faults(
        [{"size": 1}, 5, {"a/b ~c": 1}], reject_unknown=True
    )
    places = [(fault.row, fault.feature) for fault in faults]
    assert places == [(0, "a/b ~c"), (1, None), (2, "size")]


def test_unknown_features_are_no_faults_where_they_are_ignored() -> None:
    schema = Schema(GAPPY_NUMBERS)
    assert schema.faults([{"size": 1, "sise": 2}], reject_unknown=False) == []
    faults = schema.faults([{"sise": 2}], reject_unknown=False)
    assert faults == [Fault(0, None, NOTHING, "record")]


def test_a_record_without_any_value_is_a_fault_even_where_each_may_be_missing() -> (
    None
):
    faults = Schema(GAPPY_NUMBERS).faults([{}], reject_unknown=True)
    assert faults == [Fault(0, None, NOTHING, "record")]
    nulls = {"size": None, "a/b ~c": None}
    assert Schema(GAPPY_NUMBERS).faults([nulls], reject_unknown=True) == []


@pytest.mark.parametrize(
    ("records", "reported"), [(49, 98), (50, 100), (51, 100)]
)
def test_a_hundred_faults_are_reported_at_most(
    records: int, reported: int
) -> None:
    wrong = {"size": "1", "a/b ~c": True}
    faults = Schema(NUMBERS).faults([wrong] * records, reject_unknown=True)
    assert len(faults) == reported
    assert faults[-1] == Fault(
        reported // 2 - 1, "a/b ~c", "expected a number, got true", "type"
    )


def test_a_schema_has_the_features_of_the_metadata_and_the_form_it_is_told() -> (
    None
):
    metadata = {"features": [{"name": "size", "type": "numeric"}]}
    schema = Schema.from_metadata(metadata, named=True)
    assert schema.names == ["size"]
    assert schema.named
    assert not Schema.from_metadata(metadata).named
