"""Training data and models to save: one for each family, and for each dtype of a column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from catboost import CatBoostRegressor
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from xgboost import XGBRegressor

from tests.models import build, forest, lightgbm, numbers, several_outputs

ROWS = 120


@dataclass(frozen=True)
class Job:
    """A fitted estimator, and the training data that `save_model` is called with."""

    model: Any
    X: Any
    y: Any = None

    @property
    def frame(self) -> pd.DataFrame:
        """The training data as a client has them, under the names of the features."""
        if isinstance(self.X, pd.DataFrame):
            return self.X
        if isinstance(self.X, pd.Series):
            return self.X.to_frame()
        if isinstance(self.X, list):
            return pd.DataFrame({"text": self.X})
        names = [f"x{number}" for number in range(self.X.shape[1])]
        return pd.DataFrame(self.X, columns=names)


def choose() -> np.random.Generator:
    return np.random.default_rng(3)


def of_models(name: str, *, as_array: bool = False) -> Job:
    """Return one of the models of all tests, with the data that it was fitted with."""
    fitted = build(name)
    X = fitted.data.to_numpy() if as_array else fitted.data
    return Job(fitted.estimator, X)


def texts(rows: int = ROWS) -> list[str]:
    words = ["good", "bad", "film", "story", "größe", "“quoted”", "a"]
    drawn = choose().choice(words, size=(rows, 4))
    return [" ".join(row) for row in drawn]


def text_pipeline() -> Job:
    X = pd.DataFrame({"review": texts(), "stars": numbers()["size"]})
    encode = make_column_transformer(
        (TfidfVectorizer(), "review"), remainder="passthrough"
    )
    y = np.arange(ROWS) % 2
    return Job(make_pipeline(encode, LogisticRegression()).fit(X, y), X, y)


def text_list() -> Job:
    X = texts()
    y = np.where(np.arange(ROWS) % 3, "yes", "no")
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    return Job(model.fit(X, y), X, y)


def text_series() -> Job:
    X = pd.Series(texts(), name="words")
    y = np.arange(ROWS) % 2
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    return Job(model.fit(X, y), X, y)


def dtypes() -> pd.DataFrame:
    """Return a column of each dtype, some of whose values are missing where they can be."""
    draw = choose()
    whole = draw.integers(0, 100, ROWS)
    gaps = draw.random(ROWS) < 0.1
    frame = pd.DataFrame(index=range(ROWS))
    for dtype in ("int8", "uint16", "int64", "float32", "float64", "bool"):
        frame[dtype] = (whole % 2).astype(dtype)
    frame["float64 gaps"] = pd.Series(whole + 0.5).mask(gaps)
    frame["Int64"] = pd.Series(whole, dtype="Int64").mask(gaps)
    frame["Int8"] = pd.Series(whole, dtype="Int8")
    frame["Float32"] = pd.Series(whole / 3, dtype="Float32").mask(gaps)
    frame["boolean"] = pd.Series(whole > 50, dtype="boolean").mask(gaps)
    return frame


class Letters:
    """Predicts the text of each row: each value, with the type of its column."""

    def fit(self, X: pd.DataFrame) -> "Letters":
        self.feature_names_in_ = np.array(X.columns, dtype=object)
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        rows = []
        for row in range(len(X)):
            parts = [f"{X[name].dtype}: {X[name].iloc[row]!r}" for name in X]
            rows.append(" | ".join(parts))
        return np.array(rows, dtype=object)


def every_dtype() -> Job:
    frame = dtypes()
    gaps = choose().random(ROWS) < 0.1
    letters = pd.Series(choose().choice(["a", "b", "ß"], ROWS))
    frame["str"] = letters.mask(gaps)
    frame["objects None"] = letters.astype(object).mask(gaps, None)
    frame["objects NaN"] = letters.astype(object).mask(gaps, np.nan)
    frame["string"] = letters.astype("string").mask(gaps)
    frame["whole objects"] = pd.Series([1, 2**60, -7] * 40, dtype=object)
    frame["true objects"] = pd.Series(gaps, dtype=object).mask(gaps, None)
    frame["category"] = pd.Categorical(letters, categories=["ß", "b", "a"])
    frame["numbers"] = pd.Categorical(choose().choice([3, 1, 2], ROWS))
    moments = pd.date_range("2024-01-01", periods=ROWS, freq="h")
    frame["us"] = moments.astype("datetime64[us]")
    frame["ns"] = pd.Series(moments.astype("datetime64[ns]")).mask(gaps)
    frame["zone"] = moments.tz_localize("Europe/Paris")
    return Job(Letters().fit(frame), frame)


def nullable() -> Job:
    X = dtypes()
    y = np.arange(ROWS) % 2
    impute = SimpleImputer(strategy="most_frequent")
    return Job(make_pipeline(impute, forest()).fit(X, y), X, y)


def booster_of_nullable() -> Job:
    X = dtypes().drop(columns=["boolean"])
    return Job(lightgbm(LGBMClassifier).fit(X, np.arange(ROWS) % 2), X)


def categories() -> Job:
    letters = choose().choice(["a", "b"], ROWS)
    levels = ["unused", "b", "a"]
    X = pd.DataFrame(
        {
            "ordered": pd.Categorical(letters, levels, ordered=True),
            "counted": pd.Categorical(choose().choice([10, 20], ROWS)),
            "size": numbers()["size"],
        }
    )
    encode = make_column_transformer(
        (OneHotEncoder(), ["ordered", "counted"]), remainder="passthrough"
    )
    y = np.arange(ROWS) % 2
    return Job(make_pipeline(encode, forest()).fit(X, y), X, y)


def booster_with_unused_levels() -> Job:
    X = categories().X
    return Job(lightgbm(LGBMClassifier).fit(X, np.arange(ROWS) % 2), X)


def histogram_of_categories() -> Job:
    X = build("pipeline").data
    boosting = HistGradientBoostingClassifier(max_iter=5)
    return Job(boosting.fit(X, np.arange(ROWS) % 2), X)


def weekdays(frame: pd.DataFrame) -> pd.DataFrame:
    sold = frame["sold"].dt
    return frame.assign(weekday=sold.day_of_week, sold=sold.hour)


def dates() -> Job:
    sold = pd.date_range("2024-01-01", periods=ROWS, freq="7h")
    X = pd.DataFrame({"sold": sold, "size": numbers()["size"]})
    model = make_pipeline(FunctionTransformer(weekdays), Ridge())
    return Job(model.fit(X, X["size"]), X)


def array_of(dtype: str) -> Job:
    values = numbers().to_numpy() * 10
    X = np.rint(values).astype(dtype)
    y = np.arange(ROWS) % 3
    return Job(forest().fit(X, y), X, y)


def array_of_objects() -> Job:
    X = np.array(
        [["a", 1, 0.5], ["b", 2, 1.5], ["a", 3, 2.5]] * (ROWS // 3),
        dtype=object,
    )
    encode = make_column_transformer(
        (OneHotEncoder(), [0]), remainder="passthrough"
    )
    return Job(make_pipeline(encode, Ridge()).fit(X, X[:, 2].astype(float)), X)


def xgboost_regressor() -> Job:
    X = numbers(missing=True).set_axis(["x", "y", "z"], axis=1)
    model = XGBRegressor(n_estimators=5)
    return Job(model.fit(X, X["x"].fillna(0)), X)


def catboost_with_texts() -> Job:
    X = pd.DataFrame({"letter": choose().choice(["a", "b"], ROWS)})
    X["size"] = numbers()["size"]
    model = CatBoostRegressor(
        iterations=5,
        verbose=0,
        cat_features=["letter"],
        allow_writing_files=False,
    )
    return Job(model.fit(X, X["size"]), X)


JOBS: dict[str, Callable[[], Job]] = {
    "forest": lambda: of_models("build_rf_multiclass"),
    "forest of an array": lambda: of_models("forest of an array", as_array=True),
    "logistic": lambda: of_models("logistic"),
    "support vectors": lambda: of_models("linear margin"),
    "neighbours of a search": lambda: of_models("neighbours of a search"),
    "calibrated": lambda: of_models("calibrated"),
    "pipeline": lambda: of_models("pipeline"),
    "several outputs": lambda: Job(several_outputs().estimator, numbers()),
    "several labels": lambda: of_models("several labels"),
    "lightgbm": lambda: of_models("lightgbm"),
    "lightgbm with a blank in a name": lambda: of_models("lightgbm regression"),
    "lightgbm of nullable dtypes": booster_of_nullable,
    "lightgbm with unused levels": booster_with_unused_levels,
    "xgboost": lambda: of_models("xgboost"),
    "xgboost regressor": xgboost_regressor,
    "catboost": lambda: of_models("catboost"),
    "catboost with texts": catboost_with_texts,
    "histogram": lambda: of_models("histogram"),
    "histogram of categories": histogram_of_categories,
    "pipeline with a text": text_pipeline,
    "list of texts": text_list,
    "series of texts": text_series,
    "every dtype": every_dtype,
    "nullable dtypes": nullable,
    "categories": categories,
    "dates": dates,
    "array of int64": lambda: array_of("int64"),
    "array of float32": lambda: array_of("float32"),
    "array of int8": lambda: array_of("int8"),
    "array of bool": lambda: array_of("bool"),
    "array of objects": array_of_objects,
}  # fmt: skip
