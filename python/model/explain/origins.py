"""Origins: from each column that the last step sees back to the input feature it was made of."""

import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import is_missing, take_rows, to_array, with_column
from python.model.estimator import Steps


class Mixed(Exception):
    """A column that more than one feature, or none that can be told, went into."""


def find_origins(steps: Steps, n_features: int, probes: Any) -> NDArray[np.intp] | None:
    """For each column after the transformers the number of its input feature; None if a column mixes features.

    The transformers' names for their outputs tell. They may be wrong (a row normalizer keeps the names), so that every feature
    of the rows `probes` is changed in turn, and no column of another feature may change with it.
    """
    sources = list(range(n_features))
    try:
        for transformer in steps.transformers:
            sources = _trace(transformer, sources)
    except (Mixed, AttributeError, ValueError):
        return None
    found = np.array(sources, dtype=np.intp)
    return found if _holds(found, steps, n_features, probes) else None


def sum_by_feature(
    values: NDArray[np.float64], found: NDArray[np.intp], n_features: int
) -> NDArray[np.float64]:
    """Values for each column, (n_records, n_columns) or with classes after that, added up for each feature."""
    added = (found[:, None] == np.arange(n_features)).astype(float)
    return np.moveaxis(np.moveaxis(values, 1, -1) @ added, -1, 1)


def _trace(transformer: Any, sources: list[int]) -> list[int]:
    if transformer is None or isinstance(transformer, str):
        return [] if transformer == "drop" else sources
    if hasattr(transformer, "output_indices_"):
        return _trace_columns(transformer, sources)
    if hasattr(transformer, "steps"):
        for _, step in transformer.steps:
            sources = _trace(step, sources)
        return sources
    if hasattr(transformer, "transformer_list"):
        return [
            source
            for _, part in transformer.transformer_list
            for source in _trace(part, sources)
        ]
    return _trace_names(transformer, sources)


def _trace_columns(transformer: Any, sources: list[int]) -> list[int]:
    # scikit-learn tells which outputs are whose in public, which inputs only here.
    inputs = transformer._transformer_to_input_indices
    parts = {name: part for name, part, _ in transformer.transformers_}
    places = sorted(transformer.output_indices_.items(), key=lambda item: item[1].start)
    return [
        source
        for name, place in places
        if place.stop > place.start
        for source in _trace(parts[name], [sources[number] for number in inputs[name]])
    ]


def _trace_names(transformer: Any, sources: list[int]) -> list[int]:
    """Give the transformer names that cannot be part of one another, and look for them in the names it makes."""
    if not hasattr(transformer, "get_feature_names_out"):
        return sources  # as a FunctionTransformer of one column to one column; the probes must confirm it
    tokens = [f"\0{number}\0" for number in range(len(sources))]
    unnamed = copy.copy(transformer)
    vars(unnamed).pop("feature_names_in_", None)
    traced = []
    for name in unnamed.get_feature_names_out(np.array(tokens, dtype=object)):
        inside = [
            source
            for token, source in zip(tokens, sources, strict=True)
            if token in name
        ]
        if len(inside) != 1:
            raise Mixed
        traced += inside
    return traced


def _holds(found: NDArray[np.intp], steps: Steps, n_features: int, probes: Any) -> bool:
    before = to_array(steps.transform(probes))
    if before.shape[1] != len(found):
        return False
    others = take_rows(probes, np.roll(np.arange(len(probes)), 1))
    for number in range(n_features):
        after = to_array(steps.transform(with_column(probes, number, others)))
        if not _equal(after, before)[:, found != number].all():
            return False
    return True


def _equal(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((a == b) | (is_missing(a) & is_missing(b)), dtype=bool)
