"""Known categories: the values of each feature that the encoders of an estimator were fitted with.

An encoder that ignores what it does not know says nothing of a category that is misspelt.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.columns import is_missing
from python.model.data.features import Value
from python.model.data.json_values import to_json_value
from python.model.data.kinds import Category
from python.model.data.schema import Schema
from python.model.data.spelling import one_line, shorten, suggest
from python.model.types import Estimator, Transformer

log = logging.getLogger(__name__)

SHOWN_CATEGORIES = 10


class Encoded(NamedTuple):
    """A feature that an encoder receives as it is, and the categories that the encoder knows."""

    name: str
    categories: Iterable[Any]


def find_known_categories(
    estimator: Estimator, schema: Schema
) -> dict[str, list[Value]]:
    """Return for each feature that an encoder receives as it is which values are known.

    These are the values that any encoder knows which receives that feature, as JSON has them.
    """
    known: dict[str, list[Value]] = {}
    for name, categories in _find_encoded(estimator, schema):
        values = known.setdefault(name, [])
        for category in categories:
            value = to_json_value(category)
            if value is not None and value not in values:
                values.append(value)
    return known


def _find_encoded(estimator: Estimator, schema: Schema) -> list[Encoded]:
    try:
        encoded = list(_walk(estimator, schema.names))
    except Exception as error:
        # Parts of other libraries may have attributes of the same names.
        log.warning("the encoders are not looked at: %s", one_line(error))
        encoded = []
    return encoded + _of_lightgbm(estimator, schema)


def _walk(part: Any, names: Sequence[str]) -> Iterator[Encoded]:
    """Yield what the encoders in a part of an estimator know, which receives columns of the names.

    A part is passed over where it is not plain which columns it receives.
    """
    if has_attribute(part, "best_estimator_"):
        yield from _walk(part.best_estimator_, names)
    elif has_attribute(part, "steps"):
        yield from _walk_steps(part, names)
    elif has_attribute(part, "output_indices_"):
        for _, transformer, columns in part.transformers_:
            yield from _walk(transformer, _select(names, columns))
    elif has_attribute(part, "transformer_list"):
        for _, transformer in part.transformer_list:
            yield from _walk(transformer, names)
    elif has_attribute(part, "calibrated_classifiers_"):
        for fold in part.calibrated_classifiers_:
            yield from _walk(fold.estimator, names)
    elif has_attribute(part, "_preprocessor"):
        # Histogram boosting encodes the categories of a DataFrame itself.
        yield from _walk(part._preprocessor, names)
    else:
        yield from _own_categories(part, names)


def _walk_steps(pipeline: Any, names: Sequence[str]) -> Iterator[Encoded]:
    for _, step in pipeline.steps:
        yield from _walk(step, names)
        if not _keeps_values(step):
            return


def _keeps_values(step: Transformer | str | None) -> bool:
    """Return whether a step leaves what is not missing as it is, in the same columns."""
    if step in (None, "passthrough"):
        return True
    statistics = read_attribute(step, "statistics_")  # an imputer's
    if statistics is None or read_attribute(step, "add_indicator"):
        return False
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


def _own_categories(part: Any, names: Sequence[str]) -> Iterator[Encoded]:
    """Yield what an encoder knows of each of its columns."""
    categories = read_attribute(part, "categories_")
    if isinstance(categories, list) and len(categories) == len(names):
        yield from map(Encoded, names, categories)


def _of_lightgbm(estimator: Estimator, schema: Schema) -> list[Encoded]:
    """Return what LightGBM knows of the columns of pandas' type category, in their order."""
    booster = read_attribute(estimator, "booster_", estimator)
    categories = read_attribute(booster, "pandas_categorical") or []
    names = []
    for feature in schema.categories.values():
        if feature.column_dtype == Category.usual_dtype:
            names.append(feature.name)
    if len(names) != len(categories):
        return []
    return list(map(Encoded, names, categories))


def check_categories(
    schema: Schema, known_categories: Mapping[str, Sequence[Value]]
) -> None:
    """Raise ArtifactError for a category of the metadata that the encoders do not know."""
    for feature in schema.categories.values():
        known = known_categories.get(feature.name)
        if known is None:
            continue
        for category in feature.categories:
            if category not in known:
                raise ArtifactError(
                    f'feature "{feature.name}": the model was not fitted with the category '
                    f"{shorten(category)}, but with {_list(known)}{_suggest(category, known)}"
                )


def _list(categories: Sequence[Value]) -> str:
    listed = ", ".join(map(shorten, categories[:SHOWN_CATEGORIES]))
    hidden = len(categories) - SHOWN_CATEGORIES
    return f"{listed} and {hidden} more" if hidden > 0 else listed


def _suggest(category: Value, known: Sequence[Value]) -> str:
    """Return which category was probably meant: in another spelling, or of another type."""
    for other in known:
        if str(other) == str(category):
            return f"; write {shorten(other)} for {shorten(category)}"
    texts = [other for other in known if isinstance(other, str)]
    for other in texts:
        if other.strip().casefold() == str(category).strip().casefold():
            return f"; did you mean {shorten(other)}?"
    return suggest(str(category), texts)
