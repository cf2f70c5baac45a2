"""The profile of each feature in the training data: what later data can be compared with."""

from typing import Any, TypeAlias

import numpy as np

from python.model.data.json_values import to_json_value
from python.model.saving.entries import Column, Entry
from python.model.types import Columns

Profile: TypeAlias = dict[str, Any]

QUANTILES = 20
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
    the largest. Categories and booleans have a list of pairs, value and count; so have texts of
    which there are no more than a hundred.
    """
    profile: Profile = {"missing_share": float(column.isna().mean())}
    values = column.dropna()
    if type_name in ("numeric", "integer", "datetime"):
        profile |= _measure(type_name, values)
    elif type_name != "string" or values.nunique() <= MAX_COUNTED_TEXTS:
        profile["counts"] = _count(values)
    return profile


def _count(values: Column) -> list[list[Any]]:
    """Return pairs of each value and how often it is there."""
    pairs = []
    for value, count in values.value_counts(sort=False).items():
        pairs.append([to_json_value(value), int(count)])
    return pairs


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
