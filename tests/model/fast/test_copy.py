"""A copy leaves to the estimator what it cannot decide, or must not accept."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
)

from python.errors import Unprocessable
from python.model.artifact import Artifact
from python.model.fast.copy import NEAR_TIE
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import sped_up
from tests.models import numbers
from tests.records import of_codes, of_payload


def test_ties_are_left_to_the_estimator_unless_every_bit_is_equal() -> None:
    """A margin of 1e-17 is a probability of exactly one half, and yet the second class."""
    data = pd.DataFrame({"x": [-1.0, 1.0, -2.0, 2.0]})
    estimator = LogisticRegression(fit_intercept=False).fit(data, [0, 1, 0, 1])
    model = SklearnModel.load(
        Artifact(estimator, {"features": [{"name": "x", "type": "numeric"}]})
    )
    model.speed_up()
    assert model.copy is not None
    for x in (1e-17, -1e-17, 0.0, 1e-300, NEAR_TIE):
        records = of_codes(model.schema, np.array([[x]]))
        assert (
            model.predict(records).tolist()
            == estimator.predict(records.columns).tolist()
        )


def test_labels_near_a_tie_are_left_to_the_estimator() -> None:
    model = sped_up(GradientBoostingClassifier(n_estimators=3), numbers(), 2)
    assert model.copy is not None
    model.copy = replace(model.copy, exact_labels=False)
    assert model.copy.label(np.array([[0.5 - 4e-10, 0.5 + 4e-10]])) is None
    assert model.copy.label(np.array([[0.5 - 6e-10, 0.5 + 6e-10]])) == [1]


def test_a_number_that_the_estimator_refuses_is_refused_with_a_copy() -> None:
    model = sped_up(RandomForestClassifier(5), numbers(), 2)
    assert model.copy is not None
    with pytest.raises(Unprocessable, match="does not take these values"):
        model.predict(of_codes(model.schema, np.array([[0.0, 1e300, 0.0]])))


def test_a_missing_value_that_only_a_copy_would_take_is_refused() -> None:
    data = pd.DataFrame(
        {"c": [f"{number}" for number in range(30)] * 4, "x": np.arange(120.0)}
    )
    steps = make_column_transformer(
        (OneHotEncoder(), ["c"]), ("passthrough", ["x"])
    )
    pipeline = make_pipeline(
        steps, RandomForestClassifier(3, random_state=0)
    ).fit(data, np.arange(120) % 2)
    described = [
        {"name": "c", "type": "string", "default": "1"},
        {"name": "x", "type": "numeric", "accepts_missing": True},
    ]
    model = SklearnModel.load(Artifact(pipeline, {"features": described}))
    model.speed_up()
    with pytest.raises(Unprocessable):
        model.predict_proba(of_payload(model.schema, {"c": "1"}))
