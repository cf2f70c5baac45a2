"""Examples in the artifact, right and wrong, and features in another order on a matrix."""

from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.served import data
from benchmarks.served.registry import Group
from benchmarks.served.writing import (
    REFUSE,
    UNSEEN,
    Fitted,
    describe,
    examples_of,
    first_rows,
    to_records,
)

group = Group("Examples in the artifact")
order = Group("Features in another order")
COUNT = 20


def frame(change: Any = None, **more: Any) -> Fitted:
    """Fit a frame, with examples, which `change` may make wrong."""
    X, y = data.people("fare", "siblings", "zip")
    model = RandomForestClassifier(10, max_depth=4, random_state=0).fit(X, y)
    examples = examples_of(model, first_rows(X, COUNT))
    if change is not None:
        change(examples)
    return Fitted(model, X, extra={"examples": examples}, **more)


@group.artifact("a frame, all right")
def right() -> Fitted:
    return frame()


@group.artifact("a list of records, all right")
def records() -> Fitted:
    def change(examples: Any) -> None:
        examples["records"] = to_records(examples["records"])

    return frame(change)


@group.artifact("predictions only")
def predictions_only() -> Fitted:
    return frame(lambda examples: examples.pop("probabilities"))


@group.artifact("probabilities only")
def probabilities_only() -> Fitted:
    return frame(lambda examples: examples.pop("predictions"))


@group.artifact("arrays instead of lists")
def arrays() -> Fitted:
    def change(examples: Any) -> None:
        for key in ("predictions", "probabilities"):
            examples[key] = np.array(examples[key])

    return frame(change)


@group.artifact("one label is wrong")
def wrong_label() -> Fitted:
    def change(examples: Any) -> None:
        examples["predictions"][3] = 1 - examples["predictions"][3]

    return frame(change, should=REFUSE)


@group.artifact("one probability is wrong by 1e-4")
def wrong_probability() -> Fitted:
    def change(examples: Any) -> None:
        examples["probabilities"][3][0] += 1e-4
        examples["probabilities"][3][1] -= 1e-4

    return frame(change, should=REFUSE)


@group.artifact("fewer predictions than records")
def too_few() -> Fitted:
    return frame(lambda examples: examples["predictions"].pop(), should=REFUSE)


@group.artifact("a regression, right")
def regression() -> Fitted:
    X, y = data.diabetes()
    model = LinearRegression().fit(X, y)
    return Fitted(
        model, X, extra={"examples": examples_of(model, first_rows(X, COUNT))}
    )


@group.artifact("a regression, one number wrong")
def wrong_number() -> Fitted:
    X, y = data.diabetes()
    model = LinearRegression().fit(X, y)
    examples = examples_of(model, first_rows(X, COUNT))
    examples["predictions"][5] += 0.01
    return Fitted(model, X, extra={"examples": examples}, should=REFUSE)


@group.artifact("XGBoost, float32, right")
def single_precision() -> Fitted:
    import xgboost

    X, y = data.cancer()
    model = xgboost.XGBClassifier(n_estimators=10, n_jobs=1).fit(X, y)
    return Fitted(
        model, X, extra={"examples": examples_of(model, first_rows(X, COUNT))}
    )


@group.artifact("with samples that are a frame")
def with_samples() -> Fitted:
    X, y = data.people("fare", "siblings", "zip", "member")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    extra = {
        "samples": X.tail(30),
        "examples": examples_of(model, X.head(COUNT)),
    }
    return Fitted(model, X, extra=extra)


NAMES = ["fare", "siblings", "zip"]


def matrix(features: list[str], with_examples: bool, **more: Any) -> Fitted:
    """Fit a matrix whose columns are NAMES, and describe them in the order of `features`."""
    X, y = data.people(*NAMES)
    described = {feature["name"]: feature for feature in describe(X)}
    model = LogisticRegression(max_iter=2000).fit(X.to_numpy(dtype=float), y)
    rows = X.to_numpy(dtype=float)
    extra = {}
    if with_examples:
        records = X.head(COUNT)[features]
        extra = {
            "examples": {
                **examples_of(model, rows[:COUNT]),
                "records": records,
            }
        }
    entries = [described[name] for name in features]
    return Fitted(model, rows, entries, names=NAMES, extra=extra, **more)


@order.artifact("a matrix, in its order")
def in_order() -> Fitted:
    return matrix(NAMES, with_examples=False)


@order.artifact("a matrix, in its order, with examples")
def in_order_examples() -> Fitted:
    return matrix(NAMES, with_examples=True)


@order.artifact("a matrix, in another order, with examples")
def other_order_examples() -> Fitted:
    return matrix(NAMES[::-1], with_examples=True, should=REFUSE)


@order.artifact("a matrix, in another order, nothing tells")
def other_order() -> Fitted:
    return matrix(NAMES[::-1], with_examples=False, should=UNSEEN)


@order.artifact("a frame, in another order")
def frame_order() -> Fitted:
    X, y = data.people(*NAMES)
    model = LogisticRegression(max_iter=2000).fit(X, y)
    return Fitted(model, X, describe(X[NAMES[::-1]]), should=REFUSE)


@order.artifact("a frame, a feature misspelt")
def misspelt() -> Fitted:
    X, y = data.people(*NAMES)
    model = LogisticRegression(max_iter=2000).fit(X, y)
    features = describe(X.rename(columns={"zip": "postcode"}))
    return Fitted(model, X, features, should=REFUSE)


@order.artifact("a matrix, a feature too many")
def too_many() -> Fitted:
    X, y = data.people(*NAMES)
    model = LogisticRegression(max_iter=2000).fit(X.to_numpy(), y)
    features = [*describe(X), {"name": "age", "type": "numeric"}]
    return Fitted(model, X.to_numpy(), features, names=NAMES, should=REFUSE)


@order.artifact("a frame, sorted by an AutoML object")
def sorted_by_model() -> Fitted:
    X, y = data.people(*NAMES[::-1])
    return Fitted(data.SortingClassifier().fit(X, y), X)
