"""The fast room: compiled copies of estimators, proven to compute the same before they are used.

Without this package everything works, slower.
"""

from python.model.fast.copy import Copy, Unproven
from python.model.fast.make import make_copy

__all__ = ["Copy", "Unproven", "make_copy"]
