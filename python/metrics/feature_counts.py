"""What is counted of each feature: which bin its values are in, and how often there is none."""

from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from python.metrics.bins import Bins, NumberBins, make_bins
from python.metrics.cells import Cells, write
from python.metrics.families import (
    COUNTER,
    GAUGE,
    Family,
    Labels,
    NumbersByFamily,
    Values,
)
from python.model.base import Model
from python.model.data.features import Feature, Value
from python.model.data.records import Records
from python.model.data.schema import Row

MAX_FEATURES = 300
# To count so many records one by one takes as long as NumPy takes for one.
MAX_COUNTED_ONE_BY_ONE = 8
# To look for so many numbers one by one takes as long as NumPy takes for them together.
MAX_FOUND_ONE_BY_ONE = 20

OF_BIN = ("version", "feature", "bin")
OF_FEATURE = ("version", "feature")
VALUES = Family(
    "model_feature_values_total",
    COUNTER,
    "Values by their bin, not cumulative.",
    OF_BIN,
)
SHARES = Family(
    "model_feature_expected_share",
    GAUGE,
    "The share of the bin in the training data.",
    OF_BIN,
)
MISSING = Family(
    "model_missing_values_total",
    COUNTER,
    "Values that were absent or null, and left missing.",
    OF_FEATURE,
)
DEFAULTED = Family(
    "model_defaulted_values_total",
    COUNTER,
    "Values that were absent or null, and replaced by the default.",
    OF_FEATURE,
)


class Binned(NamedTuple):
    """A feature with bins: its place in a row, and the number of the cell of its first bin."""

    place: int
    start: int
    find: Callable[[Value], int]
    bins: Bins
    feature: Feature

    def count_all(self, records: Records, n_missing: int) -> list[float]:
        """Return how many of the records have a value in each bin; `n_missing` have none."""
        codes = vars(records).get("codes")
        if codes is None or not isinstance(self.bins, NumberBins):
            return self.bins.count([row[self.place] for row in records.rows])
        # They are there for the copy that has predicted, with defaults for what is missing.
        counts = self.bins.count_codes(codes[:, self.place])
        if n_missing:
            counts[self._place_of_missing] -= n_missing
            counts[-1] += n_missing
        return counts

    @property
    def _place_of_missing(self) -> int:
        """The bin that the codes have what is missing in."""
        default = self.feature.default
        return -2 if default is None else self.find(default)


def is_always_number(binned: Binned) -> bool:
    """Return whether a feature has a number in every record."""
    return isinstance(binned.bins, NumberBins) and not binned.feature.optional


class NumberPlaces:
    """Finds the cells of many numbers of a record at once."""

    def __init__(self, numbers: Sequence[Binned]) -> None:
        """Take at least two features, all of which have a number in every record."""
        self._take = itemgetter(*(binned.place for binned in numbers))
        # NumPy orders complex numbers by their real part first: by the feature, then by the value.
        edges = []
        before = 0
        firsts = []
        for rank, binned in enumerate(numbers):
            its_edges = cast("NumberBins", binned.bins).edges
            edges += [complex(rank, edge) for edge in its_edges]
            firsts.append(binned.start - before)
            before += len(its_edges)
        self._edges = np.array(edges)
        self._firsts: NDArray[np.int64] = np.array(firsts)
        self._keys = np.arange(len(numbers)).astype(complex)

    def find(self, row: Row) -> NDArray[np.int64]:
        """Return the numbers of the cells, one for each feature; one thread at a time may ask."""
        self._keys.imag = self._take(row)
        return self._edges.searchsorted(self._keys, "right") + self._firsts


