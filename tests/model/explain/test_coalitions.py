"""Values by coalitions are the Shapley values of any function, and add up."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from python.model.explain.attribution import Attribution
from python.model.explain.coalitions import (
    make_shapley,
    method_name,
    n_coalitions,
)
from tests.model.explain.truth import shapley_values

Matrix = NDArray[np.float64]


def product(X: Matrix) -> Matrix:
    return np.asarray(np.prod(X, axis=1))


def bent(X: Matrix) -> Matrix:
    return np.asarray(np.tanh(X.sum(axis=1)) * X[:, 0])


def normal(*shape: int) -> Matrix:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def explain(function: Any, background: Any, records: Any) -> Attribution:
    return make_shapley(function, background)(records)


def test_the_example_of_the_docstring() -> None:
    values, base_value = explain(
        product, np.array([[1.0, 0.0]]), np.array([[2, 3]])
    )
    assert values.tolist() == [[1.5, 4.5]]
    assert base_value == 0


@pytest.mark.parametrize("function", [product, bent])
def test_values_of_few_features_are_those_by_definition(function: Any) -> None:
    background = normal(7, 4)
    records = normal(3, 4)
    values, base_value = explain(function, background, records)
    expected = [
        shapley_values(function, record, background) for record in records
    ]
    assert values == pytest.approx(np.array(expected))
    assert base_value == pytest.approx(function(background).mean())


def test_the_most_features_that_are_explained_exactly() -> None:
    assert method_name(8) == "exact"
    assert method_name(9) == "permutation"
    # The function depends on the first feature, and on the sum of the others in one way: so
    # features with equal values have equal shares.
    alike = np.array([[1.0, 2, 2, 2, 2, 2, 2, 2]])
    values, base_value = explain(bent, np.zeros((1, 8)), alike)
    assert values[0, 1:] == pytest.approx(np.full(7, values[0, 1]))
    assert base_value + values.sum() == pytest.approx(bent(alike)[0])


@pytest.mark.parametrize("n_features", [3, 12])
def test_each_class_is_explained(n_features: int) -> None:
    background = normal(5, n_features)
    records = normal(2, n_features)

    def probabilities(X: Matrix) -> Matrix:
        scores = np.exp(X[:, :3])
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    values, base_value = explain(probabilities, background, records)
    assert values.shape == (2, n_features, 3)
    assert base_value == pytest.approx(probabilities(background).mean(axis=0))
    assert base_value + values.sum(axis=1) == pytest.approx(
        probabilities(records)
    )
    for number in range(3):
        one_class, _ = explain(
            lambda X, number=number: probabilities(X)[:, number],
            background,
            records,
        )
        assert values[:, :, number] == pytest.approx(one_class)


def test_permutation_values_of_a_linear_function_are_exact() -> None:
    coefficients = normal(12)
    background = normal(20, 12)
    records = normal(3, 12)
    values, base = explain(lambda X: X @ coefficients, background, records)
    assert values == pytest.approx(
        coefficients * (records - background.mean(axis=0))
    )
    assert base == pytest.approx((background @ coefficients).mean())


def test_permutation_values_of_pairs_are_exact() -> None:
    """An order and its reverse have every pair in both orders, so products of two are halved."""
    records = normal(3, 10)

    def pairs(X: Matrix) -> Matrix:
        return np.asarray((X[:, ::2] * X[:, 1::2]).sum(axis=1))

    values, _ = explain(pairs, np.zeros((1, 10)), records)
    halves = records[:, ::2] * records[:, 1::2] / 2
    assert values == pytest.approx(np.repeat(halves, 2, axis=1))


def test_permutation_values_of_a_record_are_the_same_alone_and_among_others() -> (
    None
):
    records = normal(3, 12)
    attribute = make_shapley(bent, normal(20, 12))
    assert attribute(records)[0] == pytest.approx(
        np.concatenate([attribute(records[n : n + 1])[0] for n in range(3)])
    )


@pytest.mark.parametrize("n_features", [1, 4, 8, 9, 30])
def test_a_record_is_predicted_as_often_as_is_said(n_features: int) -> None:
    n_rows: list[int] = []

    def counted(X: Matrix) -> Matrix:
        n_rows.append(len(X))
        return X[:, 0]

    explain(counted, normal(6, n_features), normal(1, n_features))
    assert sum(n_rows) == 6 * n_coalitions(n_features)


def test_a_large_background_is_predicted_in_parts() -> None:
    n_rows: list[int] = []

    def counted(X: Matrix) -> Matrix:
        n_rows.append(len(X))
        return bent(X)

    background = normal(30_000, 3)
    record = normal(1, 3)
    values, _ = explain(counted, background, record)
    assert n_rows == [30_000] * 8
    assert values[0] == pytest.approx(
        shapley_values(bent, record[0], background)
    )


def test_a_data_frame_keeps_its_types() -> None:
    colours = pd.Categorical(["red", "green", "red"])
    background = pd.DataFrame({"colour": colours, "size": [1.0, 2.0, 3.0]})
    dtypes: list[Any] = []

    def output(columns: pd.DataFrame) -> Matrix:
        dtypes.append(list(columns.dtypes))
        is_red = (columns["colour"] == "red").to_numpy(float)
        return np.asarray(is_red * columns["size"])

    values, base_value = explain(output, background, background.tail(1))
    assert base_value == pytest.approx(4 / 3)
    assert base_value + values.sum() == pytest.approx(3)
    assert dtypes == [list(background.dtypes)]
