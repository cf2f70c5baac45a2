"""Timing: up to how many records the copy is faster than the estimator."""

import time
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from python.model.fast.copy import Copy, Unproven
from python.model.fast.proof import Original
from python.model.types import Matrix

BATCH_SIZES = (1, 4, 16, 64, 256, 1024, 4096)
ROUNDS = 3
PLAIN_RATIO = 2  # which needs no third round to be seen
HOPELESS_RATIO = 4  # which more records do not turn around

Compute = Callable[[Matrix], Any]


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
    Once it takes four times as long, no more rows are tried: they would take the longest of all.
    """
    sizes = [size for size in BATCH_SIZES if size <= largest]
    following = [*sizes[1:], largest + 1]
    limit = 0
    for size, next_size in zip(sizes, following, strict=True):
        batch = np.resize(rows, (size, rows.shape[1]))
        ratio = _ratio(first, second, batch)
        if ratio <= 1:
            limit = next_size - 1
        elif ratio > HOPELESS_RATIO:
            break
    return limit


def _ratio(first: Compute, second: Compute, rows: Matrix) -> float:
    """Return how many times as long the first takes, by the shortest time of each in some rounds.

    Whatever else the machine does only adds to a time. Two rounds are enough where one of the two
    takes twice as long as the other.
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
    return first_seconds / second_seconds


def _seconds(compute: Compute, rows: Matrix) -> float:
    start = time.perf_counter()
    compute(rows)
    return time.perf_counter() - start
