"""Known values: those of each feature that the encoders of an estimator were fitted with.

An encoder that ignores what it does not know says nothing of a category that is misspelt, or of a
number where it was fitted with texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.dtypes import TYPE_OF_KIND
from python.model.data.features import Feature, Value, is_gap
from python.model.data.json_values import to_json_value
from python.model.data.kinds import Category, String
from python.model.data.schema import Schema
from python.model.data.spelling import shorten, suggest
from python.model.reached import Reached, find_reached
from python.model.trees.xgboost_json import parse_categories
from python.model.types import Estimator

SHOWN_VALUES = 10

KnownValues: TypeAlias = dict[str, list[Any]]
"""The values that encoders know of a feature, as the encoders hold them, by the feature's name."""


def find_known_values(estimator: Estimator, schema: Schema) -> KnownValues:
    """Return the values that any encoder knows of the features that reach one as they are."""
    known: KnownValues = {}
    for reached in find_reached(estimator, schema.names):
        encoded = chain(
            _of_encoder(reached),
            _of_lightgbm(reached, schema),
            _of_xgboost(reached, schema),
            _of_dict_vectorizer(reached),
        )
        for name, values in encoded:
            known.setdefault(name, []).extend(values)
    return known


def find_imputed_values(estimator: Estimator, schema: Schema) -> KnownValues:
    """Return what imputers replace of the features that reach one as they are."""
    imputed: KnownValues = {}
    for part, names in find_reached(estimator, schema.names):
        if not has_attribute(part, "missing_values"):
            continue
        for name in names:
            imputed.setdefault(name, []).append(part.missing_values)
    return imputed


Named: TypeAlias = Iterator[tuple[str, Sequence[Any]]]
"""Names of features, each with values."""


def _of_encoder(reached: Reached) -> Named:
    """Yield the `categories_` of scikit-learn's encoders."""
    categories = read_attribute(reached.part, "categories_")
    if isinstance(categories, list) and len(categories) == len(reached.names):
        for name, values in zip(reached.names, categories, strict=True):
            yield name, list(values)


def _of_lightgbm(reached: Reached, schema: Schema) -> Named:
    """Yield what LightGBM knows of the columns of pandas' type category, in their order."""
    booster = read_attribute(reached.part, "booster_", reached.part)
    categories = read_attribute(booster, "pandas_categorical") or []
    yield from _by_category(reached, schema, categories)


def _by_category(
    reached: Reached, schema: Schema, categories: Sequence[Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the categories with the names of the columns of pandas' type category, in order."""
    names = []
    for feature in schema.categories.values():
        is_own = feature.name in reached.names
        if is_own and feature.column_dtype == Category.usual_dtype:
            names.append(feature.name)
    if len(names) == len(categories):
        yield from zip(names, categories, strict=True)


def _of_xgboost(reached: Reached, schema: Schema) -> Named:
    """Yield the categories that XGBoost keeps."""
    get_booster = read_attribute(reached.part, "get_booster")
    if get_booster is None or not schema.categories:
        return
    categories = parse_categories(get_booster().save_raw("json"))
    for name, values in _by_category(reached, schema, categories):
        if values is not None:
            yield name, values


def _of_dict_vectorizer(reached: Reached) -> Named:
    """Yield the texts that a DictVectorizer has a column for: those after "name=" in its names."""
    separator = read_attribute(reached.part, "separator")
    columns = read_attribute(reached.part, "feature_names_")
    if separator is None or columns is None:
        return
    for name in reached.names:
        start = f"{name}{separator}"
        texts = [
            column.removeprefix(start)
            for column in columns
            if column.startswith(start)
        ]
        if texts:
            yield name, texts


def check_known_values(schema: Schema, known_values: KnownValues) -> None:
    """Raise ArtifactError for a type or a category that is not what the encoders know."""
    for feature in schema.features:
        known = _present(known_values.get(feature.name, []))
        if not known:
            continue
        if isinstance(feature, Category):
            _check_categories(feature, to_json_values(known))
        else:
            _check_type(feature, known)


def _present(values: Sequence[Any]) -> list[Any]:
    """Return the values without those that stand for a missing one."""
    present = []
    for value in values:
        if value is not None and not is_gap(value):
            present.append(value)
    return present


def to_json_values(values: Sequence[Any]) -> list[Value]:
    """Return each of the values once, as JSON has it; none that stands for a missing one."""
    unique: dict[tuple[type, Value], None] = {}
    for value in _present(values):
        plain = to_json_value(value)
        unique[type(plain), plain] = None
    return [value for _, value in unique]


def _check_type(feature: Feature, known: Sequence[Any]) -> None:
    """Raise ArtifactError if an encoder knows texts of what is no text, or the other way round."""
    are_texts = [isinstance(value, str) for value in known]
    contradicts = all(are_texts)
    if isinstance(feature, String):
        contradicts = not any(are_texts)
    if contradicts:
        raise ArtifactError(
            f'feature "{feature.name}": it is said to be {feature.type}, and the model was '
            f"fitted with values such as {shorten(to_json_value(known[0]))}: write "
            f'"type": "{_type_of(known[0])}"'
        )


def _type_of(value: Any) -> str:
    """Return the type of feature that such a value belongs to."""
    kind = np.asarray(value).dtype.kind
    return TYPE_OF_KIND.get(kind, String.type)


def _check_categories(feature: Category, known: Sequence[Value]) -> None:
    known_categories = set(known)
    for category in feature.categories:
        if category in known_categories:
            continue
        raise ArtifactError(
            f'feature "{feature.name}": the model was not fitted with the category '
            f"{shorten(category)}, but with {_list(known)}"
            f"{_suggest(category, known) or CURE}"
        )


CURE = '; leave it out, or write "type": "string" if clients may send what the model ignores'


def _list(values: Sequence[Value]) -> str:
    listed = ", ".join(map(shorten, values[:SHOWN_VALUES]))
    hidden = len(values) - SHOWN_VALUES
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


def example_values(known_values: Mapping[str, Sequence[Any]]) -> KnownValues:
    """Return the known values as JSON has them, for rows that are made up."""
    examples = {}
    for name, values in known_values.items():
        examples[name] = to_json_values(values)
    return examples