class FeatureCounts:
    """Counts the values of records, once it has cells."""

    def __init__(self, model: Model) -> None:
        """Take the model; its first 300 features are counted."""
        self._version = model.version
        self._features = model.schema.features[:MAX_FEATURES]
        self._bins: dict[str, Bins] = {}
        for feature in self._features:
            bins = make_bins(feature, model.profile.get(feature.name))
            if bins is not None:
                self._bins[feature.name] = bins
        self._binned: list[Binned] = []
        # Of a record, numbers that are never missing are counted together, all else one by one.
        self._together: NumberPlaces | None = None
        self._one_by_one: list[Binned] = []
        self._optional: list[tuple[int, int]] = []
        # Whether the codes of records have NaN for each value that is missing.
        self._gaps_stay = all(
            feature.is_number and feature.default is None
            for feature in self._features
            if feature.optional
        )

    @property
    def without_bins(self) -> int:
        """How many features have no bins."""
        return len(self._features) - len(self._bins)

    def list_families(self) -> list[Family]:
        """Return the families of cells that are needed."""
        bins = []
        for name, its_bins in self._bins.items():
            for label in its_bins.labels:
                bins.append((self._version, name, label))
        missing: list[Labels] = []
        defaulted: list[Labels] = []
        for feature in self._features:
            series = missing if feature.default is None else defaulted
            if feature.optional:
                series.append((self._version, feature.name))
        return [
            VALUES.over(bins),
            SHARES.over(bins),
            MISSING.over(missing),
            DEFAULTED.over(defaulted),
        ]

    def take_cells(self, cells: Cells, numbers: NumbersByFamily) -> None:
        """Count in these cells from now on, and say in them what is expected."""
        for place, feature in enumerate(self._features):
            labels = (self._version, feature.name)
            if feature.optional:
                family = MISSING if feature.default is None else DEFAULTED
                number = numbers[family.name][labels]
                self._optional.append((place, number))
            bins = self._bins.get(feature.name)
            if bins is not None:
                first = (*labels, bins.labels[0])
                start = numbers[VALUES.name][first]
                binned = Binned(place, start, bins.find, bins, feature)
                self._binned.append(binned)
                write(cells, numbers[SHARES.name][first], bins.shares)
        self._one_by_one = self._binned
        together = [one for one in self._binned if is_always_number(one)]
        if len(together) > MAX_FOUND_ONE_BY_ONE:
            self._together = NumberPlaces(together)
            self._one_by_one = [
                one for one in self._binned if not is_always_number(one)
            ]

    def count(
        self,
        records: Records,
        values: Values,
        array: NDArray[np.float64],
    ) -> None:
        """Count all values of the records; `array` has the same cells as `values`."""
        if len(records) > MAX_COUNTED_ONE_BY_ONE:
            self._count_columns(records, values, array)
            return
        for row in records.rows:
            if self._together is not None:
                array[self._together.find(row)] += 1
            self._count_row(row, values)

    def _count_row(self, row: Row, values: Values) -> None:
        for place, start, find, bins, _ in self._one_by_one:
            value = row[place]
            if value is None:
                values[start + len(bins.labels) - 1] += 1
            else:
                values[start + find(value)] += 1
        for place, number in self._optional:
            if row[place] is None:
                values[number] += 1

    def _count_columns(
        self,
        records: Records,
        values: Values,
        array: NDArray[np.float64],
    ) -> None:
        missing = self._count_missing(records)
        for binned in self._binned:
            counts = binned.count_all(records, missing[binned.place])
            array[binned.start : binned.start + len(counts)] += counts
        for place, number in self._optional:
            values[number] += missing[place]

    def _count_missing(self, records: Records) -> Counter[int]:
        """Return for the place of each optional feature in how many records it is missing."""
        codes = vars(records).get("codes")
        if codes is None or not self._gaps_stay:
            return self._count_none(records)
        n_missing = np.isnan(codes).sum(axis=0).tolist()
        return Counter(
            {place: n_missing[place] for place, _ in self._optional}
        )

    def _count_none(self, records: Records) -> Counter[int]:
        missing: Counter[int] = Counter()
        if self._optional:
            # Most records lack nothing, which is sooner seen than counted.
            incomplete = [row for row in records.rows if None in row]
            for place, _ in self._optional:
                missing[place] = sum(row[place] is None for row in incomplete)
        return missing
