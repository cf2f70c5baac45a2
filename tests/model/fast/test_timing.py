"""A copy is used up to the number of records for which it is faster."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import (
    RandomForestClassifier,
)

from python.model.fast.timing import crossing
from tests.model.fast.compiled import sped_up
from tests.models import numbers
from tests.records import of_codes


def test_the_crossing_is_the_number_of_rows_up_to_which_the_first_is_faster() -> (
    None
):
    def slow(records: Any) -> None:
        time.sleep(1e-4 * len(records))

    def flat(_: Any) -> None:
        time.sleep(4e-3)

    def slow_over_16(records: Any) -> None:
        if len(records) > 16:
            slow(rows)

    rows = numbers().to_numpy()
    assert crossing(slow, flat, rows, 4096) == 63
    assert crossing(flat, slow, rows, 5000) == 0
    assert crossing(slow_over_16, flat, rows, 20) == 20


def test_more_records_than_the_limit_are_left_to_the_estimator() -> None:
    rows = numbers().to_numpy()
    model = sped_up(RandomForestClassifier(5, random_state=0), numbers(), 2)
    assert model.copy is not None
    model.copy = replace(model.copy, few_limit=2, limit=3)
    expected = model.estimator.predict_proba(numbers()[:4])
    for size in (1, 2, 3):
        records = of_codes(model.schema, rows[:size])
        np.testing.assert_array_equal(
            model.copy.output(records), expected[:size]
        )
    assert model.copy.output(of_codes(model.schema, rows[:4])) is None
