"""Rows of the samples and of the metadata, on which an estimator is tried before it serves."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from pandas.testing import assert_frame_equal
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from xgboost import XGBRegressor

from python.errors import ArtifactError
from python.model import probes
from python.model.artifact import Artifact
from python.model.data.features import Feature
from python.model.data.kinds import Category, Numeric, String
from python.model.data.schema import Schema
from python.model.sklearn import SklearnModel
from tests.artifacts import content, load, refusal
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


def settled(predict: Any, schema: Schema, row: Any) -> list[bool]:
    """Return the rule for a missing value of each feature, once the estimator was tried."""
    rules = probes.rules_of_estimator(predict, schema, row)
    schema = schema.with_rules(rules, "estimator")
    return [bool(feature.accepts_missing) for feature in schema.features]


def test_the_first_row_is_the_first_sample() -> None:
    samples = DATA.iloc[3:9]
    row = probes.first_row(
        LINEAR.predict, NUMERIC_SCHEMA, {"samples": samples}
    )
    assert_frame_equal(row, DATA.iloc[3:4])


def test_the_first_row_is_made_up_from_the_metadata_without_samples() -> None:
    schema = Schema([Numeric("size", default=3), COLOUR], named=True)
    data = frame([1.0, 2.0], ["red", "green"], ["", ""])[["size", "colour"]]
    model = LGBMClassifier(n_estimators=1, verbose=-1).fit(data, [0, 1])
    row = probes.first_row(model.predict, schema, {})
    assert_frame_equal(row, frame([3.0], ["red"], [""])[["size", "colour"]])


COLUMNS_ADVICE = "; the metadata must list the columns that the model was fitted with, in their order"
TYPES_ADVICE = (
    "; the type of each feature in the metadata must be that of the column that the model "
    "was fitted with"
)
VALUES_ADVICE = "; defaults or samples that it takes would help"
WORDS = pd.DataFrame({"word": ["a", "b", "a", "b"]})


class Own:
    """A model that calls a function, and does not say which columns it takes."""

    def __init__(self, predict: Any) -> None:
        self.predict = predict


def takes_more(data: Any) -> Any:
    return data[["size", "more"]].sum(axis=1)


def looks_up(data: Any) -> Any:
    return [{"a": 1, "b": 2}[word] for word in data["word"]]


def lowers(data: Any) -> Any:
    return [len(value.lower()) for value in data.iloc[:, 0]]


@pytest.mark.parametrize(
    ("model", "described", "advice"),
    [
        (Own(takes_more), DATA, COLUMNS_ADVICE),
        (Own(lowers), DATA, TYPES_ADVICE),
        (Own(np.square), WORDS, TYPES_ADVICE),
        (XGBRegressor(n_estimators=1).fit(DATA.to_numpy(), TARGET), WORDS.assign(b="", c=""), TYPES_ADVICE),
        (LGBMClassifier(n_estimators=1, verbose=-1).fit(DATA.to_numpy(), TARGET), WORDS.assign(b="", c=""), TYPES_ADVICE),
        (LinearRegression().fit(DATA.to_numpy(), TARGET), WORDS.assign(b="", c=""), TYPES_ADVICE),
        (LinearRegression(), DATA, "; fit the model before it is written"),
        (Own(looks_up), WORDS, VALUES_ADVICE),
        (make_pipeline(FunctionTransformer(lambda X: X), OneHotEncoder(), LinearRegression()).fit(WORDS, range(4)), WORDS, VALUES_ADVICE),
    ],
    ids=["columns", "a number for a text", "a text for a number", "xgboost", "lightgbm", "linear", "not fitted", "looked up", "unknown category"],
)  # fmt: skip
def test_other_values_are_advised_only_where_they_can_help(
    model: Any, described: Any, advice: str
) -> None:
    entries = []
    for name in described:
        is_text = name in ("word", "b", "c")
        entries.append(
            {"name": name, "type": "string" if is_text else "numeric"}
        )
    sentence = refusal(content(entries, model))
    assert sentence.startswith(
        "the model cannot predict the first row made up"
    )
    assert sentence.endswith(advice)


def test_a_package_that_is_missing_only_when_the_model_predicts_is_named() -> (
    None
):
    def predict(_: Any) -> Any:
        import no_such_package  # type: ignore[import-not-found]

        return no_such_package

    with pytest.raises(
        ArtifactError, match="; add no_such_package to requirements"
    ):
        probes.first_row(predict, Schema([SIZE]), {})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (pd.Timestamp("2020-02-29"), '"2020-02-29T00:00:00"'),
        (Decimal("1.50"), "Decimal('1.50')"),
        (timedelta(1), "datetime.timedelta(days=1)"),
    ],
)
def test_a_value_of_the_samples_that_json_has_not_is_shown(
    value: Any, shown: str
) -> None:
    sentence = refusal(content(samples=[{"x": value, "y": 1}]))
    assert sentence == f'samples, row 0, "x": expected a number, got {shown}'


def test_a_name_in_the_samples_that_looks_the_same_is_told_apart() -> None:
    samples = [{"x": 1, "\ufeffy": 1}]
    sentence = 'samples, row 0: no value for "y"; it looks the same but has other code points: write it as "y"'
    assert refusal(content(samples=samples)) == sentence


def test_a_refused_sample_says_how_the_model_refuses_it() -> None:
    samples = pd.DataFrame({"x": [1.0, 1e300], "y": [1.0, np.nan]})
    sentence = refusal(content(samples=samples))
    assert sentence.startswith(
        "samples, row 1: the model does not take these values: ValueError: Input X contains NaN"
    )


def test_the_reason_of_a_refused_first_row_is_cut_at_300_characters() -> None:
    def refuse(_: Any) -> Any:
        raise LookupError("no\n  such\tthing " * 100)

    with pytest.raises(ArtifactError) as caught:
        probes.first_row(refuse, Schema([SIZE]), {})
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


def test_a_text_needs_a_default_or_samples_where_no_encoder_is_seen() -> None:
    words = pd.DataFrame({"word": ["b", "a", "b", "a"]})
    features: list[dict[str, Any]] = [{"name": "word", "type": "string"}]
    seen = make_pipeline(OneHotEncoder(), LogisticRegression())
    seen.fit(words, [0, 1, 0, 1])
    assert load(content(features, seen)).example() == {"word": "a"}
    model = make_pipeline(
        FunctionTransformer(lambda X: X), OneHotEncoder(), LogisticRegression()
    ).fit(words, [0, 1, 0, 1])
    with pytest.raises(
        ArtifactError,
        match="cannot predict the first row made up from the metadata",
    ):
        load(content(features, model))
    assert load(
        content([features[0] | {"default": "a"}], model)
    ).example() == {"word": "a"}
    assert load(content(features, model, samples=words)).example() == {
        "word": "b"
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
    tables = {}
    if samples is not None:
        tables["samples"] = samples.copy()
        tables["samples"].iloc[7, 0] = size
    if refused is None:
        probes.check_tables(LINEAR.predict, tables)
        return
    sentence = f"samples, row {refused}: the model does not take these values"
    with pytest.raises(ArtifactError, match=sentence):
        probes.check_tables(LINEAR.predict, tables)


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


def test_categories_in_a_column_of_integers_cannot_be_missing() -> None:
    data = pd.DataFrame({"c": np.arange(30) % 3 + 1, "x": np.arange(30.0)})
    model = make_pipeline(
        make_column_transformer((OneHotEncoder(), ["c"]), remainder="drop"),
        LogisticRegression(),
    ).fit(data, data["c"] == 2)
    entry = {"name": "c", "type": "category", "categories": [1, 2, 3]}
    features = [entry | {"dtype": "int64"}, {"name": "x", "type": "numeric"}]
    loaded = load(content(features, model))
    rules = [feature.accepts_missing for feature in loaded.schema.features]
    assert rules == [False, True]


@pytest.mark.parametrize("form", ["frame", "array"])
def test_trial_rows_lack_a_value_only_where_every_row_does(form: str) -> None:
    rows: Any = pd.DataFrame(
        {"a": [np.nan, 1.0, 2.0], "w": ["p", "q", None]}, dtype=object
    )
    if form == "array":
        rows = rows.to_numpy()
    schema = Schema.from_metadata(
        {
            "features": [
                {"name": "a", "type": "numeric"},
                {"name": "w", "type": "string"},
            ]
        }
    )
    trial_rows = np.asarray(probes.make_trial_rows(schema, rows))
    assert trial_rows.tolist() == [[1.0, "q"]] * 3
    numbers = np.array([[np.nan, 1.0], [2.0, 3.0]])
    assert probes.make_trial_rows(schema, numbers).tolist() == [[2, 3]] * 3
    gaps = np.full((2, 2), np.nan)
    assert np.isnan(probes.make_trial_rows(schema, gaps)).all()


def test_a_text_that_is_missing_in_the_first_samples_is_named() -> None:
    frame = pd.DataFrame({"text": ["good film", "bad film", None] * 9})
    known = frame.dropna()["text"]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    model.fit(known, known == "good film")
    features = [{"name": "text", "type": "string"}]
    sentence = refusal(content(features, model, samples=frame))
    assert sentence.startswith(
        "samples, row 2: the model does not take these values"
    )
