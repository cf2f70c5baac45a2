"""Which rows go into a file."""

import numpy as np
import pandas as pd

from python.model.saving.sampling import cover_gaps, draw_rows, with_rows


def test_the_same_rows_are_drawn_each_time_and_all_if_there_are_few() -> None:
    assert draw_rows(1000, 10).tolist() == draw_rows(1000, 10).tolist()
    assert draw_rows(5, 10).tolist() == [0, 1, 2, 3, 4]


def test_each_label_has_its_share() -> None:
    labels = np.array(["a"] * 700 + ["b"] * 290 + ["c"] * 10, dtype=object)
    rows = draw_rows(1000, 100, labels)
    names, counts = np.unique(labels[rows], return_counts=True)
    assert names.tolist() == ["a", "b", "c"]
    assert np.abs(counts - [70, 29, 1]).max() <= 1


def test_a_rare_label_is_drawn_if_there_is_room() -> None:
    labels = np.array([0] * 9999 + [1])
    assert 9999 in draw_rows(10_000, 2, labels)
    assert labels[draw_rows(10_000, 1, labels)].tolist() == [0]


def test_labels_of_several_types() -> None:
    labels = np.array([1, "a", None, 2.5] * 5, dtype=object)
    rows = draw_rows(20, 4, labels)
    assert set(labels[rows]) == {1, "a", None, 2.5}


def test_every_gap_is_covered_by_few_rows() -> None:
    nothing = np.nan
    table = pd.DataFrame(
        {
            "a": [1, nothing, 1, nothing],
            "b": [1, 1, nothing, nothing],
            "c": [nothing, 1, 1, 1],
            "d": [1, 1, 1, 1],
        }
    )
    assert cover_gaps(table).tolist() == [3, 0]
    assert cover_gaps(table[["d"]]).tolist() == []


def test_rows_are_filled_up() -> None:
    first = np.array([7, 3])
    assert with_rows(first, np.arange(10), 4).tolist() == [0, 3, 7, 9]
    assert with_rows(first, np.arange(10), 1).tolist() == [3, 7]
    assert with_rows(first, np.array([3]), 9).tolist() == [3, 7]
