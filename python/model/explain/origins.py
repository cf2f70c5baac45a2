"""Origins: from each column that the predictor takes back to the feature it was made of.

Example: of the features size, weight and colour, a transformer encodes the last in three columns,
then scales the first two. The origins are [2, 2, 2, 0, 1], and values for the columns,
[1, 2, 4, 8, 16], are [8, 16, 7] for the features.
"""

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import (
    is_missing,
    take_rows,
    to_array,
    with_column,
)
from python.model.estimator import Steps
from python.model.types import Columns, Matrix, Transformer

Origins = NDArray[np.intp]


def find_origins(
    steps: Steps,
    n_features: int,
    probes: Columns,
) -> Origins | None:
    """Return the number of each column's feature, (n_columns,); None if a column mixes features.

    The transformers' names for their outputs say where these come from. But a transformer that
    normalizes rows keeps the names, too. So every feature of the rows `probes` is changed in
    turn, and no column of another feature may change with it.
    """
    traced = _trace_chain(steps.transformers, list(range(n_features)))
    if traced is None:
        return None
    origins = np.array(traced, dtype=np.intp)
    if _are_confirmed(origins, steps, n_features, probes):
        return origins
    return None


def sum_by_feature(
    values: Matrix,
    origins: Origins,
    n_features: int,
) -> Matrix:
    """Return values for columns, (n_records, n_columns), summed for their features.

    With classes `values` is (n_records, n_columns, n_classes).
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
    parts = {name: part for name, part, _ in transformer.transformers_}
    outputs = transformer.output_indices_
    traced: list[int] = []
    for name in sorted(outputs, key=lambda name: outputs[name].start):
        if outputs[name].start == outputs[name].stop:
            continue
        of_part = _trace(
            parts[name], [sources[number] for number in inputs[name]]
        )
        if of_part is None:
            return None
        traced += of_part
    return traced


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
    before = to_array(steps.transform(probes))
    if before.shape[1] != len(origins):
        return False
    other_rows = np.roll(np.arange(len(probes)), 1)
    others = take_rows(probes, other_rows)
    for feature in range(n_features):
        changed = with_column(probes, feature, others)
        after = to_array(steps.transform(changed))
        is_same = (after == before) | (is_missing(after) & is_missing(before))
        if not is_same[:, origins != feature].all():
            return False
    return True
