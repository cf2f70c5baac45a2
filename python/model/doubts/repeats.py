"""Repeats: a row is predicted alike each time, and alone as among others."""

from python.errors import ArtifactError
from python.model.data.columns import slice_rows, take_rows
from python.model.doubts.differences import find_difference, predict_all
from python.model.types import Columns, Estimator

TRIED_ROWS = 12
# Of float64, and of what is computed in float32. Only plain differences matter here.
TOLERANCE = 1e-4


def is_repeatable(estimator: Estimator, row: Columns) -> bool:
    """Return whether the estimator predicts the same for the same row; some draw at random."""
    rows = take_rows(row, [0] * TRIED_ROWS)
    first = predict_all(estimator, rows)
    return find_difference(first, predict_all(estimator, rows)) is None


def check_alone(estimator: Estimator, rows: Columns) -> None:
    """Raise ArtifactError if a sample is predicted in another way alone than among others.

    Then a step depends on the other rows, and a record on whatever is in the same request.
    """
    rows = slice_rows(rows, 0, TRIED_ROWS)
    together = predict_all(estimator, rows)
    for number in range(len(rows)):
        alone = predict_all(estimator, slice_rows(rows, number, number + 1))
        expected = {}
        for method, output in together.items():
            expected[method] = output[number : number + 1]
        difference = find_difference(expected, alone, TOLERANCE)
        if difference is not None:
            raise ArtifactError(
                f"samples, row {number}: the model predicts {difference.expected} for the row "
                f"among others and {difference.predicted} for it alone: one of its steps "
                "depends on the other rows, and must not when it predicts"
            )
