"""Each operation on columns does the same to a DataFrame as to an array."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal, assert_series_equal
from scipy.sparse import csr_matrix

from python.model.data.columns import (
    is_frame,
    is_missing,
    mix_rows,
    slice_rows,
    split_columns,
    stack_rows,
    take_rows,
    to_array,
    to_dense,
    with_column,
)


def make_frame(
    sizes: list[float], colours: list[Any], words: list[Any]
) -> Any:
    return pd.DataFrame(
        {
            "size": sizes,
            "colour": pd.Categorical(colours, categories=["red", "green"]),
            "word": words,
        }
    )


FRAME = make_frame([1.0, 2.0, 3.0], ["red", None, "green"], ["a", "b", np.nan])
ARRAY = np.array([[1.0, 10.0], [2.0, np.nan], [3.0, 30.0]])


def without_index(frame: Any) -> Any:
    return frame.reset_index(drop=True)


def test_a_frame_is_told_from_an_array() -> None:
    assert is_frame(FRAME)
    assert not is_frame(ARRAY)


def test_a_slice_of_a_frame_keeps_the_types_of_its_columns() -> None:
    expected = make_frame([2.0, 3.0], [None, "green"], ["b", np.nan])
    assert_frame_equal(without_index(slice_rows(FRAME, 1, 3)), expected)


def test_a_slice_of_an_array_ends_where_the_array_ends() -> None:
    np.testing.assert_array_equal(slice_rows(ARRAY, 2, 9), [[3.0, 30.0]])


def test_rows_are_taken_in_the_order_of_their_numbers_and_more_than_once() -> (
    None
):
    expected = make_frame(
        [3.0, 1.0, 3.0], ["green", "red", "green"], [np.nan, "a", np.nan]
    )
    assert_frame_equal(without_index(take_rows(FRAME, [2, 0, 2])), expected)
    rows = take_rows(ARRAY, np.array([2, 0, 2]))
    np.testing.assert_array_equal(
        rows, [[3.0, 30.0], [1.0, 10.0], [3.0, 30.0]]
    )


def test_stacked_frames_are_numbered_anew_and_keep_their_categories() -> None:
    stacked = stack_rows(take_rows(FRAME, [2]), take_rows(FRAME, [0]))
    expected = make_frame([3.0, 1.0], ["green", "red"], [np.nan, "a"])
    assert_frame_equal(stacked, expected)


def test_stacked_arrays_have_the_first_before_the_second() -> None:
    stacked = stack_rows(ARRAY[2:], ARRAY[:1])
    np.testing.assert_array_equal(stacked, [[3.0, 30.0], [1.0, 10.0]])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_column_of_a_frame_is_replaced_in_a_copy(number: int) -> None:
    before = FRAME.copy()
    source = make_frame(
        [7.0, 8.0, 9.0], ["green", "green", None], ["x", "y", "z"]
    )
    source.index = [5, 6, 7]
    replaced = with_column(FRAME, number, source)
    for other, name in enumerate(FRAME):
        origin = source.reset_index(drop=True) if other == number else FRAME
        assert_series_equal(replaced[name], origin[name])
    assert_frame_equal(FRAME, before)


def test_one_column_of_an_array_is_replaced_in_a_copy() -> None:
    before = ARRAY.copy()
    replaced = with_column(ARRAY, 1, -ARRAY)
    np.testing.assert_array_equal(replaced[:, 0], before[:, 0])
    np.testing.assert_array_equal(replaced[:, 1], [-10.0, np.nan, -30.0])
    np.testing.assert_array_equal(ARRAY, before)


def test_mixed_rows_of_an_array_have_each_value_from_the_row_it_names() -> (
    None
):
    mixed = mix_rows(np.array([[1, 2], [3, 4]]), np.array([[0, 1], [1, 1]]))
    np.testing.assert_array_equal(mixed, [[1, 4], [3, 4]])


def test_mixed_rows_of_a_frame_keep_the_types_of_its_columns() -> None:
    mixed = mix_rows(FRAME, np.array([[0, 2, 1], [2, 1, 0]]))
    expected = make_frame([1.0, 3.0], ["green", None], ["b", "a"])
    assert_frame_equal(mixed, expected)


@pytest.mark.parametrize(
    "dtypes",
    [
        *("float64", "float32", "int8", "bool"),
        *("object", "Float64", "category"),
        {"a": "int64", "c": "float32"},
        {"b": "category", "c": "Float64", "d": "object"},
    ],
)
def test_mixed_rows_are_what_pandas_makes_of_them_column_by_column(
    dtypes: Any,
) -> None:
    choose = np.random.default_rng(0)
    values = choose.integers(2, size=(5, 4)).astype(float)
    frame = pd.DataFrame(values, columns=list("abcd"), index=range(5, 10))
    frame = frame.astype(dtypes)
    before = frame.copy()
    rows = choose.integers(5, size=(50, 4))
    columns = zip(frame, rows.T, strict=True)
    expected = pd.DataFrame(
        {
            name: frame[name].iloc[sources].reset_index(drop=True)
            for name, sources in columns
        }
    )
    mixed = mix_rows(frame, rows)
    assert_frame_equal(mixed, expected)
    assert_frame_equal(frame, before)
    # An estimator that adds up in the order of the memory gets the same sum.
    flags = mixed.to_numpy().flags
    assert flags.f_contiguous == expected.to_numpy().flags.f_contiguous


def test_mixed_rows_of_no_columns_have_none() -> None:
    no_columns = pd.DataFrame(index=range(3))
    assert mix_rows(no_columns, np.zeros((2, 0), dtype=int)).shape[1] == 0


def test_columns_are_split_with_their_own_types() -> None:
    size, colour, word = split_columns(FRAME)
    assert size.dtype == float
    assert isinstance(colour.dtype, pd.CategoricalDtype)
    assert word.dtype == FRAME["word"].dtype
    first, second = split_columns(ARRAY)
    np.testing.assert_array_equal(first, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(second, [10.0, np.nan, 30.0])


@pytest.mark.parametrize("value", [np.nan, float("nan"), np.float32("nan")])
def test_nan_is_missing(value: Any) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", [0.0, np.inf, "", "nan", None, False])
def test_no_other_value_is_missing(value: Any) -> None:
    assert not is_missing(value)


def test_an_array_of_any_type_says_for_each_value_whether_it_is_missing() -> (
    None
):
    texts = np.array(["a", np.nan, None], dtype=object)
    assert is_missing(texts).tolist() == [False, True, False]
    assert is_missing(ARRAY).tolist() == [
        [False, False],
        [False, True],
        [False, False],
    ]


def test_a_sparse_matrix_becomes_an_array_and_anything_else_stays_itself() -> (
    None
):
    dense = to_dense(csr_matrix([[0.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_array_equal(dense, [[0.0, 1.0], [2.0, 0.0]])
    assert to_dense(FRAME) is FRAME


@pytest.mark.parametrize("form", [np.array, pd.DataFrame, csr_matrix, list])
def test_the_values_alone_are_an_array(form: Any) -> None:
    values = to_array(form([[0.0, 1.0], [2.0, 0.0]]))
    assert isinstance(values, np.ndarray)
    np.testing.assert_array_equal(values, [[0.0, 1.0], [2.0, 0.0]])
