"""The samples of an artifact are read into rows, and show which values may be missing."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression

from python.model.data.kinds import Category, Numeric, String
from python.model.data.samples import read_samples
from python.model.data.schema import Schema
from tests.artifacts import X, content, load, refusal

SIZE = Numeric("size")
COLOUR = Category("colour", categories=("red", "green"))
WORD = String("word")
SCHEMA = Schema([SIZE, COLOUR, WORD], named=True)


def frame(sizes: list[Any], colours: list[Any], words: list[Any]) -> Any:
    colour = pd.Categorical(colours, categories=["red", "green"])
    return pd.DataFrame({"size": sizes, "colour": colour, "word": words})


def background_of(schema: Schema, samples: Any) -> Any:
    """Return the columns that the schema makes of the samples."""
    return schema.columns(read_samples(schema, samples))


def test_without_samples_there_is_no_background() -> None:
    assert read_samples(SCHEMA, None) == []


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
        background, frame([1.0, np.nan], ["red", None], ["a", None])
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
