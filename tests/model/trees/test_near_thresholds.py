"""Any record whose values are thresholds, or right beside them, ends in the estimator's own leaf."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

from python.model.explain.paths import Paths
from python.model.trees import TreeModel
from tests.model.trees.trials import data, read

SMALL = {"n_jobs": 1, "random_state": 0}
PREDICTORS = {
    "tree": DecisionTreeRegressor(random_state=0),
    "extra trees": ExtraTreesRegressor(3, random_state=0),
    "histogram boosting": HistGradientBoostingRegressor(
        max_iter=4, random_state=0
    ),
    "LightGBM": LGBMRegressor(n_estimators=4, verbose=-1, **SMALL),
    "LightGBM, zero as missing": LGBMRegressor(
        n_estimators=4, verbose=-1, zero_as_missing=True, **SMALL
    ),
    "XGBoost": XGBRegressor(n_estimators=4, **SMALL),
    "XGBoost, another missing value": XGBRegressor(
        n_estimators=4, missing=0.1, **SMALL
    ),
}
LARGEST = float(np.finfo(np.float32).max)
STEPS = st.tuples(
    st.integers(0, 10_000),
    st.integers(-2, 2),
    st.sampled_from([np.float32, np.float64]),
)
ANYTHING = st.one_of(st.floats(-LARGEST, LARGEST), st.just(np.nan))


@cache
def fitted(name: str) -> tuple[Any, TreeModel]:
    X, y = data("regression", gaps=True)
    predictor = PREDICTORS[name].fit(X, y)
    return predictor, read(predictor)


@cache
def paths_of(name: str) -> Paths:
    _, model = fitted(name)
    paths = Paths.of(model, np.arange(model.n_features))
    assert paths is not None
    return paths


def step(value: float, steps: int, precision: Any) -> float:
    near = precision(value)
    for _ in range(abs(steps)):
        near = np.nextafter(near, precision(np.copysign(np.inf, steps)))
    return float(near)


def near_threshold(model: TreeModel, feature: int, place: Any) -> float:
    if not isinstance(place, tuple):
        return float(place)
    features, thresholds = model.splits
    values = thresholds[(features == feature) & np.isfinite(thresholds)]
    number, steps, precision = place
    return step(
        values[number % len(values)] if len(values) else 0.0, steps, precision
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", PREDICTORS)
@given(places=st.lists(st.one_of(STEPS, ANYTHING), min_size=5, max_size=5))
@settings(deadline=None, max_examples=150)
def test_near_thresholds_the_output_is_the_estimators(
    name: str, places: list[Any]
) -> None:
    predictor, model = fitted(name)
    record = [
        near_threshold(model, feature, place)
        for feature, place in enumerate(places)
    ]
    X = np.array([record])
    expected = predictor.predict(X)[0]
    assert model.raw_output(X)[0, 0] == expected
    # The paths compare in the library's precision, and add up in another order.
    paths = paths_of(name)
    by_paths = paths.predict(model.numbers(X))[0, 0]
    assert by_paths == pytest.approx(expected, rel=0, abs=paths.rounding)
