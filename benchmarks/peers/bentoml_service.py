"""A service as one writes it with BentoML: arrays in and out, and adaptive batching.

It writes no logs and metrics that the others do not write.
"""

import os
from typing import Any

import bentoml
import joblib
import numpy as np
import pandas as pd

MAX_ROWS = 20_000  # in one call of the model


@bentoml.service(
    workers=int(os.environ["WORKERS"]),
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
    traffic={"timeout": 60},
)
class Peer:
    """One model."""

    def __init__(self) -> None:
        """Load the model, once in each worker."""
        self.model = joblib.load(os.environ["MODEL"])["model"]

    @bentoml.api(batchable=True, max_batch_size=MAX_ROWS)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Return the probabilities of a model that knows no names."""
        return self.model.predict_proba(rows)

    @bentoml.api(batchable=True, max_batch_size=MAX_ROWS)
    def predict_named(self, records: list[dict[str, Any]]) -> np.ndarray:
        """Return the probabilities of a model that was fitted with a DataFrame."""
        # BentoML does not put DataFrames together to one batch.
        return self.model.predict_proba(pd.DataFrame(records))
