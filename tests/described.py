"""Models for the tests of the OpenAPI document: every example, and one of each kind of feature."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from python.model.sklearn import SklearnModel
from tests.artifacts import content, load
from tests.models import EXAMPLE_NAMES, FAMILIES, features, numbers
from tests.serving import served

ROWS = 40
MANY = 300


def texts() -> dict[str, Any]:
    films = ["a good film", "a bad film", "good", "bad, bad"] * 10
    table = pd.DataFrame({"text": films, "length": np.arange(ROWS) * 1.0})
    steps = make_column_transformer(
        (TfidfVectorizer(), "text"), remainder="passthrough"
    )
    model = make_pipeline(steps, LogisticRegression())
    model.fit(table, ["good" in film for film in films])
    entries = [
        {"name": "text", "type": "string", "description": "What was written."},
        {"name": "length", "type": "numeric", "default": 0.5},
    ]
    return content(entries, model, samples=table.head(5))


def to_years(table: pd.DataFrame) -> pd.DataFrame:
    return table.apply(lambda column: column.dt.year)


def dates() -> dict[str, Any]:
    days = pd.date_range("2020-02-28", periods=ROWS, freq="200D")
    table = pd.DataFrame({"sold": days, "bought": days})
    model = make_pipeline(
        FunctionTransformer(to_years), DecisionTreeRegressor(max_depth=3)
    )
    model.fit(table, np.arange(ROWS) * 1.0)
    entries = [
        {"name": "sold", "type": "datetime", "dtype": "datetime64[ns]"},
        {
            "name": "bought",
            "type": "datetime",
            "dtype": "datetime64[us]",
            "default": "2020-02-29",
        },
    ]
    return content(entries, model, samples=table.head(5))


def whole_numbers() -> dict[str, Any]:
    choose = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "member": choose.random(ROWS) > 0.5,
            "age": choose.integers(0, 100, ROWS),
            "rooms": choose.integers(0, 5, ROWS).astype("int8"),
        }
    )
    model = DecisionTreeClassifier(max_depth=3, random_state=0)
    model.fit(table, choose.integers(0, 3, ROWS))
    entries = [
        {"name": "member", "type": "boolean", "default": False},
        {"name": "age", "type": "integer"},
        {"name": "rooms", "type": "integer", "dtype": "int8"},
    ]
    return {
        "model": model,
        "metadata": {
            "features": entries,
            "class_names": ["low", "middle", "high"],
            "version": "7",
        },
    }


def many() -> dict[str, Any]:
    choose = np.random.default_rng(0)
    names = [f"feature {number}" for number in range(MANY)]
    table = pd.DataFrame(choose.normal(size=(ROWS, MANY)), columns=names)
    model = LogisticRegression().fit(table, choose.integers(0, 2, ROWS))
    entries = [
        {"name": name, "type": "numeric", "default": 0.0} for name in names
    ]
    return content(entries, model, samples=table.head(5))


def outliers() -> dict[str, Any]:
    table = numbers().head(ROWS)
    model = IsolationForest(n_estimators=5, random_state=0).fit(table)
    return content(features(table), model, samples=table.head(5))


KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "texts": texts,
    "dates": dates,
    "whole numbers": whole_numbers,
    "many": many,
}
DESCRIBED = [*EXAMPLE_NAMES, *KINDS]
# A score, lists of numbers and of objects, no probabilities, explanations by class.
OTHER_RESPONSES = [
    "outliers",
    "several outputs",
    "several labels",
    "linear margin",
    "linear pipeline",
]


@cache
def model_of(name: str) -> SklearnModel:
    """Return the model of an example script, or of one of the kinds of features."""
    if name in EXAMPLE_NAMES or name in FAMILIES:
        return served(name)
    model = load(outliers() if name == "outliers" else KINDS[name]())
    model.prepare_explanations()
    return model
