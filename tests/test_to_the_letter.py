"""What a model sees of a record is what it saw of that row in training, to the letter.

The model shows each value as text. What it shows of a DataFrame is compared with what it shows of the
same rows, sent as JSON.
"""

import json
import re
import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from python.model.data.dtypes import type_of
from tests.artifacts import client_of, content, post, refusal

ROWS = 6


class Letters:
    """Predicts the text of each row: each value, with its type and the type of its column."""

    def fit(self, X: pd.DataFrame) -> "Letters":
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        texts = []
        for row in range(len(X)):
            parts = [f"{X[name].dtype}: {X[name].iloc[row]!r}" for name in X]
            texts.append(" | ".join(parts))
        return np.array(texts, dtype=object)


class ArrayLetters:
    """Predicts the text of each row of an array: each value, with its type and the array's."""

    def fit(self, X: Any) -> "ArrayLetters":
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        texts = []
        for row in X:
            parts = [f"{type(value).__name__} {value!r}" for value in row]
            texts.append(f"{X.dtype}: " + " | ".join(parts))
        return np.array(texts, dtype=object)


def limits(name: str) -> st.SearchStrategy[Any]:
    found = np.iinfo(name.lower())
    return st.integers(int(found.min), int(found.max))


def decimals(width: int) -> st.SearchStrategy[Any]:
    return st.floats(width=width, allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]


def moments(unit: str) -> st.SearchStrategy[Any]:
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds = 9 * 10**9
    ticks = st.integers(-seconds * per_second, seconds * per_second)
    return ticks.map(lambda number: np.datetime64(number, unit))  # type: ignore[call-overload]


WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NULLABLE = [name.replace("int", "Int").replace("uI", "UI") for name in WHOLE]
ZONES = ("UTC", "Europe/Paris", "Asia/Kolkata", "America/New_York")
TEXTS = st.text(max_size=5)

# The values of a column of each dtype, and whether some may be missing.
COLUMNS: dict[str, tuple[st.SearchStrategy[Any], bool]] = {
    **{name: (limits(name), False) for name in WHOLE},
    **{name: (limits(name), True) for name in NULLABLE},
    **{f"float{bits}": (decimals(bits), True) for bits in (16, 32, 64)},
    **{f"Float{bits}": (decimals(bits), True) for bits in (32, 64)},
    "bool": (st.booleans(), False),
    "boolean": (st.booleans(), True),
    "str": (TEXTS, True),
    "string": (TEXTS, True),
    **{f"datetime64[{unit}]": (moments(unit), True) for unit in ("s", "ms", "us", "ns")},
    **{f"datetime64[ns, {zone}]": (moments("ns"), True) for zone in ZONES},
    "datetime64[us, Europe/Paris]": (moments("us"), True),
}  # fmt: skip


@st.composite
def columns(draw: st.DrawFn) -> tuple[dict[str, Any], pd.Series]:
    """Return the entry of a feature, and the column that a model was fitted with."""
    kind = draw(st.sampled_from([*COLUMNS, "objects", "category", "usual"]))
    if kind == "objects":
        return draw(objects())
    if kind == "category":
        return draw(categories())
    if kind == "usual":
        return draw(usual())
    value, missing = COLUMNS[kind]
    values = draw(lists_of(st.none() | value if missing else value))
    column = made(values, kind)
    entry = {"type": type_of(kind), "dtype": kind}
    return entry | {"accepts_missing": missing}, column


def lists_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(value, min_size=ROWS, max_size=ROWS)


def made(values: list[Any], dtype: str) -> pd.Series:
    if ", " in dtype:
        zone = dtype.split(", ")[1].rstrip("]")
        plain = dtype.split(",", maxsplit=1)[0] + "]"
        column = pd.Series(values, dtype=plain)
        return column.dt.tz_localize("UTC").dt.tz_convert(zone)
    return pd.Series(values, dtype=dtype)


