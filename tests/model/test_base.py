"""A family that can only load and predict offers what the base says of such a model."""

from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model.artifact import Artifact
from python.model.base import Model, Predictions, Task
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.types import Matrix
from tests.records import of_payload

NEVER_MISSING = {
    "accepts_missing": False,
    "accepts_missing_from": "metadata",
}
FEATURES: list[dict[str, Any]] = [
    {"name": "x", "type": "numeric", "default": 2},
    {"name": "colour", "type": "category", "categories": ["red", "green"]},
]


class Doubler:
    """Predicts twice the first column."""

    def predict(self, columns: Any) -> NDArray[Any]:
        return 2 * np.asarray(columns.iloc[:, 0])


class DoublerModel(Model):
    """The least that a family has to say, and how often it was called."""

    task = Task.REGRESSION
    calls = 0

    @classmethod
    def load(cls, artifact: Artifact) -> Self:
        return cls(
            artifact, Schema.from_metadata(artifact.metadata, named=True)
        )

    def predict(self, records: Records) -> NDArray[Any]:
        self.calls += 1
        prediction: NDArray[Any] = self.estimator.predict(records.columns)
        return prediction


class Chances(DoublerModel):
    """A family that has probabilities besides."""

    offers_probabilities = True

    def predict_proba(self, records: Records) -> Matrix:
        self.calls += 1
        return np.full((len(records), 2), 0.5)


def load(family: type[DoublerModel]) -> DoublerModel:
    content = {"model": Doubler(), "metadata": {"features": FEATURES}}
    return family.load(Artifact.of(content, version="0123456789ab"))


@pytest.fixture
def model() -> DoublerModel:
    return load(DoublerModel)


@pytest.fixture
def records(model: DoublerModel) -> Records:
    payload = [{"x": 1, "colour": "green"}, {"colour": "red"}]
    return of_payload(model.schema, payload)


def test_a_family_must_say_how_to_load_and_how_to_predict() -> None:
    class Nothing(Model):
        task = Task.REGRESSION

    with pytest.raises(TypeError, match=r"load.*predict"):
        Nothing(Artifact(Doubler(), {}), Schema([]))  # type: ignore[abstract]


def test_a_model_has_the_estimator_the_metadata_and_the_version_of_its_file(
    model: DoublerModel,
) -> None:
    assert isinstance(model.estimator, Doubler)
    assert model.metadata == {"features": FEATURES}
    assert model.version == "0123456789ab"
    assert model.schema.names == ["x", "colour"]


def test_predictions_are_computed_when_needed_and_once(
    model: DoublerModel, records: Records
) -> None:
    predictions = model.predictions(records)
    assert predictions.records is records
    assert model.calls == 0
    assert predictions.prediction.tolist() == [2.0, 4.0]
    assert predictions.prediction is predictions.prediction
    assert model.calls == 1


def test_probabilities_are_computed_without_the_prediction(
    records: Records,
) -> None:
    model = load(Chances)
    predictions = model.predictions(records)
    assert predictions.probabilities.tolist() == [[0.5, 0.5]] * 2
    assert predictions.probabilities is predictions.probabilities
    assert model.calls == 1


def test_a_model_has_no_probabilities_unless_its_family_does(
    model: DoublerModel, records: Records
) -> None:
    assert model.offers_probabilities is False
    assert model.class_names is None
    sentence = r"the model \(REGRESSION\) has no probabilities"
    with pytest.raises(Unprocessable, match=sentence):
        model.predict_proba(records)
    with pytest.raises(Unprocessable, match=sentence):
        _ = Predictions(model, records).probabilities


def test_a_model_has_no_explanations_unless_its_family_does(
    model: DoublerModel, records: Records
) -> None:
    assert model.offers_explanations is False
    sentence = "the model cannot be explained: its family has no explanations"
    for background in (None, records):
        with pytest.raises(Unprocessable, match=sentence):
            model.explain(model.predictions(records), background)


def test_preprocessing_returns_the_validated_columns(
    model: DoublerModel, records: Records
) -> None:
    names, columns = model.preprocess(records)
    assert names == ["x", "colour"]
    assert columns == [[1.0, 2.0], ["green", "red"]]


def test_the_example_is_the_one_of_the_schema(model: DoublerModel) -> None:
    assert model.example() == {"x": 2, "colour": "red"}


def test_the_features_are_described_as_in_the_metadata(
    model: DoublerModel,
) -> None:
    assert model.features() == [
        FEATURES[0] | NEVER_MISSING | {"required": False},
        FEATURES[1] | NEVER_MISSING | {"required": True},
    ]


def test_the_information_names_the_estimator_and_the_task(
    model: DoublerModel,
) -> None:
    doubler = str(Doubler)
    assert model.info() == {
        "type": doubler,
        "predictor_type": doubler,
        "task": "REGRESSION",
        "class_names": None,
        "has_probabilities": False,
        "probabilities_reason": "its family has none",
        "is_explainable": False,
        "reason": "its family has no explanations",
        "other_versions": [],
    }


def test_there_is_nothing_to_speed_up_unless_the_family_says_so(
    model: DoublerModel, records: Records
) -> None:
    model.speed_up()
    assert model.predict(records).tolist() == [2.0, 4.0]
