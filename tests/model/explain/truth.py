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
    entries = features(data)
    for entry in entries:
        if data[entry["name"]].isna().any():
            entry["accepts_missing"] = True  # whatever the samples show
    content = {
        "model": estimator,
        "metadata": {"features": entries},
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


def brute_force(
    function: Callable[[pd.DataFrame], Any],
    record: pd.DataFrame,
    background: pd.DataFrame,
) -> Matrix:
    """Shapley values of one record by all coalitions, (n_features,) or (n_features, n_outputs).

    The function is called with the record's own values mixed into each row of the background.
    """
    n_features = record.shape[1]
    repeated = pd.concat([record] * len(background), ignore_index=True)
    own = background.reset_index(drop=True)
    mixed = []
    for number in range(2**n_features):
        frame = own.copy()
        for feature, name in enumerate(record.columns):
            if number >> feature & 1:
                frame[name] = repeated[name]
        mixed.append(frame)
    outputs = np.asarray(function(pd.concat(mixed, ignore_index=True)))
    by_coalition = outputs.reshape(2**n_features, len(background), -1)
    worths = by_coalition.astype(float).mean(axis=1)
    return weigh(worths, n_features)


def weigh(worths: Matrix, n_features: int) -> Matrix:
    """Shapley values, (n_features, n_outputs), of the worths of all coalitions.

    Bit n of a coalition's number says whether the feature n is in it.
    """
    values = np.zeros((n_features, worths.shape[1]))
    for number in range(2**n_features):
        size = number.bit_count()
        for feature in range(n_features):
            if not number >> feature & 1:
                others = math.factorial(n_features - size - 1)
                weight = math.factorial(size) * others
                gain = worths[number | 1 << feature] - worths[number]
                values[feature] += weight * gain
    return values / math.factorial(n_features)


def total(explanation: Explanation) -> Matrix:
    """What the values add up to."""
    sums: Matrix = explanation.base_value + explanation.values.sum(axis=1)
    return sums
