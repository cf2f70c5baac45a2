"""The profile of each feature in the training data: what later data can be compared with."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.data.json_values import to_json_value
from python.model.saving.entries import Column, Entry
from python.model.types import Columns

Profile: TypeAlias = dict[str, Any]

QUANTILES = 20
TENTHS = 10
MAX_COUNTED_TEXTS = 100


def profile_features(
    entries: list[Entry], table: Columns
) -> dict[str, Profile]:
    """Return the profile of each feature by its name."""
    profiles = {}
    for entry in entries:
        name = entry["name"]
        profiles[name] = _profile(entry["type"], table[name])
    return profiles


def _profile(type_name: str, column: Column) -> Profile:
    """Return the share of missing values, and how the others are distributed.

    Numbers and dates have their range, and 20 quantiles at equal distances from the least value to
    the largest. They have the edges of bins with about a tenth of the values each, and the share of
    all values in each bin: as there is one below the least edge and one from the largest on, shares
    are one more than edges. Edges of dates are seconds since 1970.
    Categories and booleans have a list of pairs, value and count; so have texts of which there are
    no more than a hundred.
    """
    profile: Profile = {"missing_share": float(column.isna().mean())}
    values = column.dropna()
    if type_name in ("numeric", "integer", "datetime"):
        profile |= _measure(type_name, values)
        numbers = _to_numbers(type_name, values)
        profile |= _divide(numbers, len(column), _find_precision(values))
    elif type_name != "string" or values.nunique() <= MAX_COUNTED_TEXTS:
        profile["counts"] = _count(values)
    return profile


def _count(values: Column) -> list[list[Any]]:
    """Return pairs of each value and how often it is there."""
    pairs = []
    for value, count in values.value_counts(sort=False).items():
        pairs.append([to_json_value(value), int(count)])
    return pairs


def _to_numbers(type_name: str, values: Column) -> NDArray[np.float64]:
    """Return values of which none is missing as numbers: dates as seconds since 1970."""
    if type_name != "datetime":
        numbers: NDArray[np.float64] = values.to_numpy(dtype=float)
        return numbers
    import pandas as pd  # what is profiled comes with a table

    dates = pd.to_datetime(values, utc=True)
    ages = dates - pd.Timestamp(0, tz="UTC")
    seconds: NDArray[np.float64] = ages.dt.total_seconds().to_numpy()
    return seconds


def _find_precision(values: Column) -> str:
    """Return the type of floating-point numbers that a column has its values in, such as "f4"."""
    dtype = values.dtype
    return f"f{dtype.itemsize}" if dtype.kind == "f" else "f8"


def _divide(
    numbers: NDArray[np.float64], n_rows: int, precision: str
) -> Profile:
    """Return the edges of bins, and the share of each among the rows of the column."""
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return {}
    levels = np.linspace(0, 1, TENTHS + 1)
    edges = np.quantile(finite, levels, method="inverted_cdf")
    # Nothing that was there is beyond the last edge.
    exact = edges.astype(precision)
    exact[-1] = np.nextafter(exact[-1], exact.dtype.type(np.inf))
    edges = np.unique(exact).astype(float)
    if precision != "f8":
        # What is 0.10000000149 in a column of float32 is sent as 0.1, which is in the same bin.
        below = np.nextafter(np.unique(exact), exact.dtype.type(-np.inf))
        edges = (edges + below.astype(float)) / 2
    places = np.searchsorted(edges, numbers, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)
    shares = counts / n_rows
    return {"edges": edges.tolist(), "shares": shares.tolist()}


def profile_predictions(
    predictions: NDArray[Any], *, are_classes: bool
) -> Profile:
    """Return how the predictions for training rows are distributed, of one output.

    Classes have a list of pairs, label and count; numbers have the quantiles between their tenths.
    """
    if predictions.ndim == 2 and predictions.shape[1] == 1:
        predictions = predictions[:, 0]
    if predictions.ndim != 1:
        return {}
    if are_classes:
        import pandas as pd  # what is profiled comes with a table

        return {"counts": _count(pd.Series(predictions))}
    if predictions.dtype.kind not in "fiu":
        return {}
    finite = predictions[np.isfinite(predictions)].astype(float)
    if not len(finite):
        return {}
    levels = np.linspace(0, 1, TENTHS + 1)
    return {"quantiles": np.unique(np.quantile(finite, levels)).tolist()}


def _measure(type_name: str, values: Column) -> Profile:
    """Return the quantiles and the range of values of which none is missing."""
    if not len(values):
        return {}
    if type_name == "datetime":
        ordered = values.sort_values()
    else:
        ordered = values.astype(float).sort_values()
    levels = np.linspace(0, len(ordered) - 1, QUANTILES)
    positions = np.rint(levels).astype(int)
    quantiles = [to_json_value(value) for value in ordered.iloc[positions]]
    return {"quantiles": quantiles, "range": [quantiles[0], quantiles[-1]]}
