"""Values of a model three ways: by the service, by shap, and by brute force."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shap
from scipy.sparse import issparse

from benchmarks.shap_compared.models import Fitted
from python.model.explain.origins import sum_by_feature
from python.model.types import Columns, Estimator, Matrix
from tests.model.explain.tree_models import raw_output
from tests.model.explain.truth import brute_force, load, weigh, worths_by_cover
from tests.records import explain


class Values(NamedTuple):
    """Values of some records, (n_records, n_features, n_outputs), and what they add up to."""

    values: Matrix
    sums: Matrix


def by_service(
    fitted: Fitted, rows: pd.DataFrame, background: pd.DataFrame | None
) -> tuple[Values, str]:
    """Return what the service responds, and which output it explains."""
    loaded = load(fitted.estimator, fitted.data)
    explanation = explain(loaded, rows, background)
    values = explanation.values.reshape(*rows.shape, -1)
    sums = explanation.base_value + values.sum(axis=1)
    return Values(values, sums), explanation.output


def by_shap(
    fitted: Fitted,
    rows: pd.DataFrame,
    background: pd.DataFrame | None,
    output: str,
) -> Values:
    """Return the values of shap's TreeExplainer, those of a feature's columns added up.

    It explains the last step of a pipeline, on what the steps before it return.
    """
    predictor = fitted.steps.predictor
    options: dict[str, Any] = {}
    is_sum = fitted.trees.kind not in ("tree", "forest")
    if background is not None:
        seen = columns_for_shap(fitted, background, is_dense=True)
        options["data"] = shap.maskers.Independent(seen, max_samples=len(seen))
    if output == "probability" and is_sum:
        options["model_output"] = "probability"
    explainer = shap.TreeExplainer(predictor, **options)
    columns = columns_for_shap(fitted, rows, is_dense=background is not None)
    by_column = explainer.shap_values(columns, check_additivity=False)
    by_column = np.asarray(by_column, dtype=float)
    by_column = by_column.reshape(*columns.shape, -1)
    base = np.ravel(np.asarray(explainer.expected_value, dtype=float))
    if by_column.shape[2] == 2:
        by_column = by_column[:, :, 1:]
        base = base[1:]
    values = sum_by_feature(by_column, fitted.origins, rows.shape[1])
    return Values(values, base + values.sum(axis=1))


def columns_for_shap(
    fitted: Fitted, rows: pd.DataFrame, *, is_dense: bool
) -> Columns:
    """Return what the predictor takes.

    A sparse matrix is made dense where that is said, and for all libraries but XGBoost: shap
    takes no sparse matrix there, and to them an absent entry is a zero like any other.
    """
    columns = fitted.steps.transform_sparse(rows)
    trees = fitted.trees
    if issparse(columns) and (is_dense or trees.library != "XGBoost"):
        columns = columns.toarray()
    if fitted.is_cast and trees.precision is np.float32:
        columns = columns.astype(np.float32)
    return columns


def output_function(
    estimator: Estimator, output: str
) -> Callable[[pd.DataFrame], Matrix]:
    """Return what computes an output of the estimator, (n_rows,) or (n_rows, n_outputs)."""
    if output == "probability":
        return partial(probabilities, estimator)
    if output == "prediction":
        return partial(predictions, estimator)
    return raw_output(estimator)


def predictions(estimator: Estimator, rows: pd.DataFrame) -> Matrix:
    """Return the numbers that a regressor predicts, in its own precision."""
    numbers: Matrix = estimator.predict(rows)
    return numbers


def probabilities(estimator: Estimator, rows: pd.DataFrame) -> Matrix:
    """Return the probabilities of all classes, of two only the second one's."""
    of_classes: Matrix = estimator.predict_proba(rows)
    return of_classes[:, 1] if of_classes.shape[1] == 2 else of_classes


def by_brute_force(
    function: Callable[[pd.DataFrame], Matrix],
    rows: pd.DataFrame,
    background: pd.DataFrame,
) -> Matrix:
    """Return Shapley values against a background, (n_records, n_features, n_outputs)."""
    values = [
        brute_force(function, rows.iloc[row : row + 1], background)
        for row in range(len(rows))
    ]
    return np.stack(values)


def by_splits(fitted: Fitted, rows: pd.DataFrame) -> Matrix:
    """Return Shapley values without a background, (n_records, n_features, n_outputs)."""
    n_features = rows.shape[1]
    trees = fitted.trees
    values = []
    for record in trees.numbers(fitted.steps.transform_sparse(rows)):
        worths = worths_by_cover(trees, fitted.origins, record, n_features)
        values.append(weigh(worths, n_features))
    return np.stack(values)
