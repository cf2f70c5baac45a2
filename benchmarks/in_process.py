"""The floor: a model called without any service, `python -m benchmarks.in_process FOLDER`.

It writes a line after its first call. For each line with a number of seconds that it then reads,
it calls the model for that time, and writes a line with the calls per second.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np


def make_call(folder: Path) -> Callable[[], Any]:
    """Return a function that predicts, and explains, the records of a workload's folder."""
    workload = json.loads((folder / "workload.json").read_text())
    model = joblib.load(folder / "model.joblib")["model"]
    records = workload["records"]
    if workload["named"]:
        import pandas as pd

        columns = pd.DataFrame(records)
    else:
        columns = np.array([list(record.values()) for record in records])

    def predict() -> None:
        model.predict_proba(columns)

    if not workload["explanation"]:
        return predict
    import shap

    masker = None
    if workload["background"]:
        rows = [list(record.values()) for record in workload["background"]]
        background = np.array(rows)
        masker = shap.maskers.Independent(background, max_samples=len(rows))
    explainer = shap.TreeExplainer(model, masker)

    def predict_and_explain() -> None:
        predict()
        explainer.shap_values(columns, check_additivity=False)

    return predict_and_explain


def measure_rate(call: Callable[[], Any], seconds: float) -> float:
    """Return the calls per second."""
    calls = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        call()
        calls += 1
    return calls / (time.perf_counter() - start)


if __name__ == "__main__":
    call = make_call(Path(sys.argv[1]))
    call()
    print("ready", flush=True)
    for line in sys.stdin:
        print(measure_rate(call, float(line)), flush=True)
