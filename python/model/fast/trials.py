"""Trials: records that a copy and its estimator are both asked: if answers differ, then on these."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.features import Category
from python.model.data.schema import Schema
from python.model.fast.transformers import MATRIX_LIMIT, Matrix

CHUNK = 4096
PROBES = 256
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e-3, 1e-9, 10.0, -100.0, 1e4, 1e6)
EXTREMES = (1.7e308, -1.7e308)
SUMS, LARGE = 256, 1e9


def critical_rows(predictor: Any, choose: np.random.Generator) -> Iterator[Matrix]:
    """Rows on which the predictor decides, some thousands at a time, (n_rows, n_features).

    Of trees each threshold, and the floats right below and right above, in the precision in which they compare: float32, or
    float64 for histogram boosting. Of a linear model such that its sums take all values between what saturates a link, also
    as what is left of large terms: only sums in the estimator's own order leave the same.
    """
    if hasattr(predictor, "coef_"):
        coefficients = np.atleast_2d(np.asarray(predictor.coef_, dtype=float))
        n_rows = min(SUMS, rows_at_once(2 * coefficients.size))
        sums = choose.normal(size=(n_rows, len(coefficients))) * choose.choice(
            [0.1, 1.0, 10.0], size=(n_rows, 1)
        )
        inverse = np.linalg.pinv(coefficients).T
        rows, aside = (
            (sums - predictor.intercept_) @ inverse,
            choose.normal(size=(n_rows, coefficients.shape[1])) * LARGE,
        )
        yield np.concatenate([rows, rows + aside - (aside @ coefficients.T) @ inverse])
        return
    features, thresholds, precision = _splits(predictor)
    columns = []
    for feature in range(predictor.n_features_in_):
        values = np.unique(thresholds[(features == feature) & np.isfinite(thresholds)])
        near = values.astype(precision)
        below, above = (
            np.nextafter(near, precision(end)).astype(float)
            for end in (-np.inf, np.inf)
        )
        columns.append(
            choose.permutation(np.concatenate([values, below, above]))
            if len(values)
            else np.zeros(1)
        )
    longest, step = max(map(len, columns)), min(CHUNK, rows_at_once(len(columns)))
    for start in range(0, longest, step):
        places = np.arange(start, min(start + step, longest))
        yield np.stack([column.take(places, mode="wrap") for column in columns], axis=1)


def rows_at_once(width: int) -> int:
    """How many rows of so many columns, and columns made of them, are worked on at a time."""
    return max(1, MATRIX_LIMIT // width)


def _splits(predictor: Any) -> tuple[NDArray[Any], NDArray[Any], Any]:
    if hasattr(predictor, "_predictors"):
        nodes = np.concatenate(
            [tree.nodes for trees in predictor._predictors for tree in trees]
        )
        nodes = nodes[nodes["is_leaf"] == 0]
        return nodes["feature_idx"], nodes["num_threshold"], np.float64
    trees = [
        part.tree_ for part in np.ravel(getattr(predictor, "estimators_", predictor))
    ]
    inner = [tree.feature >= 0 for tree in trees]
    features = np.concatenate(
        [tree.feature[keep] for tree, keep in zip(trees, inner, strict=True)]
    )
    return (
        features,
        np.concatenate(
            [tree.threshold[keep] for tree, keep in zip(trees, inner, strict=True)]
        ),
        np.float32,
    )


def made_up_codes(schema: Schema, choose: np.random.Generator) -> Matrix:
    """Coded records with numbers of all sizes, categories, up to 4,096 of a feature, and gaps where one may be missing.

    Every other record has one number that is too large for most steps, alone, since it keeps the rest from being tried.
    """
    longest = max(
        (
            len(feature.categories)
            for feature in schema.features
            if isinstance(feature, Category)
        ),
        default=0,
    )
    most = min(max(PROBES, longest), CHUNK)
    columns = []
    for feature in schema.features:
        if isinstance(feature, Category):
            column = np.resize(
                np.arange(len(feature.categories), dtype=float)[::-1], most
            )  # never without a stranger
            gap = -1.0
        else:
            column = np.concatenate(
                [
                    np.resize(NUMBERS, most // 2),
                    choose.normal(size=most - most // 2)
                    * 10.0 ** choose.integers(-3, 5),
                ]
            )
            gap = np.nan
        may = feature.accepts_missing and feature.default is None
        columns.append(
            np.where(
                choose.random(most) < 0.1 * bool(may), gap, choose.permutation(column)
            )
        )
    records = np.stack(columns, axis=1)
    numbers = [
        place
        for place, feature in enumerate(schema.features)
        if not isinstance(feature, Category)
    ]
    if numbers:
        every_other = np.arange(0, most, 2)
        records[every_other, np.resize(numbers, len(every_other))] = choose.choice(
            EXTREMES, len(every_other)
        )
    return records
