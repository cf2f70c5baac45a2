"""Parts: the estimators inside a predictor, where what it predicts is a sum of what they predict.

SHAP values add up as outputs do. So the values of a mean are the means of the values, whatever
each part is; and where the log-odds are a multiple of a part's output, so are the values.

Example: two regressors vote with the weights 3 and 1. If the values of one feature are 2 and 6, it
has 0.75 * 2 + 0.25 * 6 = 3. The base values make the base value in the same way.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import read_attribute
from python.model.data.columns import to_array
from python.model.estimator import Steps, is_sklearns_own, split_steps
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.outputs import Output
from python.model.explain.targets import Target, find_target
from python.model.trees.categories import Integers
from python.model.types import Columns, Estimator

PROBABILITY = ("probability",)
PREDICTION = ("prediction",)
DECISION = ("margin",)


class Parts(NamedTuple):
    """The parts of a predictor, and how their outputs make its own.

    Its output is the sum of the parts' outputs, each times its weight, and the shift.
    """

    steps: list[Steps]
    """Of each part, which takes the columns that the predictor takes."""
    weights: Sequence[float]
    outputs: Sequence[str] = ()
    """Which outputs of the parts may be added up; none of them stands for all."""
    shift: float = 0.0
    are_stacked: bool = False
    """Whether the parts' outputs stand side by side instead."""

    def select(self, outputs: list[Output]) -> list[Output]:
        """Return those outputs of a part that may be added up."""
        if not self.outputs:
            return outputs
        return [output for output in outputs if output.name in self.outputs]

    def add_up(self, attributes: list[Attribute]) -> Attribute:
        """Return what explains the predictor, from what explains each part."""

        def attribute(columns: Columns) -> Attribution:
            parts = [explain(columns) for explain in attributes]
            return _stack(parts) if self.are_stacked else self._add_up(parts)

        return attribute

    def _add_up(self, parts: list[Attribution]) -> Attribution:
        values: Any = 0.0
        base_value: Any = self.shift
        rounding: Any = 0.0
        for weight, part in zip(self.weights, parts, strict=True):
            values = values + weight * part.values
            base_value = base_value + weight * part.base_value
            rounding = rounding + abs(weight) * part.tolerance
        total = Attribution(values, base_value)
        return total._replace(rounding=rounding + total.tolerance)


def _stack(parts: list[Attribution]) -> Attribution:
    """Return the values of the parts side by side along the last axis."""
    values = []
    base_values = []
    roundings = []
    for part in parts:
        n_records, n_features = part.values.shape[:2]
        values.append(part.values.reshape(n_records, n_features, -1))
        base_value = np.ravel(part.base_value)
        base_values.append(base_value)
        largest = np.max(part.tolerance)
        roundings.append(np.full((n_records, len(base_value)), largest))
    return Attribution(
        values=np.concatenate(values, axis=2),
        base_value=np.concatenate(base_values),
        rounding=np.concatenate(roundings, axis=1),
    )


class Taken:
    """A transformer that takes some of the columns, as a member of bagging does."""

    def __init__(self, columns: Integers) -> None:
        self._columns = columns

    def transform(self, columns: Columns) -> Columns:
        """Return the columns that are taken."""
        return to_array(columns)[:, self._columns]

    def get_feature_names_out(self, names: Sequence[str]) -> NDArray[Any]:
        """Return the names of the columns that are taken."""
        return np.asarray(names, dtype=object)[self._columns]


def find_parts(predictor: Estimator) -> Parts | None:
    """Return the parts of a predictor; None if it has none, or makes no sum of them."""
    target = find_target(predictor)
    if target is not None:
        return _of_target(predictor, target)
    if _is_frozen(predictor):
        return _whole(predictor.estimator)
    # A subclass may do anything with its parts.
    if not is_sklearns_own(predictor):
        return None
    for find in FINDERS:
        parts = find(predictor)
        if parts is not None:
            return parts
    return None


def _whole(estimator: Estimator) -> Parts:
    """Return the one part whose output is that of the predictor."""
    return Parts([split_steps(estimator)], weights=[1.0])


def _is_frozen(predictor: Estimator) -> bool:
    from sklearn.frozen import FrozenEstimator

    return isinstance(predictor, FrozenEstimator)


