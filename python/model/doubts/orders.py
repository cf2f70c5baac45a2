"""Orders: the categories of a pandas column have an order, which `.cat.codes` counts by."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from python.model.data.features import Value
from python.model.data.kinds import Category
from python.model.data.schema import Schema
from python.model.doubts.doubt import Doubt

CURE = (
    "the model goes by the order of the categories, and pandas sorts them: write them in the order "
    "of the column's .cat.categories, and put samples into the file that are a DataFrame with this "
    "column, or examples"
)


def doubt_orders(schema: Schema, tables: Mapping[str, Any]) -> list[Doubt]:
    """Return the doubts that categories were sorted, which the metadata has in another order.

    Where examples, or samples with a column of pandas' type category, show the order, there is no
    doubt; neither is there of categories that are `ordered`.
    """
    if not schema.named or "examples" in tables:
        return []
    doubts = []
    for number, feature in schema.categories.items():
        in_order = _sort(feature.categories)
        is_usual = feature.column_dtype == Category.usual_dtype
        # Nobody writes `ordered` without thinking of the order.
        is_sorted_by_pandas = is_usual and not feature.ordered
        if is_sorted_by_pandas and not _has_categories(tables, feature.name):
            doubts.append(_doubt_order(number, feature, in_order))
    return doubts


def _doubt_order(
    number: int, feature: Category, in_order: Sequence[Value]
) -> Doubt:
    values = feature.categories
    other = replace(feature, categories=tuple(in_order))
    return Doubt(number, values, other, values, CURE, by_difference=True)


def _sort(categories: Sequence[Value]) -> Sequence[Value]:
    """Return the categories as pandas orders them: texts and numbers together as they are."""
    try:
        return sorted(categories)
    except TypeError:
        return categories


def _has_categories(tables: Mapping[str, Any], name: str) -> bool:
    for table in tables.values():
        if hasattr(table, "columns") and hasattr(table[name], "cat"):
            return True
    return False
