"""Timing: up to how many records the copy is faster than the estimator."""

import time
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple, Self

import numpy as np

from python.model.fast.copy import Copy, Unproven
from python.model.fast.proof import Original
from python.model.types import Matrix

BATCH_SIZES = (1, 4, 16, 64, 256, 1024, 4096)
ROUNDS = 3
PLAIN_RATIO = 2  # which needs no third round to be seen
HOPELESS_RATIO = 4  # which more records do not turn around
LONG_SECONDS = 0.02
GROWTH = 3
MARGIN = 1.2

Compute = Callable[[Matrix], Any]


class Seconds(NamedTuple):
    """How long two calls take for the same rows."""

    first: float
    second: float

    def are_settled_after(self, before: Self) -> bool:
        """Return whether the faster one stays the faster, however many rows there are.

        Both take long, and three times as long as for a quarter of the rows. So they take a ninth
        at most besides their rows, which the margin between them is more than.
        """
        have_grown = all(
            now > max(LONG_SECONDS, GROWTH * earlier)
            for earlier, now in zip(before, self, strict=True)
        )
        return have_grown and max(self) > MARGIN * min(self)


def with_limits(
    copy: Copy,
    original: Original,
    codes: Matrix,
) -> Copy:
    """Return the copy with `few_limit` and `limit`: up to how many records each way is fastest.

    `codes`, (n_records, n_features), are records that the copy computes.
    Raises Unproven if the estimator is as fast for a single record.
    """
    largest = original.rows_at_once
    if copy.few is not copy.many:
        matrix = copy.transform(codes)
        few_limit = crossing(copy.few, copy.many, matrix, largest)
        copy = replace(copy, few_limit=few_limit)
    limit = crossing(copy.compute, original.compute, codes, largest)
    if limit < 1:
        raise Unproven("the estimator is as fast")
    return replace(copy, limit=limit)


def crossing(
    first: Compute,
    second: Compute,
    rows: Matrix,
    largest: int,
) -> int:
    """Return the number of rows, at most `largest`, up to which the first is as fast.

    Example: it is as fast for 1, 4, 16 and 64 rows, and slower for 256. The number is 255.
    More rows are not tried, as they would take the longest of all, once one takes four times as
    long, or once the faster one is sure to stay the faster.
    """
    sizes = [size for size in BATCH_SIZES if size <= largest]
    following = [*sizes[1:], largest + 1]
    limit = 0
    before = Seconds(inf, inf)
    for size, next_size in zip(sizes, following, strict=True):
        batch = np.resize(rows, (size, rows.shape[1]))
        now = _shortest(first, second, batch)
        is_settled = now.are_settled_after(before)
        if now.first <= now.second:
            limit = largest if is_settled else next_size - 1
        if is_settled or now.first > HOPELESS_RATIO * now.second:
            break
        before = now
    return limit


def _shortest(first: Compute, second: Compute, rows: Matrix) -> Seconds:
    """Return the shortest seconds of each in some rounds: all else on the machine adds to a time.

    Two rounds are enough where one of the two takes twice as long as the other.
    """
    first_seconds = inf
    second_seconds = inf
    for number in range(ROUNDS):
        first_seconds = min(first_seconds, _seconds(first, rows))
        second_seconds = min(second_seconds, _seconds(second, rows))
        shorter, longer = sorted((first_seconds, second_seconds))
        # A first call may take many times as long as all others.
        if number > 0 and longer > PLAIN_RATIO * shorter:
            break
    return Seconds(first_seconds, second_seconds)


def _seconds(compute: Compute, rows: Matrix) -> float:
    start = time.perf_counter()
    compute(rows)
    return time.perf_counter() - start
