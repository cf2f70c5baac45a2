"""A notebook that turns dates into numbers with a function of its own."""

import sys
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from benchmarks.served import data
from benchmarks.served.writing import Fitted, write


def dates(columns: Any) -> Any:
    """Return month and weekday of each date."""
    booked = columns["booked"].dt
    return pd.DataFrame({"month": booked.month, "weekday": booked.dayofweek})


def dump_with_cloudpickle(artifact: Any, path: Path) -> None:
    """Write the artifact with the code of its functions."""
    path.write_bytes(cloudpickle.dumps(artifact))


X, y = data.people("fare", "booked")
function = dates
if sys.argv[2] == "lambda":
    function = lambda columns: columns.apply(lambda column: column.dt.month)  # noqa: E731
steps = make_column_transformer(
    (FunctionTransformer(function), ["booked"]), remainder="passthrough"
)
model = make_pipeline(steps, DecisionTreeClassifier(max_depth=4)).fit(X, y)
if sys.argv[2] == "joblib":
    write(Path(sys.argv[1]), Fitted(model, X))
else:
    write(Path(sys.argv[1]), Fitted(model, X, dump=dump_with_cloudpickle))
