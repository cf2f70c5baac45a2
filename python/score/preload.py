"""What the server imports from which the workers are forked, so that they share the memory."""

import gc

import sklearn.base  # noqa: F401 - every model needs it

import python.loading
import python.model.sklearn
import python.score.scorer  # noqa: F401

gc.collect()
gc.freeze()
