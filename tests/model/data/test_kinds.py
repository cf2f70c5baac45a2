"""Whole numbers, booleans, dates, and dtypes: which values fit, and what becomes of them."""

import math
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python.errors import ArtifactError
from python.model.data.features import Feature
from python.model.data.kinds import (
    TYPES,
    Boolean,
    Category,
    Datetime,
    Integer,
    Numeric,
    String,
)
from python.model.data.schema import Schema

LARGEST = 2**63 - 1
SMALLEST = -(2**63)
MISSING = "missing: the feature has no default and accepts no missing value"
NO_DATE = "expected a date, or a date and time, such as 2024-05-31T12:30:00"


@pytest.mark.parametrize(
    "value", [3, 3.0, 0, -1, -0.0, 2**53 + 1, LARGEST, SMALLEST, 1e15]
)
def test_a_whole_number_fits_an_integer(value: Any) -> None:
    feature = Integer("n")
    assert feature.fault(value) is None
    column = feature.column([value])
    assert column.dtype == np.int64
    assert column.tolist() == [int(value)]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (3.5, "expected a whole number, got 3.5"),
        (True, "expected a whole number, got true"),
        ("3", 'expected a whole number, got "3"'),
        ([3], "expected a whole number, got a list"),
        (2**63, f"expected a whole number from {SMALLEST} to {LARGEST}, got {2**63}"),
        (SMALLEST - 1, f"expected a whole number from {SMALLEST} to {LARGEST}, got {SMALLEST - 1}"),
        (float(2**63), f"expected a whole number from {SMALLEST} to {LARGEST}, got {float(2**63)}"),
        (math.inf, "expected a whole number, got Infinity"),
        (None, MISSING),
    ],
)  # fmt: skip
def test_anything_else_does_not_fit_an_integer(value: Any, fault: str) -> None:
    assert Integer("n").fault(value) == fault


@pytest.mark.parametrize(
    ("dtype", "smallest", "largest"),
    [
        ("int8", -128, 127),
        ("Int8", -128, 127),
        ("uint16", 0, 2**16 - 1),
        ("UInt64", 0, 2**64 - 1),
        ("uint64", 0, 2**64 - 1),
        ("Int64", SMALLEST, LARGEST),
    ],
)
def test_a_whole_number_fits_the_dtype(
    dtype: str, smallest: int, largest: int
) -> None:
    feature = Integer("n", dtype=dtype)
    column = feature.column([smallest, largest])
    assert str(column.dtype) == dtype
    assert [int(number) for number in column] == [smallest, largest]
    expected = f"expected a whole number from {smallest} to {largest}, got "
    assert feature.fault(smallest - 1) == f"{expected}{smallest - 1}"
    assert feature.fault(largest + 1) == f"{expected}{largest + 1}"


@pytest.mark.parametrize("dtype", ["float32", "Float32", "float16"])
def test_a_number_does_not_become_infinite_in_its_column(dtype: str) -> None:
    feature = Numeric("x", dtype=dtype)
    largest = float(np.finfo(dtype.lower()).max)
    assert feature.column([largest])[0] == largest
    expected = f"expected a number that fits into {dtype}, got "
    assert feature.fault(-largest * 2) == f"{expected}{-largest * 2}"
    assert not feature.accepts_all([largest * 2])
    assert Integer("n", dtype="float16").fault(65505) is not None


def test_integers_that_may_be_missing_are_what_pandas_makes_of_them() -> None:
    feature = Integer("n").with_rule(True, "samples")
    column = feature.column([1, None])
    assert column.dtype == np.float64
    np.testing.assert_array_equal(column, [1.0, np.nan])
    nullable = Integer("n", dtype="Int64").with_rule(True, "samples")
    column = nullable.column([LARGEST, None])
    assert column[0] == LARGEST
    assert column[1] is pd.NA


def test_only_true_and_false_fit_a_boolean() -> None:
    feature = Boolean("b")
    assert feature.fault(True) is None
    assert feature.fault(False) is None
    assert feature.fault(1) == "expected true or false, got 1"
    assert feature.fault("true") == 'expected true or false, got "true"'
    assert feature.fault(None) == MISSING