@st.composite
def objects(draw: st.DrawFn) -> tuple[dict[str, Any], pd.Series]:
    """Columns of objects: texts, whole numbers, booleans; NaN or None where one is missing."""
    strategies = {
        "string": TEXTS,
        "integer": st.integers(-(2**63), 2**63 - 1),
        "boolean": st.booleans(),
        "numeric": decimals(64),
    }
    kind = draw(st.sampled_from(sorted(strategies)))
    gap = draw(st.sampled_from([np.nan, None]))
    values = draw(lists_of(st.just(gap) | strategies[kind]))
    values[0] = gap  # only the samples can tell which it is
    entry = {"type": kind, "dtype": "object", "accepts_missing": True}
    return entry, pd.Series(values, dtype=object)


@st.composite
def categories(draw: st.DrawFn) -> tuple[dict[str, Any], pd.Series]:
    kinds = [TEXTS, st.integers(-(2**63), 2**63 - 1), decimals(64).filter(bool), st.booleans()]  # fmt: skip
    known = draw(
        st.lists(draw(st.sampled_from(kinds)), min_size=1, unique=True)
    )
    values = draw(lists_of(st.none() | st.sampled_from(known)))
    column = pd.Series(pd.Categorical(values, categories=known))
    entry = {"type": "category", "categories": list(column.cat.categories)}
    return entry | {"accepts_missing": True}, column


@st.composite
def usual(draw: st.DrawFn) -> tuple[dict[str, Any], pd.Series]:
    """Columns as pandas makes them of values, of which the metadata says the type alone."""
    strategies = {
        "numeric": decimals(64),
        "integer": st.integers(-(2**63), 2**63 - 1),
        "boolean": st.booleans(),
        "string": TEXTS,
    }
    kind = draw(st.sampled_from(sorted(strategies)))
    value = strategies[kind]
    if kind in ("string", "numeric") and draw(st.booleans()):
        rows = draw(lists_of(st.none() | value))
        rows[0] = draw(value)
        return {"type": kind, "accepts_missing": True}, pd.Series(rows)
    return {"type": kind}, pd.Series(draw(lists_of(value)))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    drawn = draw(st.lists(columns(), min_size=1, max_size=4))
    entries = []
    frame = {}
    for number, (entry, column) in enumerate(drawn):
        entries.append({"name": f"x{number}", **entry})
        frame[f"x{number}"] = column
    return entries, pd.DataFrame(frame)


def makes_an_array(
    table: tuple[list[dict[str, Any]], pd.DataFrame],
) -> bool:
    """Return whether the values of the frame are in its array, too.

    Of several Categoricals of integers, pandas makes an array without the missing ones.
    """
    _, frame = table
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = frame.to_numpy()
    is_same = pd.isna(array) == frame.isna().to_numpy()
    return bool(is_same.all())


