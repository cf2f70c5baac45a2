"""From the columns of the last step back to the features."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
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
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from python.model.estimator import Steps, split_steps
from python.model.explain.origins import (
    NO_ORIGIN,
    find_origins,
    sum_by_feature,
)
from python.model.explain.outputs import find_outputs
from python.model.explain.readings import read_paths
from tests.model.explain.tree_models import COLOURS, score, table
from tests.model.explain.truth import brute_force, load
from tests.records import explain, of_data

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
        FunctionTransformer(lambda X: X.to_numpy() * X.to_numpy()[:, ::-1]),
        FunctionTransformer(lambda X: np.cumsum(X.to_numpy(), axis=1)),
        make_column_transformer(
            (PCA(1), ["a", "a_b"]), remainder="passthrough"
        ),
        make_union(StandardScaler(), PCA(1)),
    ],
)
def test_columns_that_mix_features_have_no_origin(transformer: Any) -> None:
    assert origins_of(transformer, NUMBERS) is None


def test_characters_of_one_text_change_with_it() -> None:
    characters = make_column_transformer(
        (CountVectorizer(analyzer="char"), "b"), (StandardScaler(), ["a"])
    )
    # They are a, b, x, y and the line below.
    assert origins_of(characters) == [2] * 5 + [0]


@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        (FunctionTransformer(lambda X: X.to_numpy()[:, ::-1]), [2, 1, 0]),
        (FunctionTransformer(lambda X: X.to_numpy()[:, :2]), [0, 1]),
        (
            FunctionTransformer(lambda X: np.tile(X.to_numpy(), 2)),
            [0, 1, 2, 0, 1, 2],
        ),
        (
            FunctionTransformer(
                lambda X: np.column_stack([np.ones(len(X)), X["a_b"]])
            ),
            [NO_ORIGIN, 1],
        ),
    ],
)
def test_where_no_name_tells_the_origin_is_what_a_column_changes_with(
    transformer: Any, expected: list[int]
) -> None:
    assert origins_of(transformer, NUMBERS) == expected


class ByMean(BaseEstimator):  # type: ignore[misc]
    """Encodes texts by the mean of the target, beside a constant, as other libraries do."""

    def fit(self, X: Any, y: Any) -> "ByMean":
        self.names_ = X.select_dtypes(exclude="number").columns
        self.means_ = {
            name: pd.Series(np.asarray(y), X.index)
            .groupby(X[name].astype(str))
            .mean()
            for name in self.names_
        }
        return self

    def transform(self, X: Any) -> Any:
        encoded = X.drop(columns=self.names_)
        encoded.insert(0, "intercept", 1.0)
        for name in self.names_:
            means = X[name].astype(str).map(self.means_[name])
            encoded[f"encoded {name}"] = means.astype(float)
            encoded[f"is {name} high"] = (means > 0) * 1.0
        return encoded


class InBits(ByMean):
    """Encodes texts by the bits of a number, and says names of its own."""

    def transform(self, X: Any) -> Any:
        encoded = X.drop(columns=self.names_)
        for name in self.names_:
            codes = pd.Categorical(X[name].astype(str), COLOURS).codes
            for bit in range(3):
                is_set = codes.astype(int) >> bit & 1
                encoded.insert(0, f"{name}_{bit}", is_set)
        return encoded

    def get_feature_names_out(self, names: Any = None) -> Any:  # noqa: ARG002
        return np.array(["first", "second"])


@pytest.mark.parametrize("encoder", [InBits(), ByMean()])
@pytest.mark.parametrize(
    "make", [GradientBoostingRegressor, DecisionTreeRegressor]
)
def test_what_encoders_of_other_libraries_make_is_one_player(
    encoder: Any, make: Any
) -> None:
    data = table(colours=True)
    model = make_pipeline(encoder, make(max_depth=4, random_state=0))
    model.fit(data, score(data))
    loaded = load(model, data)
    info = loaded.info()
    assert info["explanation_method"] == "tree path-dependent"
    background = data[20:32]
    explanation = explain(loaded, data[:3], background)
    assert (
        loaded.explanation_method(of_data(loaded.schema, background))
        == "tree interventional"
    )
    for row, values in enumerate(explanation.values):
        record = data.iloc[row : row + 1]
        expected = brute_force(model.predict, record, background)
        assert values == pytest.approx(expected[:, 0], abs=1e-9)
    importances = [one["importance"] for one in loaded.features()]
    assert sum(importances) == pytest.approx(1)
    is_of_colour = ["colour" in name for name in encoder.transform(data)]
    of_colour = model[-1].feature_importances_[is_of_colour]
    assert importances[-1] == pytest.approx(of_colour.sum())


def test_trees_that_split_by_a_column_of_no_feature_are_not_read() -> None:
    tree = DecisionTreeRegressor(max_depth=3).fit(NUMBERS, FRAME["a_b"])
    rows = NUMBERS[:10]
    outputs = find_outputs(tree, rows[:1])
    origins = np.array([0, 1, 2])
    assert read_paths(tree, origins, outputs, rows) is not None
    origins[tree.tree_.feature[0]] = NO_ORIGIN
    assert read_paths(tree, origins, outputs, rows) is None


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


def test_a_column_of_no_feature_is_not_left_out_of_a_sum() -> None:
    """A sum without it would hold for some records, and others would be explained otherwise."""
    constant = FunctionTransformer(
        lambda X: np.column_stack([np.ones(len(X)), X["a"] > 1e9, X])
    )
    model = make_pipeline(constant, Ridge()).fit(NUMBERS, FRAME["a_b"])
    loaded = load(model, NUMBERS, NUMBERS.head(9))
    assert loaded.info()["explanation_method"] == "exact"
