"""The profile of each feature, compared with NumPy's and with a count by hand."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from python.model.saving.entries import describe_features
from python.model.saving.profile import (
    profile_features,
    profile_predictions,
)

ROWS = 400


def test_profiles() -> None:
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=ROWS)
    gappy = np.where(np.arange(ROWS) % 4, numbers, np.nan)
    table = pd.DataFrame(
        {
            "numbers": numbers,
            "gappy": gappy,
            "letters": pd.Categorical(draw.choice(["a", "b"], ROWS)),
            "flags": numbers > 0,
            "words": draw.choice(["x", "y"], ROWS),
            "texts": [f"text {n}" for n in range(ROWS)],
            "dates": pd.date_range("2024-01-01", periods=ROWS),
        }
    )
    profiles = profile_features(describe_features(None, table, {}), table)
    assert json.loads(json.dumps(profiles)) == profiles

    levels = np.linspace(0, 1, 20)
    expected = np.quantile(numbers, levels, method="nearest")
    assert profiles["numbers"]["quantiles"] == expected.tolist()
    assert profiles["numbers"]["range"] == [numbers.min(), numbers.max()]
    assert profiles["gappy"]["missing_share"] == 0.25
    assert profiles["gappy"]["range"] == [np.nanmin(gappy), np.nanmax(gappy)]
    assert dict(profiles["letters"]["counts"]) == dict(
        table["letters"].value_counts()
    )
    flags = {str(value): count for value, count in profiles["flags"]["counts"]}
    assert flags == {
        "True": int((numbers > 0).sum()),
        "False": int((numbers <= 0).sum()),
    }
    assert sum(count for _, count in profiles["words"]["counts"]) == ROWS
    assert profiles["texts"] == {"missing_share": 0.0}
    assert profiles["dates"]["range"] == [
        "2024-01-01T00:00:00",
        table["dates"].max().isoformat(),
    ]
    for name in ("numbers", "gappy", "dates"):
        check_bins(profiles[name], to_seconds(table[name]))


def to_seconds(column: Any) -> NDArray[np.float64]:
    if column.dtype.kind == "M":
        return np.array(
            [date.tz_localize("UTC").timestamp() for date in column]
        )
    return np.asarray(column, dtype=float)


def check_bins(profile: Any, values: NDArray[np.float64]) -> None:
    """Compare the shares with a count by hand; each edge belongs to the bin above it."""
    edges = profile["edges"]
    bounds = [-np.inf, *edges, np.inf]
    counted = []
    for low, high in pairwise(bounds):
        counted.append(np.mean((low <= values) & (values < high)))
    assert profile["shares"] == pytest.approx(counted)
    assert len(edges) == 11
    # None is below the first edge, and none is from the last one on.
    assert [counted[0], counted[-1]] == [0.0, 0.0]
    present = 1 - profile["missing_share"]
    assert counted[1:-1] == pytest.approx([present / 10] * 10, abs=0.01)


def test_bins_of_few_values_are_as_many() -> None:
    table = pd.DataFrame({"few": [1.0, 2.0, 2.0, 3.0, 1.0], "one": [7.0] * 5})
    profiles = profile_features(describe_features(None, table, {}), table)
    assert profiles["few"]["edges"] == [1, 2, 3, np.nextafter(3, 4)]
    assert profiles["few"]["shares"] == [0, 0.4, 0.4, 0.2, 0]
    assert profiles["one"]["edges"] == [7, np.nextafter(7, 8)]
    assert profiles["one"]["shares"] == [0, 1, 0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "Float32"])
def test_a_decimal_is_in_the_bin_of_the_number_that_a_narrow_column_has(
    dtype: str,
) -> None:
    """A client sends 0.1, which float32 has as 0.10000000149 and float16 as 0.09997."""
    decimals = np.arange(1, 41) / 10
    table = pd.DataFrame({"x": pd.Series(decimals).astype(dtype)})
    (profile,) = profile_features(
        describe_features(None, table, {}), table
    ).values()
    for values in (decimals, table["x"].to_numpy(dtype=float)):
        places = np.searchsorted(profile["edges"], values, side="right")
        counts = np.bincount(places, minlength=len(profile["shares"]))
        assert profile["shares"] == pytest.approx(counts / len(values))
        assert counts[0] == counts[-1] == 0


def test_profiles_of_predictions() -> None:
    labels = np.array(["a", "b", "a"])
    profile = profile_predictions(labels, are_classes=True)
    assert sorted(profile["counts"]) == [["a", 2], ["b", 1]]
    numbers = np.linspace(0, 100, 101)[:, None]
    assert profile_predictions(numbers, are_classes=False) == {
        "quantiles": pytest.approx(np.linspace(0, 100, 11).tolist())
    }
    for none in (np.zeros((3, 2)), labels, np.full(3, np.nan)):
        assert profile_predictions(none, are_classes=False) == {}
