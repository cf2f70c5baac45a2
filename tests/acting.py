"""Models that do something besides predicting, and unpickle where nothing of the tests is installed."""

from typing import Any

import numpy as np

CLASS = """type("Acting", (__import__("sklearn").base.RegressorMixin, __import__("sklearn").base.BaseEstimator),
{{"predict": lambda self, X: {action}, "__sklearn_is_fitted__": lambda self: True}})()"""
SLEEPS = '__import__("time").sleep(max(0.0, X["feature1"].max() - 100)) or X["feature1"].to_numpy()'
DIES = '__import__("os").kill(__import__("os").getpid(), 9 * (X["feature1"].max() == 666)) or X["feature1"].to_numpy()'
THREADS = '__import__("numpy").full(len(X), max(float(p["num_threads"]) for p in __import__("threadpoolctl").threadpool_info()))'


class Acting:
    """Unpickles into a regressor whose `predict(self, X)` is the action, an expression."""

    def __init__(self, action: str) -> None:
        self.action = action

    def __reduce__(self) -> Any:
        return (eval, (CLASS.format(action=self.action),))

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


def acting(action: str) -> dict[str, Any]:
    """An artifact: `SLEEPS` takes feature1 - 100 seconds, `DIES` of 666, `THREADS` tells how many threads a library may use."""
    features = [
        {"name": name, "type": "numeric", "accepts_missing": False}
        for name in ("feature1", "feature2", "feature3")
    ]
    return {"model": Acting(action), "metadata": {"features": features}}