@pytest.mark.parametrize(
    ("feature", "values", "dtype", "cells"),
    [
        (Boolean("b"), [True, False], "bool", [True, False]),
        (Boolean("b", default=False), [True, None], "bool", [True, False]),
        (Boolean("b", dtype="int8"), [True, False], "int8", [1, 0]),
        (Boolean("b", dtype="boolean"), [True, None], "boolean", [True, pd.NA]),
        (Boolean("b").with_rule(True, "samples"), [True, None], "object", [True, np.nan]),
        (Boolean("b", missing_value=None).with_rule(True, "samples"), [True, None], "object", [True, None]),
        (Integer("n", dtype="object"), [3.0, 2], "object", [3, 2]),
        (Integer("n", dtype="float32"), [3, None], "float32", [3.0, np.nan]),
        (Numeric("x", dtype="float32"), [0.1, None], "float32", [np.float32(0.1), np.nan]),
        (Numeric("x", dtype="Float64"), [1, None], "Float64", [1.0, pd.NA]),
        (String("s", dtype="string"), ["a", None], "string", ["a", pd.NA]),
        (String("s", dtype="object"), ["a", None], "object", ["a", np.nan]),
        (String("s").with_missing_value(None), ["a", None], "object", ["a", None]),
        (Category("c", dtype="object", categories=("a", "b")), ["b", None], "object", ["b", np.nan]),
        (Category("c", dtype="int64", categories=(3, 5)), [5, 3.0], "int64", [5, 3]),
    ],
)  # fmt: skip
def test_a_column_has_the_dtype(
    feature: Feature, values: list[Any], dtype: str, cells: list[Any]
) -> None:
    schema = Schema([feature], named=True)
    frame = schema.columns([(value,) for value in values])
    (column,) = (frame[name] for name in frame)
    assert str(column.dtype) == dtype
    assert list(map(repr, column.tolist())) == list(
        map(repr, pd.Series(cells, dtype=dtype).tolist())
    )


def test_a_column_of_texts_has_the_dtype_that_pandas_gives_it() -> None:
    schema = Schema([String("s", accepts_missing=True)], named=True)
    of_pandas = pd.DataFrame({"s": ["a"]})["s"].dtype
    for rows in ([("a",), (None,)], [(None,)], [("",)]):
        assert schema.columns(rows)["s"].dtype == of_pandas


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31T12:30", "2024-05-31T12:30"),
        ("2024-05-31 12:30:15", "2024-05-31T12:30:15"),
        ("2024-05-31T12:30:15.5", "2024-05-31T12:30:15.5"),
        ("2024-05-31T12:30:00.000Z", "2024-05-31T12:30"),
        ("2024-05-31T12:30:15.123456789", "2024-05-31T12:30:15.123456789"),
        ("2024-05-31T12:30:15.1234567Z", "2024-05-31T12:30:15.1234567"),
        ("2024-05-31T12:30+02:00", "2024-05-31T10:30"),
        ("2024-05-31T00:30:00.25-0930", "2024-05-31T10:00:00.25"),
        ("2024-02-29T23:59:59", "2024-02-29T23:59:59"),
        ("1678-01-01", "1678-01-01"),
        ("2261-12-31T23:59:59.999999999", "2261-12-31T23:59:59.999999999"),
    ],
)
def test_a_date_fits_and_becomes_utc(value: str, moment: str) -> None:
    feature = Datetime("d", dtype="datetime64[ns]")
    assert feature.fault(value) is None
    column = feature.column([value, None])
    assert str(column.dtype) == "datetime64[ns]"
    assert column[0] == pd.Timestamp(moment)
    assert column[1] is pd.NaT


@pytest.mark.parametrize(
    "value",
    [
        "31.05.2024",
        "2024-5-31",
        "2024-02-30",
        "2023-02-29",
        "2024-05",
        "20240531",
        "2024-05-31T24:00",
        "2024-05-31T12",
        "2024-05-31T12:30:15.1234567891",
        "2024-05-31+02:00",
        "2024-05-31T12:30+25:00",
        "2024-05-31Z",
        " 2024-05-31",
        "2024-05-31\n",
        "٢٠٢٤-05-31",
        "0000-01-01",
        "today",
        "NaT",
        "",
        1717113600,
        True,
    ],
)
def test_no_date_does_not_fit(value: Any) -> None:
    fault = Datetime("d").fault(value)
    assert fault is not None
    assert fault.startswith(NO_DATE)


@pytest.mark.parametrize("year", ["1677", "2262", "9999"])
def test_nanoseconds_have_their_years(year: str) -> None:
    value = f"{year}-06-01"
    exact = Datetime("d", dtype="datetime64[ns, UTC]")
    assert exact.fault(value) == f'expected a date from 1678 to 2261, got "{value}"'  # fmt: skip
    rough = Datetime("d", dtype="datetime64[s]")
    if year != "9999":
        assert rough.column([value])[0] == pd.Timestamp(value)


def test_a_column_with_a_zone_has_the_same_moments() -> None:
    feature = Datetime("d", dtype="datetime64[ns, Europe/Paris]")
    values = ["2024-05-31T12:30:00+02:00", "2024-05-31T12:30:00", None]
    column = feature.column(values)
    assert str(column.dtype) == "datetime64[ns, Europe/Paris]"
    assert column[0].isoformat() == "2024-05-31T12:30:00+02:00"
    assert column[1].isoformat() == "2024-05-31T14:30:00+02:00"
    assert column[2] is pd.NaT


def test_dates_without_a_dtype_are_what_pandas_makes_of_them() -> None:
    frame = Schema([Datetime("d")], named=True).columns([("2024-05-31",)])
    assert frame["d"].dtype == pd.to_datetime(["2024-05-31"]).dtype


