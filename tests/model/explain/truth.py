"""What the tests of explanations share: models to explain, and Shapley values by definition."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from python.model.artifact import Artifact
from python.model.base import Explanation
from python.model.sklearn import SklearnModel
from tests.models import features

Matrix = NDArray[np.float64]


def load(
    estimator: Any, data: pd.DataFrame, samples: Any = None
) -> SklearnModel:
    content = {
        "model": estimator,
        "metadata": {"features": features(data)},
        "samples": samples,
    }
    return SklearnModel.load(Artifact.of(content))


def shapley_values(
    function: Callable[[Matrix], Matrix], record: Matrix, background: Matrix
) -> Matrix:
    """Shapley values by their definition: over all orders in which the features can join."""
    n_features = len(record)
    values = np.zeros(n_features)
    for order in itertools.permutations(range(n_features)):
        mixed = background.copy()
        for feature in order:
            before = function(mixed).mean()
            mixed[:, feature] = record[feature]
            values[feature] += function(mixed).mean() - before
    return values / math.factorial(n_features)


def total(explanation: Explanation) -> Matrix:
    """What the values add up to."""
    sums: Matrix = explanation.base_value + explanation.values.sum(axis=1)
    return sums
