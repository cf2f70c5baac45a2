"""From the columns of the last step back to the features."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from python.model.estimator import Steps, split_steps
from python.model.explain.origins import find_origins, sum_by_feature

choose = np.random.default_rng(0)
# Names that are part of one another.
FRAME = pd.DataFrame(
    {
        "a": choose.normal(size=40),
        "a_b": choose.normal(size=40),
        "b": choose.choice(["x", "y", "a_b"], size=40),
        "x0": choose.choice([1.0, 2.0], size=40),
    }
)
NUMBERS = FRAME[["a", "a_b", "x0"]]
TARGET = np.arange(40) % 2


def origins_of(transformer: Any, data: Any = FRAME) -> list[int] | None:
    transformers = (
        transformer if isinstance(transformer, tuple) else (transformer,)
    )
    transforming = make_pipeline(*transformers)
    model = make_pipeline(transforming, DecisionTreeClassifier()).fit(
        data, TARGET
    )
    origins = find_origins(split_steps(model), data.shape[1], data[:10])
    return None if origins is None else origins.tolist()


encoded = make_column_transformer(
    (OneHotEncoder(), ["b", "x0"]), (StandardScaler(), ["a_b", "a"])
)


@pytest.mark.parametrize(
    ("transformer", "data", "expected"),
    [
        (encoded, FRAME, [2, 2, 2, 3, 3, 1, 0]),
        ((encoded, StandardScaler()), FRAME, [2, 2, 2, 3, 3, 1, 0]),
        (ColumnTransformer([("n", "passthrough", [0, 1]), ("d", "drop", ["b"])], remainder="passthrough"), FRAME, [0, 1, 3]),
        (make_column_transformer((OrdinalEncoder(), ["b"]), remainder="drop"), FRAME, [2]),
        (make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), ["x0", "a"])), FRAME, [3, 0]),
        (make_column_transformer((KBinsDiscretizer(2, quantile_method="averaged_inverted_cdf"), ["a"]), ("passthrough", ["a"])), FRAME, [0, 0, 0]),
        (make_union(StandardScaler(), SelectKBest(k=1)), NUMBERS, None),
        ((StandardScaler(), SelectKBest(k=2)), NUMBERS, None),
        (FunctionTransformer(np.arctan), NUMBERS, [0, 1, 2]),
        (FunctionTransformer(np.arctan, feature_names_out="one-to-one"), NUMBERS, [0, 1, 2]),
        (StandardScaler().set_output(transform="pandas"), NUMBERS, [0, 1, 2]),
        (StandardScaler(), NUMBERS.to_numpy(), [0, 1, 2]),
        (("passthrough", StandardScaler()), NUMBERS, [0, 1, 2]),
    ],
)  # fmt: skip
def test_columns_of_one_feature(
    transformer: Any, data: Any, expected: list[int] | None
) -> None:
    origins = origins_of(transformer, data)
    if expected is not None:
        assert origins == expected
        return
    # Which ones are selected depends on the data; that they are traced does not.
    assert origins is not None
    assert set(origins) <= {0, 1, 2}


@pytest.mark.parametrize(
    "transformer",
    [
        PCA(2),
        PolynomialFeatures(2),
        Normalizer(),
        FunctionTransformer(lambda X: X.to_numpy()[:, ::-1]),
        FunctionTransformer(lambda X: X.to_numpy()[:, :2]),
        FunctionTransformer(lambda X: np.cumsum(X.to_numpy(), axis=1)),
        make_column_transformer(
            (PCA(1), ["a", "a_b"]), remainder="passthrough"
        ),
        make_union(StandardScaler(), PCA(1)),
    ],
)
def test_columns_that_mix_features_have_no_origin(transformer: Any) -> None:
    assert origins_of(transformer, NUMBERS) is None


def test_words_of_one_text_have_no_origin_by_name() -> None:
    words = make_column_transformer(
        (CountVectorizer(analyzer="char"), "b"), (StandardScaler(), ["a"])
    )
    assert origins_of(words) is None


def test_the_example_of_the_docstring() -> None:
    data = pd.DataFrame({"size": [1.0, 2, 3], "weight": [3.0, 2, 1]})
    data = data.assign(colour=["red", "green", "blue"])
    transformer = make_column_transformer(
        (OneHotEncoder(), ["colour"]), (StandardScaler(), ["size", "weight"])
    )
    steps = Steps([transformer.fit(data)], None)
    origins = find_origins(steps, 3, data)
    assert origins is not None
    assert origins.tolist() == [2, 2, 2, 0, 1]
    values = np.array([[1.0, 2, 4, 8, 16]])
    assert sum_by_feature(values, origins, 3).tolist() == [[8, 16, 7]]


def test_values_of_each_class_are_summed_alone() -> None:
    values = np.arange(24.0).reshape(2, 4, 3)
    by_feature = sum_by_feature(values, np.array([1, 0, 1, 1]), 3)
    assert by_feature.shape == (2, 3, 3)
    assert by_feature[:, 0].tolist() == values[:, 1].tolist()
    assert (
        by_feature[:, 1].tolist() == values[:, [0, 2, 3]].sum(axis=1).tolist()
    )
    assert not by_feature[:, 2].any()


def test_without_transformers_each_feature_is_its_own_origin() -> None:
    origins = find_origins(Steps([], None), 3, NUMBERS[:10])
    assert origins is not None
    assert origins.tolist() == [0, 1, 2]


def test_transformers_inside_that_name_no_outputs_have_no_origin() -> None:
    unnamed = make_pipeline(FunctionTransformer(np.arctan), PCA(2))
    assert origins_of(make_union(StandardScaler(), unnamed), NUMBERS) is None
