"""Real models, tiny and fitted here: every example script, and one or more of each kind of estimator."""

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True)
class Fitted:
    """An artifact's content, and rows of the data it was fitted with."""

    content: dict[str, Any]
    data: pd.DataFrame

    @property
    def estimator(self) -> Any:
        return self.content["model"]

    def records(self, rows: int = 5) -> list[dict[str, Any]]:
        head = self.data.head(rows).astype(object)
        return [
            {str(name): value for name, value in row.items()}
            for row in head.where(head.notna(), None).to_dict("records")
        ]


def numbers(missing: bool = False) -> pd.DataFrame:
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        choose.normal(size=(ROWS, 3)).round(3), columns=["size", "a/b ~c", "größe"]
    )
    return data.mask(choose.random(data.shape) < 0.1) if missing else data


def mixed(missing: bool = False) -> pd.DataFrame:
    choose = np.random.default_rng(1)
    colour = pd.Series(
        pd.Categorical(choose.choice(["red", "green", "blue"], size=ROWS))
    )
    data = numbers(missing).assign(colour=colour)
    data.columns = ["size", "weight", "height", "colour"]
    return (
        data.assign(colour=data["colour"].mask(choose.random(ROWS) < 0.1))
        if missing
        else data
    )


def features(data: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": "category",
            "categories": list(data[name].cat.categories),
        }
        if isinstance(data[name].dtype, pd.CategoricalDtype)
        else {"name": name, "type": "numeric"}
        for name in data
    ]


def fitted(
    estimator: Any,
    data: pd.DataFrame,
    classes: int = 2,
    samples: int = 0,
    *,
    as_array: bool = False,
) -> Fitted:
    score = data.iloc[:, 0].fillna(0) + data.iloc[:, 1].fillna(0) ** 2
    target = {
        0: score,
        2: np.where(score > 0.7, "yes", "no"),
        3: np.digitize(score, [0.2, 1.2]),
    }[classes]
    content: dict[str, Any] = {
        "model": estimator.fit(data.to_numpy() if as_array else data, target),
        "metadata": {"features": features(data)},
    }
    return Fitted(content | ({"samples": data.head(samples)} if samples else {}), data)


def pipeline(predictor: Any) -> Any:
    scaled = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(
        make_column_transformer(
            (encode, ["colour"]), (scaled, ["height", "size"]), remainder="passthrough"
        ),
        predictor,
    )


def forest(**parameters: Any) -> Any:
    return RandomForestClassifier(
        n_estimators=10, max_depth=4, random_state=0, **parameters
    )


def multi_output() -> Fitted:
    data = numbers()
    model = MultiOutputRegressor(Ridge()).fit(data, data.iloc[:, :2] * 2)
    return Fitted({"model": model, "metadata": {"features": features(data)}}, data)


def several_labels() -> Fitted:
    data = numbers()
    model = OneVsRestClassifier(LogisticRegression()).fit(
        data, (data > 0).astype(int).to_numpy()
    )
    return Fitted({"model": model, "metadata": {"features": features(data)}}, data)


def xgboost() -> Fitted:
    data = mixed(missing=True)
    model = XGBClassifier(n_estimators=5, enable_categorical=True).fit(
        data, np.arange(ROWS) % 2
    )
    return Fitted(
        {
            "model": model,
            "metadata": {"features": features(data), "class_names": ["even", "odd"]},
        },
        data,
    )


def catboost(data: pd.DataFrame, classes: int) -> Fitted:
    categorical = [name for name in data if name == "colour"]
    model = CatBoostClassifier(
        iterations=5,
        depth=4,
        verbose=0,
        allow_writing_files=False,
        cat_features=categorical,
    )
    return fitted(model, data, classes)


def searched() -> Any:
    steps = make_pipeline(StandardScaler(), LogisticRegression())
    return GridSearchCV(steps, {"logisticregression__C": [0.1, 1]}, cv=2, n_jobs=1)


def lightgbm(kind: type, **parameters: Any) -> Any:
    return kind(n_estimators=5, min_child_samples=5, verbose=-1, **parameters)


FAMILIES: dict[str, Callable[[], Fitted]] = {
    "tree": lambda: fitted(
        DecisionTreeClassifier(max_depth=3, random_state=0), numbers(), 3
    ),
    "forest of an array": lambda: fitted(forest(n_jobs=-1), numbers(), as_array=True),
    "logistic": lambda: fitted(LogisticRegression(), numbers(), samples=50),
    "logistic of three": lambda: fitted(LogisticRegression(), numbers(), 3, samples=50),
    "poisson": lambda: fitted(PoissonRegressor(), numbers(), 3, samples=50),
    "linear margin": lambda: fitted(LinearSVC(random_state=0), numbers(), samples=50),
    "lightgbm": lambda: fitted(lightgbm(LGBMClassifier), mixed(missing=True)),
    "lightgbm of three": lambda: fitted(
        lightgbm(LGBMClassifier), mixed(missing=True), 3
    ),
    "lightgbm regression": lambda: fitted(
        lightgbm(LGBMRegressor),
        numbers(missing=True).set_axis(["x", "y y", "z"], axis=1),
        0,
    ),
    "xgboost": xgboost,
    "catboost": lambda: catboost(mixed(), 2),
    "catboost of three": lambda: catboost(numbers(), 3),
    "pipeline": lambda: fitted(pipeline(forest()), mixed(missing=True)),
    "linear pipeline": lambda: fitted(
        pipeline(LogisticRegression()),
        mixed().astype({"colour": object}).pipe(_categories),
        3,
        50,
    ),
    "calibrated": lambda: fitted(
        CalibratedClassifierCV(forest(), cv=2), numbers(), samples=20
    ),
    "searched": lambda: fitted(searched(), numbers(), samples=50),
    "neighbours of a search": lambda: fitted(
        GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3, 5]}, cv=2), numbers()
    ),
    "voting": lambda: fitted(
        VotingClassifier([("a", forest()), ("b", LogisticRegression())], voting="soft"),
        numbers(),
        3,
        20,
    ),
    "stacking": lambda: fitted(
        StackingRegressor([("a", Ridge())], LinearRegression(), cv=2), numbers(), 0, 20
    ),
    "neighbours": lambda: fitted(KNeighborsClassifier(), numbers(), samples=20),
    "histogram": lambda: fitted(
        HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=5),
        numbers(missing=True),
    ),
    "several outputs": multi_output,
    "several labels": several_labels,
}


def _categories(data: pd.DataFrame) -> pd.DataFrame:
    return data.astype({"colour": "category"})


@cache
def build(name: str) -> Fitted:
    """The model of an example script or of FAMILIES, built once."""
    if name in FAMILIES:
        return FAMILIES[name]()
    namespace = runpy.run_path(str(ROOT / "python" / "example" / f"{name}.py"))
    content = namespace.get("artifact") or {
        "model": namespace["model"],
        "metadata": {"features": namespace["features"]},
    }
    return Fitted(content, namespace["data"])


EXAMPLE_NAMES = [path.stem for path in EXAMPLES]
NAMES = [*EXAMPLE_NAMES, *FAMILIES]
