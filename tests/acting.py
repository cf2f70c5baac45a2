"""Models that do something besides predicting, and unpickle where the tests are not installed."""

from typing import Any

import numpy as np

# Actions: expressions of `self` and `X`, which predict, and do something besides.
# It takes as many seconds as the largest `feature1` is above 100.
SLEEPS = (
    '__import__("time").sleep(max(0.0, X["feature1"].max() - 100))'
    ' or X["feature1"].to_numpy()'
)
# It kills its process where the largest `feature1` is 666.
DIES = (
    '__import__("os").kill(__import__("os").getpid(), 9 * (X["feature1"].max() == 666))'
    ' or X["feature1"].to_numpy()'
)
# It sleeps, unless the largest `feature1` is 666; then it kills its process.
SLEEPS_OR_DIES = (
    '__import__("os").kill(__import__("os").getpid(), 9 * (X["feature1"].max() == 666))'
    ' or __import__("time").sleep(max(0.0, X["feature1"].max() - 100))'
    ' or X["feature1"].to_numpy()'
)
# It predicts the largest number of threads that a library may use.
THREADS = (
    '__import__("numpy").full(len(X), max(float(pool["num_threads"])'
    ' for pool in __import__("threadpoolctl").threadpool_info()))'
)
REGRESSOR = """
type(
    "Acting",
    (__import__("sklearn").base.RegressorMixin, __import__("sklearn").base.BaseEstimator),
    {{"predict": lambda self, X: {action}, "__sklearn_is_fitted__": lambda self: True}},
)()
"""


class Acting:
    """Unpickles into a regressor whose `predict(self, X)` is the action."""

    def __init__(self, action: str) -> None:
        self.action = action

    def __reduce__(self) -> Any:
        source = REGRESSOR.format(action=self.action).strip()
        return (eval, (source,))

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


def acting(action: str) -> dict[str, Any]:
    """Return an artifact whose model does the action: `SLEEPS`, `DIES` or `THREADS`."""
    features = []
    for name in ("feature1", "feature2", "feature3"):
        features.append(
            {"name": name, "type": "numeric", "accepts_missing": False}
        )
    return {"model": Acting(action), "metadata": {"features": features}}