def json_value(value: Any) -> Any:
    """Return a value as a client would write it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        text = value.isoformat()
        # Offsets once had seconds, which are not ISO 8601.
        has_seconds = re.search(r"[+-]\d\d:\d\d:\d\d$", text)
        return value.tz_convert("UTC").isoformat() if has_seconds else text
    return value.item() if isinstance(value, np.generic) else value


def as_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    records = []
    for row in range(len(frame)):
        record = {}
        for name in frame:
            record[str(name)] = json_value(frame[name].iloc[row])
        records.append(record)
    return records


def assert_same_letters(
    entries: list[dict[str, Any]],
    frame: pd.DataFrame,
    *,
    as_array: bool = False,
    with_samples: bool = True,
) -> None:
    inputs = frame.to_numpy() if as_array else frame
    model = ArrayLetters() if as_array else Letters()
    expected = model.fit(inputs).predict(inputs).tolist()
    more = {"samples": frame} if with_samples else {}
    client = client_of(content(entries, model, **more))
    records = as_records(frame)
    assert post(client, "/predict", records)["prediction"] == expected
    for record, text in zip(records, expected, strict=True):
        assert post(client, "/predict", record)["prediction"] == [text]


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(tables())
def test_a_model_sees_what_it_saw_in_training(
    table: tuple[list[dict[str, Any]], pd.DataFrame],
) -> None:
    assert_same_letters(*table)


@pytest.mark.slow
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(tables().filter(makes_an_array))
def test_a_model_of_an_array_sees_what_it_saw_in_training(
    table: tuple[list[dict[str, Any]], pd.DataFrame],
) -> None:
    entries, frame = table
    for entry in entries:
        # The array of a column that only might have had a gap is another one.
        entry["accepts_missing"] = bool(frame[entry["name"]].isna().any())
    assert_same_letters(entries, frame, as_array=True)


def example(dtype: str) -> list[Any]:
    if "int" in dtype.lower():
        bounds = np.iinfo(dtype.lower())
        return [int(bounds.min), int(bounds.max)]
    if "float" in dtype.lower():
        return [0.1, -2.0]
    if "bool" in dtype:
        return [True, False]
    if "date" in dtype:
        return [np.datetime64("2024-05-31T12:30:15"), np.datetime64("1999-12-31")]  # fmt: skip
    return ["a", "nan"]


@pytest.mark.parametrize("dtype", COLUMNS)
def test_each_dtype_is_what_it_was_in_training(dtype: str) -> None:
    values = example(dtype)
    entry: dict[str, Any] = {
        "name": "x",
        "type": type_of(dtype),
        "dtype": dtype,
    }
    if COLUMNS[dtype][1]:
        values = [*values, None]
        entry["accepts_missing"] = True
    assert_same_letters([entry], pd.DataFrame({"x": made(values, dtype)}))


def arrays() -> Iterator[tuple[str, bool, bool]]:
    """Yield each dtype, with a gap where it holds one, with samples and without."""
    for dtype, with_samples in product(COLUMNS, (True, False)):
        yield dtype, False, with_samples
        # Of str, pandas 2 makes objects, which may lack a value as None or NaN.
        is_unclear = pd.__version__ < "3" and dtype == "str"
        if COLUMNS[dtype][1] and (with_samples or not is_unclear):
            yield dtype, True, with_samples


@pytest.mark.parametrize(("dtype", "has_gap", "with_samples"), list(arrays()))
def test_an_array_of_each_dtype_is_what_it_was_in_training(
    dtype: str, has_gap: bool, with_samples: bool
) -> None:
    values = [*example(dtype), None] if has_gap else example(dtype)
    entry: dict[str, Any] = {
        "name": "x",
        "type": type_of(dtype),
        "dtype": dtype,
        "accepts_missing": has_gap,
    }
    frame = pd.DataFrame({"x": made(values, dtype)})
    assert_same_letters(
        [entry], frame, as_array=True, with_samples=with_samples
    )


WHOLE_GAP = pd.Series([1, None], dtype="Int64")
TRUE_GAP = pd.Series([True, None], dtype="boolean")
DECIMALS = pd.Series([0.5, 1.0])
DATES = pd.to_datetime(pd.Series(["2024-05-31", None]))
MIXED = {
    "whole numbers and decimals": [WHOLE_GAP, DECIMALS],
    "whole numbers and pandas' decimals": [WHOLE_GAP, DECIMALS.astype("Float32")],
    "whole numbers of two sizes": [pd.Series([1, 2], dtype="int8"), pd.Series([1, 2], dtype="uint8")],
    "booleans and decimals": [TRUE_GAP, DECIMALS],
    "booleans of both kinds": [TRUE_GAP, pd.Series([True, False])],
    "dates": [DATES, DATES],
    "dates and decimals": [DATES, DECIMALS],
    "texts and whole numbers": [pd.Series(["a", None], dtype="string"), WHOLE_GAP],
    "categories of texts": [pd.Series(["a", None], dtype="category"), WHOLE_GAP],
    "categories of whole numbers": [pd.Series([3, None], dtype="category"), DECIMALS],
    "categories and whole numbers": [pd.Series([3, 5], dtype="category"), pd.Series([1, 2])],
    "categories that are decimals": [pd.Series([0.5, None], dtype="category")],
    "categories that are booleans": [pd.Series([True, False], dtype="category")],
}  # fmt: skip


@pytest.mark.parametrize("with_samples", [True, False])
@pytest.mark.parametrize("mixture", MIXED)
def test_an_array_of_several_dtypes_is_what_it_was_in_training(
    mixture: str, with_samples: bool
) -> None:
    frame = pd.DataFrame(dict(enumerate(MIXED[mixture]))).rename(columns=str)
    entries = []
    for name, column in frame.items():
        dtype = str(column.dtype)
        entry: dict[str, Any] = {
            "name": name,
            "type": type_of(dtype),
            "dtype": dtype,
        }
        if dtype == "category":
            entry["categories"] = list(column.cat.categories)
        entry["accepts_missing"] = bool(column.isna().any())
        entries.append(entry)
    assert_same_letters(
        entries, frame, as_array=True, with_samples=with_samples
    )


@pytest.mark.parametrize("dtype", ["Int64", "boolean"])
def test_where_nothing_tells_the_type_of_the_array_the_model_is_not_ready(
    dtype: str,
) -> None:
    entry = {"name": "x", "type": type_of(dtype), "dtype": dtype}
    frame = pd.DataFrame({"x": made(example(dtype), dtype)})
    model = ArrayLetters().fit(frame.to_numpy())
    sentence = refusal(content([entry], model))
    assert sentence.endswith('write accepts_missing for "x"')


def test_a_category_has_all_its_categories_in_every_request() -> None:
    column = pd.Series(["b", "a", None, "b"], dtype="category")
    entry = {
        "name": "x",
        "type": "category",
        "dtype": "category",
        "categories": ["a", "b"],
        "accepts_missing": True,
    }
    frame = pd.DataFrame({"x": column})
    expected = column.cat.codes.tolist()
    client = client_of(content([entry], Codes(), samples=frame))
    for record, code in zip(as_records(frame), expected, strict=True):
        assert post(client, "/predict", record)["prediction"] == [code]


class Codes:
    """Predicts the code of a category, as pandas counts them."""

    def predict(self, X: pd.DataFrame) -> Any:
        return X["x"].cat.codes.to_numpy()


def test_whole_numbers_are_exact_up_to_their_limits() -> None:
    numbers = [2**63 - 1, -(2**63), 2**53 + 1, -(2**53) - 1, 0]
    frame = pd.DataFrame({"x": numbers})
    assert_same_letters([{"name": "x", "type": "integer"}], frame)


def test_dates_of_to_json_are_those_of_the_frame() -> None:
    dates = pd.to_datetime(["2024-05-31T12:30:15", None], utc=True)
    frame = pd.DataFrame({"x": dates.tz_convert("Europe/Paris")})
    dtype = str(frame["x"].dtype)
    entry = {"name": "x", "type": "datetime", "dtype": dtype}
    model = Letters().fit(frame)
    client = client_of(
        content([entry | {"accepts_missing": True}], model, samples=frame)
    )
    body = frame.to_json(orient="records", date_format="iso")
    predicted = post(client, "/predict", json.loads(body))["prediction"]
    assert predicted == model.predict(frame).tolist()


ALIKE: list[list[Any]] = [
    [0, 7],
    ["a", "b"],
    [True, False],
    [0.5, 2.0],
    [2**53 + 1, 3],
]
BESIDE = ["float64", "Int64", "str", "datetime64[ns]", "datetime64[ns, UTC]"]


def frames_of_categories() -> Iterator[pd.DataFrame]:
    """Yield two Categoricals, with gaps and without, alone and beside another column.

    Of columns that all have the same categories, `to_numpy()` makes objects, and `to_numpy(float)`
    numbers: a model gets numbers, which is said at the start if it was fitted with objects.
    """
    for first, second, gap_in_first, gap_in_second, other in product(
        ALIKE, ALIKE, (True, False), (True, False), (None, *BESIDE)
    ):
        if first == second and other is None:
            continue
        values = [None if gap_in_first else first[0], *first]
        others = [second[1], *[None if gap_in_second else second[0]] * 2]
        columns = {
            "x0": pd.Series(pd.Categorical(values, categories=first)),
            "x1": pd.Series(pd.Categorical(others, categories=second)),
        }
        if other:
            columns["x2"] = made((example(other) * 2)[:3], other)
        yield pd.DataFrame(columns)


def entry_of(name: str, column: pd.Series) -> dict[str, Any]:
    entry = {"name": name, "accepts_missing": bool(column.isna().any())}
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = list(column.cat.categories)
        return entry | {"type": "category", "categories": known}
    dtype = str(column.dtype)
    return entry | {"type": type_of(dtype), "dtype": dtype}


def test_categories_in_an_array_are_what_they_were_in_training() -> None:
    n_tried = 0
    for frame in frames_of_categories():
        entries = [entry_of(str(name), frame[name]) for name in frame]
        if makes_an_array((entries, frame)):
            n_tried += 1
            assert_same_letters(entries, frame, as_array=True)
    assert n_tried > 400
