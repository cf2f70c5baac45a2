"""Rows beside thresholds are where copies differ, if they do, and there are not too many."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)

from python.model.fast.transformers import MATRIX_LIMIT_NUMBERS
from python.model.fast.trials import critical_rows
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import (
    assert_equal,
    rows_near_decisions,
    sped_up,
)
from tests.models import numbers


@pytest.fixture(scope="module")
def forest() -> SklearnModel:
    return sped_up(RandomForestClassifier(10, random_state=0), numbers(), 3)


@pytest.fixture(scope="module")
def histogram() -> SklearnModel:
    return sped_up(
        HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=3),
        numbers(missing=True),
        2,
    )


def near_thresholds(estimator: Any) -> st.SearchStrategy[float]:
    rows = rows_near_decisions(estimator, np.random.default_rng(0))
    near = st.sampled_from(sorted(set(rows.ravel().tolist())))
    return (
        near
        | st.builds(
            lambda x, steps: float(x + steps * np.spacing(x)),
            near,
            st.integers(-3, 3),
        )
        | st.floats(-1e30, 1e30)
    )


@pytest.mark.slow
@given(data=st.data())
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_any_number_near_a_threshold_of_a_forest_falls_on_the_same_side(
    forest: SklearnModel, data: st.DataObject
) -> None:
    row = data.draw(
        st.lists(near_thresholds(forest.estimator), min_size=3, max_size=3)
    )
    assert_equal(forest, np.array([row]), exact=True)


@pytest.mark.slow
@given(data=st.data())
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_any_number_or_gap_near_a_threshold_of_histogram_boosting_falls_on_the_same_side(
    histogram: SklearnModel, data: st.DataObject
) -> None:
    row = data.draw(
        st.lists(
            near_thresholds(histogram.estimator) | st.just(np.nan),
            min_size=3,
            max_size=3,
        )
    )
    assert_equal(histogram, np.array([row]))


def test_rows_for_a_linear_model_of_many_classes_are_bounded() -> None:
    coefficients = np.random.default_rng(0).normal(size=(100, 5_000))
    linear = SimpleNamespace(coef_=coefficients, intercept_=np.zeros(100))
    rows = next(critical_rows(linear, None, np.random.default_rng(0)))
    assert 2 <= len(rows) <= MATRIX_LIMIT_NUMBERS / coefficients.size
