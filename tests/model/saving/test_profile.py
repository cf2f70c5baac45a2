"""The profile of each feature, compared with NumPy's and with a count by hand."""

import json

import numpy as np
import pandas as pd

from python.model.saving.entries import describe_features
from python.model.saving.profile import profile_features

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
