"""Columns of other dtypes than pandas' usual ones."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import Fitted

group = Group("Other dtypes")
ONE_HOT = OneHotEncoder(handle_unknown="ignore")


def fit(model: Any, dtypes: Any, *columns: str) -> Fitted:
    """Fit a model to passengers whose columns have these dtypes."""
    X, y = data.people(*(columns or ("fare", "siblings", "zip")))
    X = X.astype(dtypes)
    return Fitted(model.fit(X, y), X)


def spelt() -> Any:
    """Return a model that shows each value as text."""
    text = FunctionTransformer(data.each_as_text)
    return make_pipeline(text, ONE_HOT, LogisticRegression(max_iter=500))


@group.artifact("float32, histogram boosting")
def single() -> Fitted:
    return fit(
        HistGradientBoostingClassifier(max_iter=10), "float32", "fare", "age"
    )


@group.artifact("float32, spelt")
def single_spelt() -> Fitted:
    return fit(spelt(), {"fare": "float32"}, "fare", "sex")


@group.artifact("float16, LogisticRegression")
def half() -> Fitted:
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    return fit(scaled, "float16", "fare", "siblings")


@group.artifact("int8, a forest")
def small() -> Fitted:
    return fit(
        RandomForestClassifier(10), {"siblings": "int8"}, "siblings", "fare"
    )


@group.artifact("Int64 and Float64, a forest")
def nullable() -> Fitted:
    model = RandomForestClassifier(10, random_state=0)
    return fit(
        model, {"fare": "Float64", "siblings": "Int64"}, "fare", "siblings"
    )


@group.artifact("Int64, Float64, boolean, string: convert_dtypes()")
def converted() -> Fitted:
    X, y = data.people("sex", "fare", "siblings", "member")
    X = X.astype({"fare": "Float64", "siblings": "Int64"}).astype(
        {"member": "boolean", "sex": "string"}
    )
    columns = make_column_transformer(
        (ONE_HOT, ["sex"]), remainder="passthrough"
    )
    return Fitted(make_pipeline(columns, LogisticRegression()).fit(X, y), X)


@group.artifact("Float64 with missing values, imputed")
def nullable_missing() -> Fitted:
    model = make_pipeline(SimpleImputer(), LogisticRegression())
    return fit(model, {"age": "Float64"}, "age", "fare")


@group.artifact("Int64 and boolean, spelt")
def nullable_spelt() -> Fitted:
    dtypes = {"zip": "Int64", "member": "boolean"}
    return fit(spelt(), dtypes, "zip", "member")


@group.artifact("string, spelt")
def text() -> Fitted:
    return fit(spelt(), "string", "sex", "port")


@group.artifact("object texts, one-hot")
def objects() -> Fitted:
    return fit(
        make_pipeline(ONE_HOT, LogisticRegression()), object, "sex", "port"
    )


@group.artifact("object texts, no dtype said")
def objects_unsaid() -> Fitted:
    X, y = data.people("sex", "port")
    X = X.astype(object)
    features = [{"name": name, "type": "string"} for name in X]
    return Fitted(
        make_pipeline(ONE_HOT, LogisticRegression()).fit(X, y), X, features
    )


@group.artifact("object numbers, spelt")
def object_numbers() -> Fitted:
    X, y = data.people("zip", "siblings")
    X = X.astype(object)
    features = [
        {"name": name, "type": "integer", "dtype": "object"} for name in X
    ]
    return Fitted(spelt().fit(X, y), X, features)


@group.artifact("set_output(transform='pandas')")
def pandas_output() -> Fitted:
    columns = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["sex"]),
        (StandardScaler(), ["fare"]),
        verbose_feature_names_out=False,
    )
    model = make_pipeline(columns, LogisticRegression()).set_output(
        transform="pandas"
    )
    return fit(model, {}, "sex", "fare")


@group.artifact("a sparse matrix")
def sparse() -> Fitted:
    X, y = data.people("siblings", "member")
    X = csr_matrix(X.to_numpy(dtype=float))
    return Fitted(LogisticRegression().fit(X, y), X)


@group.artifact("a matrix of float32")
def single_matrix() -> Fitted:
    X, y = data.people("fare", "siblings")
    X = X.to_numpy(dtype=np.float32)
    features = [
        {"name": name, "type": "numeric", "dtype": "float32"}
        for name in ("feature0", "feature1")
    ]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    return Fitted(model, X, features)


@group.artifact("names that are integers")
def integer_names() -> Fitted:
    X, y = data.people("fare", "siblings")
    X = X.set_axis([0, 1], axis="columns")
    features = [
        {"name": "0", "type": "numeric"},
        {"name": "1", "type": "integer"},
    ]
    return Fitted(LogisticRegression(max_iter=500).fit(X, y), X, features)


@group.artifact("the name 0, an integer, in the metadata")
def integer_name() -> Fitted:
    X, y = data.people("fare", "siblings")
    X = X.set_axis([0, 1], axis="columns")
    features = [{"name": 0, "type": "numeric"}, {"name": 1, "type": "integer"}]
    return Fitted(LogisticRegression(max_iter=500).fit(X, y), X, features)


@group.artifact("names with umlauts, spaces, slashes, tildes and braces")
def odd_names() -> Fitted:
    X, y = data.people("fare", "siblings", "zip")
    names = ["größe in m", "a/b~c", '{"k": [1]}']
    X = X.set_axis(names, axis="columns")
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return Fitted(model.fit(X, y), X)


@group.artifact("Decimals in the samples")
def decimals() -> Fitted:
    from decimal import Decimal

    X, y = data.people("fare", "siblings")
    samples = X.head(20).assign(
        fare=[Decimal(str(fare)) for fare in X.fare.head(20)]
    )
    model = LogisticRegression(max_iter=500).fit(X, y)
    return Fitted(model, X, extra={"samples": pd.DataFrame(samples)})
