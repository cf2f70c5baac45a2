"""Names for what a fitted model is made of, so that signatures say what they take."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""Numbers, (n_rows, n_columns), float64."""


class Estimator(Protocol):
    """What an artifact has to bring: anything with scikit-learn's `predict`."""

    def predict(self, X: Any, /) -> Any:
        """Return a label or a number for each row of `X`."""


class Transformer(Protocol):
    """A step of a pipeline before the last one."""

    def transform(self, X: Any, /) -> Any:
        """Return `X`, (n_rows, n_features), as the next step takes it, (n_rows, n_columns)."""
