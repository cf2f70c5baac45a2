"""None and NaN are two things to an encoder: one of them stands for a missing value."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
)

from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from tests.artifacts import client_of, content, post, refusal
from tests.records import of_payload

TARGET = [1.0, 2.0, 5.0, 1.5, 2.5, 6.0]
ENTRY = {"name": "word", "type": "string"}
RECORDS: list[dict[str, Any]] = [{"word": "a"}, {"word": "b"}, {"word": None}]


def words(gap: Any) -> pd.DataFrame:
    return pd.DataFrame({"word": ["a", "b", gap] * 2}, dtype=object)


ENCODERS = {
    "one-hot": lambda: OneHotEncoder(handle_unknown="ignore"),
    "one-hot, strict": OneHotEncoder,
    "ordinal": lambda: OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=2,
    ),
}


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("gap", [None, np.nan], ids=["None", "NaN"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("with_samples", [True, False])
def test_null_is_what_the_encoder_was_fitted_with(
    encoder: str, gap: Any, named: bool, with_samples: bool
) -> None:
    data = words(gap)
    inputs = data if named else data.to_numpy()
    model = make_pipeline(ENCODERS[encoder](), LinearRegression())
    own = model.fit(inputs, TARGET).predict(inputs[:3]).tolist()
    assert own[2] > 4
    more = {"samples": data} if with_samples else {}
    if not with_samples and encoder == "one-hot, strict":
        # A first row is made up: only the samples have a text that it takes.
        more = {"samples": [{"word": "a"}, {"word": None}]}
    client = client_of(content([ENTRY], model, **more))
    predicted = post(client, "/predict", RECORDS)["prediction"]
    assert predicted == own
    for record, expected in zip(RECORDS, predicted, strict=True):
        assert post(client, "/predict", record)["prediction"] == [expected]


def test_a_boolean_with_gaps_keeps_its_none() -> None:
    data = pd.DataFrame({"flag": [True, False, None] * 2}, dtype=object)
    encode = FunctionTransformer(lambda X: X.astype(object).map(repr))
    one_hot = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(encode, one_hot, LinearRegression())
    own = model.fit(data, TARGET).predict(data[:3]).tolist()
    entry = {"name": "flag", "type": "boolean"}
    client = client_of(content([entry], model, samples=data))
    records = [{"flag": True}, {"flag": False}, {"flag": None}]
    assert post(client, "/predict", records)["prediction"] == own


@pytest.mark.parametrize("named", [True, False])
def test_a_category_that_was_fitted_as_objects_keeps_its_none(
    named: bool,
) -> None:
    data = words(None)
    inputs = data if named else data.to_numpy()
    model = make_pipeline(ENCODERS["one-hot"](), LinearRegression())
    own = model.fit(inputs, TARGET).predict(inputs[:3]).tolist()
    entry = {
        "name": "word",
        "type": "category",
        "categories": ["a", "b"],
        "accepts_missing": True,
    }
    for more in ({}, {"samples": data}):
        client = client_of(content([entry], model, **more))
        assert post(client, "/predict", RECORDS)["prediction"] == own


def test_the_encoder_of_another_feature_tells_nothing() -> None:
    data = pd.DataFrame(
        {
            "word": pd.Series(["a", "b", None] * 2, dtype=object),
            "size": pd.Series(["s", "l", np.nan] * 2, dtype=object),
        }
    )
    encoders = make_column_transformer(
        (ENCODERS["one-hot"](), ["word"]), (ENCODERS["ordinal"](), ["size"])
    )
    model = make_pipeline(encoders, LinearRegression()).fit(data, TARGET)
    entries = [ENTRY, {"name": "size", "type": "category", "categories": ["l", "s"]}]  # fmt: skip
    client = client_of(content(entries, model))
    records = [{"word": None, "size": None}, {"word": "a", "size": "s"}]
    own = model.predict(data.iloc[[2, 0]]).tolist()
    assert post(client, "/predict", records)["prediction"] == own


@pytest.mark.parametrize("gap", [pd.NA, pd.NaT], ids=["NA", "NaT"])
def test_the_samples_tell_the_missing_values_of_pandas(gap: Any) -> None:
    show = FunctionTransformer(lambda X: X.astype(object).map(str))
    one_hot = OneHotEncoder(handle_unknown="ignore")
    model = make_pipeline(show, one_hot, LinearRegression())
    data = words(gap)
    own = model.fit(data, TARGET).predict(data[:3]).tolist()
    client = client_of(content([ENTRY], model, samples=data))
    assert post(client, "/predict", RECORDS)["prediction"] == own


def test_an_imputer_of_na_tells_that_it_is_na() -> None:
    data = words(pd.NA)
    imputer = SimpleImputer(
        missing_values=pd.NA, strategy="constant", fill_value="c"
    )
    model = make_pipeline(imputer, ENCODERS["one-hot"](), LinearRegression())
    own = model.fit(data, TARGET).predict(data[:3]).tolist()
    client = client_of(content([ENTRY], model))
    assert post(client, "/predict", RECORDS)["prediction"] == own


class Counter:
    """Predicts 1 for None, 2 for NaN and 0 for a text; it knows no categories."""

    def predict(self, X: Any) -> Any:
        numbers = []
        for value in X.iloc[:, 0].astype(object):
            is_text = isinstance(value, str)
            numbers.append(0 if is_text else 1 if value is None else 2)
        return np.array(numbers)


def test_where_nothing_tells_none_from_nan_the_model_is_not_ready() -> None:
    sentence = refusal(content([ENTRY], Counter()))
    assert sentence.startswith('feature "word": the model predicts one thing')
    assert refusal(content([ENTRY], Counter(), samples=RECORDS))


@pytest.mark.parametrize(("gap", "number"), [(None, 1), (np.nan, 2)])
def test_the_samples_tell_none_from_nan(gap: Any, number: int) -> None:
    client = client_of(content([ENTRY], Counter(), samples=words(gap)))
    predicted = post(client, "/predict", RECORDS)["prediction"]
    assert predicted == [0, 0, number]


def test_a_rule_or_a_default_leaves_no_doubt() -> None:
    never = [ENTRY | {"accepts_missing": False}]
    assert client_of(content(never, Counter()))
    client = client_of(content([ENTRY | {"default": "a"}], Counter()))
    assert post(client, "/predict", {"word": None})["prediction"] == [0]
    client = client_of(content([ENTRY | {"dtype": "string"}], Counter()))
    assert post(client, "/predict", {"word": None})["prediction"] == [2]


def test_an_imputer_tells_what_stands_for_a_missing_text() -> None:
    """The usual pipeline: nothing else in its file tells None from NaN."""
    data = pd.DataFrame(
        {
            "sex": pd.Series(["f", "m", np.nan, "f"] * 10, dtype=object),
            "age": np.arange(40.0),
        }
    )
    encoder = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = make_column_transformer(
        (encoder, ["sex"]), remainder="passthrough"
    )
    estimator = make_pipeline(columns, LogisticRegression())
    estimator.fit(data, data["sex"] == "m")
    features = [
        {"name": "sex", "type": "string"},
        {"name": "age", "type": "numeric"},
    ]
    metadata = {"features": features}
    model = SklearnModel.load(
        Artifact.of({"model": estimator, "metadata": metadata})
    )
    payload = [{"sex": None, "age": 2.0}, {"sex": "m", "age": 1.0}]
    records = of_payload(model.schema, payload)
    expected = estimator.predict_proba(data.iloc[[2, 1]])
    assert model.predict_proba(records) == pytest.approx(expected, abs=1e-12)


class TakesNone(Counter):
    """Takes None, as a step of one's own does that looks for it, and refuses NaN."""

    def predict(self, X: Any) -> Any:
        words = [value for (value,) in np.asarray(X, dtype=object)]
        return np.array([0 if word is None else len(word) for word in words])


def test_none_stands_for_a_missing_value_where_nan_is_refused() -> None:
    client = client_of(
        content([ENTRY | {"accepts_missing": True}], TakesNone())
    )
    records = [{"word": "abc"}, {"word": None}]
    assert post(client, "/predict", records)["prediction"] == [3, 0]
