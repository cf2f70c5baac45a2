"""The closed form of SHAP values for linear models."""

import numpy as np

from python.model.data.columns import to_array
from python.model.explain.attribution import (
    DOUBLE,
    SUM_PLACES,
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.types import Columns, Estimator, Matrix


def make_linear(predictor: Estimator, mean: Matrix) -> Attribute | None:
    """Return what explains the margin of a linear model; None for other models.

    `mean` is that of the background's columns, as the predictor takes them, (n_columns,).
    A value is the coefficient times the distance from it, as if the features were independent
    (Strumbelj and Kononenko 2014, doi:10.1007/s10115-013-0679-x).
    """
    if not is_linear(predictor):
        return None
    fitted = np.asarray(predictor.coef_, dtype=float)
    coefficients = np.atleast_2d(fitted)
    intercepts = np.ravel(predictor.intercept_)
    base_values = intercepts + coefficients @ mean
    base_sizes = np.abs(intercepts) + np.abs(coefficients) @ np.abs(mean)

    def attribute(columns: Columns) -> Attribution:
        numbers = to_array(columns).astype(float)
        distance = numbers - mean
        values = distance[:, :, None] * coefficients.T
        # The predictor adds up products that may be much larger than their distances, and the
        # values of a record near 0 those of a background that is not.
        sizes = np.abs(numbers) @ np.abs(coefficients.T) + base_sizes
        if len(base_values) == 1:
            sizes = sizes[:, 0]
        attribution = drop_single_output(values, base_values)
        return attribution._replace(rounding=SUM_PLACES * DOUBLE * sizes)

    return attribute


def is_linear(predictor: Estimator) -> bool:
    """Return whether it has coefficients; whether its output is linear only a sum can show."""
    return hasattr(predictor, "coef_") and hasattr(predictor, "intercept_")
