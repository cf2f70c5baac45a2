"""Attributes that raise when they are read, and what the service still offers then."""

import logging
from typing import Any

import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from python.model.attributes import has_attribute, read_attribute
from tests.artifacts import FEATURES, NAMES, client_of, content, post
from tests.laws import strict

ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(40, 2)), columns=NAMES
)
TARGET = (ROWS["x"] > 0).astype(int)
RECORDS = ROWS.head(3).to_dict("records")
OPTIONAL = [
    "best_estimator_",
    "booster_",
    "calibrated_classifiers_",
    "categories_",
    "coef_",
    "decision_function",
    "estimators_",
    "feature_importances_",
    "feature_name",
    "feature_names_",
    "feature_names_in_",
    "get_booster",
    "get_cat_feature_indices",
    "intercept_",
    "missing_values",
    "n_jobs",
    "steps",
    "tree_",
    "_predictors",
]


class Raising(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A logistic regression of which one attribute cannot be read."""

    unreadable = ""

    def fit(self, X: Any, y: Any) -> "Raising":
        self.inner = [LogisticRegression().fit(X, y)]
        self.classes_ = np.array([0, 1])
        return self

    def predict(self, X: Any) -> Any:
        return self.inner[0].predict(X)

    def predict_proba(self, X: Any) -> Any:
        return self.inner[0].predict_proba(X)


def raising(name: str) -> Any:
    """Return a class whose attribute `name` raises RuntimeError."""

    def refuse(_: Any) -> Any:
        # As the importances of scikit-survival's forests do, by a kind of RuntimeError.
        raise RuntimeError("it is not computed")

    return type("Raising", (Raising,), {name: property(refuse)})


def check_all_views(client: FlaskClient) -> Any:
    """Assert that every view answers, and return what the model is."""
    post(client, "/preprocess", RECORDS)
    response = client.get("/features")
    assert response.status_code == 200, response.text
    answer = post(
        client,
        "/predict?proba=1&explain=1",
        {"_data": RECORDS, "_samples": RECORDS},
    )
    assert len(answer["explanation"]) == len(RECORDS)
    response = client.get("/info")
    assert response.status_code == 200, response.text
    return strict(response.data)["model"]


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_attribute_that_raises_costs_no_answer(name: str) -> None:
    model = raising(name)().fit(ROWS, TARGET)
    client = client_of(content(FEATURES, model))
    assert check_all_views(client)["task"] == "BINARY_CLASSIFICATION"
    answer = post(client, "/predict?proba=1", RECORDS)["prediction"]
    expected = model.predict_proba(ROWS.head(3)).tolist()
    assert [list(row.values()) for row in answer] == expected


def test_importances_that_cannot_be_read_are_none_and_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = raising("feature_importances_")().fit(ROWS, TARGET)
    client = client_of(content(FEATURES, model))
    for _ in range(2):
        features = strict(client.get("/features").data)
        assert [feature.get("importance") for feature in features] == [
            None
        ] * 2
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name != "python.api.logs"
    ]
    assert lines == [
        "feature_importances_ of the Raising: RuntimeError: it is not computed"
    ]


@pytest.mark.parametrize("importances", ["many", 5.0, [["a"]], ["a"]])
def test_importances_of_another_kind_are_none(importances: Any) -> None:
    model = Raising().fit(ROWS, TARGET)
    model.feature_importances_ = importances
    client = client_of(content(FEATURES, model))
    features = strict(client.get("/features").data)
    assert [feature.get("importance") for feature in features] == [None] * 2


@pytest.mark.parametrize("error", [RuntimeError, TypeError, KeyError])
def test_names_of_columns_that_raise_are_numbers(error: Any) -> None:
    class Nameless(StandardScaler):  # type: ignore[misc]
        def get_feature_names_out(self, _: Any = None) -> Any:
            raise error("names are not supported")

    model = make_pipeline(Nameless(), Raising()).fit(ROWS, TARGET)
    client = client_of(content(FEATURES, model))
    check_all_views(client)
    assert [list(row) for row in post(client, "/preprocess", RECORDS)] == [
        ["x0", "x1"]
    ] * 3


class Column:
    """A column of polars: it has `to_numpy`, and no `tolist`."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def to_numpy(self) -> Any:
        return np.asarray(self.values)


class Polars:
    """A DataFrame of polars, so much of it as is needed here."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self.columns = columns

    def get_columns(self) -> list[Column]:
        return [Column(values) for values in self.columns.values()]

    def to_numpy(self) -> Any:
        # It does not make an array of texts and dates.
        raise TypeError("no common type")


def to_polars(frame: Any) -> Polars:
    """Return numbers, texts and dates."""
    days = np.full(len(frame), "2026-01-02", dtype="datetime64[D]")
    texts = np.array(["a", None, "b"] * len(frame), dtype=object)
    columns = {name: frame[name].to_numpy() for name in frame}
    return Polars({**columns, "day": days, "text": texts[: len(frame)]})


class OfPolars(Raising):
    """A model of such a DataFrame."""

    def fit(self, *_: Any) -> "OfPolars":
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X: Any) -> Any:
        margin = np.nan_to_num(X.columns["x"])
        positive = 1 / (1 + np.exp(-margin))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> Any:
        return self.predict_proba(X).argmax(axis=1)


def test_a_step_may_return_a_frame_of_polars() -> None:
    model = make_pipeline(FunctionTransformer(to_polars), OfPolars())
    client = client_of(content(FEATURES, model.fit(ROWS, TARGET)))
    check_all_views(client)
    rows = [list(row.values()) for row in post(client, "/preprocess", RECORDS)]
    numbers = ROWS.head(3).to_numpy().tolist()
    texts = ["a", None, "b"]
    assert rows == [
        [*of_row, "2026-01-02", text]
        for of_row, text in zip(numbers, texts, strict=True)
    ]


def to_sparse(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype(pd.SparseDtype(float, 0.0))


def test_a_step_may_return_a_frame_of_sparse_columns() -> None:
    model = make_pipeline(FunctionTransformer(to_sparse), LogisticRegression())
    client = client_of(content(FEATURES, model.fit(ROWS, TARGET)))
    check_all_views(client)
    assert post(client, "/preprocess", RECORDS) == [
        dict(zip(("x0", "x1"), record.values(), strict=True))
        for record in RECORDS
    ]


def test_what_is_not_there_is_no_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert read_attribute(object(), "classes_", 5) == 5
    assert not has_attribute(object(), "classes_")
    assert has_attribute(Raising().fit(ROWS, TARGET), "classes_")
    assert not caplog.records
