"""What is counted of predictions: classes, or numbers between quantiles."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.metrics.bins import OTHER, name_values
from python.metrics.cells import Cells
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
CLASSES = "model_predictions_total"
SHARES = "model_prediction_expected_share"
NUMBERS = "model_predicted_value"


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
        labels = ("version", "class")
        series = tuple((self._version, name) for name in self._names)
        counted = Family(
            CLASSES, COUNTER, "Records by their class.", labels, series
        )
        expected = Family(
            SHARES,
            GAUGE,
            "The share of the class among predictions for training data.",
            labels,
            series,
        )
        return [counted] if self._counts is None else [counted, expected]

    def take_cells(self, cells: Cells, numbers: NumbersByFamily) -> None:
        """Count in these cells from now on, and say in them what is expected."""
        first = (self._version, self._names[0])
        self._start = numbers[CLASSES][first]
        if self._counts is None:
            return
        start = numbers[SHARES][first]
        total = sum(count for _, count in self._counts)
        for place in range(len(self._names)):
            cells.values[start + place] = 0
        for label, count in self._counts:
            cells.values[start + self._find(label)] += count / total

    def _find(self, label: Any) -> int:
        return self._places.get(label, len(self._names) - 1)

    def count(self, predictions: Predictions, values: Values) -> None:
        """Count predictions; without labels, the most probable classes."""
        computed = vars(predictions)
        if "prediction" in computed:
            labels = Counter(computed["prediction"].tolist())
            for label, count in labels.items():
                values[self._start + self._find(label)] += count
        elif "probabilities" in computed:
            places = computed["probabilities"].argmax(axis=1).tolist()
            last = len(self._names) - 1
            for place, count in Counter(places).items():
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
        help_text = "Predicted numbers, between quantiles of predictions for training data."
        series = ((self._version,),)
        return [
            Family(
                NUMBERS,
                HISTOGRAM,
                help_text,
                ("version",),
                series,
                self._bounds,
            )
        ]

    def take_cells(
        self,
        cells: Cells,  # noqa: ARG002
        numbers: NumbersByFamily,
    ) -> None:
        """Count in these cells from now on."""
        self._start = numbers[NUMBERS][self._version,]

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
        predictions: NDArray[Any] = np.asarray(model.examples.predictions)
        quantiles = np.quantile(
            predictions.astype(float), np.linspace(0, 1, 11)
        ).tolist()
    return tuple(sorted({float(number) for number in quantiles}))
