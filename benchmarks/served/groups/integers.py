"""Integers that are more than numbers: codes turned into text, hashed, looked up."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import REFUSE, Fitted, first_rows

group = Group("Integers")
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
ZIP_SAID_NUMERIC = [
    {"name": "fare", "type": "numeric"},
    {"name": "zip", "type": "numeric"},
]


def fit(*steps: Any, frame: Any = None, **more: Any) -> Fitted:
    """Fit the steps to the zip codes, with the fare beside them."""
    X, y = data.people("fare", "zip")
    X = X if frame is None else frame(X)
    columns = make_column_transformer(
        (make_pipeline(*steps), ["zip"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    return Fitted(model.fit(X, y), X, **more)


def to_text() -> Any:
    """Return the step that turns integers into text."""
    return FunctionTransformer(data.as_text)


@group.artifact("astype(str), one-hot")
def text() -> Fitted:
    return fit(to_text(), ONE_HOT)


@group.artifact("astype(str), one-hot, said to be numeric")
def said_numeric() -> Fitted:
    return fit(to_text(), ONE_HOT, features=ZIP_SAID_NUMERIC, should=REFUSE)


@group.artifact("said to be numeric, with samples")
def said_numeric_samples() -> Fitted:
    X = data.people("fare", "zip")[0]
    extra = {"samples": first_rows(X, 20)}
    return fit(
        to_text(),
        ONE_HOT,
        features=ZIP_SAID_NUMERIC,
        extra=extra,
        should=REFUSE,
    )


@group.artifact("one-hot")
def one_hot() -> Fitted:
    return fit(ONE_HOT)


@group.artifact("one-hot, said to be numeric")
def one_hot_numeric() -> Fitted:
    return fit(ONE_HOT, features=ZIP_SAID_NUMERIC)


@group.artifact("OrdinalEncoder, unknown as -1")
def ordinal() -> Fitted:
    return fit(
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    )


@group.artifact("TargetEncoder")
def target() -> Fitted:
    return fit(TargetEncoder(random_state=0))


@group.artifact("looked up by their text")
def looked_up() -> Fitted:
    return fit(FunctionTransformer(data.look_up))


@group.artifact("hashed by their text")
def hashed() -> Fitted:
    return fit(FunctionTransformer(data.hash_integers), ONE_HOT)


@group.artifact("two columns joined to one text")
def joined() -> Fitted:
    X, y = data.people("siblings", "zip")
    model = make_pipeline(
        FunctionTransformer(data.join_columns), ONE_HOT, LogisticRegression()
    )
    return Fitted(model.fit(X, y), X)


@group.artifact("last digits of numbers beyond 2**53")
def large() -> Fitted:
    X, y = data.people("siblings")
    X = 2**53 + 10 * X + np.arange(len(X))[:, None] % 10
    model = make_pipeline(FunctionTransformer(data.last_digits), ONE_HOT)
    return Fitted(make_pipeline(model, LogisticRegression()).fit(X, y), X)


@group.artifact("int8, as text")
def small() -> Fitted:
    return fit(
        to_text(),
        ONE_HOT,
        frame=lambda X: X.assign(zip=(X.zip % 100).astype("int8")),
    )


@group.artifact("unsigned, as text")
def unsigned() -> Fitted:
    return fit(to_text(), ONE_HOT, frame=lambda X: X.astype({"zip": "uint32"}))


@group.artifact("Int64 with missing values, as text")
def nullable() -> Fitted:
    def frame(X: Any) -> Any:
        codes = X.zip.astype("Int64").mask(X.index % 7 == 3)
        return X.assign(zip=codes)

    return fit(to_text(), ONE_HOT, frame=frame)


@group.artifact("floats because some are missing, as text")
def floats() -> Fitted:
    def frame(X: Any) -> Any:
        return X.assign(zip=X.zip.where(X.index % 7 != 3))

    return fit(to_text(), ONE_HOT, frame=frame)


@group.artifact("a matrix of integers, one-hot")
def matrix() -> Fitted:
    X, y = data.people("siblings", "zip")
    X = X.to_numpy()
    return Fitted(make_pipeline(ONE_HOT, LogisticRegression()).fit(X, y), X)


@group.artifact("a matrix of integers, as text")
def matrix_text() -> Fitted:
    X, y = data.people("siblings", "zip")
    X = X.to_numpy()
    model = make_pipeline(to_text(), ONE_HOT, LogisticRegression())
    return Fitted(model.fit(X, y), X)


@group.artifact("a matrix of objects: integers and texts, one-hot")
def matrix_objects() -> Fitted:
    X, y = data.people("siblings", "sex")
    X = X.to_numpy(dtype=object)
    features = [
        {"name": "siblings", "type": "integer"},
        {"name": "sex", "type": "string"},
    ]
    model = make_pipeline(ONE_HOT, LogisticRegression()).fit(X, y)
    return Fitted(model, X, features, names=["siblings", "sex"])


@group.artifact("codes that are texts with leading zeros")
def leading_zeros() -> Fitted:
    return fit(
        ONE_HOT, frame=lambda X: X.assign(zip=X.zip.astype(str).str.zfill(5))
    )


@group.artifact("a category of integers, as text")
def categories() -> Fitted:
    return fit(
        to_text(), ONE_HOT, frame=lambda X: X.astype({"zip": "category"})
    )


@group.artifact("a category of integers, one-hot")
def categories_one_hot() -> Fitted:
    return fit(ONE_HOT, frame=lambda X: X.astype({"zip": "category"}))


@group.artifact("a forest on integers")
def forest() -> Fitted:
    X, y = data.people("siblings", "zip")
    return Fitted(RandomForestClassifier(10, random_state=0).fit(X, y), X)


@group.artifact("integers as objects, each spelt by Python")
def objects() -> Fitted:
    spelt = FunctionTransformer(data.each_as_text)

    def frame(X: Any) -> Any:
        return X.assign(zip=pd.Series(X.zip.tolist(), dtype=object))

    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "zip", "type": "integer", "dtype": "object"},
    ]
    return fit(spelt, ONE_HOT, frame=frame, features=features)
