"""Values by coalitions are the Shapley values of any function, and add up."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from python.errors import TooLarge, Unprocessable
from python.model.explain.attribution import Attribution
from python.model.explain.coalitions import (
    AllCoalitions,
    Orders,
    choose_coalitions,
    make_shapley,
)
from tests.model.explain.truth import shapley_values

Matrix = NDArray[np.float64]


def product(X: Matrix) -> Matrix:
    return np.asarray(np.prod(X, axis=1))


def bent(X: Matrix) -> Matrix:
    return np.asarray(np.tanh(X.sum(axis=1)) * X[:, 0])


def normal(*shape: int) -> Matrix:
    return np.random.default_rng(sum(shape)).normal(size=shape)


def attribute(function: Any, background: Any, records: Any) -> Attribution:
    coalitions = choose_coalitions(background.shape[1])
    return make_shapley(function, background, coalitions)(records)


def explain(
    function: Any, background: Any, records: Any
) -> tuple[Matrix, NDArray[np.float64]]:
    return attribute(function, background, records)[:2]


def test_the_example_of_the_docstring() -> None:
    values, base_value = explain(
        product, np.array([[1.0, 0.0]]), np.array([[2, 3]])
    )
    assert values.tolist() == [[1.5, 4.5]]
    assert base_value == 0


@pytest.mark.parametrize("n_features", range(2, 9))
def test_the_value_of_a_feature_that_changes_nothing_is_0(
    n_features: int,
) -> None:
    without_last = normal(2 ** (n_features - 1), 3)
    worths = np.concatenate([without_last, without_last])
    for of_classes in (worths, worths[:, 0]):
        values = AllCoalitions(n_features).estimate(of_classes).values
        assert np.all(values[-1] == 0)
        assert np.all(values[:-1] != 0)


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
    assert choose_coalitions(8).method == "exact"
    assert choose_coalitions(9).method == "permutation"
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
    background = normal(20, 12)
    together, _ = explain(bent, background, records)
    for row, values in enumerate(together):
        alone, _ = explain(bent, background, records[row : row + 1])
        assert alone[0] == pytest.approx(values)


@pytest.mark.parametrize("n_features", [1, 4, 8, 9, 30])
def test_a_record_is_predicted_as_often_as_is_said(n_features: int) -> None:
    n_rows: list[int] = []

    def counted(X: Matrix) -> Matrix:
        n_rows.append(len(X))
        return X[:, 0]

    explain(counted, normal(6, n_features), normal(1, n_features))
    n_coalitions = len(choose_coalitions(n_features).members)
    assert sum(n_rows) == 6 * n_coalitions


@pytest.mark.parametrize(
    ("n_features", "most", "expected"),
    [
        (8, 256, 256),
        (8, 255, 180),  # 10 pairs of orders, of 9 coalitions each
        (8, 100, 72),
        (8, 50, 36),
        (8, 1, 36),  # never fewer than two pairs
        (3, 1, 8),  # all of them are fewer
        (20, 419, 168),
        (20, 420, 420),
    ],
)
def test_as_many_coalitions_as_there_is_time_for(
    n_features: int, most: float, expected: int
) -> None:
    assert len(choose_coalitions(n_features, most).members) == expected


def test_exact_values_have_no_standard_error() -> None:
    assert attribute(bent, normal(5, 8), normal(2, 8)).standard_error is None


def chance(n_features: int, seed: int) -> Orders:
    choose = np.random.default_rng(seed)
    places = []
    for _ in range(10):
        place = choose.permutation(n_features)
        places.extend([place, n_features - 1 - place])
    return Orders(np.stack(places))


def test_the_standard_error_is_how_far_values_are_off() -> None:
    """Over many sets of orders, the mean square of the errors is that of the standard errors."""
    background = normal(6, 7)
    record = normal(1, 7)

    def uneven(X: Matrix) -> Matrix:
        return np.asarray(np.tanh(X.sum(axis=1)) * X[:, 0] * X[:, 1] * X[:, 2])

    exact = make_shapley(uneven, background, AllCoalitions(7))(record).values
    squares = []
    stated = []
    for seed in range(200):
        sampled = make_shapley(uneven, background, chance(7, seed))(record)
        assert sampled.standard_error is not None
        squares.append((sampled.values - exact) ** 2)
        stated.append(sampled.standard_error**2)
    ratio = np.mean(squares, axis=0) / np.mean(stated, axis=0)
    assert ratio == pytest.approx(np.ones((1, 7)), abs=0.3)


def test_a_refused_mixture_names_the_record_and_the_row() -> None:
    """Each of the rows is taken, and so is the record; their mixture is not."""

    def exclusive(X: Matrix) -> Matrix:
        if (X.sum(axis=1) > 1).any():
            raise ValueError("one at a time")
        return X[:, 0]

    background = np.array([[0.0, 0.0], [0.0, 1.0]])
    records = np.array([[0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(
        Unprocessable, match=r"record 1 .* row 1 of the background"
    ):
        explain(exclusive, background, records)


def test_what_takes_too_long_is_given_up() -> None:
    coalitions = choose_coalitions(4)
    compute = make_shapley(bent, normal(5, 4), coalitions, 1.0, 0.0)
    with pytest.raises(TooLarge, match="more than 0 seconds"):
        compute(normal(1, 4))


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
