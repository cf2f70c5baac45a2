"""Missing values: None against NaN, filled, imputed, and those that nobody trained with."""

from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
)

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted, examples_of, first_rows

group = Group("Missing values")
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
ORDINAL = OrdinalEncoder(
    handle_unknown="use_encoded_value",
    unknown_value=-1,
    encoded_missing_value=-2,
)
UNSAID = [
    {"name": "fare", "type": "numeric"},
    {"name": "port", "type": "string"},
]


def passengers(missing: Any) -> tuple[Any, Any]:
    """Return fares and ports, of which some are `missing`; those drown."""
    X, y = data.people("fare", "port")
    X = X.assign(port=data.lacking(X.port, missing))
    return X, y.where(X.port.notna(), 0)


def fit(step: Any, missing: Any, **more: Any) -> Fitted:
    """Fit the step to ports of which some are missing."""
    X, y = passengers(missing)
    columns = make_column_transformer(
        (step, ["port"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    return Fitted(model.fit(X, y), X, **more)


@group.artifact("None in texts, one-hot, unknown ignored")
def none_one_hot() -> Fitted:
    return fit(ONE_HOT, None)


@group.artifact("NaN in texts, one-hot, unknown ignored")
def nan_one_hot() -> Fitted:
    return fit(ONE_HOT, np.nan)


@group.artifact("None in texts, one-hot, no dtype said")
def none_unsaid() -> Fitted:
    return fit(ONE_HOT, None, features=UNSAID)


@group.artifact("None in texts, one-hot, unknown an error")
def none_error() -> Fitted:
    return fit(OneHotEncoder(), None)


@group.artifact("None in texts, OrdinalEncoder, unknown as -1")
def none_ordinal() -> Fitted:
    return fit(ORDINAL, None)


@group.artifact("NaN in texts, OrdinalEncoder, unknown as -1")
def nan_ordinal() -> Fitted:
    return fit(ORDINAL, np.nan)


@group.artifact("None in texts, imputed as None")
def none_imputed() -> Fitted:
    imputer = SimpleImputer(
        missing_values=None, strategy="constant", fill_value="none"
    )
    return fit(make_pipeline(imputer, ONE_HOT), None)


@group.artifact("NaN in texts, the most frequent")
def nan_frequent() -> Fitted:
    imputer = SimpleImputer(strategy="most_frequent")
    return fit(make_pipeline(imputer, ONE_HOT), np.nan)


@group.artifact("None in texts, fillna by a function")
def none_filled() -> Fitted:
    return fit(
        make_pipeline(FunctionTransformer(data.fill_unknown), ONE_HOT), None
    )


@group.artifact("a function that tells None from NaN, with examples")
def none_function() -> Fitted:
    X, y = passengers(None)
    columns = make_column_transformer(
        (FunctionTransformer(data.is_none), ["port"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(X, y)
    return Fitted(
        model, X, extra={"examples": examples_of(model, first_rows(X, 20))}
    )


@group.artifact("a function that tells None from NaN, nothing tells")
def none_untold() -> Fitted:
    return fit(FunctionTransformer(data.is_none), None, features=UNSAID)


@group.artifact("None in texts, pandas' own text type")
def text_type() -> Fitted:
    X, y = passengers(None)
    X = X.astype({"port": "string"})
    columns = make_column_transformer(
        (make_pipeline(FunctionTransformer(data.as_text), ONE_HOT), ["port"]),
        remainder="passthrough",
    )
    return Fitted(make_pipeline(columns, LogisticRegression()).fit(X, y), X)


@group.artifact("a category with missing values, one-hot")
def category() -> Fitted:
    X, y = passengers(None)
    X = X.astype({"port": "category"})
    columns = make_column_transformer(
        (ONE_HOT, ["port"]), remainder="passthrough"
    )
    return Fitted(make_pipeline(columns, LogisticRegression()).fit(X, y), X)


@group.artifact("None among the categories")
def none_category() -> Fitted:
    categories = [*data.PORTS, None]
    features = [
        UNSAID[0],
        {"name": "port", "type": "category", "categories": categories},
    ]
    return fit(ONE_HOT, None, features=features)


@group.artifact("a text default")
def default() -> Fitted:
    X, y = passengers(None)
    filled = X.fillna({"port": "Southampton"})
    columns = make_column_transformer(
        (ONE_HOT, ["port"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(filled, y)
    features = [UNSAID[0], {**UNSAID[1], "default": "Southampton"}]

    def fill_first(of: Any) -> Any:
        return lambda rows: of(rows.fillna({"port": "Southampton"}))

    predict = fill_first(model.predict)
    return Fitted(
        model,
        X,
        features,
        predict=predict,
        predict_proba=fill_first(model.predict_proba),
    )


def numbers(*steps: Any, as_matrix: bool = False) -> Fitted:
    """Fit the steps to ages, of which some are missing, and fares."""
    X, y = data.people("age", "fare")
    X = X.to_numpy() if as_matrix else X
    return Fitted(make_pipeline(*steps).fit(X, y), X)


@group.artifact("numbers, SimpleImputer with an indicator")
def indicator() -> Fitted:
    return numbers(SimpleImputer(add_indicator=True), LogisticRegression())


@group.artifact("numbers, KNNImputer")
def neighbours() -> Fitted:
    return numbers(KNNImputer(), LogisticRegression())


@group.artifact("numbers, IterativeImputer")
def iterative() -> Fitted:
    return numbers(IterativeImputer(max_iter=3), LogisticRegression())


@group.artifact("numbers, histogram boosting")
def boosting() -> Fitted:
    return numbers(HistGradientBoostingClassifier(max_iter=10))


@group.artifact("numbers, a forest, a matrix")
def forest() -> Fitted:
    return numbers(RandomForestClassifier(10, random_state=0), as_matrix=True)


@group.artifact("none in training, examples show it")
def nobody_trained() -> Fitted:
    X, y = data.people("sex", "fare")
    columns = make_column_transformer(
        (ONE_HOT, ["sex"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression()).fit(X, y)
    return Fitted(
        model, X, extra={"examples": examples_of(model, first_rows(X, 20))}
    )
