"""Bins: where a value of a feature is counted, and which share of the training data was there."""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from math import isnan
from typing import Any

import numpy as np

from python.model.data.features import Feature, Value
from python.model.types import Matrix

MAX_VALUES = 50
MAX_LABEL_CHARACTERS = 60
MISSING = "missing"
OTHER = "other"


class Bins:
    """The bins of a feature, the last one of which is for missing values.

    `labels` are their names and `shares` those of the training data. `find` returns the number of
    the bin for a value that is not missing.
    """

    def __init__(
        self,
        labels: Sequence[str],
        shares: Sequence[float],
        find: Callable[[Value], int],
    ) -> None:
        self.labels = (*labels, MISSING)
        self.shares = (*shares, max(0.0, 1.0 - sum(shares)))
        self.find = find

    def count(self, values: Sequence[Value]) -> list[float]:
        """Return how many of the values, None where one is missing, are in each bin."""
        counts = [0.0] * len(self.labels)
        for value, count in Counter(values).items():
            place = -1 if value is None else self.find(value)
            counts[place] += count
        return counts


class NumberBins(Bins):
    """Bins of numbers, between edges: each edge belongs to the bin above it."""

    def __init__(
        self,
        labels: Sequence[str],
        shares: Sequence[float],
        edges: Sequence[float],
    ) -> None:
        super().__init__(labels, shares, partial(bisect_right, edges))
        self.edges = edges
        self._edges = np.array(edges, dtype=float)

    def count(self, values: Sequence[Value]) -> list[float]:
        """Return how many of the numbers are in each bin."""
        numbers = np.array(values, dtype=float)
        counts = self.count_codes(numbers)
        n_missing = float(np.count_nonzero(np.isnan(numbers)))
        counts[-2] -= n_missing
        counts[-1] += n_missing
        return counts

    def count_codes(self, codes: Matrix) -> list[float]:
        """Return how many of the numbers are in each bin, NaN among the largest ones."""
        # To sort them takes a third of the time that it takes to look for the place of each.
        n_below = np.sort(codes).searchsorted(self._edges).tolist()
        counts = []
        before = 0
        for number in (*n_below, len(codes)):
            counts.append(float(number - before))
            before = number
        return [*counts, 0.0]


class Places(dict[Value, int]):
    """The number of the bin for each value; of any other, that of all others."""

    def __init__(self, values: Sequence[Value]) -> None:
        super().__init__()
        for place, value in enumerate(values):
            self[value] = place
        self._other = len(values)

    def __missing__(self, value: Value) -> int:
        return self._other


def make_bins(feature: Feature, profile: Any) -> Bins | None:
    """Return the bins of a feature; None where its profile has none, or is written otherwise."""
    try:
        share = 1.0 - float(profile["missing_share"])
        if "edges" in profile:
            return _make_intervals(feature, profile)
        if feature.type == "boolean":
            return _make_switch(profile["counts"], share)
        return _make_values(profile.get("counts", ()), share)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None


def _make_intervals(feature: Feature, profile: Mapping[str, Any]) -> Bins:
    edges = [float(edge) for edge in profile["edges"]]
    shares = [float(share) for share in profile["shares"]]
    if len(shares) != len(edges) + 1 or not is_in_order(edges):
        raise ValueError("edges and shares do not fit each other")
    if feature.type != "datetime":
        return NumberBins(name_intervals(edges), shares, edges)
    labels = name_intervals(edges, _write_date)

    def find(value: Value) -> int:
        return bisect_right(edges, to_seconds(value))

    return Bins(labels, shares, find)


def is_in_order(edges: Sequence[float]) -> bool:
    """Return whether edges are numbers, none of which is below the one before."""
    # A list that holds a NaN may equal itself sorted.
    if any(map(isnan, edges)):
        return False
    return all(below <= above for below, above in pairwise(edges))


def _make_switch(counts: Sequence[Sequence[Any]], share: float) -> Bins:
    by_value: dict[bool, float] = {}
    for value, count in counts:
        by_value[value] = count
    numbers = [by_value.get(False, 0), by_value.get(True, 0)]
    scale = share / (sum(numbers) or 1)
    shares = [number * scale for number in numbers]
    return NumberBins(("false", "true"), shares, [0.5])


def _make_values(counts: Sequence[Sequence[Any]], share: float) -> Bins:
    total = sum(count for _, count in counts)
    frequent = sorted(counts, key=lambda pair: -pair[1])[:MAX_VALUES]
    scale = share / (total or 1)
    values = []
    shares = []
    for value, count in frequent:
        values.append(value)
        shares.append(count * scale)
    labels = name_values(values)
    # Of texts that are not counted, all are others.
    others = share - sum(shares)
    places = Places(values)
    return Bins(
        [*labels, OTHER], [*shares, max(0.0, others)], places.__getitem__
    )


def name_values(values: Sequence[Value]) -> list[str]:
    """Return a label for each value, none of them twice."""
    labels: list[str] = []
    for place, value in enumerate(values):
        text = value if isinstance(value, str) else json.dumps(value)
        label = text[:MAX_LABEL_CHARACTERS]
        # A value may be called as another one is by now.
        while label in (*labels, MISSING, OTHER, ""):
            label += f" #{place}"
        labels.append(label)
    return labels


def name_intervals(
    edges: Sequence[float],
    write: Callable[[float], str] = "{:.6g}".format,
) -> list[str]:
    """Return a label for each interval: `00: below 1`, `01: 1 to 2`, `02: 2 or above`."""
    texts = [write(edge) for edge in edges]
    labels = [f"00: below {texts[0]}"] if texts else ["00: any"]
    for place, pair in enumerate(pairwise(texts), start=1):
        labels.append(f"{place:02}: {pair[0]} to {pair[1]}")
    if texts:
        labels.append(f"{len(texts):02}: {texts[-1]} or above")
    return labels


def to_seconds(text: str) -> float:
    """Return the seconds from 1970 to a date in ISO 8601; without an offset it is UTC."""
    date = datetime.fromisoformat(text)
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date.timestamp()


def _write_date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
