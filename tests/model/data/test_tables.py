"""The samples of an artifact are read into rows, and show which values may be missing."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from python.errors import ArtifactError
from python.model.data.json_values import to_json_value
from python.model.data.kinds import (
    Boolean,
    Category,
    Datetime,
    Integer,
    Numeric,
    String,
)
from python.model.data.schema import Schema
from python.model.data.tables import read_table, rules_of_tables
from tests.artifacts import (
    X,
    client_of,
    content,
    features_with,
    load,
    problems,
    refusal,
)

SIZE = Numeric("size")
COLOUR = Category("colour", categories=("red", "green"))
WORD = String("word")
SCHEMA = Schema([SIZE, COLOUR, WORD], named=True)


def frame(sizes: list[Any], colours: list[Any], words: list[Any]) -> Any:
    colour = pd.Categorical(colours, categories=["red", "green"])
    return pd.DataFrame({"size": sizes, "colour": colour, "word": words})


def background_of(schema: Schema, samples: Any) -> Any:
    """Return the columns that the schema makes of the samples."""
    return schema.columns(read_table(schema, samples, "samples"))


@pytest.mark.parametrize(
    "samples",
    [
        [{"size": 1, "colour": "red", "word": "a"}, {"size": None, "colour": None, "word": None}],
        ({"word": word, "colour": colour, "size": size} for size, colour, word in [(1.0, "red", "a"), (np.nan, None, None)]),
        frame([1.0, np.nan], ["red", None], ["a", None])[["word", "size", "colour"]],
        frame([1.0, None], ["red", np.nan], ["a", pd.NA]).assign(more=1),
        pd.DataFrame({"size": [1, None], "colour": ["red", None], "word": ["a", pd.NaT]}).astype({"size": "Int64"}),
    ],
    ids=["records", "generator", "other order", "more columns", "pandas' integers"],
)  # fmt: skip
def test_samples_of_every_form_are_the_columns_of_the_schema(
    samples: Any,
) -> None:
    background = background_of(SCHEMA, samples)
    assert_frame_equal(
        background, frame([1.0, np.nan], ["red", None], ["a", np.nan])
    )


def test_the_text_nan_in_samples_is_a_text() -> None:
    samples = [{"size": 0, "colour": "red", "word": "nan"}]
    background = background_of(SCHEMA, samples)
    assert_frame_equal(background, frame([0.0], ["red"], ["nan"]))


def test_samples_may_hold_the_scalars_of_numpy() -> None:
    samples = [{"size": np.int8(3), "colour": np.str_("red"), "word": "a"}]
    background = background_of(SCHEMA, samples)
    assert_frame_equal(background, frame([3.0], ["red"], ["a"]))


def test_a_missing_value_in_samples_is_the_default_where_there_is_one() -> (
    None
):
    schema = Schema([Numeric("size", default=7)])
    background = background_of(schema, [{"size": None}, {"size": 1}])
    np.testing.assert_array_equal(background, [[7.0], [1.0]])


def test_samples_are_a_frame_or_records() -> None:
    for samples in (
        X,
        X.to_dict("records"),
        X.assign(target=1),
        X.astype("Float64"),
    ):
        assert load(content(samples=samples)).offers_explanations


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (content(samples=[]), "samples must be a DataFrame or a list of records, and not empty"),
        (content(samples=X["x"]), "samples, row 0: expected a record"),
        (content(samples=5), "samples must be a DataFrame or a list of records, and not empty"),
        (content(samples=[[1, 2]]), "samples, row 0: expected a record"),
        (content(samples=[{"x": 1, "y": 1}, {"x": 1}]), 'samples, row 1: no value for "y"'),
        (content(samples=X.assign(x="1")), 'samples, row 0, "x": expected a number, got "1"'),
        (content(model=LogisticRegression()), "the model cannot predict the first row made up from the metadata, {'x': 0.0, 'y': 0.0}: NotFittedError"),
        (content(samples=[{"x": 1, "y": None}]), "the model cannot predict the first row of the samples: ValueError: Input X contains NaN"),
    ],
)  # fmt: skip
def test_a_fault_in_the_samples_is_one_sentence(
    content: Any, sentence: str
) -> None:
    assert refusal(content).startswith(sentence)


def test_samples_show_which_values_may_be_missing() -> None:
    schema = Schema(
        [
            Numeric("x"),
            Integer("y"),
            Numeric("z", accepts_missing=True),
            Integer("d", default=7),
        ]
    )
    table = pd.DataFrame(
        {"x": [1.0, 2.0], "y": [1, None], "z": 1.0, "d": None}
    )
    rows = read_table(schema, table, "samples")
    assert rules_of_tables(schema, {"samples": rows}) == {
        "x": False,
        "y": True,
    }
    columns = schema.with_rules({"y": True}, "samples").columns(rows)
    np.testing.assert_array_equal(columns[1], [2.0, np.nan, 1.0, 7.0])


@pytest.mark.parametrize(
    "feature",
    [
        Integer("y", dtype="int64"),
        Integer("y", accepts_missing=False),
        Boolean("y", dtype="bool"),
    ],
)
def test_a_value_is_missing_in_a_column_that_holds_none(feature: Any) -> None:
    dtype = feature.column_dtype
    with pytest.raises(ArtifactError) as caught:
        rules_of_tables(Schema([feature]), {"samples": [(1,), (None,)]})
    assert str(caught.value) == (
        f'samples, row 1, "y": missing, and a column of {dtype} holds no missing value'
    )


def test_the_samples_decide_and_not_what_the_estimator_happens_to_take() -> (
    None
):
    trees = RandomForestClassifier(2, random_state=0).fit(X, [0, 1, 1])
    lacking = X.assign(y=[1.0, np.nan, 3.0])
    without = load(content(model=trees)).features()
    assert [entry["required"] for entry in without] == [False, False]
    assert {entry["accepts_missing_from"] for entry in without} == {
        "estimator"
    }
    shown = load(content(model=trees, samples=lacking)).features()
    assert [entry["required"] for entry in shown] == [True, False]
    assert {entry["accepts_missing_from"] for entry in shown} == {"samples"}
    said = features_with(accepts_missing=True)
    stated = load(content(said, trees, samples=X)).features()
    assert [entry["required"] for entry in stated] == [False, True]
    sources = [entry["accepts_missing_from"] for entry in stated]
    assert sources == ["metadata", "samples"]


def test_a_value_that_was_never_missing_is_required() -> None:
    trees = RandomForestClassifier(2, random_state=0).fit(X, [0, 1, 1])
    client = client_of(content(model=trees, samples=X))
    missing = (
        "missing: the feature has no default and accepts no missing value"
    )
    assert problems(client, {"x": 1}) == {"#/y": missing}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int8(3), 3),
        (np.bool_(True), True),
        (pd.NA, None),
        (pd.NaT, None),
        (float("nan"), None),
        ("nan", "nan"),
        (np.str_("a"), "a"),
        (date(2024, 5, 31), "2024-05-31"),
        (np.datetime64("2024-05-31T12:30"), "2024-05-31T12:30"),
        (pd.Timestamp("2024-05-31T12:30:00.123456789"), "2024-05-31T12:30:00.123456789"),
        (pd.Timestamp("2024-05-31T12:30", tz="Europe/Paris"), "2024-05-31T10:30:00+00:00"),
    ],
)  # fmt: skip
def test_a_value_of_a_frame_is_what_json_has(
    value: Any, expected: Any
) -> None:
    assert to_json_value(value) == expected
    assert type(to_json_value(value)) is type(expected)


def test_an_offset_that_once_had_seconds_is_written_in_utc() -> None:
    midnight = pd.Timestamp("1900-01-01", tz="Europe/Paris")
    written = to_json_value(midnight)
    assert written.startswith("1899-12-31T23:5")
    column = Datetime("d", dtype="datetime64[ns, UTC]").column([written])
    assert column[0] == midnight


def test_a_fault_is_that_of_the_first_row() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, True], "y": ["a", 1.0, 2.0]})
    sentence = refusal(content(samples=table))
    assert sentence == 'samples, row 0, "y": expected a number, got "a"'


def test_a_column_that_is_there_twice() -> None:
    table = pd.concat([X, X[["y"]]], axis=1)
    assert refusal(content(samples=table)) == (
        'samples: there are 2 columns "y"'
    )
    again = pd.concat([X.assign(z=1), X.assign(z=2)[["z"]]], axis=1)
    assert load(content(samples=again))


@pytest.mark.parametrize("table", [X.to_numpy(), ["a", "b"]])
def test_rows_that_are_no_records(table: Any) -> None:
    sentence = refusal(content(samples=table))
    assert sentence.endswith(
        "write a DataFrame that has the features as columns, or a list of dicts such as "
        "{'x': 0.0, 'y': 0.0}"
    )


@pytest.mark.parametrize("dtype", ["int64", "int8", "float64", "Int64"])
def test_a_boolean_in_a_column_of_numbers_is_0_or_1(dtype: str) -> None:
    table = pd.DataFrame({"x": [0, 1, 1], "y": [1.0, 0.0, 3.0]})
    table = table.astype({"x": dtype})
    model = LogisticRegression().fit(table, [0, 1, 1])
    features = features_with(type="boolean", dtype=dtype)
    for samples in (table, table.to_dict("records")):
        client = client_of(content(features, model, samples=samples))
        answer = client.post(
            "/predict?proba=1", json={"x": True, "y": 0}
        ).get_json()
        expected = model.predict_proba(table.iloc[:1].assign(x=1, y=0.0))
        (row,) = answer["prediction"]
        assert list(row.values()) == pytest.approx(expected[0])
        assert load(content(features, model)).example()["x"] is False
    other = table.assign(x=[0, 1, 2])
    assert refusal(content(features, model, samples=other)) == (
        'samples, row 2, "x": expected true or false, got 2'
    )
    assert refusal(content(features_with(type="boolean"), samples=table)) == (
        'samples, row 0, "x": expected true or false, got '
        + ("0.0" if dtype == "float64" else "0")
    )