def _of_target(predictor: Estimator, target: Target) -> Parts:
    """Return the regressor of a transformed target, in whose space the values are.

    Where the way back is a straight line they are in that of the prediction.
    """
    steps = [split_steps(predictor.regressor_)]
    line = target.line()
    if line is None:
        return Parts(steps, [1.0], PREDICTION)
    return Parts(steps, [line.scale], PREDICTION, line.shift)


def _of_threshold(predictor: Estimator) -> Parts | None:
    """Return the classifier of which another threshold makes labels: probabilities are its own."""
    from sklearn.model_selection import (
        FixedThresholdClassifier,
        TunedThresholdClassifierCV,
    )

    kinds = (FixedThresholdClassifier, TunedThresholdClassifierCV)
    if not isinstance(predictor, kinds):
        return None
    # It is not fitted again where it was fitted before.
    estimator = read_attribute(predictor, "estimator_", predictor.estimator)
    return _whole(estimator)


def _of_voting(predictor: Estimator) -> Parts | None:
    """Return those that vote with probabilities or numbers, by weight."""
    from sklearn.ensemble import VotingClassifier, VotingRegressor

    if not isinstance(predictor, VotingClassifier | VotingRegressor):
        return None
    if read_attribute(predictor, "voting") == "hard":
        return None
    members = [split_steps(member) for member in predictor.estimators_]
    weights = predictor._weights_not_none
    if weights is None:
        weights = np.ones(len(members))
    shares = np.asarray(weights, dtype=float) / np.sum(weights)
    return Parts(members, shares.tolist(), _output_of(predictor))


def _of_bagging(predictor: Estimator) -> Parts | None:
    """Return the members, of which each takes some of the columns.

    None if a member does not know all classes, or has no probabilities and votes.
    """
    from sklearn.ensemble import BaggingClassifier, BaggingRegressor

    if not isinstance(predictor, BaggingClassifier | BaggingRegressor):
        return None
    members = predictor.estimators_
    if isinstance(predictor, BaggingClassifier):
        counts = {len(member.classes_) for member in members}
        if counts != {predictor.n_classes_}:
            return None
    taken = predictor.estimators_features_
    steps = list(map(_take, members, taken))
    weights = np.full(len(steps), 1 / len(steps))
    return Parts(steps, weights.tolist(), _output_of(predictor))


def _output_of(predictor: Estimator) -> Sequence[str]:
    """Return what is averaged: the probability of a classifier, the prediction of a regressor."""
    is_classifier = read_attribute(predictor, "classes_") is not None
    return PROBABILITY if is_classifier else PREDICTION


def _take(member: Estimator, columns: Integers) -> Steps:
    """Return the steps of a member, of which the first takes its columns."""
    steps = split_steps(member)
    transformers = [Taken(columns), *steps.transformers]
    return Steps(transformers, steps.predictor, steps.may_write)


def _of_calibration(predictor: Estimator) -> Parts | None:
    """Return the one classifier that was calibrated by a logistic function of its output.

    Its log-odds are a multiple of that. The mean of several is not, nor is an isotonic function.
    """
    calibrated = read_attribute(predictor, "calibrated_classifiers_")
    if calibrated is None or len(calibrated) != 1:
        return None
    (classifier,) = calibrated
    estimator = classifier.estimator
    output = PROBABILITY
    if read_attribute(estimator, "decision_function") is not None:
        output = DECISION
    calibrator = classifier.calibrators[0]
    is_binary = len(classifier.classes) == 2
    if classifier.method == "sigmoid" and is_binary:
        weight = -float(calibrator.a_)
        shift = -float(calibrator.b_)
        return Parts([split_steps(estimator)], [weight], output, shift)
    if classifier.method == "temperature" and output == DECISION:
        # Of two classes it has the scores -1 and 1 times the decision.
        n_scores = 2 if is_binary else 1
        weight = n_scores * float(calibrator.beta_)
        return Parts([split_steps(estimator)], [weight], output)
    return None


def _of_outputs(predictor: Estimator) -> Parts | None:
    """Return the estimator of each output, where each is fitted for itself."""
    from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor

    if not isinstance(predictor, MultiOutputClassifier | MultiOutputRegressor):
        return None
    steps = [split_steps(member) for member in predictor.estimators_]
    return Parts(steps, weights=[1.0] * len(steps), are_stacked=True)


FINDERS = (
    _of_threshold,
    _of_voting,
    _of_bagging,
    _of_calibration,
    _of_outputs,
)
