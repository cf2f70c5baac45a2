"""Spaces: the outputs of the served model that SHAP values may add up to."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from python.model.estimator import kind

# XGBoost and CatBoost add up in float32, and XGBoost serves it.
RELATIVE, ABSOLUTE, SERVED = 1e-4, 1e-6, 2.5e-7

Array = NDArray[np.float64]
Ask = Callable[[str], Any]


class Link(NamedTuple):
    """From the space of the values to the output and back, and its slope there, told from the output."""

    to_output: Callable[[Array], Array]
    from_output: Callable[[Array], Array]
    slope: Callable[[Array], Array]

    def holds(self, total: Array, scale: Array, served: Array) -> bool:
        """Whether the sums lead to what is served, as far as numbers of the size of `scale` can be added up.

        The slope turns the tolerance of the sums into one of the output.
        """
        output = self.to_output(total)
        if output.shape != served.shape:
            return False
        added = RELATIVE * np.abs(total) + ABSOLUTE * (1 + scale)
        tolerance = added * self.slope(output) + SERVED * (1 + np.abs(served))
        return bool((np.abs(output - served) <= tolerance).all())


def _softmax(total: Array) -> Array:
    # Along the classes; there are none in one dimension.
    return np.asarray(softmax(total, axis=1)) if total.ndim == 2 else np.full(total.shape, np.nan)


IDENTITY = Link(lambda total: total, lambda output: output, np.ones_like)
LOGISTIC = Link(expit, logit, lambda output: output * (1 - output))
SOFTMAX = Link(_softmax, np.log, lambda output: output * (1 - output))
EXPONENTIAL = Link(np.exp, np.log, lambda output: output)


class Space(NamedTuple):
    """Where values live: with each link put on their sums, these must equal what the estimator's method answers."""

    output: str
    checks: tuple[tuple[Link, str], ...]

    def holds(self, total: Array, scale: Array, ask: Ask) -> bool:
        """Whether the sums, (n_records,) or (n_records, n_classes), are those of the output served for the same records."""
        return all(
            link.holds(total, scale, _explained_class(ask(method))) for link, method in self.checks
        )

    def mean(self, ask: Ask) -> Array:
        """The mean over the records, () or (n_classes,), of what values in this space add up to."""
        link, method = self.checks[0]
        return np.asarray(link.from_output(_explained_class(ask(method))).mean(axis=0))

    def served(self, ask: Ask) -> Array:
        """The output itself, where the first check has no link."""
        return _explained_class(ask(self.checks[0][1]))


def asking(estimator: Any, columns: Any) -> Ask:
    """What the estimator's methods answer for the columns."""
    return lambda method: getattr(estimator, method)(columns)


def spaces(estimator: Any, probe: Any) -> list[Space]:
    """The spaces of a classifier or a regressor with one output, the first without a link; empty for other estimators.

    Classifiers: `probability`; `log_odds`, whose logistic function is the probability; `margin`, whose softmax is the
    probability, or the decision function. Regressors: `prediction`; `log_prediction`, whose exponential is the prediction.
    """
    told = kind(estimator)
    if told not in ("classifier", "regressor") or np.size(estimator.predict(probe)) > 1:
        return []
    if told == "regressor":
        return [
            Space("prediction", ((IDENTITY, "predict"),)),
            Space("log_prediction", ((EXPONENTIAL, "predict"),)),
        ]
    decided = ((IDENTITY, "decision_function"),) if _decides_by_class(estimator, probe) else ()
    if not hasattr(estimator, "predict_proba"):
        return [Space("margin", decided)] if decided else []
    return [
        Space("probability", ((IDENTITY, "predict_proba"),)),
        Space("log_odds", ((LOGISTIC, "predict_proba"), *decided)),
        Space("margin", decided or ((SOFTMAX, "predict_proba"),)),
    ]


def _decides_by_class(estimator: Any, probe: Any) -> bool:
    """Whether its decision function has a value for each class, or one for two; that of an SVC may have one for each pair."""
    if not hasattr(estimator, "decision_function"):
        return False
    n_classes = len(estimator.classes_)
    return np.size(estimator.decision_function(probe)) == (1 if n_classes <= 2 else n_classes)


def _explained_class(answer: Any) -> Array:
    """The second of two classes; several stay side by side, one column is a column."""
    output = np.asarray(answer, dtype=float)
    return output if output.ndim == 1 or output.shape[1] > 2 else output[:, -1]
