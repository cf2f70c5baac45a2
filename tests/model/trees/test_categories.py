"""Sets of codes, and the codes of a DataFrame's categories."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from python.model.trees.categories import (
    CategorySets,
    has_categories,
    with_codes,
)

CODES = st.sets(st.integers(0, 200))


@given(sets=st.lists(CODES, min_size=1, max_size=4))
def test_a_set_has_the_codes_that_it_was_made_of(sets: list[set[int]]) -> None:
    made = CategorySets.of(
        [np.array(sorted(codes), dtype=np.intp) for codes in sets]
    )
    values = np.arange(-3.0, 250)
    for number, codes in enumerate(sets):
        assert set(made.codes[made.sets == number]) == codes
        numbers = np.full(len(values), number)
        assert set(values[made.contain(numbers, values)]) == codes


def test_sets_of_bits_may_have_several_words() -> None:
    words = np.array([0b1010, 1, 0b1, 0], dtype=np.uint32)
    sets = CategorySets.of_bits(words, np.array([0, 2, 2, 4]))
    assert sets.sets.tolist() == [0, 0, 0, 2]
    assert sets.codes.tolist() == [1, 3, 32, 0]


def test_what_is_no_code_is_in_no_set() -> None:
    sets = CategorySets.of([np.arange(64)])
    values = np.array([np.nan, -1, np.inf, -np.inf, 64, 1e300])
    assert not sets.contain(np.zeros(len(values), dtype=np.intp), values).any()


def test_categories_become_positions_and_the_rest_numbers() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"),
            "c": pd.Categorical(["b", "x"], categories=["x", "b"]),
            "d": pd.Categorical(["q", None]),
        }
    )
    assert has_categories(frame)
    assert not has_categories(frame[["n"]])
    assert not has_categories(np.zeros((2, 2)))
    expected = [[1, 1, 0], [np.nan, np.nan, np.nan]]
    np.testing.assert_array_equal(
        with_codes(frame, [["a", "b"], None]), expected
    )
