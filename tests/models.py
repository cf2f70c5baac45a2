"""Real models, tiny and fitted here: every example script, and each kind of estimator."""

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "python" / "example").glob("build_*.py"))
ROWS = 120
MISSING_SHARE = 0.1
# The target of `fitted` is told by the number of its classes; a number has none.
REGRESSION = 0


@dataclass(frozen=True)
class Fitted:
    """An artifact's content, and rows of the data it was fitted with."""

    content: dict[str, Any]
    data: pd.DataFrame

    @property
    def estimator(self) -> Any:
        return self.content["model"]

    def records(self, count: int = 5) -> list[dict[str, Any]]:
        """Return the first rows of the data as JSON has them: null where a value is missing."""
        head = self.data.head(count).astype(object)
        records = []
        for row in head.where(head.notna(), None).to_dict("records"):
            records.append({str(name): value for name, value in row.items()})
        return records


def numbers(missing: bool = False) -> pd.DataFrame:
    """Return three columns of numbers, whose names a JSON pointer has to escape."""
    choose = np.random.default_rng(0)
    values = choose.normal(size=(ROWS, 3)).round(3)
    data = pd.DataFrame(values, columns=["size", "a/b ~c", "größe"])
    if missing:
        data = data.mask(choose.random(data.shape) < MISSING_SHARE)
    return data


def mixed(missing: bool = False) -> pd.DataFrame:
    """Return three columns of numbers, and one of categories."""
    choose = np.random.default_rng(1)
    colours = choose.choice(["red", "green", "blue"], size=ROWS)
    data = numbers(missing)
    data.columns = ["size", "weight", "height"]
    data["colour"] = pd.Categorical(colours)
    if missing:
        is_missing = choose.random(ROWS) < MISSING_SHARE
        data["colour"] = data["colour"].mask(is_missing)
    return data


