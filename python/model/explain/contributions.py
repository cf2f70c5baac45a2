"""Contributions: the SHAP values that LightGBM, XGBoost and CatBoost compute themselves."""

from collections.abc import Callable
from typing import Any

import numpy as np

from python.model.explain.attribution import Attribute, Attribution


def own_contributions(predictor: Any) -> Attribute | None:
    """What LightGBM, XGBoost and CatBoost compute themselves, categories and missing values included.

    Lundberg, Erion and Lee 2018, arXiv:1802.03888.
    """
    contribute = next(
        (
            get(predictor)
            for known, get in CONTRIBUTIONS.items()
            if hasattr(predictor, known)
        ),
        None,
    )
    if contribute is None:
        return None

    def way(columns: Any) -> Attribution:
        width = columns.shape[1] + 1
        shares = np.asarray(contribute(columns), dtype=float)
        if shares.ndim == 2 and shares.shape[1] == width:
            return Attribution(shares[:, :-1], shares[0, -1])
        shares = shares.reshape(len(columns), -1, width)
        if shares.shape[1] == 2:  # two margins, whose difference is the log-odds
            shares = shares[:, 1:] - shares[:, :1]
            return Attribution(shares[:, 0, :-1], shares[0, 0, -1])
        return Attribution(np.moveaxis(shares[:, :, :-1], 1, 2), shares[0, :, -1])

    return way


def _lightgbm(model: Any) -> Callable[[Any], Any]:
    return lambda columns: model.predict(columns, pred_contrib=True)


def _xgboost(model: Any) -> Callable[[Any], Any]:
    from xgboost import DMatrix

    rounds = (0, getattr(model, "best_iteration", -1) + 1)  # (0, 0) is all of them

    def contribute(columns: Any) -> Any:
        matrix = DMatrix(
            columns, missing=model.missing, enable_categorical=True, nthread=1
        )
        return model.get_booster().predict(
            matrix, pred_contribs=True, iteration_range=rounds
        )

    return contribute


def _catboost(model: Any) -> Callable[[Any], Any]:
    from catboost import Pool

    categorical = model.get_cat_feature_indices()

    def contribute(columns: Any) -> Any:
        return model.get_feature_importance(
            Pool(columns, cat_features=categorical), type="ShapValues", thread_count=1
        )

    return contribute


CONTRIBUTIONS: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "booster_": _lightgbm,
    "get_booster": _xgboost,
    "get_cat_feature_indices": _catboost,
}
