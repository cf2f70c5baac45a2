"""Write the tables of docs/explanations.md: which method explains which model, and how well."""

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
from tests.matrix import Cell, cells
from tests.records import explain, of_data

DOCS = Path(__file__).parent.parent / "docs"
ROUNDS = 7
HEAD = """| Estimator | Task | Background | Method | Worst error | Milliseconds |
| --- | --- | --- | --- | --- | --- |
"""
BACKGROUNDS = {"alone": "none", "samples": "file", "_samples": "request"}
COSTS_HEAD = """| Model | Request, ms | Explained, ms | Explainer made once, ms | Made for each call, ms | Ratio |
| --- | --- | --- | --- | --- | --- |
"""


def milliseconds(
    *calls: Callable[[], Any], rounds: int = ROUNDS
) -> list[float]:
    """The median time of each call, all of them taken in turn."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds + 1):
        for call, of_call in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            of_call.append(time.perf_counter() - start)
    return [median(of_call[1:]) * 1e3 for of_call in times]


def measure(cell: Cell) -> tuple[str, float, float] | None:
    """The method and the output, the error and the time of a cell.

    None for a model that needs a background and has none.
    """
    model = cell.model
    try:
        explanation = cell.explain()
    except Unprocessable:
        return None
    background = cell.background
    samples = None if background is None else of_data(model.schema, background)
    method = model.explanation_method(samples)
    row = cell.frame.head(1)
    (time_ms,) = milliseconds(partial(explain, model, row, background))
    return f"{method}, {explanation.output}", cell.error(explanation), time_ms


def name_background(cell: Cell) -> str:
    """Where the background comes from; if only some data need none, which these are."""
    background = BACKGROUNDS[cell.mode]
    if cell.mode != "alone":
        return background
    needs_none: dict[str, bool] = {}
    for other in cells():
        kind = (other.estimator, other.task, other.mode)
        if kind == (cell.estimator, cell.task, cell.mode):
            needs_none[other.data] = other.model.offers_explanations
    if all(needs_none.values()):
        return background
    explained = [data for data, alone in needs_none.items() if alone]
    return f"{background}, {' and '.join(explained)}"


def table() -> str:
    """A row for each estimator, task and background, the worst over all data."""
    results: dict[tuple[str, ...], list[tuple[float, float]]] = defaultdict(
        list
    )
    for cell in cells():
        result = measure(cell)
        if result is None:
            continue
        method, error, time_ms = result
        key = (cell.estimator, cell.task, name_background(cell), method)
        results[key].append((error, time_ms))
    lines = []
    for cells_of_row, measurements in results.items():
        error = max(error for error, _ in measurements)
        time_ms = median(time_ms for _, time_ms in measurements)
        lines.append(
            f"| {' | '.join(cells_of_row)} | {error:.0e} | {time_ms:.1f} |"
        )
    return "\n".join(lines)


def explain_anew(estimator: Any, row: Any) -> Any:
    """What a service that makes an explainer for each request does."""
    return shap.TreeExplainer(estimator).shap_values(
        row, check_additivity=False
    )


def costs() -> str:
    """What an explanation costs a request, beside shap called in process."""
    forest = RandomForestClassifier(100, max_depth=10, random_state=0)
    boosting = LGBMClassifier(n_estimators=500, verbose=-1, n_jobs=1)
    return "\n".join(
        [
            cost("random forest, 100 trees of depth 10", forest),
            cost("LightGBM, 500 trees", boosting),
        ]
    )


def cost(name: str, estimator: Any) -> str:
    """The row of an estimator."""
    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    features = [{"name": feature, "type": "numeric"} for feature in data]
    content = {
        "model": estimator.fit(data, target),
        "metadata": {"features": features},
    }
    model = SklearnModel.load(Artifact.of(content))
    model.speed_up()
    client = create_app(Settings(), model).test_client()
    record = data.iloc[0].to_dict()
    row = data.head(1)
    explainer = shap.TreeExplainer(estimator)
    calls = (
        partial(client.post, "/predict?proba=1", json=record),
        partial(client.post, "/predict?proba=1&explain=1", json=record),
        partial(explainer.shap_values, row, check_additivity=False),
        partial(explain_anew, estimator, row),
    )
    plain, explained, made_once, made_anew = milliseconds(*calls, rounds=101)
    ratio = explained / (plain + 1.5 * made_once)
    return (
        f"| {name} | {plain:.2f} | {explained:.2f} | {made_once:.2f} "
        f"| {made_anew:.1f} | {ratio:.2f} |"
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    (DOCS / "explanations-matrix.md").write_text(HEAD + table() + "\n")
    (DOCS / "explanations-costs.md").write_text(COSTS_HEAD + costs() + "\n")
