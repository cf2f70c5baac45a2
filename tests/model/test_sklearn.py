"""The model around an estimator: what it says of itself."""

from typing import Any

import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.artifacts import content, load


@pytest.mark.parametrize(
    "model",
    [make_pipeline(TfidfVectorizer(), LogisticRegression()), DummyClassifier()],
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
