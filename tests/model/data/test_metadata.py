"""The metadata is read into features, or refused in a sentence that names the fault."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from python.errors import ArtifactError
from python.model.data.kinds import Category, Numeric, String
from python.model.data.metadata import read_features
from tests.artifacts import FEATURES, X, content, features_with, load, refusal


def test_metadata_describes_the_features_in_their_order() -> None:
    metadata = {
        "features": [
            {"name": "word", "type": "string", "accepts_missing": True},
            {"name": "level", "type": "category", "categories": [1, 2, 3], "default": 2},
            {"name": "size", "type": "numeric", "unit": "cm"},
        ]
    }  # fmt: skip
    word, level, size = read_features(metadata)
    assert [word.name, level.name, size.name] == ["word", "level", "size"]
    assert (type(word), word.accepts_missing) == (String, True)
    assert isinstance(level, Category)
    assert (level.categories, level.default) == ((1, 2, 3), 2)
    assert (type(size), size.entry["unit"]) == (Numeric, "cm")
    assert size.accepts_missing is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (content() | {"metadata": {}}, 'metadata must be a dict with a list of features under "features"'),
        (content([]), 'metadata must be a dict with a list of features under "features"'),
        (content("xy"), 'metadata must be a dict with a list of features under "features"'),
        (content(["x", "y"]), "feature 1 must be a dict with a name"),
        (content([FEATURES[0], {"type": "numeric"}]), "feature 2 must be a dict with a name"),
        (
            content(features_with(name="")),
            "feature 1 must be a dict with a name, and this one is empty: "
            "rename the column and fit again",
        ),
        (content(features_with(name=0)), 'feature 1 must be a dict with a name that is a text, got 0: write it as a text, "0"'),
        (content(features_with(name=np.int64(7))), 'feature 1 must be a dict with a name that is a text, got 7: write it as a text, "7"'),
        (content(["x", "y"]), 'feature 1 must be a dict with a name, such as {"name": "x", "type": "numeric"}, got "x"'),
        (content(features_with(type="category", categories=["a", None])), 'feature "x": categories must be strings, numbers or booleans, and None is among them: leave it out and set accepts_missing to True'),
        (content(features_with(accepts_missing=pd.NA)), 'feature "x": accepts_missing must be true or false'),
        (content(features_with(name="_data")), 'feature "_data": the name is reserved for the envelope'),
        (content(features_with(type="number")), "feature \"x\": unknown type 'number', expected numeric or integer or boolean or datetime or category or string"),
        (content(features_with(type=["numeric"])), "feature \"x\": unknown type ['numeric'], expected numeric or integer or boolean or datetime or category or string"),
        (content(features_with(defualt=1)), 'feature "x": unknown key "defualt"; did you mean "default"?'),
        (content(features_with(default="1")), 'feature "x": the default must be a number'),
        (content(features_with(default=float("nan"))), 'feature "x": NaN is no default; leave it out and set accepts_missing'),
        (content(features_with(default=True)), 'feature "x": the default must be a number'),
        (content(features_with(accepts_missing="yes")), 'feature "x": accepts_missing must be true or false'),
        (content(features_with(type="string", default=1)), 'feature "x": the default must be a string'),
        (content(features_with(type="category")), 'feature "x": a category needs its categories'),
        (content(features_with(type="category", categories=[])), 'feature "x": a category needs its categories'),
        (content(features_with(type="category", categories=["a", "a"])), 'feature "x": the same category is listed twice'),
        (content(features_with(type="category", categories=["a", None])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(features_with(type="category", categories=[1.0, np.nan])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(features_with(type="category", categories=[["a"]])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(features_with(type="category", categories=[1, True])), 'feature "x": categories must not mix booleans with numbers'),
        (content(features_with(type="category", categories="ab")), 'feature "x": categories must be a list'),
        (content(features_with(type="category", categories=["a"], default="b")), 'feature "x": the default must be one of the categories "a"'),
        (content(features_with(dtype="flaot32")), 'feature "x": pandas knows no dtype "flaot32"'),
        (content(features_with(dtype=5)), 'feature "x": pandas knows no dtype "5"'),
        (content(features_with(dtype="int64")), 'feature "x": a column of int64 is of another type than numeric: integer'),
        (content(features_with(type="integer", dtype="int64", accepts_missing=True)), 'feature "x": a column of int64 holds no missing value'),
        (content(features_with(type="integer", default=1.5)), 'feature "x": the default must be a whole number'),
        (content(features_with(type="integer", dtype="int8", default=128)), 'feature "x": the default must be a whole number from -128 to 127'),
        (content(features_with(type="boolean", default=0)), 'feature "x": the default must be true or false'),
        (content(features_with(type="datetime", default="May")), 'feature "x": the default must be a date, or a date and time, such as 2024-05-31T12:30:00'),
        (content(features_with(dtpye="int8")), 'feature "x": unknown key "dtpye"; did you mean "dtype"?'),
        (content([FEATURES[0], FEATURES[0]]), 'features listed twice: "x"'),
    ],
)  # fmt: skip
def test_a_fault_in_the_metadata_is_one_sentence(
    content: Any, sentence: str
) -> None:
    assert refusal(content).startswith(sentence)


@pytest.mark.parametrize("name", ["_data", "_samples"])
def test_a_feature_cannot_have_a_name_of_the_envelope(name: str) -> None:
    metadata = {"features": [{"name": name, "type": "numeric"}]}
    with pytest.raises(ArtifactError, match="reserved"):
        read_features(metadata)


def test_numpy_and_pandas_are_welcome_in_metadata() -> None:
    model = DecisionTreeClassifier().fit(X, ["a", "b", "b"])
    features = [
        {
            "name": "x",
            "type": "category",
            "categories": np.array([0, 1, 2]),
            "accepts_missing": np.bool_(False),
        },
        {
            "name": "y",
            "type": "numeric",
            "default": np.int64(0),
            "description": "what it is",
        },
    ]
    loaded = load(
        content(features, model, class_names=np.array(["one", "two"]))
    )
    assert [entry["categories"] for entry in loaded.features()[:1]] == [
        [0, 1, 2]
    ]
    assert [entry["required"] for entry in loaded.features()] == [True, False]
    assert loaded.features()[1]["description"] == "what it is"
    assert loaded.class_names == ["one", "two"]


def test_a_key_that_looks_like_no_other_is_the_users_own() -> None:
    (feature,) = read_features({"features": [FEATURES[0] | {"unit": "cm"}]})
    assert feature.describe()["unit"] == "cm"


def test_a_dtype_of_pandas_or_numpy_is_welcome_in_metadata() -> None:
    entries = [
        {"name": "a", "type": "integer", "dtype": np.dtype("int8")},
        {"name": "b", "type": "integer", "dtype": pd.Int64Dtype()},
        {"name": "c", "type": "numeric", "dtype": float, "default": 0},
        {"name": "d", "type": "integer", "dtype": None},
    ]
    features = read_features({"features": entries})
    dtypes = [feature.column_dtype for feature in features]
    assert dtypes == ["int8", "Int64", "float64", "int64"]
    assert features[0].describe()["dtype"] == "int8"


def test_an_integer_with_a_default_is_never_missing() -> None:
    entry = FEATURES[0] | {"type": "integer", "default": 0}
    (feature,) = read_features(
        {"features": [entry | {"accepts_missing": True}]}
    )
    assert feature.column_dtype == "int64"
    (feature,) = read_features(
        {
            "features": [
                FEATURES[0] | {"type": "integer", "accepts_missing": True}
            ]
        }
    )
    assert feature.column_dtype == "float64"
