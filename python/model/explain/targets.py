"""Targets: the space in which a regressor predicts, and the way from there to the prediction."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from python.model.data.spelling import one_line
from python.model.estimator import is_sklearns_own
from python.model.types import Estimator, Transformer

log = logging.getLogger(__name__)

POINTS = np.array([0.0, 1.0, -1e6, -7.3, -1.0, 0.5, 12.7, 1e6])
STEP = 1e-6
STRAIGHT = 1e-12  # how far a straight line's points may be off it, in parts of the largest

Numbers = NDArray[np.float64]

Transform: TypeAlias = Callable[[Numbers], ArrayLike]
"""From a column of numbers, (n_rows, 1), or several, to as many."""


class Line(NamedTuple):
    """A straight line: the scale times a number, and the shift."""

    scale: float
    shift: float


@dataclass(frozen=True, eq=False)
class Target:
    """The target of a `TransformedTargetRegressor`, which predicts it transformed."""

    transformer: Transformer

    def inverse(self, transformed: Numbers) -> Numbers:
        """Return the prediction for numbers in the space of the transformed target."""
        return self._by_column(self.transformer.inverse_transform, transformed)

    def link(self, prediction: Numbers) -> Numbers:
        """Return the numbers that lead to a prediction."""
        return self._by_column(self.transformer.transform, prediction)

    def slope(self, prediction: Numbers) -> Numbers:
        """Return how much a prediction rises with the number that leads to it."""
        number = self.link(prediction)
        step = STEP * (1 + np.abs(number))
        rise = self.inverse(number + step) - self.inverse(number - step)
        return np.abs(rise) / (2 * step)

    def line(self) -> Line | None:
        """Return how the prediction follows from the number, where that is a straight line.

        None where it is not, or where several numbers are predicted at once.
        """
        try:
            with np.errstate(all="ignore"):
                predictions = self.inverse(POINTS)
        except Exception as error:
            # A scaler takes as many numbers as it was fitted with, and a function may raise.
            log.info("no straight line: %s", one_line(error))
            return None
        at_zero, at_one, *_ = predictions.tolist()
        line = Line(scale=at_one - at_zero, shift=at_zero)
        straight = line.scale * POINTS + line.shift
        largest = np.abs(straight).max()
        is_straight = np.abs(predictions - straight) <= STRAIGHT * largest
        return line if is_straight.all() else None

    def _by_column(self, transform: Transform, numbers: Numbers) -> Numbers:
        """Transform one column of numbers, or several, as scikit-learn's transformers take them."""
        columns = numbers
        if numbers.ndim == 1:
            columns = numbers[:, None]
        transformed = np.asarray(transform(columns), dtype=float)
        return transformed.reshape(numbers.shape)


def find_target(predictor: Estimator) -> Target | None:
    """Return the target that a regressor predicts transformed; None if it predicts it as it is.

    What other classes call `transformer_` may transform the features.
    """
    from sklearn.compose import TransformedTargetRegressor

    if not isinstance(predictor, TransformedTargetRegressor):
        return None
    if not is_sklearns_own(predictor):
        return None
    return Target(predictor.transformer_)
