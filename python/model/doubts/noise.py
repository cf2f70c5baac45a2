"""Noise: how far an estimator's numbers may differ that should be the same.

BLAS adds up one row in another order than many. In float64 nobody sees it; in float32, a sum of
large terms loses most of its digits, and the tolerance has to follow what the estimator shows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-9
FLOAT32_TOLERANCE = 1e-6
NOISE_FACTOR = 10
LARGEST_TOLERANCE = 1e-3
"""Beyond it, a difference is no noise, whatever the rows alone show."""
MAX_ALONE = 20
"""So many rows are predicted alone, too."""


def find_noise(together: NDArray[Any], alone: NDArray[Any]) -> float:
    """Return the largest difference between numbers, relative to those that are larger than 1.

    With `[0.5, 200]` and `[0.6, 202]`, it is 0.1. It is 0 for what is no decimals.
    """
    are_decimals = together.dtype.kind == "f" and alone.dtype.kind == "f"
    if not are_decimals or together.shape != alone.shape:
        return 0.0
    first = together.astype(float)
    second = alone.astype(float)
    sizes = np.maximum(np.abs(first), np.abs(second))
    with np.errstate(all="ignore"):
        differences = np.abs(first - second) / np.maximum(sizes, 1)
    finite = differences[np.isfinite(differences)]
    return float(finite.max(initial=0))


def float32_tolerance(noise: float) -> float:
    """Return how far numbers of float32 may differ, absolute or relative, at such a noise."""
    wide = max(FLOAT32_TOLERANCE, NOISE_FACTOR * noise)
    return min(wide, LARGEST_TOLERANCE)
