"""The metadata is read into features, or refused in a sentence that names the fault."""

from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from python.errors import ArtifactError
from python.model.data.features import Category, Numeric, String
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
        (content(features_with(name="")), "feature 1 must be a dict with a name"),
        (content(features_with(name="_data")), 'feature "_data": the name is reserved for the envelope'),
        (content(features_with(type="number")), "feature \"x\": unknown type 'number', expected numeric or category or string"),
        (content(features_with(type=["numeric"])), "feature \"x\": unknown type ['numeric'], expected numeric or category or string"),
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
