"""A notebook with a transformer class of its own."""

import sys
from pathlib import Path
from typing import Any, Self

import cloudpickle
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.served import data
from benchmarks.served.writing import Fitted, write


class Relative(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Divide each column by its largest value."""

    def fit(self, X: Any, _y: Any = None) -> Self:
        """Find the largest values."""
        self.largest_ = X.max()
        return self

    def transform(self, X: Any) -> Any:
        """Divide by the largest values."""
        return X / self.largest_


def dump_with_cloudpickle(artifact: Any, path: Path) -> None:
    """Write the artifact with the code of its classes."""
    path.write_bytes(cloudpickle.dumps(artifact))


X, y = data.people("fare", "siblings")
model = make_pipeline(Relative(), LogisticRegression()).fit(X, y)
if sys.argv[2] == "joblib":
    write(Path(sys.argv[1]), Fitted(model, X))
else:
    write(Path(sys.argv[1]), Fitted(model, X, dump=dump_with_cloudpickle))
