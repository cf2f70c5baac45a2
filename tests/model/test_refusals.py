"""Which values an estimator does not take is found by trying them, in few calls."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from python.errors import Fault
from python.model.refusals import accepts, find_faults, refused_rows

NAMES = ["size", "weight"]
VALUE = "the model does not take this value"
TOGETHER = "the model does not take these values together"


def refuse_large_sums(columns: Any) -> Any:
    """Refuse rows whose values add up to more than ten, as a check of a user's own might."""
    sums = np.asarray(columns, dtype=float).sum(axis=1)
    if (sums > 10).any():
        raise ArithmeticError("too large")
    return columns


MODEL = make_pipeline(
    FunctionTransformer(refuse_large_sums), LinearRegression()
)
MODEL.fit(np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), [1.0, 2.0, 3.0])
ACCEPTED = np.array([[0.0, 0.0]])


class CountedPredict:
    """A model's `predict` that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, columns: Any) -> Any:
        self.calls += 1
        return MODEL.predict(columns)


def faults(columns: Any, accepted: Any = ACCEPTED) -> list[Fault]:
    return find_faults(MODEL.predict, columns, NAMES, accepted)


def test_an_estimator_that_returns_accepts() -> None:
    assert accepts(MODEL.predict, ACCEPTED)


@pytest.mark.parametrize("values", [[np.nan, 0.0], [6.0, 6.0], [np.inf, 0.0]])
def test_an_estimator_that_raises_anything_does_not_accept(
    values: list[float],
) -> None:
    assert not accepts(MODEL.predict, np.array([values]))


def test_rows_that_are_all_accepted_take_one_call() -> None:
    predict = CountedPredict()
    assert list(refused_rows(predict, np.zeros((1000, 2)))) == []
    assert predict.calls == 1


@pytest.mark.parametrize(
    "refused", [[0], [999], [1, 2], [0, 500, 999], [*range(0, 1000, 100)]]
)
def test_refused_rows_come_in_their_order(refused: list[int]) -> None:
    columns = np.zeros((1000, 2))
    columns[refused, 1] = np.nan
    assert list(refused_rows(MODEL.predict, columns)) == refused


def test_one_refused_row_in_a_thousand_is_found_by_halving() -> None:
    columns = np.zeros((1024, 2))
    columns[700] = np.nan
    predict = CountedPredict()
    assert list(refused_rows(predict, columns)) == [700]
    # The whole, and both halves of each of the ten halvings.
    assert predict.calls <= 21


def test_the_first_refused_row_is_found_before_the_others_are_looked_for() -> (
    None
):
    predict = CountedPredict()
    assert next(refused_rows(predict, np.full((1024, 2), np.nan))) == 0
    assert predict.calls == 11


def test_each_value_that_is_refused_by_itself_is_a_fault() -> None:
    columns = np.array(
        [[0.0, 1.0], [np.nan, 1.0], [1.0, 11.0], [np.nan, np.inf]]
    )
    assert faults(columns) == [
        Fault(1, "size", VALUE, "refused"),
        Fault(2, "weight", VALUE, "refused"),
        Fault(3, "size", VALUE, "refused"),
        Fault(3, "weight", VALUE, "refused"),
    ]


def test_values_that_are_refused_only_together_are_a_fault_of_the_record() -> (
    None
):
    columns = np.array([[6.0, 6.0], [6.0, 4.0], [4.0, 7.0]])
    assert faults(columns) == [
        Fault(0, None, TOGETHER, "refused"),
        Fault(2, None, TOGETHER, "refused"),
    ]


def test_a_fault_of_a_frame_has_the_number_of_its_row_and_not_its_index() -> (
    None
):
    columns = pd.DataFrame(
        [[0.0, 0.0], [0.0, np.nan]], columns=NAMES, index=[7, 3]
    )
    accepted = pd.DataFrame(ACCEPTED, columns=NAMES)
    model = LinearRegression().fit(accepted, [1.0])
    found = find_faults(model.predict, columns, NAMES, accepted)
    assert found == [Fault(1, "weight", VALUE, "refused")]


def test_columns_that_are_accepted_have_no_faults() -> None:
    assert faults(np.zeros((5, 2))) == []


def test_an_estimator_that_refuses_what_it_took_before_is_to_blame_itself() -> (
    None
):
    assert (
        faults(np.array([[np.nan, 0.0]]), accepted=np.array([[20.0, 0.0]]))
        == []
    )


@pytest.mark.parametrize("values", [[np.nan, np.nan], [6.0, 6.0]])
def test_a_hundred_faults_are_found_at_most(values: list[float]) -> None:
    found = faults(np.tile(values, (500, 1)))
    assert len(found) == 100
    by_value = np.isnan(values).any()
    assert found[-1] == (
        Fault(49, "weight", VALUE, "refused")
        if by_value
        else Fault(99, None, TOGETHER, "refused")
    )


def test_after_a_hundred_faults_the_other_rows_are_not_tried() -> None:
    predict = CountedPredict()
    columns = np.full((100_000, 2), np.nan)
    assert len(find_faults(predict, columns, NAMES, ACCEPTED)) == 100
    # 17 halvings, then for each of 50 rows two calls of the search at most and two of values.
    assert predict.calls < 17 * 2 + 50 * 4


def test_the_search_ends_after_a_bounded_number_of_calls() -> None:
    names = [f"feature{number}" for number in range(200)]
    columns = np.full((100_000, 200), np.nan)
    columns[:, 1:] = 0.0
    calls = []

    def predict(tried: Any) -> Any:
        calls.append(len(tried))
        if np.isnan(tried).any():
            raise ValueError
        return tried

    found = find_faults(predict, columns, names, np.zeros((1, 200)))
    assert found[0] == Fault(0, "feature0", VALUE, "refused")
    assert len(found) < 10
    assert len(calls) < 1300


def test_the_search_tries_a_bounded_number_of_rows() -> None:
    columns = np.zeros((8192, 2))
    columns[::100] = np.nan
    n_rows = []

    def predict(tried: Any) -> Any:
        n_rows.append(len(tried))
        if np.isnan(tried).any():
            raise ValueError
        return tried

    assert find_faults(predict, columns, NAMES, ACCEPTED)
    assert sum(n_rows) < 8 * len(columns)
