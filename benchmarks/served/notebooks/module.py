"""A notebook whose functions are in a module beside it, `passenger_features`."""

import sys
from importlib import import_module
from pathlib import Path

from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from benchmarks.served import data
from benchmarks.served.writing import Fitted, write

MODULE = '''"""Features of passengers."""


def months(columns):
    """Return the month of each date."""
    return columns.apply(lambda column: column.dt.month)
'''

folder = Path(sys.argv[1])
code = folder / sys.argv[2]
code.mkdir()
(code / "passenger_features.py").write_text(MODULE)
sys.path.insert(0, str(code))
months = import_module("passenger_features").months

X, y = data.people("fare", "booked")
steps = make_column_transformer(
    (FunctionTransformer(months), ["booked"]), remainder="passthrough"
)
model = make_pipeline(steps, DecisionTreeClassifier(max_depth=4)).fit(X, y)
write(folder, Fitted(model, X))
