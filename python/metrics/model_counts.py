"""What is counted of a version of the model: records, values, predictions and faults."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from python.errors import Fault
from python.metrics.bins import OTHER
from python.metrics.cells import Cells
from python.metrics.families import COUNTER, GAUGE, Family, number_families
from python.metrics.feature_counts import MAX_FEATURES, FeatureCounts
from python.metrics.folder import Slot
from python.metrics.prediction_counts import make_counts
from python.model.base import Model, Predictions
from python.model.data.features import Feature

KINDS_OF_A_FEATURE = ("missing", "type", "value", "refused")
KINDS = (
    "missing",
    "type",
    "category",
    "value",
    "refused",
    "unknown",
    "record",
)


INFO = Family(
    "model_info",
    GAUGE,
    "1 for each version that is served.",
    ("version", "task", "family"),
)
LOADING = Family(
    "model_load_duration_seconds",
    GAUGE,
    "What loading took in the slowest worker.",
    ("version",),
)
UNBINNED = Family(
    "model_features_without_bins",
    GAUGE,
    "Features whose profile in the model file has no bins.",
    ("version",),
)
RECORDS = Family(
    "model_records_total",
    COUNTER,
    "Records that the model predicted for.",
    ("version",),
)
FAULTS = Family(
    "model_faults_total",
    COUNTER,
    "Faults in records, at most 100 of a request.",
    ("version", "feature", "kind"),
)


class ModelCounts:
    """Counts what a model predicts, and what it is asked about."""

    def __init__(self, slot: Slot, model: Model, family: str) -> None:
        """Take the model that this process serves; `family` is what its class is called."""
        self._version = model.version
        self._features = FeatureCounts(model)
        self._predictions = make_counts(model)
        families = list_families(model, family)
        families += self._features.list_families()
        if self._predictions is not None:
            families += self._predictions.list_families()
        self._take_cells(slot.open_model(model.version, families))
        (info,) = self._numbers[INFO.name].values()
        (loading,) = self._numbers[LOADING.name].values()
        (unbinned,) = self._numbers[UNBINNED.name].values()
        self._values[info] = 1
        self._values[loading] = model.load_seconds
        self._values[unbinned] = self._features.without_bins

    def _take_cells(self, cells: Cells) -> None:
        self._values = cells.values
        self._array: NDArray[np.float64] = np.asarray(cells.values)
        self._numbers = numbers = number_families(cells.families)
        (self._records,) = numbers[RECORDS.name].values()
        self._faults = numbers[FAULTS.name]
        self._features.take_cells(cells, numbers)
        if self._predictions is not None:
            self._predictions.take_cells(cells, numbers)

    def count_predictions(self, predictions: Predictions) -> None:
        """Count records, their values, and what was predicted for them."""
        self._values[self._records] += len(predictions.records)
        if self._predictions is not None:
            self._predictions.count(predictions, self._values)
        self._features.count(predictions.records, self._values, self._array)

    def count_faults(self, faults: Iterable[Fault]) -> None:
        """Count faults in records, by their kind and feature."""
        for fault in faults:
            labels = (self._version, fault.feature or OTHER, fault.kind)
            number = self._faults.get(labels)
            if number is None:
                labels = (self._version, OTHER, fault.kind)
                number = self._faults[labels]
            self._values[number] += 1


def list_families(model: Model, family: str) -> list[Family]:
    """Return the families that any model has."""
    version = model.version
    faults: dict[tuple[str, str, str], None] = {}
    for feature in model.schema.features[:MAX_FEATURES]:
        for kind in list_kinds(feature):
            faults[version, feature.name, kind] = None
    for kind in KINDS:
        faults[version, OTHER, kind] = None
    return [
        INFO.over([(version, model.task, family)]),
        LOADING.over([(version,)]),
        UNBINNED.over([(version,)]),
        RECORDS.over([(version,)]),
        FAULTS.over(faults),
    ]


def list_kinds(feature: Feature) -> tuple[str, ...]:
    """Return the kinds of faults that a feature may have."""
    if feature.type == "category":
        return (*KINDS_OF_A_FEATURE, "category")
    return KINDS_OF_A_FEATURE
