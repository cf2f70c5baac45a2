"""The floor: the model called without any service, `python -m benchmarks.in_process FOLDER`.

Writes a line once it has answered, and for each line with a number of seconds one with the calls a second that it made in them.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np


def caller(folder: Path) -> Callable[[], Any]:
    """What asks the model of the folder about its records."""
    workload = json.loads((folder / "workload.json").read_text())
    model, records = joblib.load(folder / "model.joblib")["model"], workload["records"]
    columns = np.array([list(record.values()) for record in records])
    if workload["named"]:
        import pandas as pd

        columns = pd.DataFrame(records)
    if not workload["explanation"]:
        return lambda: model.predict_proba(columns)
    import shap

    explainer = shap.TreeExplainer(model)
    return lambda: (
        model.predict_proba(columns),
        explainer.shap_values(columns, check_additivity=False),
    )


def rate(call: Callable[[], Any], seconds: float) -> float:
    """Calls a second."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return calls / (time.perf_counter() - start)


if __name__ == "__main__":
    ask = caller(Path(sys.argv[1]))
    ask()
    print("ready", flush=True)
    for line in sys.stdin:
        print(rate(ask, float(line)), flush=True)
