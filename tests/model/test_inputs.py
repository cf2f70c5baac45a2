"""The columns of the metadata compared with those that an estimator says it was fitted with."""

from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from python.model.inputs import check_inputs
from tests.artifacts import (
    FEATURES,
    NAMES,
    X,
    client_of,
    content,
    features_with,
    post,
    refusal,
)
from tests.models import build

ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(40, 2)), columns=NAMES
)
TARGET = (ROWS["x"] > 0).astype(int)
REVERSED = NAMES[::-1]


class Automatic(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """It reorders the columns by name, and reports the names of the estimator inside."""

    def fit(self, X: Any, y: Any) -> "Automatic":
        self.inner_ = LogisticRegression().fit(X[REVERSED], y)
        self.classes_ = self.inner_.classes_
        self.feature_names_in_ = self.inner_.feature_names_in_
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X[REVERSED])

    def predict_proba(self, X: Any) -> Any:
        return self.inner_.predict_proba(X[REVERSED])


class Positional(Automatic):
    """It has the same names, and goes by the position of the columns."""

    def fit(self, X: Any, y: Any) -> "Positional":
        self.inner_ = LogisticRegression().fit(X[REVERSED].to_numpy(), y)
        self.classes_ = self.inner_.classes_
        self.feature_names_in_ = np.array(REVERSED, dtype=object)
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X.to_numpy())

    def predict_proba(self, X: Any) -> Any:
        return self.inner_.predict_proba(X.to_numpy())


@pytest.mark.parametrize("features", [FEATURES, FEATURES[::-1]])
@pytest.mark.parametrize("samples", [{}, {"samples": ROWS}])
def test_an_order_that_an_object_restores_by_name_may_be_any(
    features: Any, samples: Any
) -> None:
    model = Automatic().fit(ROWS, TARGET)
    client = client_of(content(features, model, **samples))
    records = ROWS.to_dict("records")
    answers = post(client, "/predict?proba=1", records)["prediction"]
    answered = [list(answer.values()) for answer in answers]
    assert answered == model.predict_proba(ROWS).tolist()


def test_another_order_is_refused_where_columns_go_by_position() -> None:
    model = Positional().fit(ROWS, TARGET)
    for more in ({}, {"samples": ROWS}):
        assert refusal(content(FEATURES, model, **more)) == (
            'the metadata names "x" where the model was fitted with "y"'
        )


def test_the_names_of_a_booster_of_lightgbm_are_its_columns() -> None:
    data = lightgbm.Dataset(ROWS, ROWS["x"])
    options = {"min_data_in_leaf": 2, "verbose": -1}
    booster = lightgbm.train(options, data, 3)
    sentence = refusal(content(FEATURES[::-1], booster))
    assert sentence == (
        'the metadata names "y" where the model was fitted with "x"'
    )
    client = client_of(content(FEATURES, booster))
    answer = post(client, "/predict", ROWS.to_dict("records"))
    assert answer["prediction"] == booster.predict(ROWS).tolist()


def test_a_blank_in_a_name_matches_the_underscore_of_lightgbm() -> None:
    estimator = build("lightgbm regression").estimator
    check_inputs(estimator, ["x", "y y", "z"])
    assert estimator.feature_names_in_.tolist() == ["x", "y_y", "z"]


def test_a_fitted_name_that_looks_the_same_is_told_apart() -> None:
    model = LogisticRegression().fit(
        X.rename(columns={"x": "gro\u0308\u00dfe"}), [0, 1, 1]
    )
    sentence = refusal(content(features_with(name="gr\u00f6\u00dfe"), model))
    assert sentence.endswith(
        '; it looks the same but has other code points: write it as "gro\\u0308\\u00dfe"'
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (content(FEATURES[:1]), "the metadata names 1 features, the model was fitted with 2"),
        (content(FEATURES[::-1]), 'the metadata names "y" where the model was fitted with "x"'),
        (content(features_with(name="z")), 'the metadata names "z" where the model was fitted with "x"'),
    ],
)  # fmt: skip
def test_names_other_than_the_fitted_ones_are_refused(
    content: Any, sentence: str
) -> None:
    assert refusal(content).startswith(sentence)
