"""The outputs of the served model that SHAP values may add up to."""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, softmax

from python.model.attributes import read_attribute
from python.model.classes import split_outputs
from python.model.data.columns import take_rows
from python.model.data.spelling import one_line
from python.model.estimator import (
    NUMBERS,
    estimator_type,
    find_nested,
    layers,
)
from python.model.explain.attribution import SINGLE
from python.model.explain.targets import find_target
from python.model.types import Columns, Estimator

log = logging.getLogger(__name__)

# By so much may an output differ from the link of the exact sum, relative to its size: some units
# in the last place of float32, and for float64 what a copy may differ from the estimator.
SINGLE_ROUNDING = 16 * SINGLE
DOUBLE_ROUNDING = 2e-12
# A link is told by a record whose output changes with the sum by so many times what it may be off.
TOLD_ROUNDINGS = 10

NO_OUTPUT = (
    "it has neither a probability for each class, a decision function nor a single number "
    "for values to add up to"
)

NO_OUTPUTS = (
    "it has several outputs with neither probabilities nor numbers for values "
    "to add up to"
)

SMALL_FLOATS = (np.float32, np.float16)

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
    slope: Callable[[Array], Array | float]

    def holds(
        self,
        total: Array,
        rounding: Array | float,
        served: Array,
        served_rounding: Array | float,
    ) -> bool:
        """Return whether the sums lead to the output that is served.

        `rounding` is how far the sums may be off, `served_rounding` how far the output may.
        The slope makes a tolerance for the output of that for the sums.
        """
        with np.errstate(all="ignore"):  # it may be the link of another output
            output = self.inverse(total)
        if output.shape != served.shape:
            return False
        tolerance = rounding * self.slope(output) + served_rounding
        is_close = np.abs(output - served) <= tolerance
        # Where the output is infinite, so is the tolerance.
        is_right = is_close & np.isfinite(output)
        return bool(is_right.all())


def _identity(total: Array) -> Array:
    return total


def _unit_slope(output: Array) -> float:  # noqa: ARG001
    return 1.0


def _softmax(total: Array) -> Array:
    """Return the softmax along the classes; there are none in one dimension."""
    if total.ndim == 1:
        return np.full(total.shape, np.nan)
    return np.asarray(softmax(total, axis=1))


def _logistic_slope(probability: Array) -> Array:
    return probability * (1 - probability)


IDENTITY = Link(inverse=_identity, link=_identity, slope=_unit_slope)
LOGISTIC = Link(inverse=expit, link=logit, slope=_logistic_slope)
SOFTMAX = Link(inverse=_softmax, link=np.log, slope=_logistic_slope)
EXPONENTIAL = Link(inverse=np.exp, link=np.log, slope=_identity)


def _explained_classes(output: NDArray[np.generic]) -> Array:
    """Return the column of the second of two classes; other columns as they are.

    (n_records,) and (n_records, n_classes) stay, one or two columns become (n_records,).
    """
    numbers = np.asarray(output, dtype=float)
    if numbers.ndim == 1 or numbers.shape[1] > 2:
        return numbers
    return numbers[:, -1]


class Check(NamedTuple):
    """A link, and the method of the estimator to whose output it must lead.

    `read` makes the numbers that are explained of what the method returns: for two classes those
    of the second one.
    """

    link: Link
    method: str
    read: Callable[[NDArray[np.generic]], Array] = _explained_classes

    def served(self, output_of: OutputOf) -> Array:
        """Return what is explained of what the method returns."""
        return self.read(output_of(self.method))

    def rounding(self, output_of: OutputOf) -> Array:
        """Return how far what the method returns may be off in the precision of its type.

        A probability is off by units of 1, from which it may have been subtracted.
        """
        output = np.asarray(output_of(self.method))
        is_small = output.dtype in SMALL_FLOATS
        unit = SINGLE_ROUNDING if is_small else DOUBLE_ROUNDING
        numbers = self.read(output)
        if self.method == "predict_proba":
            return np.full(numbers.shape, unit)
        rounding: Array = unit * np.abs(numbers)
        return rounding

    def holds(
        self,
        total: Array,
        rounding: Array | float,
        output_of: OutputOf,
    ) -> bool:
        """Return whether the sums lead to what the method returns."""
        served = self.served(output_of)
        served_rounding = self.rounding(output_of)
        return self.link.holds(total, rounding, served, served_rounding)

    def is_told(self, output_of: OutputOf) -> bool:
        """Return whether any record tells the link from others, which may lead to 0 and 1, too."""
        if self.link is IDENTITY:
            return True
        served = self.served(output_of)
        with np.errstate(all="ignore"):
            slopes = np.abs(self.link.slope(served))
        return bool((slopes > TOLD_ROUNDINGS * self.rounding(output_of)).any())

    def sums(self, output_of: OutputOf) -> tuple[Array, Array]:
        """Return what values must add up to for each record, and how far that may be off."""
        served = self.served(output_of)
        with np.errstate(all="ignore"):
            sums = self.link.link(served)
            rounding = self.rounding(output_of) / self.link.slope(served)
        # A square is 0 where its slope is 0, too, and exactly 0.
        is_exact = (served == 0) & (sums == 0)
        return sums, np.where(is_exact, 0.0, rounding)


