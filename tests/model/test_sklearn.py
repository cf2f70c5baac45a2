"""The model around an estimator: what it says of itself."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from tests.artifacts import content, load
from tests.models import numbers
from tests.records import of_data

DATA = numbers()
TARGET = (DATA["size"] > 0).astype(int)
ENTRIES = [{"name": name, "type": "numeric"} for name in DATA]


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        DummyClassifier(),
    ],
    ids=["vectorizer", "no transformer"],
)
def test_text_is_left_to_the_estimator(model: Any) -> None:
    texts = pd.Series(["a good film", "a bad film"])
    entries = [{"name": "text", "type": "string", "default": "film"}]
    loaded = load(content(entries, model.fit(texts, [1, 0])))
    loaded.speed_up()
    info = loaded.info()
    assert info["fast_predict"] is False
    assert info["fast_predict_reason"] == "text is left to the estimator"


def test_what_is_no_fault_of_the_text_is_not_said_to_be_one() -> None:
    data = pd.DataFrame({"colour": ["red", "blue"] * 4})
    encoded = make_column_transformer((OneHotEncoder(), ["colour"]))
    entries = [{"name": "colour", "type": "string", "default": "red"}]
    model = make_pipeline(encoded, LinearSVC()).fit(data, [1, 0] * 4)
    loaded = load(content(entries, model))
    loaded.speed_up()
    assert (
        "no attribute 'predict_proba'" in loaded.info()["fast_predict_reason"]
    )


class NamingClassifier(LGBMClassifier):  # type: ignore[misc]
    """Names the columns of an array, as LightGBM did before 4.7."""

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        if not self.__sklearn_is_fitted__():
            raise AttributeError("feature_names_in_")
        return np.array(self.feature_name_)


@pytest.mark.parametrize(
    ("model", "is_array"),
    [
        (NamingClassifier(n_estimators=2, verbose=-1), True),
        (NamingClassifier(n_estimators=2, verbose=-1), False),
        (make_pipeline(StandardScaler(), NamingClassifier(n_estimators=2, verbose=-1)), True),
        (make_pipeline(StandardScaler(), NamingClassifier(n_estimators=2, verbose=-1)), False),
        (CalibratedClassifierCV(NamingClassifier(n_estimators=2, verbose=-1), cv=2), True),
    ],
    ids=["array", "frame", "pipeline of an array", "pipeline of a frame", "calibrated"],
)  # fmt: skip
def test_names_that_lightgbm_made_up_are_neither_required_nor_warned_of(
    model: Any, is_array: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # a calibration predicts while it is fitted
        model.fit(DATA.to_numpy() if is_array else DATA, TARGET)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = load(content(ENTRIES, model, samples=DATA.head(9)))
        records = of_data(loaded.schema, DATA.head(3))
        loaded.predict(records)
        loaded.predict_proba(records)
        loaded.explain(loaded.predictions(records), records)
        loaded.preprocess(records)
    messages = [str(warning.message) for warning in caught]
    assert not [message for message in messages if "feature names" in message]


def test_columns_that_are_called_as_lightgbm_would_call_them_keep_their_names() -> (
    None
):
    data = DATA.set_axis(["Column_0", "Column_1", "Column_2"], axis=1)
    scaled = make_column_transformer(
        (StandardScaler(), ["Column_0", "Column_2"])
    )
    model = make_pipeline(scaled, LogisticRegression()).fit(data, TARGET)
    entries = [{"name": name, "type": "numeric"} for name in data]
    loaded = load(content(entries, model))
    predicted = loaded.predict(of_data(loaded.schema, data))
    assert predicted.tolist() == model.predict(data).tolist()


def test_a_warning_about_names_that_were_fitted_stays() -> None:
    model = LogisticRegression().fit(DATA, TARGET)
    loaded = load(content(ENTRIES, model))
    with pytest.warns(
        UserWarning, match="X does not have valid feature names"
    ):
        loaded.estimator.predict(DATA.to_numpy())
