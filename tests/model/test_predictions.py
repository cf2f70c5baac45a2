"""Predictions of other kinds than numbers and texts: as JSON has them, or refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier

from python.errors import ArtifactError
from tests.artifacts import client_of, content, load

RECORD = {"x": 1, "y": 0}


class Answering:
    """Predicts the same for each row."""

    def __init__(self, prediction: Any) -> None:
        self.prediction = prediction

    def predict(self, X: Any) -> Any:
        return np.repeat(np.array([self.prediction]), len(X))


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_dates_are_predicted_as_iso_8601_has_them(unit: Any) -> None:
    """Those in nanoseconds were whole numbers."""
    date = np.datetime64("2026-11-26T08:30", unit)
    with client_of(content(model=Answering(date))) as client:
        response = client.post("/predict", json=RECORD)
    assert response.get_json() == {"prediction": ["2026-11-26T08:30:00"]}


@pytest.mark.parametrize("unit", ["s", "ns"])
def test_a_class_that_is_a_date_has_the_name_that_is_predicted(
    unit: Any,
) -> None:
    dates = np.array(["2026-01-01", "2026-02-01"], f"datetime64[{unit}]")
    rows = pd.DataFrame({"x": [0.0, 1.0], "y": 0.0})
    model = KNeighborsClassifier(1).fit(rows, dates)
    with client_of(content(model=model)) as client:
        label = client.post("/predict", json=RECORD).get_json()
        shares = client.post("/predict?proba=1", json=RECORD).get_json()
    assert label == {"prediction": ["2026-02-01T00:00:00"]}
    expected = {"2026-01-01T00:00:00": 0, "2026-02-01T00:00:00": 1}
    assert shares == {"prediction": [expected]}


@pytest.mark.parametrize(
    ("prediction", "sentence"),
    [
        (1 + 2j, "predicts complex numbers, which JSON does not have"),
        (np.timedelta64(1, "D"), "predicts spans of time, which JSON does"),
        (b"yes", "predicts bytes, which JSON does not have"),
    ],
)
def test_what_json_does_not_have_is_not_predicted(
    prediction: Any, sentence: str
) -> None:
    """Spans of time were whole numbers, and bytes base64."""
    with pytest.raises(ArtifactError, match=sentence):
        load(content(model=Answering(prediction)))


def test_a_sparse_prediction_is_refused_with_a_cure() -> None:
    rows = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": 0.0})
    labels = csr_matrix([[1, 0], [1, 1], [0, 1], [0, 1]])
    model = OneVsRestClassifier(LogisticRegression()).fit(rows, labels)
    with pytest.raises(ArtifactError, match=r"sparse.*y\.toarray\(\)"):
        load(content(model=model))
    dense = OneVsRestClassifier(LogisticRegression()).fit(
        rows, labels.toarray()
    )
    assert load(content(model=dense)).task == "MULTIOUTPUT_CLASSIFICATION"
