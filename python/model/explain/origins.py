"""Origins: from each column that the predictor takes back to the feature it was made of.

Example: of the features size, weight and colour, a transformer encodes the last in three columns,
then scales the first two. The origins are [2, 2, 2, 0, 1], and values for the columns,
[1, 2, 4, 8, 16], are [8, 16, 7] for the features.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import (
    count_columns,
    is_missing,
    slice_rows,
    stack_rows,
    take_rows,
    to_array,
    with_column,
)
from python.model.estimator import Steps
from python.model.types import Columns, Matrix, Transformer

Origins = NDArray[np.intp]

NO_ORIGIN = -1  # of a column that has changed with no feature
SHIFTS = (1, 2, 5)
WIDTH_LIMIT_COLUMNS = (
    1024  # the words of a text are more, and stay a sparse matrix
)
ROWS_LIMIT = 2**18  # that are transformed: a few seconds


def _make_none() -> None:
    """Return no rows."""


def find_origins(
    steps: Steps,
    n_features: int,
    probes: Columns,
    make_more_rows: Callable[[], Columns | None] = _make_none,
) -> Origins | None:
    """Return the number of each column's feature, (n_columns,); None if a column mixes features.

    The transformers' names for their outputs say where these come from. But a transformer that
    normalizes rows keeps the names, too. So every feature of the rows `probes` is changed in
    turn, and no column of another feature may change with it.
    Where names do not tell, the feature is the one with which a column changes; it is -1 if it
    changes with none. `make_more_rows` makes rows with values that the probes lack.
    """
    traced = _trace_chain(steps.transformers, list(range(n_features)))
    if traced is not None:
        origins = np.array(traced, dtype=np.intp)
        if _are_confirmed(origins, steps, n_features, probes):
            return origins
    rows = probes
    more_rows = make_more_rows()
    if more_rows is not None:
        rows = stack_rows(probes, more_rows)
    return _find_by_changing(steps, n_features, rows)


def sum_by_feature(
    values: Matrix,
    origins: Origins,
    n_features: int,
) -> Matrix:
    """Return values for columns, (n_records, n_columns), summed for their features.

    With classes `values` is (n_records, n_columns, n_classes). What has no origin is left out.
    """
    is_of_feature = origins[:, None] == np.arange(n_features)
    columns_last = np.moveaxis(values, 1, -1)
    features_last = columns_last @ is_of_feature.astype(float)
    return np.moveaxis(features_last, -1, 1)


def _trace(transformer: Transformer, sources: list[int]) -> list[int] | None:
    """Return the feature of each column that a transformer makes; None if it mixes them.

    `sources` has the feature of each column that the transformer takes.
    """
    if transformer is None or isinstance(transformer, str):
        is_dropped = transformer == "drop"  # else "passthrough"
        return [] if is_dropped else sources
    if hasattr(transformer, "output_indices_"):
        return _trace_column_transformer(transformer, sources)
    if hasattr(transformer, "steps"):
        return _trace_chain([step for _, step in transformer.steps], sources)
    if hasattr(transformer, "transformer_list"):
        return _trace_union(transformer, sources)
    return _trace_names(transformer, sources)


def _trace_chain(
    transformers: list[Transformer],
    sources: list[int],
) -> list[int] | None:
    """Trace transformers of which each takes what the one before it makes."""
    traced: list[int] | None = sources
    for transformer in transformers:
        if traced is None:
            return None
        traced = _trace(transformer, traced)
    return traced


def _trace_union(union: Transformer, sources: list[int]) -> list[int] | None:
    traced: list[int] = []
    for _, part in union.transformer_list:
        of_part = _trace(part, sources)
        if of_part is None:
            return None
        traced += of_part
    return traced


def _trace_column_transformer(
    transformer: Transformer,
    sources: list[int],
) -> list[int] | None:
    # scikit-learn says in public which outputs are whose, and which inputs only here.
    inputs = getattr(transformer, "_transformer_to_input_indices", None)
    if inputs is None:
        return None
    traced: list[int] = []
    for name, part in list_column_parts(transformer):
        of_part = _trace(part, [sources[number] for number in inputs[name]])
        if of_part is None:
            return None
        traced += of_part
    return traced


def list_column_parts(
    transformer: Transformer,
) -> list[tuple[str, Transformer]]:
    """Return the parts of a column transformer that make columns, by name, in their order."""
    parts = {name: part for name, part, _ in transformer.transformers_}
    starts = {}
    for name, columns in transformer.output_indices_.items():
        if columns.start < columns.stop:
            starts[name] = columns.start
    return [
        (name, parts[name]) for name in sorted(starts, key=starts.__getitem__)
    ]


def _trace_names(
    transformer: Transformer,
    sources: list[int],
) -> list[int] | None:
    """Look for the names of the inputs in the names that a transformer gives its outputs."""
    if not hasattr(transformer, "get_feature_names_out"):
        # So it is with a FunctionTransformer of one column to one column. The probes must
        # confirm it.
        return sources
    # None of these names is part of another one.
    names_in = [f"\0{number}\0" for number in range(len(sources))]
    names_out = _names_out(transformer, names_in)
    if names_out is None:
        return None
    traced = []
    for name_out in names_out:
        numbers = [
            n for n, name_in in enumerate(names_in) if name_in in name_out
        ]
        if len(numbers) != 1:
            return None
        traced.append(sources[numbers[0]])
    return traced


def _names_out(
    transformer: Transformer,
    names_in: list[str],
) -> Sequence[str] | None:
    """Return the names of the outputs for other names of the inputs than it was fitted with."""
    unnamed = copy.copy(transformer)
    vars(unnamed).pop("feature_names_in_", None)
    try:
        names: Sequence[str] = unnamed.get_feature_names_out(
            np.array(names_in, dtype=object)
        )
    except (AttributeError, ValueError):
        # One of the transformers inside of it does not name its outputs.
        return None
    return names


def _are_confirmed(
    origins: Origins,
    steps: Steps,
    n_features: int,
    probes: Columns,
) -> bool:
    """Return whether no column changes but those of the feature that does."""
    before = _comparable(steps.transform(probes))
    if before.shape[1] != len(origins):
        return False
    other_rows = np.roll(np.arange(len(probes)), 1)
    others = take_rows(probes, other_rows)
    for feature in range(n_features):
        changed = with_column(probes, feature, others)
        after = _comparable(steps.transform(changed))
        if not _is_same(before, after)[:, origins != feature].all():
            return False
    return True


def _find_by_changing(
    steps: Steps,
    n_features: int,
    rows: Columns,
) -> Origins | None:
    """Return the feature with which each column changes; None if it changes with several.

    Every feature in turn takes its values from other rows.
    """
    width = count_columns(steps.transform_sparse(slice_rows(rows, 0, 1)))
    most_rows = ROWS_LIMIT // (n_features * len(SHIFTS))
    rows = slice_rows(rows, 0, most_rows)
    if len(rows) < 2 or width > WIDTH_LIMIT_COLUMNS:
        return None
    before = _comparable(steps.transform(rows))
    origins = np.full(width, NO_ORIGIN)
    for feature in range(n_features):
        changes = _changes(steps, rows, feature, before)
        if changes is None or (origins[changes] != NO_ORIGIN).any():
            return None
        origins[changes] = feature
    return origins


def _changes(
    steps: Steps,
    rows: Columns,
    feature: int,
    before: NDArray[Any],
) -> NDArray[np.bool_] | None:
    """Return which columns change with a feature; None if there are others than before."""
    numbers = np.arange(len(rows))
    changes = np.zeros(before.shape[1], dtype=np.bool_)
    for shift in SHIFTS:
        others = take_rows(rows, np.roll(numbers, shift))
        changed = with_column(rows, feature, others)
        after = _comparable(steps.transform(changed))
        if after.shape != before.shape:
            return None
        changes |= ~_is_same(before, after).all(axis=0)
    return changes


def _is_same(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    are_missing = is_missing(after) & is_missing(before)
    is_same: NDArray[np.bool_] = (after == before) | are_missing
    return is_same


def _comparable(columns: Columns) -> NDArray[Any]:
    """Return the values, (n_rows, n_columns); as texts where they are of any type."""
    values = to_array(columns)
    # A missing value of pandas is neither equal to another nor different from it.
    return values.astype(str) if values.dtype == object else values
