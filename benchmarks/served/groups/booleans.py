"""Booleans: as they are, encoded, spelt, missing."""

from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
)
from sklearn.tree import DecisionTreeClassifier

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import REFUSE, Fitted

group = Group("Booleans")
ONE_HOT = OneHotEncoder(handle_unknown="ignore")


def fit(step: Any, frame: Any = None, **more: Any) -> Fitted:
    """Fit the step to the members, with the fare beside them."""
    X, y = data.people("fare", "member")
    X = X if frame is None else frame(X)
    columns = make_column_transformer(
        (step, ["member"]), remainder="passthrough"
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    return Fitted(model.fit(X, y), X, **more)


def spelt() -> Any:
    """Return a one-hot encoding of the texts of values."""
    return make_pipeline(FunctionTransformer(data.as_text), ONE_HOT)


@group.artifact("as they are, a tree")
def plain() -> Fitted:
    X, y = data.people("fare", "member")
    return Fitted(DecisionTreeClassifier(max_depth=4).fit(X, y), X)


@group.artifact("one-hot")
def one_hot() -> Fitted:
    return fit(ONE_HOT)


@group.artifact("OrdinalEncoder")
def ordinal() -> Fitted:
    return fit(OrdinalEncoder())


@group.artifact("spelt True and False, one-hot")
def text() -> Fitted:
    return fit(spelt())


@group.artifact("spelt, said to be numeric")
def said_numeric() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "member", "type": "numeric"},
    ]
    frame = data.people("fare", "member")[0].astype(float)
    records = frame.to_dict("records")
    return fit(spelt(), features=features, records=records, should=REFUSE)


@group.artifact("spelt, said to be a category of false and true")
def category() -> Fitted:
    features = [
        {"name": "fare", "type": "numeric"},
        {"name": "member", "type": "category", "categories": [False, True]},
    ]
    return fit(spelt(), features=features)


@group.artifact("objects with None, one-hot")
def with_none() -> Fitted:
    return fit(
        ONE_HOT, lambda X: X.assign(member=data.lacking(X.member, None))
    )


@group.artifact("objects with NaN, spelt, one-hot")
def with_nan() -> Fitted:
    return fit(
        spelt(), lambda X: X.assign(member=data.lacking(X.member, np.nan))
    )


@group.artifact("pandas' boolean with missing values, spelt")
def nullable() -> Fitted:
    def frame(X: Any) -> Any:
        return X.assign(member=data.lacking(X.member, None).astype("boolean"))

    return fit(spelt(), frame)


@group.artifact("a matrix of booleans")
def matrix() -> Fitted:
    X, y = data.people("member", "fare")
    X = np.column_stack([X.member, X.fare > X.fare.median()])
    return Fitted(make_pipeline(ONE_HOT, LogisticRegression()).fit(X, y), X)


@group.artifact("a matrix of booleans, spelt")
def matrix_text() -> Fitted:
    X, y = data.people("member", "fare")
    X = np.column_stack([X.member, X.fare > X.fare.median()])
    return Fitted(make_pipeline(spelt(), LogisticRegression()).fit(X, y), X)
