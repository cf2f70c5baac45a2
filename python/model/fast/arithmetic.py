"""Arithmetic: what scalers and imputers do to numbers, without the checks of each call.

A step that takes numbers is one function here, and one line in `ARITHMETIC`.
"""

from collections.abc import Callable

import numpy as np

from python.model.data.columns import is_missing
from python.model.fast.copy import Transform
from python.model.types import Matrix, Transformer


def unchanged(matrix: Matrix) -> Matrix:
    """Return the matrix itself."""
    return matrix


def compile_standard_scaler(scaler: Transformer) -> Transform:
    """Return what subtracts the means and divides by the standard deviations."""
    mean = scaler.mean_ if scaler.with_mean else 0.0
    if not scaler.with_std:
        return subtract(mean)
    return subtract_and_divide(mean, scaler.scale_)


def compile_robust_scaler(scaler: Transformer) -> Transform:
    """Return what subtracts the medians and divides by the ranges between quantiles."""
    center = scaler.center_ if scaler.with_centering else 0.0
    if not scaler.with_scaling:
        return subtract(center)
    return subtract_and_divide(center, scaler.scale_)


def subtract(subtrahend: Matrix | float) -> Transform:
    """Return what subtracts a number from each column, (n_columns,), or the same from all."""

    def transform(matrix: Matrix) -> Matrix:
        return matrix - subtrahend

    return transform


def subtract_and_divide(
    subtrahend: Matrix | float,
    divisor: Matrix,
) -> Transform:
    """Return what subtracts, and then divides each column by its number, (n_columns,)."""

    def transform(matrix: Matrix) -> Matrix:
        difference: Matrix = matrix - subtrahend
        return difference / divisor

    return transform


def compile_max_abs_scaler(scaler: Transformer) -> Transform | None:
    """Return what divides by the largest absolute values; None if the scaler clips as well."""
    if getattr(scaler, "clip", False):
        return None
    scale: Matrix = scaler.scale_

    def divide(matrix: Matrix) -> Matrix:
        return matrix / scale

    return divide


def compile_min_max_scaler(scaler: Transformer) -> Transform | None:
    """Return what maps the fitted range to another; None if the scaler clips as well."""
    if scaler.clip:
        return None
    scale: Matrix = scaler.scale_
    offset: Matrix = scaler.min_

    def multiply_and_add(matrix: Matrix) -> Matrix:
        return matrix * scale + offset

    return multiply_and_add


def compile_simple_imputer(imputer: Transformer) -> Transform | None:
    """Return what replaces NaN; None if something else is missing, or columns are added."""
    if imputer.indicator_ is not None or not is_missing(
        imputer.missing_values
    ):
        return None
    statistics = imputer.statistics_

    def impute(matrix: Matrix) -> Matrix:
        return np.where(np.isnan(matrix), statistics, matrix)

    return impute


ARITHMETIC: dict[str, Callable[[Transformer], Transform | None]] = {
    "StandardScaler": compile_standard_scaler,
    "RobustScaler": compile_robust_scaler,
    "MaxAbsScaler": compile_max_abs_scaler,
    "MinMaxScaler": compile_min_max_scaler,
    "SimpleImputer": compile_simple_imputer,
}
"""How to compile scikit-learn's steps, by the names of their classes.

The operations are in scikit-learn's order, so that every bit of the result is the same.
None stands for settings that are not compiled: the step's own `transform` is then called.
"""
