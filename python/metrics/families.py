"""Families of series: their names, labels and cells, as a file of cells describes itself."""

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

Labels: TypeAlias = tuple[str, ...]
"""The values of the labels of a series, in the order of their names."""

NumbersByFamily: TypeAlias = Mapping[str, Mapping[Labels, int]]
"""The number of the first cell of each series, by the name of its family."""

Values: TypeAlias = "memoryview[float]"
"""Cells: `values[number] += 1` counts."""

COUNTER = "counter"
GAUGE = "gauge"
HISTOGRAM = "histogram"


class Family(NamedTuple):
    """Series of one name. Those of a histogram have a cell for each bucket, and one for the sum.

    Each bucket is up to one of the `bounds`; one more is for what is larger. The cells of buckets
    are not cumulative.
    Of several processes, gauges have the largest value, and all else is added up.
    """

    name: str
    kind: str
    help: str
    labels: Labels = ()
    series: tuple[Labels, ...] = ((),)
    bounds: tuple[float, ...] = ()

    def over(
        self, series: Iterable[Labels], bounds: Iterable[float] = ()
    ) -> "Family":
        """Return the same family with these series, or buckets."""
        bounds = tuple(bounds) or self.bounds
        return self._replace(series=tuple(series), bounds=bounds)

    @property
    def cells_of_a_series(self) -> int:
        """How many cells a series has."""
        return len(self.bounds) + 2 if self.kind == HISTOGRAM else 1

    @property
    def n_cells(self) -> int:
        """How many cells all series have together."""
        return len(self.series) * self.cells_of_a_series

    def number_series(self, start: int) -> dict[Labels, int]:
        """Return the number of the first cell of each series, if the family begins at `start`."""
        size = self.cells_of_a_series
        numbers = {}
        for place, labels in enumerate(self.series):
            numbers[labels] = start + place * size
        return numbers


def count_cells(families: Iterable[Family]) -> int:
    """Return how many cells the families have together."""
    return sum(family.n_cells for family in families)


def number_families(
    families: Iterable[Family],
) -> dict[str, dict[Labels, int]]:
    """Return the number of the first cell of each series, by the name of its family."""
    numbers = {}
    start = 0
    for family in families:
        numbers[family.name] = family.number_series(start)
        start += family.n_cells
    return numbers


def write_families(families: Iterable[Family]) -> bytes:
    """Return a description from which `read_families` makes the same families."""
    return json.dumps(list(families)).encode()


def read_families(description: bytes) -> list[Family]:
    """Return the families of a description; raise ValueError if it is none."""
    families = []
    for name, kind, text, labels, series, bounds in json.loads(description):
        rows = tuple(tuple(row) for row in series)
        family = Family(name, kind, text, tuple(labels), rows, tuple(bounds))
        families.append(family)
    return families
