"""An estimator is called with what it was fitted with: texts, a Series, dicts, a table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from tests.artifacts import client_of, content, load, post

TEXTS = [
    "a good film",
    "a bad film",
    "a good book",
    "an awful, bad book",
    "nice, good thing",
    "boring: a bad thing",
]
LABELS = ["yes", "no", "yes", "no", "yes", "no"]
TEXT = [{"name": "text", "type": "string"}]


def text_model(vectorizer: Any = None) -> Any:
    return make_pipeline(vectorizer or TfidfVectorizer(), LogisticRegression())


def searched() -> Any:
    grid = {"logisticregression__C": [0.1, 1]}
    return GridSearchCV(text_model(), grid, cv=2)


MODELS: dict[str, tuple[Callable[[], Any], Callable[[list[str]], Any]]] = {
    "list": (text_model, list),
    "Series": (text_model, pd.Series),
    "array": (text_model, np.array),
    "array of objects": (text_model, lambda texts: np.array(texts, dtype=object)),
    "search": (searched, list),
    "counts": (lambda: make_pipeline(CountVectorizer(), MultinomialNB()), list),
    "hashes": (lambda: text_model(HashingVectorizer(n_features=64)), pd.Series),
}  # fmt: skip


@pytest.fixture(params=MODELS)
def fitted(request: pytest.FixtureRequest) -> Any:
    make, of_texts = MODELS[request.param]
    return make().fit(of_texts(TEXTS), LABELS)


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_a_text_model_predicts_each_text(fitted: Any, count: int) -> None:
    client = client_of(content(TEXT, fitted))
    texts = [f"{TEXTS[n % 6]} {TEXTS[n % 5]}" for n in range(count)]
    own = fitted.predict_proba(texts).tolist()
    expected = [{"no": no, "yes": yes} for no, yes in own]
    together = [{"text": text} for text in texts]
    answer = post(client, "/predict?proba=1", together)
    assert answer["prediction"] == expected
    labels = post(client, "/predict", together)["prediction"]
    assert labels == fitted.predict(texts).tolist()
    for text, probabilities in zip(texts[:9], expected, strict=False):
        alone = post(client, "/predict?proba=1", {"text": text})
        assert alone["prediction"] == [probabilities]


def test_a_text_model_is_explained_and_shows_its_terms() -> None:
    model = text_model().fit(TEXTS, LABELS)
    samples = [{"text": text} for text in TEXTS]
    client = client_of(content(TEXT, model, samples=samples))
    answer = post(client, "/predict?proba=1&explain=1", samples[0])
    value = answer["explanation"]["text"]
    assert answer["explained_output"] == "probability"
    probability = answer["prediction"][0]["yes"]
    assert answer["base_value"] + value == pytest.approx(probability)
    assert value > 0
    (row,) = post(client, "/preprocess", samples[0])
    assert list(row) == list(model[0].get_feature_names_out())
    assert list(row.values()) == model[0].transform(TEXTS[:1]).toarray()[0].tolist()  # fmt: skip
    info = client.get("/info").get_json()["model"]
    assert "LogisticRegression" in info["predictor_type"]


@pytest.mark.parametrize(
    ("model", "entry", "reason"),
    [
        (text_model().fit(TEXTS, LABELS), TEXT[0], "text is left to the estimator"),
        (
            make_pipeline(DictVectorizer(), LinearRegression()).fit([{"x": 1}, {"x": 2}], [1, 2]),
            {"name": "x", "type": "numeric"},
            "what it takes is no table, and is left to the estimator",
        ),
    ],
    ids=["text", "dicts"],
)  # fmt: skip
def test_the_reason_for_no_copy_is_a_sentence(
    model: Any, entry: Any, reason: str
) -> None:
    loaded = load(content([entry], model))
    loaded.speed_up()
    assert loaded.info()["fast_predict_reason"] == reason


def test_a_missing_text_is_a_fault_where_nothing_says_otherwise() -> None:
    model = load(content(TEXT, text_model().fit(TEXTS, LABELS)))
    assert model.features()[0]["required"]
    with_default = [TEXT[0] | {"default": TEXTS[0]}]
    model = text_model().fit(TEXTS, LABELS)
    client = client_of(content(with_default, model))
    predicted = post(client, "/predict", [{"text": None}, {"text": "bad"}])
    assert predicted["prediction"] == ["yes", "no"]


def test_texts_that_are_tokens_already_are_no_rows_of_an_array() -> None:
    characters = CountVectorizer(analyzer=list)
    model = make_pipeline(characters, MultinomialNB()).fit(TEXTS, LABELS)
    client = client_of(content(TEXT, model))
    records = [{"text": text} for text in TEXTS]
    predicted = post(client, "/predict?proba=1", records)["prediction"]
    own = model.predict_proba(TEXTS).tolist()
    assert [list(record.values()) for record in predicted] == own


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_a_model_of_dicts_predicts_each_record(count: int) -> None:
    rows = [
        {"city": "Paris" if n % 3 else "Rome", "rooms": n % 5, "size": n / 2}
        for n in range(60)
    ]
    target = [row["rooms"] + len(row["city"]) for row in rows]  # type: ignore[operator, arg-type]
    model = make_pipeline(DictVectorizer(), LinearRegression())
    model.fit(rows, target)
    features = [
        {"name": "city", "type": "string"},
        {"name": "rooms", "type": "integer"},
        {"name": "size", "type": "numeric"},
    ]
    client = client_of(content(features, model))
    together = post(client, "/predict", rows[:count])["prediction"]
    assert together == model.predict(rows[:count]).tolist()
    for row, expected in zip(rows[:count][:9], together, strict=False):
        assert post(client, "/predict", row)["prediction"] == [expected]


class Summary:
    """Predicts one number, however many rows there are."""

    def predict(self, X: Any) -> Any:
        return np.zeros(1) if len(X) > 1 else np.zeros(len(X))


class Forgetful:
    """Predicts too few numbers from the fourth row on."""

    n_features_in_ = 1

    def predict(self, X: Any) -> Any:
        return np.zeros(min(len(X), 3))


NUMBER = [{"name": "x", "type": "numeric"}]


def test_a_model_must_predict_a_value_for_each_row() -> None:
    with pytest.raises(Exception, match=r"shape \(1,\) for 3 rows"):
        load(content(NUMBER, Summary()))


def test_too_few_predictions_are_a_fault_of_the_service() -> None:
    client = client_of(content(NUMBER, Forgetful()))
    assert post(client, "/predict", [{"x": 1}] * 3)["prediction"] == [0] * 3
    response = client.post("/predict", json=[{"x": 1}] * 4)
    assert response.status_code == 500


def test_catboosts_categories_in_an_array_are_objects() -> None:
    array = np.array(
        [[3, 0.5], [5, 1.0], [3, 2.0], [5, 4.0]] * 3, dtype=object
    )
    model = CatBoostRegressor(iterations=3, verbose=False, thread_count=1)
    model.fit(array, array[:, 1].astype(float), cat_features=[0])
    entries = [
        {"name": "floor", "type": "category", "categories": [3, 5]},
        {"name": "size", "type": "numeric"},
    ]
    client = client_of(content(entries, model))
    records = [{"floor": 5, "size": 4}, {"floor": 3, "size": 0.5}]
    predicted = post(client, "/predict", records)["prediction"]
    assert predicted == model.predict(array[[3, 0]]).tolist()


def test_dates_in_an_array_are_shown_as_text() -> None:
    class Hours:
        n_features_in_ = 1

        def predict(self, X: Any) -> Any:
            return X[:, 0].astype("datetime64[h]").astype(float)

    entry = {"name": "sold", "type": "datetime", "dtype": "datetime64[ns]"}
    client = client_of(content([entry], Hours()))
    record = {"sold": "2024-05-31T12:30:00"}
    (row,) = post(client, "/preprocess", record)
    assert pd.Timestamp(row["sold"]) == pd.Timestamp(record["sold"])
    assert post(client, "/predict", row) == post(client, "/predict", record)
