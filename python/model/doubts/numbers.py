"""Numbers: whether they were whole numbers, decimals, booleans or float32 in training.

A step that turns a number into text sees "7.0" where it saw "7" in training. It treats all numbers
alike that it does not know: so those are tried that an encoder knows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from python.model.attributes import read_attribute
from python.model.data.features import Feature, Value
from python.model.data.kinds import (
    EXACT_INTEGERS,
    Boolean,
    Integer,
    Numeric,
)
from python.model.data.schema import Row, Schema
from python.model.doubts.doubt import Doubt
from python.model.estimator import find_nested
from python.model.types import Estimator

NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,25})?(e-?\d{1,3})?")
# Of each column of an encoder, and of all together.
MAX_TRIED_OF_COLUMN = 20
MAX_TRIED = 400
WHOLE_NUMBERS = (0, 1, -1, 2, 7, 10, 100)
BOTH = (False, True)


def doubt_numbers(
    estimator: Estimator,
    schema: Schema,
    tables: Mapping[str, Any],
    rows: Sequence[Row],
) -> list[list[Doubt]]:
    """Return the doubts about the numbers of a schema: those of a kind are tried together.

    `rows` are some that the estimator takes.
    """
    whole: list[int] = list(WHOLE_NUMBERS)
    decimals: list[float] = []
    for number in find_known_numbers(estimator):
        if number == round(number):
            whole.append(int(number))
        else:
            decimals.append(number)
    return [
        _doubt_decimals(schema, tables, whole, rows),
        _doubt_float64(schema, decimals),
        _doubt_integers(schema, whole),
        _doubt_all_numbers(schema),
        *_doubt_booleans(schema),
        _doubt_categories(schema),
    ]


def find_known_numbers(estimator: Estimator) -> list[float]:
    """Return the numbers, written as texts, that encoders or look-ups in the estimator know."""
    texts: list[str] = []
    for part in find_nested(estimator):
        for values in _known_values(part):
            texts += map(str, islice(values, MAX_TRIED_OF_COLUMN))
    numbers = [float(text) for text in texts if NUMBER.fullmatch(text)]
    return list(dict.fromkeys(numbers))[:MAX_TRIED]


def _known_values(part: Any) -> Iterator[Iterable[Any]]:
    """Yield the categories of an encoder, and the keys of each dict or Series that a part keeps."""
    categories = read_attribute(part, "categories_")
    if isinstance(categories, list):
        yield from categories
    pending = list(getattr(part, "__dict__", {}).values())
    for value in pending:
        if isinstance(value, dict):
            yield value
            # The arguments of a function, for example, or a look-up for each column.
            pending += islice(value.values(), MAX_TRIED_OF_COLUMN)
        elif hasattr(value, "to_dict") and hasattr(value, "index"):
            yield value.index
        if len(pending) > MAX_TRIED:
            return


def _doubt_decimals(
    schema: Schema,
    tables: Mapping[str, Any],
    whole: Sequence[int],
    rows: Sequence[Row],
) -> list[Doubt]:
    """Return the doubts that decimals were whole numbers, unless a table shows decimals."""
    cure = 'write "type": "integer", or "dtype": "float64" if it was fitted with decimals'
    doubts = []
    for number, name in _usual_decimals(schema):
        if not _has_decimals(tables, name):
            other = Integer(name)
            values = [*whole, *_find_whole(rows, number)]
            doubt = Doubt(
                number, values, other, values, cure, by_difference=True
            )
            doubts.append(doubt)
    return doubts


def _find_whole(rows: Sequence[Row], number: int) -> list[int]:
    """Return the whole numbers that the rows have for a feature."""
    values = [row[number] for row in rows]
    return [int(value) for value in values if _is_whole(value)]


def _usual_decimals(schema: Schema) -> Iterator[tuple[int, str]]:
    """Yield the number and the name of each numeric feature of which no dtype is said."""
    for number, feature in enumerate(schema.features):
        if feature.type == Numeric.type and feature.dtype is None:
            yield number, feature.name


def _has_decimals(tables: Mapping[str, Any], name: str) -> bool:
    for table in tables.values():
        if hasattr(table, "columns") and table[name].dtype.kind == "f":
            return True
    return False


def _doubt_float64(schema: Schema, decimals: Sequence[float]) -> list[Doubt]:
    """Return the doubts that float64 was float32, where an encoder knows decimals."""
    values = []
    with np.errstate(over="ignore"):
        for decimal in decimals:
            shortest = float(str(np.float32(decimal)))
            if np.isfinite(shortest):
                values.append(shortest)
    if not values:
        return []
    doubts = []
    for number, name in _usual_decimals(schema):
        other = Numeric(name, dtype="float32")
        cure = 'write "dtype": "float32"'
        doubts.append(Doubt(number, values, other, values, cure))
    return doubts


def _doubt_integers(schema: Schema, whole: Sequence[int]) -> list[Doubt]:
    """Return the doubts that whole numbers were decimals, or not as they are with a gap."""
    doubts = []
    for number, feature in enumerate(schema.features):
        if feature.type != Integer.type or "dtype" in feature.entry:
            continue
        other: Feature = Numeric(feature.name)
        cure = 'write "type": "numeric"'
        if feature.column_dtype != Integer.usual_dtype:
            other = replace(feature, dtype="Int64")
            cure = 'write "dtype": "Int64"'
        doubts.append(Doubt(number, whole, other, whole, cure))
    return doubts


def _doubt_all_numbers(schema: Schema) -> list[Doubt]:
    """Return the doubts that 0 and 1 were false and true."""
    doubts = []
    for number, feature in enumerate(schema.features):
        is_number = feature.type in (Numeric.type, Integer.type)
        if is_number and "dtype" not in feature.entry:
            other = Boolean(feature.name)
            cure = 'write "type": "boolean"'
            doubts.append(
                Doubt(number, (0, 1), other, BOTH, cure, WHOLE_NUMBERS)
            )
    return doubts


def _doubt_booleans(schema: Schema) -> list[list[Doubt]]:
    """Return the doubts that false and true were 0 and 1, whole numbers or decimals."""
    return [
        _doubt_booleans_as(schema, "int64"),
        _doubt_booleans_as(schema, "float64"),
    ]


def _doubt_booleans_as(schema: Schema, dtype: str) -> list[Doubt]:
    cure = f'write "dtype": "{dtype}"'
    doubts = []
    for number, feature in enumerate(schema.features):
        if isinstance(feature, Boolean) and "dtype" not in feature.entry:
            other = replace(feature, dtype=dtype)
            doubts.append(Doubt(number, BOTH, other, BOTH, cure))
    return doubts


def _doubt_categories(schema: Schema) -> list[Doubt]:
    """Return the doubts that categories that are decimals were whole numbers, or the reverse."""
    doubts = []
    for number, feature in schema.categories.items():
        if "dtype" in feature.entry or not all(
            map(_is_whole, feature.categories)
        ):
            continue
        others = _swap_type(feature.categories)
        other = replace(feature, categories=others)
        cure = f"write the categories as {others[0]}"
        doubts.append(Doubt(number, feature.categories, other, others, cure))
    return doubts


def _is_whole(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < EXACT_INTEGERS and value == round(value)


def _swap_type(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return whole numbers as decimals, or as integers if any of them is a decimal."""
    if any(isinstance(value, float) for value in values):
        return tuple(map(int, values))
    return tuple(map(float, values))
