"""Arithmetic is the step's own to the bit, or left to the step."""

from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from python.model.fast.arithmetic import ARITHMETIC
from tests.models import numbers

COMPILED = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    StandardScaler(with_mean=False, with_std=False),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    MaxAbsScaler(),
    MinMaxScaler(feature_range=(-1, 3)),
    SimpleImputer(strategy="median"),
]
LEFT_TO_THE_STEP = [
    MinMaxScaler(clip=True),
    SimpleImputer(add_indicator=True),
    SimpleImputer(missing_values=0.5),
]


def compile_fitted(step: Any, matrix: Any) -> Any:
    return ARITHMETIC[type(step).__name__](step.fit(matrix))


@pytest.mark.parametrize("step", COMPILED, ids=repr)
def test_arithmetic_is_equal_to_the_bit(step: Any) -> None:
    matrix = numbers(missing=True).to_numpy() * 1e3
    transform = compile_fitted(step, matrix)
    np.testing.assert_array_equal(transform(matrix), step.transform(matrix))


@pytest.mark.parametrize("step", LEFT_TO_THE_STEP, ids=repr)
def test_settings_without_arithmetic_are_left_to_the_step(step: Any) -> None:
    assert compile_fitted(step, np.nan_to_num(numbers(missing=True))) is None
