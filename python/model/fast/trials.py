"""Trials: rows on which a copy and its estimator are compared, since there they would differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from python.model.data.features import Feature
from python.model.data.kinds import (
    MISSING_POSITION,
    Boolean,
    Category,
    Integer,
    Numeric,
)
from python.model.data.schema import Schema
from python.model.fast.transformers import MATRIX_LIMIT_NUMBERS
from python.model.trees import Tree, TreeModel
from python.model.types import Estimator, Matrix

MAX_ROWS = 4096
MADE_UP_ROWS = 256
MISSING_SHARE = 0.1
NUMBERS = (0.0, 1.0, -1.0, 0.5, 1e-3, 1e-9, 10.0, -100.0, 1e4, 1e6)
EXTREMES = (1.7e308, -1.7e308)

# A forest of a million nodes takes a third of a second for so many rows. That each of its nodes is
# the estimator's own has been seen before.
TREE_ROWS = 512
HALF = 0.5
LINEAR_ROWS = 256
MARGIN_SCALES = (0.1, 1.0, 10.0)
LARGE_TERM = 1e9


def rows_at_once(width: int) -> int:
    """Return how many rows of so many columns are worked on at a time, within 32 MiB."""
    return max(1, MATRIX_LIMIT_NUMBERS // width)


def critical_rows(
    predictor: Estimator,
    trees: TreeModel | None,
    choose: np.random.Generator,
) -> Iterator[Matrix]:
    """Yield rows that are close to where the predictor decides, (n_rows, n_columns) at a time.

    Raises ValueError for a predictor that is neither linear nor made of trees.
    """
    if hasattr(predictor, "coef_"):
        yield rows_near_margins(predictor, choose)
    elif trees is not None:
        near = rows_near_thresholds(trees, choose)
        yield near
        yield rows_along_paths(trees, near, choose)
    else:
        raise ValueError("it is neither linear nor made of trees")


def rows_near_margins(
    predictor: Estimator,
    choose: np.random.Generator,
) -> Matrix:
    """Return rows for which the margins of a linear model take the values where its link bends.

    In the second half of the rows, large terms that cancel out are added to those of the first.
    What is left of them is the same only if they are added up in the estimator's own order.
    """
    fitted = np.asarray(predictor.coef_, dtype=float)
    coefficients = np.atleast_2d(fitted)
    n_outputs, n_columns = coefficients.shape
    n_rows = min(LINEAR_ROWS, rows_at_once(2 * coefficients.size))

    normal = choose.normal(size=(n_rows, n_outputs))
    scales = choose.choice(MARGIN_SCALES, size=(n_rows, 1))
    margins = normal * scales
    inverse = np.linalg.pinv(coefficients).T
    rows = (margins - predictor.intercept_) @ inverse

    directions = choose.normal(size=(n_rows, n_columns))
    large = directions * LARGE_TERM
    large_margins = large @ coefficients.T
    cancelling = rows + large - large_margins @ inverse
    return np.concatenate([rows, cancelling])


def rows_near_thresholds(
    trees: TreeModel,
    choose: np.random.Generator,
) -> Matrix:
    """Return rows of each feature's thresholds, and of the numbers right below and right above.

    These are the next numbers in the precision in which the trees compare.

    Example: with the thresholds 1 and 2 of the feature 0, and 5 of the feature 1, the column of
    the feature 0 has 1, 2, 1 - e, 2 - e, 1 + e and 2 + e in any order. That of the feature 1 has
    5, 5 - e and 5 + e, twice, so that it is as long.
    """
    columns = _values_near_thresholds(trees, choose)
    longest = max(map(len, columns))
    n_rows = min(longest, TREE_ROWS, rows_at_once(len(columns)))
    places = np.arange(n_rows)
    wrapped = [column.take(places, mode="wrap") for column in columns]
    return np.stack(wrapped, axis=1)


def rows_along_paths(
    trees: TreeModel,
    near: Matrix,
    choose: np.random.Generator,
) -> Matrix:
    """Return rows that go to leaves which are chosen, as close to the thresholds as can be.

    They are made of rows `near` thresholds, (n_rows, n_columns), which alone hardly come to a deep
    node: such a row meets all nodes of one path.

    Example: a path goes left at the threshold 2 of the feature 0, and right at 1 of the feature 1.
    Its row has 2 and 1 + e, the number right above 1.
    """
    # Each column in an order of its own, so that the rows are others.
    shuffled = choose.permuted(near, axis=0)
    rows = np.resize(shuffled, (TREE_ROWS, near.shape[1]))
    for row in rows:
        tree = trees.trees[choose.integers(len(trees.trees))]
        lower, upper = _choose_path(tree, choose)
        for feature, threshold in lower.items():
            _put_finite(
                row, feature, _number_above(threshold, trees.precision)
            )
        for feature, threshold in upper.items():
            is_free = feature not in lower
            if is_free or choose.random() < HALF:
                number = _number_upto(threshold, trees.precision)
                _put_finite(row, feature, number)
    return rows


def _put_finite(row: Matrix, feature: int, number: float) -> None:
    """Put a number into the row, unless it is infinite: every number is on the same side then."""
    if np.isfinite(number):
        row[feature] = number


def _choose_path(
    tree: Tree, choose: np.random.Generator
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the bounds of a path, by feature: what is greater than the value, and up to what."""
    lower: dict[int, float] = {}
    upper: dict[int, float] = {}
    node = 0
    while tree.left[node] >= 0:
        feature = int(tree.feature[node])
        threshold = float(tree.threshold[node])
        if choose.random() < HALF:
            node = tree.left[node]
            upper[feature] = min(threshold, upper.get(feature, np.inf))
        else:
            node = tree.right[node]
            lower[feature] = max(threshold, lower.get(feature, -np.inf))
    return lower, upper


