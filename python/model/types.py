"""Names for what a model is made of and takes, so that signatures say which of them they mean.

They stand for values of other libraries, which have no types of their own that one could check.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.float64]
"""Numbers, (n_rows, n_columns), float64."""

Estimator: TypeAlias = Any
"""A fitted object with scikit-learn's `predict`, and perhaps other methods of its estimators."""

Transformer: TypeAlias = Any
"""A fitted object with scikit-learn's `transform`: a step of a pipeline before the last one."""

Columns: TypeAlias = Any
"""What an estimator takes, (n_rows, n_columns): a pandas DataFrame or a NumPy array."""