AS_PROBABILITY = Check(IDENTITY, "predict_proba")
AS_LOG_ODDS = Check(LOGISTIC, "predict_proba")
AS_MARGIN = Check(SOFTMAX, "predict_proba")


class Output(NamedTuple):
    """What values add up to: the link of each check must lead to what its method returns."""

    name: str
    checks: tuple[Check, ...]

    def holds(
        self,
        total: Array,
        rounding: Array | float,
        output_of: OutputOf,
    ) -> bool:
        """Return whether the sums are those of what is served for the same records.

        `total` and `rounding` are (n_records,) or (n_records, n_classes).
        """
        return all(
            check.holds(total, rounding, output_of) for check in self.checks
        )

    def is_told(self, output_of: OutputOf) -> bool:
        """Return whether the records show that it is this output, where the sums hold."""
        return all(check.is_told(output_of) for check in self.checks)

    def sums(self, output_of: OutputOf) -> tuple[Array, Array]:
        """Return what values must add up to for each record, and how far that may be off.

        Of several checks the last one has no link, and so loses nothing.
        """
        sums, rounding = self.checks[-1].sums(output_of)
        return self.compared(sums), rounding

    def compared(self, sums: Array) -> Array:
        """Return sums as they can be compared: a softmax tells only how they differ by class."""
        if self.checks[-1].link is not SOFTMAX:
            return sums
        centred: Array = sums - sums.mean(axis=-1, keepdims=True)
        return centred

    def mean(self, output_of: OutputOf) -> tuple[Array, Array]:
        """Return the mean of the sums, () or (n_classes,), and how far that may be off."""
        sums, rounding = self.sums(output_of)
        return np.asarray(sums.mean(axis=0)), np.asarray(rounding.mean(axis=0))

    def served(self, output_of: OutputOf) -> Array:
        """Return the output itself, where the first check has no link."""
        first = self.checks[0]
        return first.served(output_of)


NUMBER_OUTPUTS = (
    Output("prediction", (Check(IDENTITY, "predict"),)),
    Output("log_prediction", (Check(EXPONENTIAL, "predict"),)),
    Output("log_odds", (Check(LOGISTIC, "predict"),)),
)


def outputs_of(estimator: Estimator, columns: Columns) -> OutputOf:
    """Return what gives the outputs of the estimator's methods for the columns."""

    def output_of(method: str) -> NDArray[np.generic]:
        compute = getattr(estimator, method)
        return _join_tables(compute(columns))

    return output_of


def _join_tables(output: Any) -> NDArray[np.generic]:
    """Return what a method returns; a list of tables, one for each output, side by side."""
    is_list = isinstance(output, list) and np.ndim(output[0]) == 2
    if is_list or np.ndim(output) == 3:
        return np.concatenate(output, axis=1)
    return np.asarray(output)


def find_outputs(estimator: Estimator, probe: Columns) -> list[Output]:
    """Return what values may add up to for an estimator; an empty list where there is nothing.

    The first is without a link, and so is what any function of the features can be explained by.
    Classifiers, mixtures: `probability`; `log_odds`, whose logistic function is it; `margin`,
    whose softmax is the probability, or which is the decision function.
    Regressors: `prediction`; `log_prediction`, whose exponential is the prediction; `log_odds`,
    whose logistic function is the prediction; `margin`, if the target was transformed: the number
    that leads to the prediction by the inverse transformation.
    Outlier detectors: `margin`, their score.
    What predicts several things at once has the same for each of them, side by side.
    """
    prediction = np.asarray(estimator.predict(probe))
    if prediction.size > 1:
        return _find_several(estimator, probe, prediction)
    kind = estimator_type(estimator)
    if kind == "regressor" and prediction.dtype.kind in NUMBERS:
        return [*NUMBER_OUTPUTS, *_find_transformed(estimator)]
    if kind == "outlier_detector":
        return _find_scores(estimator, probe)
    return _find_classifier_outputs(estimator, probe)


def why_no_outputs(estimator: Estimator, probe: Columns) -> str:
    """Return why `find_outputs` returns an empty list."""
    if np.size(estimator.predict(probe)) > 1:
        return NO_OUTPUTS
    return NO_OUTPUT


def _find_several(
    estimator: Estimator,
    probe: Columns,
    prediction: NDArray[np.generic],
) -> list[Output]:
    """Return the outputs of an estimator that predicts several things, all of them side by side."""
    if estimator_type(estimator) == "regressor":
        is_number = prediction.dtype.kind in NUMBERS
        return list(SEVERAL_NUMBERS) if is_number else []
    probabilities = _try(estimator, "predict_proba", probe)
    if probabilities is None:
        return []
    tables = split_outputs(probabilities, prediction.size)
    if len(tables) != prediction.size:
        return []
    read = _choose_explained([table.shape[1] for table in tables])
    return [
        Output("probability", (Check(IDENTITY, "predict_proba", read),)),
        Output("log_odds", (Check(LOGISTIC, "predict_proba", read),)),
    ]


