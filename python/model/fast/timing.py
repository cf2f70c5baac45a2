"""Timing: up to how many records the copy is faster than the estimator."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from python.model.fast.copy import Copy
from python.model.fast.predictors import Unproven
from python.model.fast.proof import Original
from python.model.types import Matrix

BATCH_SIZES = (4096, 1024, 256, 64, 16, 4, 1)
ROUNDS = 3

Compute = Callable[[Matrix], Any]


def with_limits(copy: Copy, original: Original, codes: Matrix) -> Copy:
    """Return the copy with the numbers of records up to which each of its ways is the fastest.

    `codes`, (n_records, n_features), are records that the copy computes.
    Raises Unproven if the estimator is as fast for a single record.
    """
    largest = original.rows_at_once
    if copy.few is not copy.many:
        matrix = copy.transform(codes)
        copy = replace(copy, few_limit=crossing(copy.few, copy.many, matrix, largest))
    copy = replace(copy, limit=crossing(copy.compute, original.compute, codes, largest))
    if copy.limit < 1:
        raise Unproven("the estimator is as fast")
    return copy


def crossing(first: Compute, second: Compute, rows: Matrix, largest: int) -> int:
    """Return the number of rows, at most `largest`, up to which the first is as fast."""
    limit = largest
    for size in BATCH_SIZES:
        if size > largest:
            continue
        batch = np.resize(rows, (size, rows.shape[1]))
        if _seconds(first, batch) <= _seconds(second, batch):
            return limit
        limit = size - 1
    return limit


def _seconds(compute: Compute, rows: Matrix) -> float:
    """Return the shortest of some rounds, since everything else on the machine only adds time."""
    shortest = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        compute(rows)
        shortest = min(shortest, time.perf_counter() - start)
    return shortest
