"""Write the tables of docs/explanations.md: what explains which model, how exactly and in what time."""

import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import shap
from lightgbm import LGBMClassifier
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from python.app import create_app
from python.errors import Unprocessable
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.matrix import Cell, asked, cells, error, fitted
from tests.records import explain, of_data

DOCS = Path(__file__).parent.parent / "docs"
ROUNDS = 7
HEAD = """| Estimator | Task | `_samples` | Method | Worst error | Milliseconds |
| --- | --- | --- | --- | --- | --- |
"""
COSTS_HEAD = """| Model | Request, ms | Explained, ms | Explainer made once, ms | Made for each call, ms | Ratio |
| --- | --- | --- | --- | --- | --- |
"""


def milliseconds(*calls: Callable[[], Any], rounds: int = ROUNDS) -> list[float]:
    """The median time of each call, all of them taken in turn."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds + 1):
        for call, took in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            took.append(time.perf_counter() - start)
    return [median(took[1:]) * 1e3 for took in times]


def measured(cell: Cell) -> tuple[str, float, float] | None:
    """The output explained, the error and the time of a cell; None for a model that needs a background and has none."""
    model, explain_cell = asked(cell)
    try:
        explanation = explain_cell()
    except Unprocessable:
        return None
    frame = fitted(cell.estimator, cell.task, cell.data)[1]
    background = frame.iloc[20:35] if cell.mode == "_samples" else None
    samples = None if background is None else of_data(model.schema, background)
    method = model.explanation_method(samples)
    (took,) = milliseconds(lambda: explain(model, frame.head(1), background))
    return f"{method}, {explanation.output}", error(cell, explanation), took


def table() -> str:
    """A row for each estimator, task and mode, the worst over all data."""
    found: dict[tuple[str, str, str, str], list[tuple[float, float]]] = defaultdict(
        list
    )
    for cell in cells():
        if cell.mode != "alone" and (result := measured(cell)):
            method, wrong, took = result
            found[
                cell.estimator,
                cell.task,
                "yes" if cell.mode == "_samples" else "no",
                method,
            ].append((wrong, took))
    lines = []
    for key, results in found.items():
        wrong, took = (
            max(result[0] for result in results),
            median(result[1] for result in results),
        )
        lines.append(f"| {' | '.join(key)} | {wrong:.0e} | {took:.1f} |")
    return "\n".join(lines)


def explain_anew(estimator: Any, row: Any) -> Any:
    """What a service that makes an explainer for each request does."""
    return shap.TreeExplainer(estimator).shap_values(row, check_additivity=False)


def costs() -> str:
    """What an explanation costs a request, beside shap called in process."""
    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    features = [{"name": name, "type": "numeric"} for name in data]
    lines = []
    for name, estimator in (
        (
            "random forest, 100 trees of depth 10",
            RandomForestClassifier(100, max_depth=10, random_state=0),
        ),
        ("LightGBM, 500 trees", LGBMClassifier(n_estimators=500, verbose=-1, n_jobs=1)),
    ):
        model = SklearnModel.load(
            Artifact.of(
                {
                    "model": estimator.fit(data, target),
                    "metadata": {"features": features},
                }
            )
        )
        client = create_app(Settings(), model).test_client()
        record, row = data.iloc[0].to_dict(), data.head(1)
        explainer = shap.TreeExplainer(estimator)
        calls = (
            partial(client.post, "/predict?proba=1", json=record),
            partial(client.post, "/predict?proba=1&explain=1", json=record),
            partial(explainer.shap_values, row, check_additivity=False),
            partial(explain_anew, estimator, row),
        )
        plain, explained, cached, built = milliseconds(*calls, rounds=101)
        bound = explained / (plain + 1.5 * cached)
        lines.append(
            f"| {name} | {plain:.2f} | {explained:.2f} | {cached:.2f} | {built:.1f} | {bound:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    (DOCS / "explanations-matrix.md").write_text(HEAD + table() + "\n")
    (DOCS / "explanations-costs.md").write_text(COSTS_HEAD + costs() + "\n")