def _read_numbers(output: NDArray[np.generic]) -> Array:
    """Return the numbers of all outputs, (n_records, n_outputs)."""
    return np.asarray(output, dtype=float)


SEVERAL_NUMBERS = (
    Output("prediction", (Check(IDENTITY, "predict", _read_numbers),)),
    Output("log_prediction", (Check(EXPONENTIAL, "predict", _read_numbers),)),
)


def _choose_explained(
    widths: list[int],
) -> Callable[[NDArray[np.generic]], Array]:
    """Return what chooses the explained of the probabilities of several outputs, side by side.

    `widths` are how many classes they have. Of two classes the second is explained. There may be
    one column for each output, which is the probability of the second class.
    """
    explained = []
    start = 0
    for width in widths:
        stop = start + width
        first = stop - 1 if width <= 2 else start
        explained += list(range(first, stop))
        start = stop

    def choose(output: NDArray[np.generic]) -> Array:
        numbers = np.asarray(output, dtype=float)
        is_by_output = numbers.shape[1] == len(widths)
        return numbers if is_by_output else numbers[:, explained]

    return choose


def find_finite_rows(
    outputs: list[Output],
    estimator: Estimator,
    rows: Columns,
) -> Columns:
    """Return the rows for which all that the first output explains is finite.

    A model of ordered classes may have no probabilities for a row that is made up.
    """
    if not outputs:
        return rows
    with np.errstate(all="ignore"):
        served = outputs[0].served(outputs_of(estimator, rows))
    by_row = served.reshape(len(rows), -1)
    is_finite = np.isfinite(by_row).all(axis=1)
    return take_rows(rows, np.flatnonzero(is_finite))


def _find_scores(estimator: Estimator, probe: Columns) -> list[Output]:
    """Return the score of an outlier detector: the decision function, or else the score itself."""
    for method in ("decision_function", "score_samples"):
        score = _try(estimator, method, probe)
        if score is not None and np.size(score) == 1:
            check = Check(IDENTITY, method)
            return [Output("margin", (check,))]
    return []


def _find_transformed(estimator: Estimator) -> list[Output]:
    """Return the output in the space of the transformed target, if there is one."""
    *_, predictor = layers(estimator)
    target = find_target(predictor)
    if target is None:
        return []
    link = Link(target.inverse, target.link, target.slope)
    return [Output("margin", (Check(link, "predict"),))]


def _find_classifier_outputs(
    estimator: Estimator,
    probe: Columns,
) -> list[Output]:
    decided: tuple[Check, ...] = ()
    if _decides_by_class(estimator, probe):
        decided = (Check(IDENTITY, "decision_function"),)
    if not _has_probabilities(estimator, probe):
        margin = decided or _find_votes(estimator)
        return [Output("margin", margin)] if margin else []
    return [
        Output("probability", (AS_PROBABILITY,)),
        # Where a probability is all but 0 or 1, the decision still tells log-odds apart.
        Output("log_odds", (AS_LOG_ODDS, *decided)),
        Output("margin", decided or (AS_MARGIN,)),
    ]


def _find_votes(estimator: Estimator) -> tuple[Check, ...]:
    """Return the check of the shares of the votes, if the estimator votes with labels."""
    *_, predictor = layers(estimator)
    if read_attribute(predictor, "voting") != "hard":
        return ()
    n_classes = len(predictor.classes_)
    weights = predictor._weights_not_none

    def share_votes(votes: NDArray[np.generic]) -> Array:
        """Return the share of each class for votes, (n_records, n_members), which are numbers."""
        is_for_class = votes[:, :, None] == np.arange(n_classes)
        shares = np.average(is_for_class, axis=1, weights=weights)
        return _explained_classes(shares)

    return (Check(IDENTITY, "transform", share_votes),)


def _decides_by_class(estimator: Estimator, probe: Columns) -> bool:
    """Return whether the decision function has a value for each class, or one for two classes.

    That of a support vector machine may have one for each pair of classes. That of LightGBM's
    forests is not taken: it is the sum of the trees, whose mean is the margin.
    """
    *_, predictor = layers(estimator)
    if read_attribute(predictor, "boosting_type") == "rf":
        return False
    n_classes = len(read_attribute(estimator, "classes_", ()))
    # Of three classes there are three pairs, whose scores a stack hands on.
    if n_classes > 2 and _scores_pairs(estimator):
        return False
    decision = _try(estimator, "decision_function", probe)
    if decision is None:
        return False
    n_values = np.size(decision)
    if n_classes <= 2:
        # That of one class alone is the margin of a second one, which is not there.
        return n_values == 1 and n_classes == 2
    return bool(n_values == n_classes)


def _scores_pairs(estimator: Estimator) -> bool:
    """Return whether anything in it has a decision function with a value for each two classes."""
    for nested in find_nested(estimator):
        if read_attribute(nested, "decision_function_shape") == "ovo":
            return True
    return False


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