@settings(deadline=None)
@given(st.text(alphabet="0123456789-:.TZ +", max_size=30))
def test_what_looks_like_a_date_is_one_or_is_refused(value: str) -> None:
    feature = Datetime("d")
    if feature.mismatch(value) is None:
        assert feature.column([value])[0] is not pd.NaT


@settings(deadline=None)
@given(
    st.datetimes(
        min_value=pd.Timestamp("1678-01-02").to_pydatetime(),
        max_value=pd.Timestamp("2261-12-30").to_pydatetime(),
        timezones=st.none() | st.timezones(),
    )
)
def test_a_date_is_what_pandas_reads(value: Any) -> None:
    feature = Datetime("d", dtype="datetime64[ns]")
    text = value.isoformat()
    if feature.mismatch(text) is None:  # offsets once had seconds
        expected = pd.to_datetime([text], utc=True).tz_localize(None)
        assert feature.column([text])[0] == expected[0]


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        (Integer("x", 3.5), "the default must be a whole number"),
        (Integer("x", 300, dtype="int8"), "the default must be a whole number from -128 to 127"),
        (Integer("x", accepts_missing=True, dtype="int64"), "a column of int64 holds no missing value"),
        (Boolean("x", 1), "the default must be true or false"),
        (Boolean("x", accepts_missing=True), "a column of bool holds no missing value"),
        (Datetime("x", "yesterday"), "the default must be a date, or a date and time, such as 2024-05-31T12:30:00"),
        (Numeric("x", dtype="int64"), "a column of int64 is of another type than numeric: integer"),
        (Integer("x", dtype="bool"), "a column of bool is of another type than integer: boolean"),
        (String("x", dtype="category"), "a column of category is of another type than string: category"),
        (String("x", dtype="float64"), "a column of float64 is of another type than string: numeric"),
        (Numeric("x", dtype="datetime64[ns]"), "a column of datetime64[ns] is of another type than numeric: datetime"),
        (Numeric("x", dtype="complex128"), "a column of complex128 is of another type than numeric: complex128"),
        (Datetime("x", dtype="period[D]"), "a column of period[D] is of another type than datetime: period[D]"),
        (Category("x", dtype="int64", categories=("a",)), 'a column of int64 does not hold "a"'),
    ],
)  # fmt: skip
def test_a_feature_whose_parts_do_not_fit_says_so(
    feature: Feature, reason: str
) -> None:
    with pytest.raises(ArtifactError) as caught:
        feature.check()
    assert str(caught.value) == f'feature "x": {reason}'


@pytest.mark.parametrize(
    "feature",
    [
        Integer("x", 3.0),
        Integer("x", 0, True),
        Integer("x", accepts_missing=True, dtype="Int8"),
        Boolean("x", False, True),
        Datetime("x", "2024-05-31", True),
        Datetime("x", dtype="datetime64[ms, UTC]"),
        Datetime("x", dtype="object"),
        Numeric("x", 1, dtype="float16"),
        String("x", "a", dtype="string"),
        Category("x", dtype="string", categories=("a",)),
    ],
)
def test_a_feature_whose_parts_fit_passes_its_check(feature: Feature) -> None:
    feature.check()


KINDS = [
    Numeric("x"),
    Numeric("x", dtype="float32"),
    Integer("x"),
    Integer("x", dtype="int8"),
    Integer("x", dtype="UInt64"),
    Boolean("x"),
    Datetime("x"),
    Datetime("x", dtype="datetime64[ns, Europe/Paris]"),
    String("x"),
    Category("x", categories=("a", "2024-05-31")),
    Category("x", categories=(0, 1.5, 2**53 + 1)),
    Category("x", categories=(True, False)),
    Category("x", categories=("a", 1)),
]
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.integers(-130, 130),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-300, 300).map(float),
    st.text(max_size=3),
    st.sampled_from(["a", "2024-05-31", "2024-05-31T12:30Z", "1500-01-01"]),
    st.sampled_from([2**53, 2**53 + 1, LARGEST, LARGEST + 1, SMALLEST]),
)
JSON = st.one_of(SCALARS, st.lists(SCALARS, max_size=1))


def test_the_law_is_about_every_type() -> None:
    assert {feature.type for feature in KINDS} == set(TYPES)


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(KINDS), JSON)
def test_the_quick_and_the_thorough_reading_agree(
    feature: Feature, value: Any
) -> None:
    text = msgspec.json.encode(value)
    thorough = feature.mismatch(msgspec.json.decode(text)) is None
    try:
        decoded = msgspec.json.decode(text, type=feature.value_type)
    except msgspec.ValidationError:
        quick = False
    else:
        quick = feature.every_value_fits or feature.accepts_all([decoded])
    assert quick is thorough
    if thorough:
        first = feature.column([decoded])
        second = feature.column([msgspec.json.decode(text)])
        assert repr(first[0]) == repr(second[0])
