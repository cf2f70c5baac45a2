"""What every family of models offers to the service."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from python.errors import TooManyReturned, Unprocessable
from python.model.artifact import Artifact
from python.model.data.features import Value
from python.model.data.json_values import list_columns
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.examples import Examples
from python.model.types import Estimator, Matrix
from python.model.versions import describe_versions

# Each under its name: some 25 MB of JSON, and about a second.
MAX_RETURNED_VALUES = 1_000_000
NO_EXPLANATIONS = "its family has no explanations"


class Budget(NamedTuple):
    """How many seconds an explanation, and the proof that explanations are right, may take."""

    request_seconds: float = 10.0
    proof_seconds: float = 10.0


DEFAULT_BUDGET = Budget()


class Task(StrEnum):
    """What a supervised model does.

    An estimator of another kind has scikit-learn's `estimator_type` in capitals for a task.
    """

    BINARY_CLASSIFICATION = "BINARY_CLASSIFICATION"
    MULTICLASS_CLASSIFICATION = "MULTICLASS_CLASSIFICATION"
    REGRESSION = "REGRESSION"


@dataclass(frozen=True)
class Explanation:
    """SHAP values that add up: `base_value` + their sum over the features is the `output`.

    `values` is (n_records, n_features), with several classes (n_records, n_features, n_classes);
    `base_value` is (), with several classes (n_classes,). Those of several outputs stand side by
    side.
    `output` names what they add up to: `probability`, `log_odds`, `margin`, `prediction` or
    `log_prediction`. `standard_error` has the shape of the values; None where they are exact.
    """

    values: Matrix
    base_value: NDArray[np.float64]
    output: str
    standard_error: Matrix | None = None


def check_returned(n_records: int, n_values: int, kind: str) -> None:
    """Raise TooLarge if a response would have more values than it may, so many for each record.

    `kind` is what the values are called in the sentence.
    """
    total = n_records * n_values
    if total > MAX_RETURNED_VALUES:
        raise TooManyReturned(
            f"{n_records} records x {n_values} {kind} are {total} values, "
            f"at most {MAX_RETURNED_VALUES} are returned"
        )


class Model(ABC):
    """A loaded model that has predicted a first row, so that nobody has to ask if it is ready.

    A family has to say how to load and how to predict.
    The other methods do here what suits a model that only predicts.
    `class_names_by_output` takes the place of `class_names` where there are several outputs.
    `offers_probabilities` says whether `predict_proba` is more than an error, and
    `no_probabilities` why not.
    """

    task: str
    n_outputs = 1
    class_names: list[str] | None = None
    class_names_by_output: list[list[str]] | None = None
    offers_probabilities = False
    no_probabilities = "its family has none"
    load_seconds = 0.0
    """What it took to load and to check it, where that was measured."""

    def __init__(self, artifact: Artifact, schema: Schema) -> None:
        """Take the artifact, and the schema of its features."""
        self.estimator: Estimator = artifact.model
        self.metadata: Mapping[str, Any] = artifact.metadata
        self.version: str = artifact.version  # the start of the file's SHA-256
        self.examples: Examples | None = artifact.examples
        # Of the packages that it was fitted with: they may be why the examples differ.
        self.other_versions = artifact.other_versions
        self.profile: Mapping[str, Any] = artifact.profile
        self.prediction_profile = artifact.prediction_profile
        self.schema = schema

    @classmethod
    @abstractmethod
    def load(cls, artifact: Artifact) -> Self:
        """Return the model, ready to predict; raise ArtifactError in one sentence."""

    # Most families have nothing to prepare.
    def speed_up(self, verdicts: Path | None = None) -> None:  # noqa: B027
        """Prepare faster predictions, if there are any.

        `verdicts` is a folder in which the processes that serve the same file keep what they prove.
        It is called in a thread of its own, also while the model is served.
        """

    def announce_speed_up(self) -> None:  # noqa: B027
        """Say that `speed_up` will be called, by another thread."""

    def announce_explanations(self, budget: Budget) -> None:  # noqa: B027
        """Say that `prepare_explanations` will be called, by another thread."""

    def prepare_explanations(  # noqa: B027
        self,
        budget: Budget = DEFAULT_BUDGET,
        verdicts: Path | None = None,
    ) -> None:
        """Choose and prove how predictions are explained, if they are.

        `verdicts` is a folder in which the processes that serve the same file keep what they prove.
        It is called in a thread of its own, also while the model is served.
        """

    def await_explanations(self, seconds: float) -> None:  # noqa: B027
        """Return once it is proven how records are explained alone, or after that time."""

    @abstractmethod
    def predict(self, records: Records) -> NDArray[Any]:
        """Return labels or numbers, (n_records,) or (n_records, n_outputs).

        Raises RefusedRecords for values that the estimator does not take.
        """

    def predict_proba(self, records: Records) -> Matrix:  # noqa: ARG002
        """Return probabilities in the order of `class_names`, (n_records, n_classes).

        Raises Unprocessable for a model that has none.
        """
        raise self._refuse_probabilities()

    def _refuse_probabilities(self) -> Unprocessable:
        return Unprocessable(
            f"the model ({self.task}) has no probabilities: {self.no_probabilities}"
        )

    def predictions(self, records: Records) -> "Predictions":
        """Return the predictions for the records, none of which is computed yet."""
        return Predictions(self, records)

    def explain(
        self,
        predictions: "Predictions",  # noqa: ARG002
        background: Records | None = None,  # noqa: ARG002
    ) -> Explanation:
        """Return SHAP values of each input feature for the predictions.

        They are interventional where there is a `background`.
        Raises Unprocessable for a model that cannot be explained, or not without a background;
        TooLarge where it would take too long, and NotReady while explanations are being prepared.
        """
        raise Unprocessable(
            f"the model cannot be explained: {NO_EXPLANATIONS}"
        )

    @property
    def labels(self) -> list[Value]:
        """What `predict` returns, in the order of `class_names`; none where nothing says so."""
        return []

    @property
    def explained_classes(self) -> list[list[str]]:
        """For each output, the classes that have SHAP values of their own.

        There are none for a number; nor for two classes, of which the second one is explained.
        """
        by_output = self.class_names_by_output
        if by_output is None:
            by_output = [self.class_names or []] * self.n_outputs
        return [classes if len(classes) > 2 else [] for classes in by_output]

    def explained_at_once(self, background: Records | None = None) -> int:  # noqa: ARG002
        """Return how many records are explained in the time that an explanation may take."""
        return 0

    @property
    def offers_explanations(self) -> bool:
        """Whether `explain` explains a record without a background from the request."""
        return False

    def preprocess(
        self,
        records: Records,
    ) -> tuple[list[str], list[list[Any]]]:
        """Return the names, and the values by column, of what the last step of the model takes.

        Raises TooLarge for more values than a response may have.
        """
        names = self.schema.names
        check_returned(len(records), len(names), "columns")
        return names, list_columns(records.columns)

    def example(self) -> dict[str, Value]:
        """Return a record that the model can predict."""
        return self.schema.example()

    def features(self) -> list[dict[str, Any]]:
        """Return the features as the metadata describes them, with importances where there are."""
        return [feature.describe() for feature in self.schema.features]

    def info(self) -> dict[str, Any]:
        """Return what the model is and what it offers, each with the reason if it does not."""
        name = str(type(self.estimator))
        reason = None if self.offers_probabilities else self.no_probabilities
        return {
            "type": name,
            "predictor_type": name,
            "task": self.task,
            "class_names": self.class_names_by_output or self.class_names,
            "has_probabilities": self.offers_probabilities,
            "probabilities_reason": reason,
            "is_explainable": False,
            "reason": NO_EXPLANATIONS,
            "other_versions": describe_versions(self.other_versions),
        }


class Predictions:
    """A model's predictions for some records: each kind is computed when needed, and once."""

    def __init__(self, model: Model, records: Records) -> None:
        self.records = records
        self._model = model

    def compute(self, *, proba: bool) -> None:
        """Compute what a response will have, so that a caller can tell how long it takes."""
        if not proba:
            _ = self.prediction, self.scores
        elif self._model.class_names_by_output is None:
            _ = self.probabilities
        else:
            _ = self.probabilities_by_output

    @cached_property
    def prediction(self) -> NDArray[Any]:
        """Labels or numbers, (n_records,) or (n_records, n_outputs)."""
        return self._model.predict(self.records)

    @cached_property
    def probabilities(self) -> Matrix:
        """Probabilities in the order of the classes, (n_records, n_classes)."""
        return self._model.predict_proba(self.records)

    @property
    def probabilities_by_output(self) -> list[Matrix]:
        """The probabilities of each output, (n_records, n_classes)."""
        return [self.probabilities]

    @property
    def scores(self) -> Matrix | None:
        """A score for each record, (n_records,), as an outlier detector has it; else None."""
        return None
