"""Contributions: the SHAP values that LightGBM, XGBoost and CatBoost compute themselves."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from python.model.data.columns import to_dense
from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.types import Columns, Estimator, Matrix

Compute: TypeAlias = Callable[[Columns], ArrayLike]
"""From columns to the contributions of a booster, as its library returns them."""


def make_contributions(predictor: Estimator) -> Attribute | None:
    """Return what explains the margin of a booster by its own library; None for other models.

    Categories, missing values and sparse matrices are taken as the booster takes them.
    The values are path-dependent (Lundberg, Erion and Lee 2018, arXiv:1802.03888).
    """
    compute = _find_library(predictor)
    if compute is None:
        return None

    def attribute(columns: Columns) -> Attribution:
        contributions = np.asarray(compute(columns), dtype=float)
        n_columns = columns.shape[1]
        return _split_base_value(contributions, n_columns)

    return attribute


def _find_library(predictor: Estimator) -> Compute | None:
    # These are more models than those whose trees can be read.
    if hasattr(predictor, "booster_"):
        return partial(_compute_by_lightgbm, predictor)
    if hasattr(predictor, "get_booster"):
        return partial(_compute_by_xgboost, predictor)
    if hasattr(predictor, "get_cat_feature_indices"):
        return partial(_compute_by_catboost, predictor)
    return None


def _compute_by_lightgbm(predictor: Estimator, columns: Columns) -> ArrayLike:
    # Of a sparse matrix it would return sparse ones.
    dense = to_dense(columns)
    contributions: ArrayLike = predictor.predict(dense, pred_contrib=True)
    return contributions


def _compute_by_xgboost(predictor: Estimator, columns: Columns) -> ArrayLike:
    from xgboost import DMatrix

    matrix = DMatrix(
        columns,
        missing=predictor.missing,
        enable_categorical=True,
        nthread=1,
    )
    booster = predictor.get_booster()
    # Without a best iteration the range is (0, 0), which means all of them.
    last_iteration = getattr(predictor, "best_iteration", -1)
    contributions: ArrayLike = booster.predict(
        matrix,
        pred_contribs=True,
        iteration_range=(0, last_iteration + 1),
    )
    return contributions


def _compute_by_catboost(predictor: Estimator, columns: Columns) -> ArrayLike:
    from catboost import Pool

    categories = predictor.get_cat_feature_indices()
    pool = Pool(to_dense(columns), cat_features=categories)
    contributions: ArrayLike = predictor.get_feature_importance(
        pool,
        type="ShapValues",
        thread_count=1,
    )
    return contributions


def _split_base_value(contributions: Matrix, n_columns: int) -> Attribution:
    """Return contributions as an attribution: the last one of each output is its base value.

    XGBoost and CatBoost return (n_records, n_outputs, n_columns + 1), LightGBM the same with the
    outputs side by side, and all of them (n_records, n_columns + 1) for one output.
    """
    n_records = len(contributions)
    by_output = contributions.reshape(n_records, -1, n_columns + 1)
    if by_output.shape[1] == 2:
        first = by_output[:, :1]
        second = by_output[:, 1:]
        # The difference of two margins is the log-odds of the second class.
        by_output = second - first
    of_columns = by_output[:, :, :-1]
    values = np.moveaxis(of_columns, 1, 2)
    base_values = by_output[0, :, -1]
    return drop_single_output(values, base_values)
