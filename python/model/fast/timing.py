"""Timing: up to how many records the copy is faster than the estimator."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from python.model.fast.copy import Copy, Unproven
from python.model.fast.proof import Original
from python.model.types import Matrix

BATCH_SIZES = (4096, 1024, 256, 64, 16, 4, 1)
ROUNDS = 3

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

    Example: it is slower for 4096, 1024 and 256 rows, and as fast for 64. The number is 255.
    """
    limit = largest
    for size in BATCH_SIZES:
        if size > largest:
            continue
        batch = np.resize(rows, (size, rows.shape[1]))
        first_seconds = _seconds(first, batch)
        second_seconds = _seconds(second, batch)
        if first_seconds <= second_seconds:
            return limit
        limit = size - 1
    return limit


def _seconds(compute: Compute, rows: Matrix) -> float:
    """Return the shortest time of some rounds: whatever else the machine does only adds to it."""
    shortest = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        compute(rows)
        seconds = time.perf_counter() - start
        shortest = min(shortest, seconds)
    return shortest