def _number_above(
    threshold: float, precision: type[np.floating[Any]]
) -> float:
    """Return the smallest number of the precision that is greater than the threshold."""
    number = precision(threshold)
    if number <= threshold:
        number = np.nextafter(number, precision(np.inf))
    return float(number)


def _number_upto(threshold: float, precision: type[np.floating[Any]]) -> float:
    """Return the largest number of the precision that is not greater than the threshold."""
    number = precision(threshold)
    if number > threshold:
        number = np.nextafter(number, precision(-np.inf))
    return float(number)


def _values_near_thresholds(
    trees: TreeModel,
    choose: np.random.Generator,
) -> list[Matrix]:
    """Return for each feature its thresholds and the numbers beside them; 0 if it has none."""
    features, thresholds = trees.splits
    is_finite = np.isfinite(thresholds)
    columns = []
    for feature in range(trees.n_features):
        is_own = is_finite & (features == feature)
        values = np.unique(thresholds[is_own])
        if len(values):
            near = _with_neighbours(values, trees.precision)
            column = choose.permutation(near)
        else:
            column = np.zeros(1)
        columns.append(column)
    return columns


def _with_neighbours(
    values: Matrix,
    precision: type[np.floating[Any]],
) -> Matrix:
    """Return the values, and the numbers of that precision right below and right above each."""
    rounded = values.astype(precision)
    below = np.nextafter(rounded, precision(-np.inf))
    above = np.nextafter(rounded, precision(np.inf))
    return np.concatenate([values, below, above], dtype=np.float64)


def made_up_codes(schema: Schema, choose: np.random.Generator) -> Matrix:
    """Return codes of records that are made up, (n_records, n_features).

    They have numbers of all sizes, each category of a feature up to 4,096 of them, and missing
    values where there may be some. Every other record has one number that is too large for most
    steps. It is alone in its record, since it keeps all others from being tried.
    """
    n_rows = MADE_UP_ROWS
    for category in schema.categories.values():
        n_rows = max(n_rows, len(category.categories))
    n_rows = min(n_rows, MAX_ROWS)
    columns = []
    for feature in schema.features:
        column = _made_up_column(feature, n_rows, choose)
        columns.append(column)
    codes = np.stack(columns, axis=1)
    _put_extremes(codes, schema, choose)
    return codes


def _put_extremes(
    codes: Matrix,
    schema: Schema,
    choose: np.random.Generator,
) -> None:
    """Put an extreme number into every other record, each time for another feature."""
    numbers = []
    for place, feature in enumerate(schema.features):
        if feature.type == Numeric.type:
            numbers.append(place)
    if not numbers:
        return
    rows = np.arange(0, len(codes), 2)
    places = np.resize(numbers, len(rows))
    extremes = choose.choice(EXTREMES, len(rows))
    codes[rows, places] = extremes


def _made_up_column(
    feature: Feature,
    n_rows: int,
    choose: np.random.Generator,
) -> Matrix:
    """Return the codes of one feature, (n_rows,), in any order."""
    if isinstance(feature, Category):
        missing = float(MISSING_POSITION)
        column = _made_up_positions(feature, n_rows)
    else:
        missing = np.nan
        column = _made_up_numbers(n_rows, choose)
    if isinstance(feature, Boolean):
        column = (column > 0).astype(float)
    elif isinstance(feature, Integer):
        column = column.round()
    missing_share = 0.0
    if feature.accepts_missing and feature.default is None:
        missing_share = MISSING_SHARE
    is_missing = choose.random(n_rows) < missing_share
    in_any_order = choose.permutation(column)
    return np.where(is_missing, missing, in_any_order)


def _made_up_positions(feature: Category, n_rows: int) -> Matrix:
    """Return all positions, or the last: so the stranger of a vocabulary is always there."""
    positions = np.arange(len(feature.categories), dtype=float)
    last_first = positions[::-1]
    return np.resize(last_first, n_rows)


def _made_up_numbers(n_rows: int, choose: np.random.Generator) -> Matrix:
    """Return usual numbers, and as many of one size that is chosen."""
    n_usual = n_rows // 2
    n_others = n_rows - n_usual
    usual = np.resize(NUMBERS, n_usual)
    normal = choose.normal(size=n_others)
    exponent = choose.integers(-3, 5)
    scale = 10.0**exponent
    return np.concatenate([usual, normal * scale])
