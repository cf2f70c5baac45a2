"""The explanation of an example record: which method it is, and how exactly it adds up."""

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

import numpy as np
from scipy.special import expit, softmax

from python.errors import ServiceError
from python.model.base import Explanation, Model, Predictions
from python.model.data.records import Records
from python.model.sklearn import SklearnModel
from python.model.types import Matrix

# From sums of values to a probability or a prediction.
INVERSES: dict[str, Callable[[Matrix], Matrix]] = {
    "log_odds": expit,
    "log_prediction": np.exp,
}
KEYS = ("is_explainable", "reason", "explanation_method", "needs_samples")


def check_explanation(model: Model, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the model is explained, or why not, by what `info` says and by an example.

    `players` is the number of features that share the output.
    `error` is how far the sum of an example's values is from what is predicted for it; None where
    it has not been explained.
    """
    described = {key: info.get(key) for key in KEYS}
    described["players"] = len(model.schema.features)
    described["error"] = None
    if not model.offers_explanations:
        return described
    record = model.schema.row(model.example())
    predictions = model.predictions(Records(model.schema, [record]))
    try:
        explanation = model.explain(predictions)
    except ServiceError as error:
        # Another record may be explained; a request for this one gets the same sentence.
        described["reason"] = error.detail
        return described
    served = _read_output(model, predictions, explanation)
    sums = explanation.base_value + explanation.values.sum(axis=1)
    total = _invert(model, explanation.output, sums)
    described["explained_output"] = explanation.output
    described["error"] = float(np.abs(total - served).max())
    return described


def _has_decisions(model: Model) -> TypeGuard[SklearnModel]:
    """Return whether a margin is what the estimator's `decision_function` returns."""
    is_sklearns = isinstance(model, SklearnModel)
    return is_sklearns and hasattr(model.estimator, "decision_function")


def _invert(model: Model, output: str, sums: Matrix) -> Matrix:
    """Return the probability or prediction that the sums stand for."""
    if output == "margin" and not _has_decisions(model):
        return np.asarray(softmax(sums, axis=1))
    inverse = INVERSES.get(output)
    return sums if inverse is None else inverse(sums)


def _read_output(
    model: Model, predictions: Predictions, explanation: Explanation
) -> Matrix:
    """Return what is predicted where the values explain it, for the second of two classes."""
    if explanation.output in ("prediction", "log_prediction"):
        return np.asarray(predictions.prediction, dtype=float)
    if explanation.output == "margin" and _has_decisions(model):
        return model.call("decision_function", predictions.records)
    if explanation.values.ndim == 2:
        return predictions.probabilities[:, -1]
    return predictions.probabilities
