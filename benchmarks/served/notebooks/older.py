"""A training job of some years ago, run with the scikit-learn of that time."""

import sys
from pathlib import Path
from typing import Any

from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from benchmarks.served import data
from benchmarks.served.writing import Fitted, examples_of, write

FOREST = RandomForestClassifier(10, max_depth=4, random_state=0)
MODELS: dict[str, Any] = {
    "logistic": LogisticRegression(max_iter=500),
    "forest": FOREST,
    "boosting": GradientBoostingClassifier(n_estimators=10),
    "histogram": HistGradientBoostingClassifier(max_iter=10),
    "support": SVC(probability=True, random_state=0),
    "examples": LogisticRegression(max_iter=500),
}

kind = sys.argv[2]
extra = {}
if kind == "titanic":
    X, y = data.people("sex", "age", "fare", "port")
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (numbers, ["age", "fare"]), (texts, ["sex", "port"])
    )
    model = make_pipeline(columns, FOREST).fit(X, y)
else:
    X, y = data.iris()
    model = MODELS[kind].fit(X, y)
if kind == "examples":
    extra = {"examples": examples_of(model, X.head(20))}
write(Path(sys.argv[1]), Fitted(model, X, extra=extra))
