"""Costs: how long an explanation will take, told from how long others took."""

import gc
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import NamedTuple, Self

import numpy as np

from python.model.data.columns import take_rows
from python.model.types import Columns

MOST_TIMED_ROWS = 4096
ENOUGH_SECONDS = 0.03
TIMES = 3
CALLS = 4
SMALLEST_SECONDS = 1e-9


@dataclass(frozen=True)
class Speed:
    """How fast a model predicts mixtures of records and rows of a background, in seconds.

    `prediction_seconds` is what one takes among many that are computed at once.
    `call_seconds` is what a call takes besides, in which those of a record are computed together:
    that of a pipeline takes milliseconds.
    `lasts` is false where there would be no time to explain a record against a single row, by the
    fewest coalitions: the next process, which may not start beside others, measures again.
    """

    prediction_seconds: float
    call_seconds: float = 0.0
    lasts: bool = True


class Line(NamedTuple):
    """Seconds that grow with the rows of a background."""

    seconds: float
    seconds_per_row: float

    def at(self, n_rows: int) -> float:
        """Return the seconds for so many rows."""
        return self.seconds + self.seconds_per_row * n_rows


class Cost(NamedTuple):
    """How many seconds an explanation takes.

    `once` is what a background takes, or the first record where there is none; `each` is what
    each record takes.
    `n_predictions` is how often a record is predicted with each row, 0 if it is not predicted.
    """

    once: Line
    each: Line
    n_predictions: int = 0

    @classmethod
    def of_predictions(cls, n_predictions: int, speed: Speed) -> Self:
        """Return the cost of so many predictions for each row, at that speed."""
        nothing = Line(0.0, 0.0)
        each = Line(
            speed.call_seconds, n_predictions * speed.prediction_seconds
        )
        return cls(nothing, each, n_predictions)

    @property
    def against_one_row(self) -> Self:
        """The cost where the background is one row, which no request brings."""
        once = Line(self.once.at(1), 0.0)
        each = Line(self.each.at(1), 0.0)
        return self._replace(once=once, each=each, n_predictions=0)

    def seconds(self, n_records: int, n_rows: int) -> float:
        """Return the seconds for records against so many rows of background, 0 for none."""
        return self.once.at(n_rows) + n_records * self.each.at(n_rows)

    def affordable_records(self, n_rows: int, limit_seconds: float) -> int:
        """Return how many records there is time for, against so many rows of background."""
        left = limit_seconds - self.once.at(n_rows)
        if left < 0:
            return 0
        each = max(self.each.at(n_rows), SMALLEST_SECONDS)
        return int(left / each)

    def arithmetic(self, n_records: int, n_rows: int) -> str:
        """Return how the seconds come about, such as "3 records x 0.5 ms = 0.0015 seconds"."""
        factors = [f"{n_records} records"]
        each = self.each.at(n_rows)
        if self.n_predictions:
            factors.append(f"{n_rows} rows of background")
            factors.append(f"{self.n_predictions} predictions")
            each /= max(1, n_rows * self.n_predictions)
        elif n_rows:
            factors[0] += f" against {n_rows} rows of background"
        factors.append(f"{1000 * each:.3g} ms")
        terms = " x ".join(factors)
        once = self.once.at(n_rows)
        if once > 0:
            terms += f" + {once:.3g} seconds to prepare"
        total = f"{self.seconds(n_records, n_rows):.3g} seconds"
        return f"{terms} = about {total}"


NO_COST = Cost(Line(0.0, 0.0), Line(0.0, 0.0))


def measure_prediction(
    function: Callable[[Columns], object], rows: Columns
) -> float:
    """Return the seconds of a prediction, of many that are computed at once.

    The function is called with more and more rows, until that takes long enough to be timed, and
    mostly for the rows: to call a pipeline may take as long as to predict a hundred of them. The
    best time counts: what else the machine does makes others longer.
    """
    of_one = inf
    best = inf
    n_rows = 1
    while n_rows <= MOST_TIMED_ROWS:
        batch = repeat(rows, n_rows)
        seconds = time_best(partial(function, batch))
        best = min(best, seconds / n_rows)
        of_one = min(of_one, seconds)
        if seconds > max(ENOUGH_SECONDS, CALLS * of_one):
            break
        n_rows *= 8
    return max(best, SMALLEST_SECONDS)


def repeat(rows: Columns, n_rows: int) -> Columns:
    """Return so many rows, the same ones again after the last."""
    numbers = np.resize(np.arange(len(rows)), n_rows)
    return take_rows(rows, numbers)


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes on a machine that does nothing else.

    A call that never waits, for other threads or a disk, takes as long as it computes: what else
    runs on the processors, as at the start of a service, makes it no longer.
    """
    waits = _count_waits()
    computed = time.thread_time()
    start = time.perf_counter()
    with _no_collection():
        call()
    seconds = time.perf_counter() - start
    computed = time.thread_time() - computed
    # A virtual machine whose processor was lent to another may count no time at all.
    has_counted = waits == _count_waits() and computed > 0
    return computed if has_counted else seconds


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let Python not look for garbage, for which it takes a tenth of a second now and then."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _count_waits() -> int:
    """Return how often this thread has given up the processor because it had to wait."""
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    return usage.ru_nvcsw


def time_best(call: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some calls, or of the first if that is slow."""
    best = time_call(call)
    for _ in range(TIMES - 1):
        if best > ENOUGH_SECONDS:
            break
        best = min(best, time_call(call))
    return best
