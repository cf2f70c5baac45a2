"""What is counted of predictions: classes, or numbers between quantiles."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from python.metrics.bins import OTHER, name_values
from python.metrics.cells import Cells, write
from python.metrics.families import (
    COUNTER,
    GAUGE,
    HISTOGRAM,
    Family,
    NumbersByFamily,
    Values,
)
from python.model.base import Model, Predictions

MAX_CLASSES = 100
TENTHS = np.linspace(0, 1, 11)
OF_CLASS = ("version", "class")
CLASSES = Family(
    "model_predictions_total", COUNTER, "Records by their class.", OF_CLASS
)
SHARES = Family(
    "model_prediction_expected_share",
    GAUGE,
    "The share of the class among predictions for training data.",
    OF_CLASS,
)
NUMBERS = Family(
    "model_predicted_value",
    HISTOGRAM,
    "Predicted numbers, between quantiles of predictions for training data.",
    ("version",),
)


class ClassCounts:
    """Counts predictions of classes, once it has cells."""

    def __init__(self, model: Model) -> None:
        """Take a model of one output that has classes."""
        self._version = model.version
        names = list(model.class_names or ())[:MAX_CLASSES]
        self._names = [*name_values(names), OTHER]
        self._places = {}
        for place, label in enumerate(model.labels[:MAX_CLASSES]):
            self._places[label] = place
        self._counts = model.prediction_profile.get("counts")
        self._start = 0

    def list_families(self) -> list[Family]:
        """Return the families of cells that are needed."""
        series = [(self._version, name) for name in self._names]
        if not self._counts:
            return [CLASSES.over(series)]
        return [CLASSES.over(series), SHARES.over(series)]

    def take_cells(self, cells: Cells, numbers: NumbersByFamily) -> None:
        """Count in these cells from now on, and say in them what is expected."""
        first = (self._version, self._names[0])
        self._start = numbers[CLASSES.name][first]
        if not self._counts:
            return
        start = numbers[SHARES.name][first]
        shares = [0.0] * len(self._names)
        total = sum(count for _, count in self._counts)
        for label, count in self._counts:
            shares[self._find(label)] += count / total
        write(cells, start, shares)

    def _find(self, label: Any) -> int:
        return self._places.get(label, len(self._names) - 1)

    def count(self, predictions: Predictions, values: Values) -> None:
        """Count predictions; without labels, the most probable classes."""
        computed = vars(predictions)
        if "prediction" in computed:
            labels = computed["prediction"].tolist()
            places = [self._find(label) for label in labels]
        elif "probabilities" in computed:
            places = computed["probabilities"].argmax(axis=1).tolist()
        else:
            return
        last = len(self._names) - 1
        # Of a single record, which is most of them, a Counter would cost more than all else here.
        counts = (
            [(places[0], 1)] if len(places) == 1 else Counter(places).items()
        )
        for place, count in counts:
            values[self._start + min(place, last)] += count


class NumberCounts:
    """Counts predictions of numbers, once it has cells."""

    def __init__(self, model: Model) -> None:
        """Take a regression of one output."""
        self._version = model.version
        self._bounds = find_bounds(model)
        self._start = 0

    def list_families(self) -> list[Family]:
        """Return the families of cells that are needed."""
        return [NUMBERS.over([(self._version,)], self._bounds)]

    def take_cells(
        self,
        cells: Cells,  # noqa: ARG002
        numbers: NumbersByFamily,
    ) -> None:
        """Count in these cells from now on."""
        self._start = numbers[NUMBERS.name][self._version,]

    def count(self, predictions: Predictions, values: Values) -> None:
        """Count predictions, of which those that are no finite number are left out."""
        computed = vars(predictions).get("prediction")
        if computed is None:
            return
        for number in computed.tolist():
            if number - number == 0:
                place = bisect_left(self._bounds, number)
                values[self._start + place] += 1
                values[self._start + len(self._bounds) + 1] += number


PredictionCounts = ClassCounts | NumberCounts


def make_counts(model: Model) -> PredictionCounts | None:
    """Return what counts the predictions of a model; None for one of another kind."""
    if model.n_outputs != 1:
        return None
    if model.class_names:
        return ClassCounts(model)
    if model.task == "REGRESSION":
        return NumberCounts(model)
    return None


def find_bounds(model: Model) -> tuple[float, ...]:
    """Return quantiles of predictions for training data; none if the file says nothing of them."""
    quantiles: Sequence[float] = model.prediction_profile.get("quantiles", ())
    if not quantiles and model.examples is not None:
        predictions = np.asarray(model.examples.predictions, dtype=float)
        finite = predictions[np.isfinite(predictions)]
        if len(finite):
            quantiles = np.quantile(finite, TENTHS).tolist()
    numbers = {float(number) for number in quantiles}
    return tuple(sorted(filter(isfinite, numbers)))
