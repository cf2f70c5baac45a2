"""The three examples of docs/shap-compared.md, each with the numbers of single records."""

import numpy as np
import pandas as pd
import shap
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

from benchmarks.shap_compared.models import (
    Fitted,
    decimals,
    encode_colours,
    ids,
    make_regressor,
    numbers,
    regression,
    seconds,
)
from benchmarks.shap_compared.table import BACKGROUND, EXPLAINED, worst
from benchmarks.shap_compared.values import (
    Values,
    by_brute_force,
    by_service,
    by_shap,
)
from python.model.types import Matrix
from tests.model.explain.tree_models import score, table

TREE_HEAD = """| | `member` | `rate` | Base value | Sum |
| --- | --- | --- | --- | --- |"""
PRESSURE_HEAD = "\n".join(
    [
        "| Model | Predicted | Service: sum | shap: sum "
        "| Feature | Brute force | Service | shap |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
)
ROUNDING_HEAD = """| Data | Model | To the nearest, as shap does | Rounded down |
| --- | --- | --- | --- |"""
PRICES_HEAD = """| | Base value plus sum |
| --- | --- |"""


def of_a_tree() -> str:
    """Return the table of the values of one record against another, in a tree of two splits."""
    data = pd.DataFrame(
        {
            "member": [0.0, 0, 1, 1, 1, 1],
            "rate": [0.1, 0.2, 0.1, 0.1, 0.2, 0.2],
        }
    )
    tree = DecisionTreeRegressor(random_state=0)
    tree.fit(data, [3.0, 3, 0, 0, 10, 10])
    fitted = Fitted("", "", tree, data)
    record = pd.DataFrame({"member": [1.0], "rate": [0.1]})
    background = pd.DataFrame({"member": [0.0], "rate": [0.15]})
    truth = by_brute_force(tree.predict, record, background)
    base = tree.predict(background)
    expected = Values(truth, base + truth.sum(axis=1))
    service, output = by_service(fitted, record, background)
    with_shap = by_shap(fitted, record, background, output)
    lines = [TREE_HEAD]
    for name, values in (
        ("brute force", expected),
        ("the service", service),
        ("shap", with_shap),
    ):
        member, rate = values.values[0, :, 0]
        total = values.sums[0, 0]
        start = total - member - rate
        lines.append(
            f"| {name} | {member:.3g} | {rate:.3g} | {start:.3g} | {total:.3g} |"
        )
    return "\n".join(lines)


def of_a_pressure() -> str:
    """Return a table with a line for each model of a pressure.

    It shows the record whose sum by shap is the worst.
    """
    data = table()
    target = 101_325 + score(data)
    background = data[BACKGROUND]
    lines = [PRESSURE_HEAD]
    for name in ("tree", "forest", "histogram boosting", "LightGBM"):
        model = make_regressor(name).fit(data, target)
        fitted = Fitted("", name, model, data)
        service, output = by_service(fitted, data, background)
        with_shap = by_shap(fitted, data, background, output)
        truth = by_brute_force(model.predict, data, background)
        predicted = model.predict(data)
        row = int(np.abs(with_shap.sums[:, 0] - predicted).argmax())
        sums = [predicted[row], service.sums[row, 0], with_shap.sums[row, 0]]
        cells = [f"{number:,.2f}" for number in sums]
        gaps = np.abs(with_shap.values[row] - truth[row])
        feature = int(gaps[:, 0].argmax())
        cells.append(f"`{data.columns[feature]}`")
        for values in (truth, service.values, with_shap.values):
            cells.append(f"{values[row, feature, 0]:.2f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    spread = np.ptp(target)
    lines.append(f"\nThe spread of the signal is {spread:.1f}.")
    return "\n".join(lines)


def of_rounding() -> str:
    """Return a table of shap's differences before and after its thresholds are rounded down."""
    lines = [ROUNDING_HEAD]
    for data_name, make in (
        ("one decimal", decimals),
        ("Unix seconds", seconds),
        ("ids above `2**24`", ids),
    ):
        for name in ("tree", "forest", "boosting"):
            fitted = regression(data_name, name, numbers(make))
            before, after = differences_of_rounding(fitted)
            lines.append(
                f"| {data_name} | {name} | {before:.0e} | {after:.0e} |"
            )
    return "\n".join(lines)


def differences_of_rounding(fitted: Fitted) -> tuple[float, float]:
    """Return the worst differences, relative to the spread: to the nearest, and rounded down."""
    data = fitted.data.astype(np.float32)
    rows = data[EXPLAINED]
    predict = fitted.estimator.predict
    truth = by_brute_force(predict, rows, data[BACKGROUND])[:, :, 0]
    explainer = shap.TreeExplainer(fitted.estimator, data[BACKGROUND])
    spread = float(np.ptp(predict(fitted.data)))
    differences = []
    for thresholds in (
        explainer.model.thresholds,
        round_down(explainer.model.thresholds),
    ):
        explainer.model.thresholds = thresholds
        values = explainer.shap_values(rows, check_additivity=False)
        differences.append(worst(values, truth) / spread)
    before, after = differences
    return before, after


def round_down(thresholds: Matrix) -> Matrix:
    """Return the largest float32 up to each threshold, as float64."""
    nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    rounded = np.where(nearest > thresholds, below, nearest)
    return rounded.astype(np.float64)


def of_prices() -> str:
    """Return a table with a line for each form in which shap takes encoded columns."""
    data = table(colours=True)
    regressor = XGBRegressor(n_estimators=30, max_depth=4, n_jobs=1)
    model = make_pipeline(encode_colours(), regressor)
    model.fit(data, 250_000 + 20_000 * score(data))
    fitted = Fitted("", "", model, data)
    predicted = model.predict(data)
    service = by_service(fitted, data, None)[0].sums[:, 0]
    explainer = shap.TreeExplainer(regressor)
    matrix = fitted.steps.transform_sparse(data)
    sparse = explainer.shap_values(matrix).sum(axis=1)
    dense = explainer.shap_values(matrix.toarray()).sum(axis=1)
    base = float(explainer.expected_value)
    row = int(np.abs(base + dense - predicted).argmax())
    lines = [PRICES_HEAD]
    for name, total in (
        ("the model predicts", predicted),
        ("the service", service),
        ("shap, of the sparse matrix", base + sparse),
        ("shap, of the same matrix made dense", base + dense),
    ):
        lines.append(f"| {name} | {total[row]:,.0f} |")
    return "\n".join(lines)
