"""The outputs of the served model that SHAP values may add up to."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from python.model.attributes import read_attribute
from python.model.data.spelling import one_line
from python.model.estimator import NUMBERS, estimator_type
from python.model.types import Columns, Estimator

log = logging.getLogger(__name__)

# How far sums may be from the output, since XGBoost and CatBoost add up in float32; and how far
# the output itself may be off, since XGBoost serves float32.
RELATIVE = 1e-4
ABSOLUTE = 1e-6
SERVED = 2.5e-7

NO_OUTPUT = (
    "it has neither a probability for each class, a decision function nor a single number "
    "for values to add up to"
)

Array: TypeAlias = NDArray[np.float64]

OutputOf: TypeAlias = Callable[[str], NDArray[np.generic]]
"""From the name of an estimator's method to what it returns for certain rows."""


class Link(NamedTuple):
    """How the space of the values leads to an output.

    `inverse` goes from sums of values to the output and `link` back, as scikit-learn calls them.
    `slope` is the derivative of `inverse`, as a function of the output.
    """

    inverse: Callable[[Array], Array]
    link: Callable[[Array], Array]
    slope: Callable[[Array], Array]

    def holds(
        self,
        total: Array,
        scale: Array,
        served: Array,
    ) -> bool:
        """Return whether the sums lead to the output that is served.

        They may differ by what adding up numbers of the size of `scale` can change.
        The slope makes a tolerance for the output of that for the sums.
        """
        output = self.inverse(total)
        if output.shape != served.shape:
            return False
        of_total = RELATIVE * np.abs(total) + ABSOLUTE * (1 + scale)
        of_served = SERVED * (1 + np.abs(served))
        tolerance = of_total * self.slope(output) + of_served
        is_close = np.abs(output - served) <= tolerance
        # Where the output is infinite, so is the tolerance.
        return bool(np.all(is_close & np.isfinite(output)))


def _identity(total: Array) -> Array:
    return total


def _softmax(total: Array) -> Array:
    """Return the softmax along the classes; there are none in one dimension."""
    if total.ndim == 1:
        return np.full(total.shape, np.nan)
    return np.asarray(softmax(total, axis=1))


def _logistic_slope(probability: Array) -> Array:
    return probability * (1 - probability)


IDENTITY = Link(inverse=_identity, link=_identity, slope=np.ones_like)
LOGISTIC = Link(inverse=expit, link=logit, slope=_logistic_slope)
SOFTMAX = Link(inverse=_softmax, link=np.log, slope=_logistic_slope)
EXPONENTIAL = Link(inverse=np.exp, link=np.log, slope=_identity)


class Check(NamedTuple):
    """A link, and the method of the estimator to whose output it must lead."""

    link: Link
    method: str

    def served(self, output_of: OutputOf) -> Array:
        """Return what the method returns, of two classes for the second one."""
        output = output_of(self.method)
        return _explained_classes(output)

    def holds(
        self,
        total: Array,
        scale: Array,
        output_of: OutputOf,
    ) -> bool:
        """Return whether the sums lead to what the method returns."""
        served = self.served(output_of)
        return self.link.holds(total, scale, served)


class Output(NamedTuple):
    """What values add up to: the link of each check must lead to what its method returns."""

    name: str
    checks: tuple[Check, ...]

    def holds(
        self,
        total: Array,
        scale: Array,
        output_of: OutputOf,
    ) -> bool:
        """Return whether the sums are those of what is served for the same records.

        `total` and `scale` are (n_records,) or (n_records, n_classes).
        """
        return all(
            check.holds(total, scale, output_of) for check in self.checks
        )

    def mean(self, output_of: OutputOf) -> Array:
        """Return the mean over the records, () or (n_classes,), of what values here add up to."""
        first = self.checks[0]
        served = first.served(output_of)
        sums = first.link.link(served)
        return np.asarray(sums.mean(axis=0))

    def served(self, output_of: OutputOf) -> Array:
        """Return the output itself, where the first check has no link."""
        first = self.checks[0]
        return first.served(output_of)


