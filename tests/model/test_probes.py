"""Rows of the samples and of the metadata, on which an estimator is tried before it serves."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from pandas.testing import assert_frame_equal
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from python.errors import ArtifactError
from python.model import probes
from python.model.artifact import Artifact
from python.model.data.features import Category, Feature, Numeric, String
from python.model.data.schema import Schema
from python.model.sklearn import SklearnModel
from tests.artifacts import X, content, load, refusal
from tests.models import features, forest, mixed, numbers

DATA = numbers()
TARGET = (DATA["size"] > 0).astype(int)

SIZE = Numeric("size")
COLOUR = Category("colour", categories=("red", "green"))
WORD = String("word")
SCHEMA = Schema([SIZE, COLOUR, WORD], named=True)

LINEAR = LinearRegression().fit(DATA, TARGET)
NUMERIC_SCHEMA = Schema(map(Numeric, DATA), named=True)


def frame(sizes: list[Any], colours: list[Any], words: list[Any]) -> Any:
    colour = pd.Categorical(colours, categories=["red", "green"])
    return pd.DataFrame({"size": sizes, "colour": colour, "word": words})


def settled(predict: Any, schema: Schema, row: Any) -> list[bool | None]:
    """Return what `find_accepts_missing` has found out of each feature."""
    schema = probes.find_accepts_missing(predict, schema, row)
    return [feature.accepts_missing for feature in schema.features]


def test_without_samples_there_is_no_background() -> None:
    assert probes.read_samples(SCHEMA, None) is None


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
    background = probes.read_samples(SCHEMA, samples)
    assert_frame_equal(
        background, frame([1.0, np.nan], ["red", None], ["a", None])
    )


def test_the_text_nan_in_samples_is_a_text() -> None:
    samples = [{"size": 0, "colour": "red", "word": "nan"}]
    background = probes.read_samples(SCHEMA, samples)
    assert_frame_equal(background, frame([0.0], ["red"], ["nan"]))


def test_samples_may_hold_the_scalars_of_numpy() -> None:
    samples = [{"size": np.int8(3), "colour": np.str_("red"), "word": "a"}]
    background = probes.read_samples(SCHEMA, samples)
    assert_frame_equal(background, frame([3.0], ["red"], ["a"]))


def test_a_missing_value_in_samples_is_the_default_where_there_is_one() -> (
    None
):
    schema = Schema([Numeric("size", default=7)])
    background = probes.read_samples(schema, [{"size": None}, {"size": 1}])
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


def test_the_first_row_is_the_first_sample() -> None:
    samples = DATA.iloc[3:9]
    row = probes.first_row(LINEAR.predict, NUMERIC_SCHEMA, samples)
    assert_frame_equal(row, DATA.iloc[3:4])


def test_the_first_row_is_made_up_from_the_metadata_without_samples() -> None:
    schema = Schema([Numeric("size", default=3), COLOUR], named=True)
    data = frame([1.0, 2.0], ["red", "green"], ["", ""])[["size", "colour"]]
    model = LGBMClassifier(n_estimators=1, verbose=-1).fit(data, [0, 1])
    row = probes.first_row(model.predict, schema, None)
    assert_frame_equal(row, frame([3.0], ["red"], [""])[["size", "colour"]])


def test_the_reason_of_a_refused_first_row_is_cut_at_300_characters() -> None:
    def refuse(_: Any) -> Any:
        raise LookupError("no\n  such\tthing " * 100)

    with pytest.raises(ArtifactError) as caught:
        probes.first_row(refuse, Schema([SIZE]), None)
    sentence = str(caught.value)
    made_up = "the model cannot predict the first row made up from the metadata, {'size': 0.0}: "
    assert sentence.startswith(
        made_up + "LookupError: no such thing no such thing"
    )
    assert sentence.endswith("; defaults or samples that it takes would help")
    assert "\n" not in sentence
    reason = sentence.removeprefix(made_up + "LookupError: ").partition(";")[0]
    assert len(reason) == 300


class Wordy:
    """Predicts three rows for one."""

    def predict(self, X: Any) -> Any:
        return np.zeros(3 * len(X))


def test_a_model_must_predict_one_row_for_one() -> None:
    with pytest.raises(
        ArtifactError,
        match=r"the model predicts an answer of shape \(3,\) for one row",
    ):
        load(content(model=Wordy()))


def test_a_string_feature_needs_a_default_or_samples() -> None:
    words = pd.DataFrame({"word": ["a", "b", "a", "b"]})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(
        words, [0, 1, 0, 1]
    )
    features: list[dict[str, Any]] = [{"name": "word", "type": "string"}]
    with pytest.raises(
        ArtifactError,
        match="cannot predict the first row made up from the metadata",
    ):
        load(content(features, model))
    assert load(
        content([features[0] | {"default": "a"}], model)
    ).example() == {"word": "a"}
    assert load(content(features, model, samples=words)).example() == {
        "word": "a"
    }


def test_accepts_missing_is_what_the_estimator_takes() -> None:
    def accepting(estimator: Any, **entry: Any) -> list[bool]:
        metadata = {
            "features": [
                {"name": name, "type": "numeric"} | entry for name in DATA
            ]
        }
        model = SklearnModel.load(
            Artifact.of({"model": estimator, "metadata": metadata})
        )
        return [not feature["required"] for feature in model.features()]

    linear = LogisticRegression().fit(DATA, TARGET)
    trees = forest().fit(DATA, TARGET)
    assert accepting(linear) == [False] * 3
    assert accepting(trees) == [True] * 3
    assert accepting(trees, accepts_missing=False) == [False] * 3
    assert accepting(linear, default=0) == [True] * 3


def test_each_feature_is_tried_where_not_all_may_be_missing() -> None:
    data = mixed(missing=True).drop(columns="weight")
    schema = Schema.from_metadata({"features": features(data)}, named=True)
    row = data.dropna().head(1)

    def predict(columns: Any) -> Any:
        if columns["height"].isna().any():
            raise ValueError("no height")
        return np.zeros(len(columns))

    assert settled(predict, schema, row) == [True, False, True]


def test_an_estimator_that_takes_every_missing_value_is_called_once() -> None:
    tried = []

    def predict(columns: Any) -> Any:
        tried.append(columns.isna().to_numpy().tolist())
        return np.zeros(len(columns))

    assert settled(predict, NUMERIC_SCHEMA, DATA.head(1)) == [True] * 3
    assert tried == [[[True, True, True]]]


def test_what_the_metadata_says_is_not_tried() -> None:
    stated = [
        Numeric("size", accepts_missing=True),
        Numeric("a/b ~c", accepts_missing=False),
        Numeric("größe", default=0),
    ]
    schema = Schema(stated, named=True)
    assert settled(LINEAR.predict, schema, DATA.head(1)) == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("size", "samples", "refused"),
    [(0.0, DATA, None), (np.nan, DATA, 7), (np.nan, None, None)],
    ids=["accepted", "refused", "none"],
)
def test_every_sample_is_tried(
    size: float, samples: Any, refused: int | None
) -> None:
    if samples is not None:
        samples = samples.copy()
        samples.iloc[7, 0] = size
    if refused is None:
        probes.check_samples(LINEAR.predict, samples)
        return
    sentence = f"samples, row {refused}: the model does not take these values"
    with pytest.raises(ArtifactError, match=sentence):
        probes.check_samples(LINEAR.predict, samples)


def test_probes_are_twelve_samples_then_the_example_then_twelve_made_up_rows() -> (
    None
):
    rows = probes.make_probes(LINEAR.predict, NUMERIC_SCHEMA, DATA)
    assert len(rows) == 12 + 1 + 12
    assert_frame_equal(rows.head(12), DATA.head(12))
    assert rows.iloc[12].tolist() == [0.0, 0.0, 0.0]


def test_probes_are_the_same_at_each_start() -> None:
    first = probes.make_probes(LINEAR.predict, NUMERIC_SCHEMA, None)
    second = probes.make_probes(LINEAR.predict, NUMERIC_SCHEMA, None)
    assert_frame_equal(first, second)


def test_probes_differ_from_each_other_in_every_feature() -> None:
    data = mixed()
    schema = Schema.from_metadata({"features": features(data)}, named=True)
    rows = probes.make_probes(
        DummyRegressor().fit(data, [0.0] * len(data)).predict, schema, None
    )
    assert (rows.nunique() > 1).all()


@pytest.mark.parametrize(
    ("feature", "lacking"),
    [
        (Numeric("size", accepts_missing=True), True),
        (Numeric("size", accepts_missing=False), False),
        (Numeric("size", default=5, accepts_missing=False), False),
        (
            Category(
                "colour", accepts_missing=True, categories=("red", "green")
            ),
            True,
        ),
        (COLOUR, False),
    ],
)
def test_probes_lack_values_where_they_may(
    feature: Feature, lacking: bool
) -> None:
    def predict(columns: Any) -> Any:
        return np.zeros(len(columns))

    rows = probes.make_probes(predict, Schema([feature], named=True), None)
    assert rows.isna().to_numpy().any() == lacking


def test_rows_that_are_refused_or_predicted_as_infinite_are_no_probes() -> (
    None
):
    def predict(columns: Any) -> Any:
        sizes = columns[:, 0]
        if (sizes < 0).any():
            raise ValueError("negative")
        return np.where(
            sizes == 0, np.nan, np.where(sizes > 50, np.inf, sizes)
        )

    rows = probes.make_probes(predict, Schema([SIZE]), None)
    assert len(rows) > 0
    assert ((rows > 0) & (rows <= 50)).all()


def test_labels_need_not_be_numbers_to_be_probes() -> None:
    labels = LogisticRegression().fit(DATA, np.where(TARGET, "yes", "no"))
    rows = probes.make_probes(labels.predict, NUMERIC_SCHEMA, None)
    assert len(rows) == 13


def test_where_no_row_is_usable_the_first_one_is_the_probe() -> None:
    def predict(columns: Any) -> Any:
        return np.full(len(columns), np.inf)

    rows = probes.make_probes(predict, NUMERIC_SCHEMA, DATA)
    assert_frame_equal(rows, DATA.head(1))
