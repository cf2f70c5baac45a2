"""Records have their rows in the two forms that a model takes, each made once."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from python.model.data.features import Category, Feature, Numeric, String
from python.model.data.records import Records
from python.model.data.schema import Row, Schema

SIZE = Numeric("size", default=5)
COLOUR = Category("colour", None, True, categories=("red", "green"))
WORD = String("word")


def test_records_have_a_length_and_their_rows() -> None:
    rows: list[Row] = [(1,), (2,), (None,)]
    records = Records(Schema([SIZE]), rows)
    assert len(records) == 3
    assert records.rows == rows
    assert len(Records(Schema([SIZE]), [])) == 0


def test_codes_are_the_records_as_numbers() -> None:
    records = Records(Schema([SIZE, COLOUR]), [(1, "green"), (None, None)])
    np.testing.assert_array_equal(records.codes, [[1.0, 1.0], [5.0, -1.0]])


def test_columns_are_the_records_as_the_estimator_takes_them() -> None:
    records = Records(
        Schema([SIZE, COLOUR], named=True), [(1, "green"), (None, None)]
    )
    colours = pd.Categorical(["green", None], categories=["red", "green"])
    expected = pd.DataFrame({"size": [1.0, 5.0], "colour": colours})
    assert_frame_equal(records.columns, expected)


def test_records_with_texts_have_columns() -> None:
    records = Records(
        Schema([SIZE, WORD], named=True), [(1, "a"), (None, "b")]
    )
    expected = pd.DataFrame({"size": [1.0, 5.0], "word": ["a", "b"]})
    assert_frame_equal(records.columns, expected)


@pytest.mark.parametrize("features", [[SIZE], [SIZE, COLOUR]])
def test_each_form_is_made_once(features: list[Feature]) -> None:
    values: Row = (1, "red")[: len(features)]
    records = Records(Schema(features, named=True), [values])
    assert records.codes is records.codes
    assert records.columns is records.columns