def outputs_of(estimator: Estimator, columns: Columns) -> OutputOf:
    """Return what gives the outputs of the estimator's methods for the columns."""

    def output_of(method: str) -> NDArray[np.generic]:
        compute = getattr(estimator, method)
        return np.asarray(compute(columns))

    return output_of


def find_outputs(estimator: Estimator, probe: Columns) -> list[Output]:
    """Return the outputs of a classifier or a regressor with one output, else an empty list.

    The first is without a link, and so is what any function of the features can be explained by.
    Classifiers: `probability`; `log_odds`, whose logistic function is the probability; `margin`,
    whose softmax is the probability, or which is the decision function.
    Regressors: `prediction`; `log_prediction`, whose exponential is the prediction.
    """
    prediction = np.asarray(estimator.predict(probe))
    if prediction.size != 1:
        return []
    kind = estimator_type(estimator)
    if kind == "classifier":
        return _find_classifier_outputs(estimator, probe)
    if kind == "regressor" and prediction.dtype.kind in NUMBERS:
        as_prediction = Check(IDENTITY, "predict")
        as_log = Check(EXPONENTIAL, "predict")
        return [
            Output("prediction", (as_prediction,)),
            Output("log_prediction", (as_log,)),
        ]
    return []


def why_no_outputs(estimator: Estimator, probe: Columns) -> str:
    """Return why `find_outputs` returns an empty list."""
    if np.size(estimator.predict(probe)) != 1:
        return "it has several outputs, and values explain a single one"
    kind = estimator_type(estimator)
    if kind not in ("classifier", "regressor"):
        return "values explain a classifier or a regressor, and it is neither"
    return NO_OUTPUT


def _find_classifier_outputs(
    estimator: Estimator,
    probe: Columns,
) -> list[Output]:
    decided: tuple[Check, ...] = ()
    if _decides_by_class(estimator, probe):
        decided = (Check(IDENTITY, "decision_function"),)
    if _has_probabilities(estimator, probe):
        as_probability = Check(IDENTITY, "predict_proba")
        as_log_odds = Check(LOGISTIC, "predict_proba")
        as_margin = Check(SOFTMAX, "predict_proba")
        return [
            Output("probability", (as_probability,)),
            Output("log_odds", (as_log_odds, *decided)),
            Output("margin", decided or (as_margin,)),
        ]
    if decided:
        return [Output("margin", decided)]
    return []


def _decides_by_class(estimator: Estimator, probe: Columns) -> bool:
    """Return whether the decision function has a value for each class, or one for two classes.

    That of a support vector machine may have one for each pair of classes.
    """
    decision = _try(estimator, "decision_function", probe)
    if decision is None:
        return False
    n_classes = len(read_attribute(estimator, "classes_", ()))
    n_values = np.size(decision)
    if n_classes <= 2:
        # That of one class alone is the margin of a second one, which is not there.
        return n_values == 1 and n_classes == 2
    return bool(n_values == n_classes)


def _has_probabilities(estimator: Estimator, probe: Columns) -> bool:
    """Return whether there is a probability for each class of one output."""
    probabilities = _try(estimator, "predict_proba", probe)
    if probabilities is None:
        return False
    shape = np.shape(probabilities)
    classes = read_attribute(estimator, "classes_")
    n_classes = shape[-1] if classes is None else len(classes)
    return bool(shape == (1, n_classes))


def _try(estimator: Estimator, method: str, probe: Columns) -> Any:
    """Return what a method returns for the probe; None if there is none, or it raises."""
    compute = read_attribute(estimator, method)
    if compute is None:
        return None
    try:
        return compute(probe)
    except Exception as error:
        log.info("%s raises %s", method, one_line(error))
        return None


def _explained_classes(output: NDArray[np.generic]) -> Array:
    """Return the column of the second of two classes; other columns as they are.

    (n_records,) and (n_records, n_classes) stay, one or two columns become (n_records,).
    """
    numbers = np.asarray(output, dtype=float)
    if numbers.ndim == 1 or numbers.shape[1] > 2:
        return numbers
    return numbers[:, -1]
