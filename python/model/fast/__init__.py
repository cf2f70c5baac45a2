"""The fast room: copies of estimators, compiled, and proven to predict the same before they do.

Without this package everything works, slower.
"""

from python.model.fast.copy import Copy
from python.model.fast.make import make_copy
from python.model.fast.predictors import Unproven

__all__ = ["Copy", "Unproven", "make_copy"]
