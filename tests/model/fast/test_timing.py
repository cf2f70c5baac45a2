"""A copy is used up to the number of records for which it is faster."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    RandomForestClassifier,
)

from python.model.fast import timing
from tests.clock import Clock
from tests.model.fast.compiled import sped_up
from tests.models import numbers
from tests.records import of_codes

ROWS = numbers().to_numpy()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_the_crossing_is_the_number_of_rows_up_to_which_the_first_is_faster(
    clock: Clock,
) -> None:
    def slow(records: Any) -> None:
        clock.now += 1e-4 * len(records)

    def flat(_: Any) -> None:
        clock.now += 4e-3

    def slow_over_16(records: Any) -> None:
        if len(records) > 16:
            slow(records)

    assert timing.crossing(slow, flat, ROWS, 4096) == 63
    assert timing.crossing(flat, slow, ROWS, 5000) == 0
    assert timing.crossing(slow_over_16, flat, ROWS, 20) == 20


def test_no_more_rows_are_tried_once_the_time_is_that_of_the_rows(
    clock: Clock,
) -> None:
    sizes = set()

    def fast(records: Any) -> None:
        sizes.add(len(records))
        clock.now += 1e-4 * len(records)

    def slow(records: Any) -> None:
        clock.now += 1.5e-4 * len(records)

    def slow_to_start(records: Any) -> None:
        clock.now += 2.7e-3 + 0.9e-4 * len(records)

    def in_threads(records: Any) -> None:
        """To start them takes longer than to predict hundreds of rows."""
        clock.now += 0.1 + 1e-5 * len(records)

    assert timing.crossing(fast, slow, ROWS, 5000) == 5000
    assert timing.crossing(slow, fast, ROWS, 5000) == 0
    assert max(sizes) == 256
    assert timing.crossing(fast, slow_to_start, ROWS, 5000) == 1023
    assert timing.crossing(fast, in_threads, ROWS, 5000) == 4095


@pytest.mark.parametrize("cold", [1.0, 1e-3])
def test_a_first_call_that_takes_long_decides_nothing(
    clock: Clock, cold: float
) -> None:
    sizes = set()

    def first(records: Any) -> None:
        is_cold = len(records) not in sizes
        sizes.add(len(records))
        clock.now += cold if is_cold else 1e-5

    def second(_: Any) -> None:
        clock.now += 2e-4

    assert timing.crossing(first, second, ROWS, 4096) == 4096


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
