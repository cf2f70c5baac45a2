"""Spaces: the outputs of the served model that SHAP values may add up to."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from python.model.estimator import kind

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # XGBoost and CatBoost add up in float32

Function = Callable[[Any], NDArray[np.float64]]


class Space(NamedTuple):
    """Where values live: with each link put on their sums, these must equal what is served."""

    output: str
    checks: tuple[tuple[Function, Function], ...]

    def holds(self, total: NDArray[np.float64], columns: Any) -> bool:
        """Whether the sums, (n_records,) or (n_records, n_classes), are those of the output served for `columns`."""
        return all(_close(link(total), served(columns)) for link, served in self.checks)

    def served(self, columns: Any) -> NDArray[np.float64]:
        """The output itself, where the first check has no link."""
        return self.checks[0][1](columns)


def spaces(estimator: Any, probe: Any) -> list[Space]:
    """The spaces of a classifier or a regressor with one output, the first without a link; empty for other estimators.

    Classifiers: `probability`; `log_odds`, whose logistic function is the probability; `margin`, whose softmax is the
    probability, or the decision function. Regressors: `prediction`; `log_prediction`, whose exponential is the prediction.
    """
    told = kind(estimator)
    if told not in ("classifier", "regressor") or np.size(estimator.predict(probe)) > 1:
        return []

    def served(method: str) -> Function:
        return lambda columns: _explained_class(np.asarray(getattr(estimator, method)(columns), dtype=float))

    if told == "regressor":
        predict = served("predict")
        return [Space("prediction", ((_identity, predict),)), Space("log_prediction", ((np.exp, predict),))]
    decided = ((_identity, served("decision_function")),) if hasattr(estimator, "decision_function") else ()
    if not hasattr(estimator, "predict_proba"):
        return [Space("margin", decided)] if decided else []
    probability = served("predict_proba")
    return [
        Space("probability", ((_identity, probability),)),
        Space("log_odds", ((expit, probability), *decided)),
        Space("margin", decided or ((_softmax, probability),)),
    ]


def _explained_class(output: NDArray[np.float64]) -> NDArray[np.float64]:
    """The second of two classes; several stay side by side, one column is a column."""
    if output.ndim == 1 or output.shape[1] > 2:
        return output
    return output[:, -1]


def _identity(total: NDArray[np.float64]) -> NDArray[np.float64]:
    return total


def _softmax(total: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(softmax(total, axis=-1))


def _close(total: NDArray[np.float64], served: NDArray[np.float64]) -> bool:
    return total.shape == served.shape and bool(np.allclose(total, served, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=False))
