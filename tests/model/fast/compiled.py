"""What the tests of the fast room share: models with a compiled copy, and comparisons with the estimator."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from python.model.artifact import Artifact
from python.model.estimator import split_steps
from python.model.fast.copy import Copy
from python.model.fast.make import compile_copy
from python.model.fast.predictors import TOLERANCE
from python.model.fast.proof import Original
from python.model.fast.trials import critical_rows
from python.model.sklearn import SklearnModel
from python.model.trees import read_trees
from tests.models import features
from tests.records import of_codes

ROWS = 120


def targets(data: pd.DataFrame, classes: int) -> Any:
    """Numbers for 0 classes, else that many classes of about the same size."""
    score = data.select_dtypes("number").fillna(0).to_numpy() @ [
        1.0,
        -1.0,
        0.5,
    ]
    if classes == 0:
        return score
    return np.digitize(
        score, np.quantile(score, np.arange(1, classes) / classes)
    )


def sped_up(
    estimator: Any, data: pd.DataFrame, classes: int, **fit: Any
) -> SklearnModel:
    """A model of the estimator, fitted with the data, after a copy has been made or refused."""
    estimator = clone(estimator).fit(data, targets(data, classes), **fit)
    model = SklearnModel.load(
        Artifact(estimator, {"features": features(data)})
    )
    model.speed_up()
    return model


def assert_equal(
    model: SklearnModel, codes: Any, *, exact: bool = False
) -> None:
    """Assert that the copy computes for these codes what the estimator does."""
    assert model.copy is not None, model.info()["fast_predict_reason"]
    columns = model.schema.decode(codes)
    methods = ["predict"]
    if hasattr(model.estimator, "classes_"):
        methods.append("predict_proba")
    for method in methods:
        expected = getattr(model.estimator, method)(columns)
        fast = copy_output(model.copy, method, of_codes(model.schema, codes))
        if fast is None:  # near ties
            assert method == "predict"
            assert len(methods) == 2
            continue
        if exact or (method == "predict" and len(methods) == 2):
            np.testing.assert_array_equal(fast, expected)
        else:
            np.testing.assert_allclose(
                fast, expected, rtol=TOLERANCE, atol=TOLERANCE
            )


def copy_output(copy: Copy, method: str, records: Any) -> Any:
    """What the copy computes of a method of the estimator; None where it leaves that to it."""
    outputs = copy.output(records)
    if outputs is None or method == copy.method:
        return outputs
    return copy.label(outputs)


def compile_again(model: SklearnModel) -> tuple[Copy, Original]:
    """A copy of the model's estimator that is not proven, and the original."""
    samples = model.schema.columns([model.schema.row(model.example())])
    steps = split_steps(model.estimator)
    return compile_copy(model.estimator, steps, model.schema, samples)


def estimator_output(model: SklearnModel, codes: Any) -> Any:
    """What the estimator computes for these codes."""
    assert model.copy
    return getattr(model.estimator, model.copy.method)(
        model.schema.decode(codes)
    )


ENCODERS = {
    "one-hot": OneHotEncoder(handle_unknown="ignore"),
    "one-hot, first dropped": OneHotEncoder(
        drop="first", handle_unknown="ignore"
    ),
    "one-hot, rare ones together": OneHotEncoder(
        min_frequency=40, handle_unknown="infrequent_if_exist"
    ),
    "ordinal": OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-2,
    ),
    "ordinal with gaps": OrdinalEncoder(encoded_missing_value=-7),
    "imputed, then one-hot": make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder()
    ),
}


NUMERIC = {
    "standard": StandardScaler(),
    "mean alone": StandardScaler(with_std=False),
    "scale alone": StandardScaler(with_mean=False),
    "min-max": MinMaxScaler(),
    "min-max, clipped": MinMaxScaler(clip=True),
    "robust": RobustScaler(),
    "max-abs": MaxAbsScaler(),
    "passthrough": "passthrough",
    "polynomial": PolynomialFeatures(),
}


LAST = {
    "linear": (LogisticRegression(), 2),
    "forest": (RandomForestClassifier(5, random_state=0), 3),
    "regression": (Ridge(), 0),
    "histogram": (HistGradientBoostingClassifier(max_iter=5), 2),
}


def mixed_columns(numeric: Any, encoder: Any) -> ColumnTransformer:
    """A step for the numbers of `mixed`, imputed unless they pass through, and its encoder."""
    inner = numeric
    if not isinstance(numeric, str):
        inner = make_pipeline(SimpleImputer(), clone(numeric))
    return make_column_transformer(
        (inner, ["size", "weight", "height"]), (clone(encoder), ["colour"])
    )


TEXTS = pd.DataFrame(
    {"p": ["u", "v", "w", "?"] * 15, "q": ["u", "x", "w"] * 20}
)


ONE_HOT = OneHotEncoder(handle_unknown="ignore")


NINE = [f"x{n}" for n in range(9)]


SPARSE = ColumnTransformer(
    [("few", OneHotEncoder(), ["k"]), ("numbers", "passthrough", NINE)],
    sparse_threshold=1.0,
)


BY_COLUMN = ColumnTransformer(
    [("all", "passthrough", [*NINE, "k"])]
).set_output(transform="pandas")


TWO_FRAMES = ColumnTransformer(
    [("one", "passthrough", NINE), ("k", "passthrough", ["k"])]
).set_output(transform="pandas")


HANDED = {
    "an array": "passthrough",
    "sparse": SPARSE,
    "a frame": BY_COLUMN,
    "two frames in one": TWO_FRAMES,
}


def large_terms(
    handed: str, last: Any, classes: int, scale: float
) -> tuple[SklearnModel, Any]:
    """A linear model behind a step, and codes whose terms are of that size and cancel out."""
    choose = np.random.default_rng(0)
    X = pd.DataFrame(choose.normal(size=(200, 9)), columns=NINE)
    X["k"] = choose.integers(0, 5, 200).astype(float)
    score = X[NINE].to_numpy() @ choose.normal(size=9)
    target = np.digitize(score, [0] if classes == 2 else [-1, 1])
    step = HANDED[handed] if handed == "an array" else clone(HANDED[handed])
    pipeline = make_pipeline(step, clone(last)).fit(X, target)
    model = SklearnModel.load(Artifact(pipeline, {"features": features(X)}))
    model.speed_up()
    coefficients = np.atleast_2d(pipeline[-1].coef_)
    of_nine = (
        coefficients[:, -9:] if handed == "sparse" else coefficients[:, :9]
    )
    large = choose.normal(size=(300, 9)) * scale
    cancelling = large - large @ np.linalg.pinv(of_nine) @ of_nine
    rows = cancelling + choose.normal(size=(300, 9))
    return model, np.column_stack(
        [rows, choose.integers(0, 5, 300).astype(float)]
    )


def rows_near_decisions(predictor: Any, choose: np.random.Generator) -> Any:
    """The rows on which a copy of the predictor is tried, (n_rows, n_columns)."""
    rows = critical_rows(predictor, read_trees(predictor), choose)
    return np.concatenate(list(rows))
