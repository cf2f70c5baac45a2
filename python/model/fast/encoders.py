"""Encoders: what a step makes of categories, computed once for each category and then looked up.

Any step that makes columns of categories is an encoder here. To support another one:

* `ENCODERS` lists those that may take several columns. Add its class.
* `takes_records_apart` says whose steps are tried at all: scikit-learn's. Let it in if it is not.
* `known_values` says which values it tells apart, so that it may take texts. Say where they are.

The proof then compares the copy with the estimator, for each category up to 4,096 of a feature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import is_missing, to_dense
from python.model.data.features import MISSING_POSITION, Category, Value
from python.model.data.schema import Schema
from python.model.estimator import is_sklearns_own
from python.model.fast.copy import Transform
from python.model.refusals import refused_rows
from python.model.types import Matrix, Transformer

ENCODERS = {
    "OneHotEncoder",
    "OrdinalEncoder",
    "TargetEncoder",
    "SimpleImputer",
}
"""Classes of steps for which what becomes of a column depends on no other column."""

Places: TypeAlias = Sequence[int] | NDArray[np.intp]
"""Numbers of columns."""


def compile_encoder(
    step: Transformer,
    places: Places,
    schema: Schema,
) -> Transform:
    """Return a transform that looks up what the step makes of the features at `places`.

    It takes their codes, (n_records, n_places), and returns the step's columns,
    (n_records, n_columns). It raises ValueError for a category that the step refuses.
    Raises ValueError for a step that cannot be looked up by category.

    Example: a one-hot encoder takes a colour ("blue", "red") and a size ("l", "s").
    `first` is what it makes of a blue l: [[1, 0, 1, 0]]. The colour changes the columns 0 and 1,
    and its table has a row for each of its codes: blue [1, 0], red [0, 1], missing [0, 0].
    The size has such a table for the columns 2 and 3. A red s is `first` with the red row of the
    one table and the s row of the other: [0, 1, 0, 1].
    """
    if not _can_be_looked_up(step, places, schema):
        raise ValueError(
            "a step takes features together that are not all numbers, or records that are"
        )
    encoding = Encoding(step, places, schema)
    first_codes = np.zeros((1, len(schema.features)))
    first = encoding.encode(first_codes)
    tables = [_make_table(encoding, int(place), first) for place in places]

    def look_up(codes: Matrix) -> Matrix:
        encoded = first.repeat(len(codes), axis=0)
        positions = codes.astype(np.intp)
        for number, (columns, values, refused) in enumerate(tables):
            rows = positions[:, number]
            if refused is not None and refused[rows].any():
                raise ValueError("a step refuses this category")
            encoded[:, columns] = values[rows]
        return encoded

    return look_up


def _can_be_looked_up(
    step: Transformer,
    places: Places,
    schema: Schema,
) -> bool:
    for place in places:
        if not isinstance(schema.features[place], Category):
            return False
    parts = parts_of(step)
    if not all(map(takes_records_apart, parts)):
        return False
    if len(places) == 1:
        return True
    names = {type(part).__name__ for part in parts}
    return names <= ENCODERS


def takes_records_apart(step: Transformer) -> bool:
    """Return whether the step is known to make of a record what it makes of it among others.

    A function may not, if only because a missing value turns a column of integers into floats.
    Steps that are not scikit-learn's own may do anything.
    """
    if not is_sklearns_own(step):
        return False
    return type(step).__name__ != "FunctionTransformer"


def known_values(step: Transformer, column: int) -> list[Value]:
    """Return the values that the step tells apart in one of its columns.

    It treats all other values alike: it is an encoder with nothing but an imputer in front.
    Raises ValueError for any other step.
    """
    parts = parts_of(step)
    *before, encoder = parts
    is_known = all(map(is_sklearns_own, parts))
    if not is_known or not hasattr(encoder, "categories_"):
        raise ValueError("a step takes any text")
    values = list(encoder.categories_[column])
    for imputer in before:
        if len(before) > 1 or not _keeps_columns(imputer):
            raise ValueError("a step takes any text")
        values.append(imputer.missing_values)
    return values


def _keeps_columns(step: Transformer) -> bool:
    """Return whether it is an imputer that neither drops a column nor adds one."""
    if type(step).__name__ != "SimpleImputer":
        return False
    adds_columns = step.indicator_ is not None
    return not adds_columns and not any(map(is_missing, step.statistics_))


def parts_of(step: Transformer) -> list[Transformer]:
    """Return the steps of a pipeline, or the step alone."""
    if hasattr(step, "steps"):
        return [part for _, part in step.steps]
    return [step]


@dataclass(frozen=True)
class Encoding:
    """A step of a ColumnTransformer, which takes the features at `places`."""

    step: Transformer
    places: Places
    schema: Schema

    def encode(self, codes: Matrix) -> Matrix:
        """Return what the step makes of records, (n_records, n_features), given as codes."""
        columns = self.schema.decode(codes)
        own_columns = columns.iloc[:, list(self.places)]
        encoded = to_dense(self.step.transform(own_columns))
        return np.asarray(encoded, dtype=float)


class Table(NamedTuple):
    """What a step makes of one feature: a row for each category, and the last for a missing value.

    A missing value has the code -1, which is the last row.
    """

    columns: slice | Places
    """Those of the step's columns that the feature changes."""
    values: Matrix
    """What is in these columns, (n_categories + 1, n_changed_columns)."""
    refused: NDArray[np.bool_] | None
    """The rows that the step refuses, (n_categories + 1,); None if it takes all."""


def _make_table(
    encoding: Encoding,
    place: int,
    first: Matrix,
) -> Table:
    """Return the table of the feature at `place`, all others having the code 0 as in `first`."""
    schema = encoding.schema
    category = schema.categories[place]
    positions = range(len(category.categories))
    codes = [*positions, MISSING_POSITION]
    n_codes = len(codes)
    rows = np.zeros((n_codes, len(schema.features)))
    rows[:, place] = codes

    refused_numbers = list(refused_rows(encoding.encode, rows))
    refused = np.zeros(n_codes, dtype=bool)
    refused[refused_numbers] = True
    encodable = ~refused
    values = first.repeat(n_codes, axis=0)
    values[encodable] = encoding.encode(rows[encodable])

    changed = _changed_columns(values, first)
    return Table(
        columns=slice_if_adjacent(changed),
        values=values[:, changed],
        refused=refused if refused.any() else None,
    )


def _changed_columns(values: Matrix, first: Matrix) -> NDArray[np.intp]:
    """Return the numbers of the columns in which a row differs from the `first`."""
    both_missing = np.isnan(values) & np.isnan(first)
    differs = (values != first) & ~both_missing
    return np.flatnonzero(differs.any(axis=0))


def slice_if_adjacent(places: Places) -> slice | Places:
    """Return the numbers as a slice, which is faster, where each is the next of the one before."""
    if not len(places):
        return slice(0, 0)
    start = int(places[0])
    stop = start + len(places)
    if np.array_equal(places, np.arange(start, stop)):
        return slice(start, stop)
    return places
