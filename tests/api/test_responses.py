"""What leaves as JSON."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from python.app import create_app
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.laws import strict
from tests.serving import Odd, load_odd


def test_nan_leaves_as_null() -> None:
    response = (
        create_app(Settings(), load_odd())
        .test_client()
        .post("/predict", json={"x": 1})
    )
    assert strict(response.data) == {"prediction": [None]}


def test_metadata_of_any_kind_leaves_as_json() -> None:
    model = load_odd(
        fitted_on=np.datetime64("2026-01-02"),
        scores=np.array([0.5]),
        count=np.int64(3),
        by=Odd,
    )
    metadata = strict(
        create_app(Settings(), model).test_client().get("/info").data
    )["metadata"]
    assert metadata == {
        **metadata,
        "scores": [0.5],
        "count": 3,
        "by": str(Odd),
    }


def test_classes_and_features_of_any_name() -> None:
    names, classes = ['a "b"', "c\\d", "\n"], ['"', "\\\t"]
    X = np.arange(30.0).reshape(10, 3)
    model = SklearnModel.load(
        Artifact(
            RandomForestClassifier(2, random_state=0).fit(
                X, np.arange(10) > 4
            ),
            {
                "features": [
                    {"name": name, "type": "numeric"} for name in names
                ],
                "class_names": classes,
            },
        )
    )
    client = create_app(Settings(), model).test_client()
    found = strict(
        client.post(
            "/predict?proba=1&explain=1",
            json=[dict(zip(names, X[0], strict=True))],
        ).data
    )
    assert list(found["prediction"][0]) == classes
    assert list(found["explanation"][0]) == names
