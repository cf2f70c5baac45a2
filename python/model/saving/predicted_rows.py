"""Predicted rows: what an estimator predicts for its training data, to prove a file with."""

import warnings
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.advice import advise
from python.model.attributes import has_attribute
from python.model.boosters import check_booster
from python.model.classes import find_classes
from python.model.data.columns import Rows
from python.model.data.spelling import one_line
from python.model.estimator import estimator_type
from python.model.inputs import has_other_order
from python.model.saving.storage import store_plainly
from python.model.saving.training import Inputs, Training
from python.model.types import Columns, Estimator


class PredictedRows(NamedTuple):
    """Rows of the training data, and what the estimator predicts for each of them.

    `probabilities` are what `predict_proba` returns: an array, or several outputs' list of arrays;
    None where the estimator has none.
    """

    records: Columns
    predictions: NDArray[Any]
    probabilities: Any = None

    def take(self, rows: Rows) -> "PredictedRows":
        """Return those of some rows."""
        probabilities = self.probabilities
        if isinstance(probabilities, list):
            probabilities = [table[rows] for table in probabilities]
        elif probabilities is not None:
            probabilities = probabilities[rows]
        records = self.records.iloc[rows].reset_index(drop=True)
        return PredictedRows(records, self.predictions[rows], probabilities)

    def content(self) -> dict[str, Any]:
        """Return the `examples` of an artifact."""
        content = self._asdict()
        if self.probabilities is None:
            del content["probabilities"]
        return content


def check_estimator(estimator: Estimator) -> None:
    """Raise ArtifactError for what is no fitted model, as far as that shows."""
    name = type(estimator).__name__
    if isinstance(estimator, type):
        name = estimator.__name__
        raise ArtifactError(
            f"the model is the class {name}: fit an object, {name}().fit(X, y)"
        )
    if not callable(getattr(estimator, "predict", None)):
        raise ArtifactError(
            f"the model, of the class {name}, has no predict()"
        )
    check_booster(estimator)


def predict_rows(
    estimator: Estimator, training: Training, rows: Rows, class_names: Any
) -> PredictedRows:
    """Return what the estimator predicts for some rows of its training data.

    Raises ArtifactError if it does not take them, if it was fitted with their columns in another
    order, or if the class names are not those of its classes.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # The service has its own way of calling the estimator, so they say nothing of it.
        warnings.simplefilter("ignore")
        _check_order(estimator, training, rows)
        predictions = _predict(estimator, training.take_inputs(rows))
        row = training.take_inputs(rows[:1])
        kind = estimator_type(estimator)
        classes = find_classes(estimator, kind, row, class_names)
        probabilities = None
        if not classes.no_probabilities:
            inputs = training.take_inputs(rows)
            probabilities = _to_arrays(estimator.predict_proba(inputs))
    records = store_plainly(training.take_table(rows))
    return PredictedRows(records, predictions, probabilities)


def _check_order(estimator: Estimator, training: Training, rows: Rows) -> None:
    """Raise ArtifactError if the columns of X are in another order than in the fit."""
    inputs = training.take_inputs(rows)
    if not has_other_order(estimator, training.names, inputs):
        return
    attribute = "feature_names_"  # CatBoost's
    if has_attribute(estimator, "feature_names_in_"):
        attribute = "feature_names_in_"
    raise ArtifactError(
        "X has its columns in another order than the model was fitted with: "
        f"pass X[model.{attribute}]"
    )


def _predict(estimator: Estimator, inputs: Inputs) -> NDArray[Any]:
    try:
        return np.asarray(estimator.predict(inputs))
    except Exception as error:
        # Estimators raise anything.
        advice = advise(error, {}, is_made_up=False)
        reason = "; ".join(filter(None, [one_line(error), advice]))
        raise ArtifactError(
            f"the model cannot predict the rows of X: {reason}"
        ) from error


def _to_arrays(probabilities: Any) -> Any:
    if isinstance(probabilities, list):
        return [np.asarray(table) for table in probabilities]
    return np.asarray(probabilities)
