"""Reached: the parts of an estimator that receive a feature as it is, without a step in between."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from python.model.attributes import has_attribute, read_attribute
from python.model.data.columns import is_missing
from python.model.data.spelling import one_line
from python.model.types import Estimator, Transformer

log = logging.getLogger(__name__)

# What searches, thresholds and transformed targets fit.
INNER = ("best_estimator_", "estimator_", "regressor_")


class Reached(NamedTuple):
    """A part that holds no others, and the names of the features that are its columns."""

    part: Any
    names: Sequence[str]


def find_reached(estimator: Estimator, names: Sequence[str]) -> list[Reached]:
    """Return the parts that receive features as they are, of an estimator with these features.

    A part is passed over where it is not plain which columns it receives.
    """
    try:
        return list(_walk(estimator, names))
    except Exception as error:
        # Parts of other libraries may have attributes of the same names.
        log.warning("the encoders are not looked at: %s", one_line(error))
        return []


def _walk(part: Any, names: Sequence[str]) -> Iterator[Reached]:
    inner = list(_inside(part, names))
    for inner_part, inner_names in inner:
        yield from _walk(inner_part, inner_names)
    if not inner:
        yield Reached(part, names)


def _inside(
    part: Any, names: Sequence[str]
) -> Iterator[tuple[Any, Sequence[str]]]:
    """Yield each part inside that receives columns as they are, and the columns' names."""
    inner = _inner(part)
    if inner is not None:
        yield inner, names
    elif has_attribute(part, "steps"):
        yield from _steps_inside(part, names)
    elif has_attribute(part, "output_indices_"):
        yield from _transformers_inside(part, names)
    elif has_attribute(part, "transformer_list"):
        for _, transformer in part.transformer_list:
            yield transformer, names
    else:
        yield from _members_inside(part, names)


def _transformers_inside(
    columns: Any, names: Sequence[str]
) -> Iterator[tuple[Any, Sequence[str]]]:
    """Yield the transformers of a ColumnTransformer."""
    for _, transformer, selected in columns.transformers_:
        yield transformer, _select(names, selected)


def _members_inside(
    part: Any, names: Sequence[str]
) -> Iterator[tuple[Any, Sequence[str]]]:
    """Yield the members of what averages, votes, stacks or encodes for itself."""
    if has_attribute(part, "calibrated_classifiers_"):
        for fold in part.calibrated_classifiers_:
            yield fold.estimator, names
    elif has_attribute(part, "_preprocessor"):
        # Histogram boosting encodes the categories of a DataFrame itself.
        yield part._preprocessor, names
    else:
        yield from _voters_inside(part, names)


def _inner(part: Any) -> Any:
    """Return what a search, a threshold or a transformed target has fitted; None for others."""
    if has_attribute(part, "estimators_"):
        return None  # there, `estimator_` is a pattern that is not fitted
    for attribute in INNER:
        if has_attribute(part, attribute):
            return getattr(part, attribute)
    return None


def _steps_inside(
    pipeline: Any, names: Sequence[str]
) -> Iterator[tuple[Any, Sequence[str]]]:
    for _, step in pipeline.steps:
        yield step, names
        if not _keeps_values(step):
            return


def _voters_inside(
    part: Any, names: Sequence[str]
) -> Iterator[tuple[Any, Sequence[str]]]:
    """Yield the members of a vote, a stack or a bag that receive all columns; no trees."""
    members = read_attribute(part, "estimators_")
    if not isinstance(members, list):
        return
    for member in members:
        if has_attribute(member, "tree_"):
            return
        if read_attribute(member, "n_features_in_", len(names)) == len(names):
            yield member, names


def _keeps_values(step: Transformer | str | None) -> bool:
    """Return whether a step leaves what is not missing as it is, in the same columns."""
    if step in (None, "passthrough") or getattr(step, "func", step) is None:
        return True  # a FunctionTransformer without a function is one as well
    statistics = getattr(step, "statistics_", None)  # an imputer's
    if statistics is None or getattr(step, "add_indicator", False):
        return False
    replaced = getattr(step, "missing_values", None)
    if replaced is not None and not is_missing(replaced):
        return False  # "?" for example
    return not any(map(is_missing, statistics))


def _select(names: Sequence[str], columns: Any) -> list[str]:
    """Return the names of the columns of a ColumnTransformer's part."""
    if isinstance(columns, slice):
        is_named = isinstance(columns.start or columns.stop, str)
        return [] if is_named else list(names[columns])
    if isinstance(columns, str | int):
        columns = [columns]
    if all(isinstance(column, str) for column in columns):
        return list(columns)
    # They are numbers, or say of each column whether it is one.
    return list(np.array(names, dtype=object)[list(columns)])