def features(data: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the entries of the metadata that describe the columns."""
    entries: list[dict[str, Any]] = []
    for name, column in data.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            categories = list(column.cat.categories)
            entries.append(
                {"name": name, "type": "category", "categories": categories}
            )
        else:
            entries.append({"name": name, "type": "numeric"})
    return entries


def fitted(
    estimator: Any,
    data: pd.DataFrame,
    classes: int = 2,
    samples: int = 0,
    *,
    as_array: bool = False,
) -> Fitted:
    """Return the estimator fitted to predict a number, or one of two or three classes.

    The artifact has the first rows of the data as its `samples`, so many of them.
    """
    score = data.iloc[:, 0].fillna(0) + data.iloc[:, 1].fillna(0) ** 2
    targets = {
        REGRESSION: score,
        2: np.where(score > 0.7, "yes", "no"),
        3: np.digitize(score, [0.2, 1.2]),
    }
    inputs = data.to_numpy() if as_array else data
    estimator.fit(inputs, targets[classes])
    content = {"model": estimator, "metadata": {"features": features(data)}}
    if samples:
        content["samples"] = data.head(samples)
    return Fitted(content, data)


def pipeline(predictor: Any) -> Any:
    """Return a pipeline for the columns of `mixed`, which turns them into nine."""
    scale = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore")
    prepare = make_column_transformer(
        (encode, ["colour"]),
        (scale, ["height", "size"]),
        remainder="passthrough",
    )
    return make_pipeline(prepare, predictor)


def forest(**parameters: Any) -> Any:
    """Return a small forest, not yet fitted."""
    return RandomForestClassifier(
        n_estimators=10, max_depth=4, random_state=0, **parameters
    )


def lightgbm(kind: type, **parameters: Any) -> Any:
    """Return a small booster of LightGBM, not yet fitted."""
    return kind(n_estimators=5, min_child_samples=5, verbose=-1, **parameters)


def lightgbm_with_a_blank_in_a_name() -> Fitted:
    data = numbers(missing=True)
    data.columns = ["x", "y y", "z"]
    return fitted(lightgbm(LGBMRegressor), data, REGRESSION)


def xgboost() -> Fitted:
    data = mixed(missing=True)
    model = XGBClassifier(n_estimators=5, enable_categorical=True)
    model.fit(data, np.arange(ROWS) % 2)
    metadata = {"features": features(data), "class_names": ["even", "odd"]}
    return Fitted({"model": model, "metadata": metadata}, data)


def catboost(data: pd.DataFrame, classes: int) -> Fitted:
    model = CatBoostClassifier(
        iterations=5,
        depth=4,
        verbose=0,
        allow_writing_files=False,
        cat_features=[name for name in data if name == "colour"],
    )
    return fitted(model, data, classes)


def searched() -> Fitted:
    steps = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(
        steps, {"logisticregression__C": [0.1, 1]}, cv=2, n_jobs=1
    )
    return fitted(search, numbers(), samples=50)


def searched_neighbours() -> Fitted:
    search = GridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": [3, 5]}, cv=2
    )
    return fitted(search, numbers())


def voting() -> Fitted:
    parts = [("a", forest()), ("b", LogisticRegression())]
    return fitted(
        VotingClassifier(parts, voting="soft"), numbers(), 3, samples=20
    )


def stacking() -> Fitted:
    stack = StackingRegressor([("a", Ridge())], LinearRegression(), cv=2)
    return fitted(stack, numbers(), REGRESSION, samples=20)


def histogram() -> Fitted:
    boosting = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5)
    return fitted(boosting, numbers(missing=True))


def several_outputs() -> Fitted:
    data = numbers()
    model = MultiOutputRegressor(Ridge()).fit(data, data.iloc[:, :2] * 2)
    return Fitted(
        {"model": model, "metadata": {"features": features(data)}}, data
    )


def several_labels() -> Fitted:
    data = numbers()
    labels = (data > 0).astype(int).to_numpy()
    model = OneVsRestClassifier(LogisticRegression()).fit(data, labels)
    return Fitted(
        {"model": model, "metadata": {"features": features(data)}}, data
    )


FAMILIES: dict[str, Callable[[], Fitted]] = {
    "tree": lambda: fitted(DecisionTreeClassifier(max_depth=3, random_state=0), numbers(), 3),
    "forest of an array": lambda: fitted(forest(n_jobs=-1), numbers(), as_array=True),
    "logistic": lambda: fitted(LogisticRegression(), numbers(), samples=50),
    "logistic of three": lambda: fitted(LogisticRegression(), numbers(), 3, samples=50),
    "poisson": lambda: fitted(PoissonRegressor(), numbers(), 3, samples=50),
    "linear margin": lambda: fitted(LinearSVC(random_state=0), numbers(), samples=50),
    "lightgbm": lambda: fitted(lightgbm(LGBMClassifier), mixed(missing=True)),
    "lightgbm of three": lambda: fitted(lightgbm(LGBMClassifier), mixed(missing=True), 3),
    "lightgbm regression": lightgbm_with_a_blank_in_a_name,
    "xgboost": xgboost,
    "catboost": lambda: catboost(mixed(), 2),
    "catboost of three": lambda: catboost(numbers(), 3),
    "pipeline": lambda: fitted(pipeline(forest()), mixed(missing=True)),
    "linear pipeline": lambda: fitted(pipeline(LogisticRegression()), mixed(), 3, samples=50),
    "calibrated": lambda: fitted(CalibratedClassifierCV(forest(), cv=2), numbers(), samples=20),
    "searched": searched,
    "neighbours of a search": searched_neighbours,
    "voting": voting,
    "stacking": stacking,
    "neighbours": lambda: fitted(KNeighborsClassifier(), numbers(), samples=20),
    "histogram": histogram,
    "several outputs": several_outputs,
    "several labels": several_labels,
}  # fmt: skip
EXAMPLE_NAMES = [path.stem for path in EXAMPLES]
NAMES = [*EXAMPLE_NAMES, *FAMILIES]


@cache
def build(name: str) -> Fitted:
    """Return the model of an example script or of FAMILIES; it is fitted once."""
    if name in FAMILIES:
        return FAMILIES[name]()
    script = ROOT / "python" / "example" / f"{name}.py"
    namespace = runpy.run_path(str(script))
    # The scripts that do not show the dict let `save_model` write it.
    content = namespace.get("artifact") or joblib.load("model.joblib")
    return Fitted(content, namespace["data"])
