"""What every family of models offers to the service."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model.artifact import Artifact
from python.model.data.columns import by_column
from python.model.data.records import Records
from python.model.data.schema import Schema

NO_EXPLANATIONS = "its family has no explanations"


class Task(StrEnum):
    """What a supervised model does; an estimator of another kind has scikit-learn's `estimator_type` in capitals."""

    BINARY_CLASSIFICATION = "BINARY_CLASSIFICATION"
    MULTICLASS_CLASSIFICATION = "MULTICLASS_CLASSIFICATION"
    REGRESSION = "REGRESSION"


Values = tuple[NDArray[np.float64], NDArray[np.float64]]  # values and base value, as in Explanation
Way = Callable[[Any], Values]


@dataclass(frozen=True)
class Explanation:
    """SHAP values that add up: `base_value` + the sum over the features = the `output` of the served model."""

    values: NDArray[
        np.float64
    ]  # (n_records, n_features), with several classes (n_records, n_features, n_classes)
    base_value: NDArray[np.float64]  # (), with several classes (n_classes,)
    output: str  # probability, log_odds, margin, prediction or log_prediction


class Model(ABC):
    """A loaded model that has answered a first prediction; there is no other kind, so nobody asks whether it is ready.

    A family must know how to load and to predict. The rest is what a model answers that can do nothing else.
    """

    estimator: Any
    schema: Schema
    metadata: Mapping[str, Any]
    task: str
    class_names: list[str] | None = None
    version: str = ""  # the start of the SHA-256 of the file it came from

    @classmethod
    @abstractmethod
    def load(cls, artifact: Artifact) -> Self:
        """The model, ready to answer; raises ArtifactError in one sentence."""

    def hasten(self) -> None:  # noqa: B027  (most families have nothing to prepare)
        """Prepare faster answers, if there are any; called once the model is served, in another thread."""

    @abstractmethod
    def predict(self, records: Records) -> NDArray[Any]:
        """Labels or numbers as the estimator gives them, (n_records,) or (n_records, n_outputs).

        Raises Unprocessable, with pointers, for values that the estimator itself refuses.
        """

    def predict_proba(self, records: Records) -> NDArray[np.float64]:  # noqa: ARG002
        """Probabilities in the order of `class_names`, (n_records, n_classes); raises Unprocessable if it has none."""
        raise Unprocessable(f"the model ({self.task}) has no probabilities")

    def explain(self, records: Records, samples: Records | None = None) -> Explanation:  # noqa: ARG002
        """SHAP values for each input feature, against the background `samples` where given.

        Raises Unprocessable for a model that cannot be explained, or not without a background.
        """
        raise Unprocessable(f"the model cannot be explained: {NO_EXPLANATIONS}")

    def explanation_effort(self, samples: Records | None = None) -> tuple[int, int]:  # noqa: ARG002
        """The rows of the background, and how many predictions each of them costs for each record."""
        return 0, 0

    def offers(self, what: Literal["proba", "explain"]) -> bool:  # noqa: ARG002
        """Whether a request may ask for it and bring nothing but records."""
        return False

    def preprocess(self, records: Records) -> tuple[list[str], list[list[Any]]]:
        """The names and the values, by column, of what the last step of the model sees."""
        return self.schema.names, [column.tolist() for column in by_column(records.columns)]

    def example(self) -> dict[str, Any]:
        """A record that the model has an answer to."""
        return self.schema.example()

    def features(self) -> list[dict[str, Any]]:
        """The features as the metadata describes them, each with its importance where the model has importances."""
        return [feature.described() for feature in self.schema.features]

    def info(self) -> dict[str, Any]:
        """What the model is: type, predictor_type, task, class_names, is_explainable."""
        name = str(type(self.estimator))
        kind = {
            "type": name,
            "predictor_type": name,
            "task": self.task,
            "class_names": self.class_names,
        }
        return kind | {"is_explainable": False, "reason": NO_EXPLANATIONS}
