"""Cells: from the texts of a CSV column to the values that JSON would have for them.

A text has no type, so the feature says what to read. A cell that cannot be read stays the text
that it is: then the feature finds the fault, with the sentence that a request would get.
"""

import re
from collections.abc import Sequence
from math import isfinite

import numpy as np

from python.model.data.features import Feature, Value
from python.model.data.kinds import Boolean, Category, Integer, Numeric

# What has matched stays as it is (`*+`): to try each shorter match as well would take time with the
# square of the number of digits, a minute for 20,000 of them.
NUMBER = re.compile(
    r"\s*+[+-]?(?:\d++\.?\d*+|\.\d++)(?:e[+-]?\d++)?\s*+",
    re.ASCII | re.IGNORECASE,
)
WHOLE = re.compile(r"\s*+[+-]?\d{1,4000}+\s*+", re.ASCII)
BOOLEANS = {"true": True, "false": False}
POINT_WANTED = "; a number has a point before its decimals"
COMMA_IN_NUMBER = re.compile(r"\s*+[+-]?\d*+,\d++\s*+", re.ASCII)


class _QuotedEmpty(str):
    """The text of a cell that is empty between quotation marks."""

    __slots__ = ()


QUOTED_EMPTY = _QuotedEmpty()
"""An empty text, where an empty cell without quotation marks is a missing value."""

MISSING_WORDS = {"na", "n/a", "nan", "null", "none", "nat", "<na>"}


def read_column(
    feature: Feature, texts: Sequence[str], decimal: str
) -> Sequence[Value]:
    """Return the values, (n_rows,), of the cells of a column: None where one is empty.

    `decimal` is the sign before the decimals of a number. A cell that is no number, true or false
    where the feature is one stays a text.
    """
    if isinstance(feature, Boolean):
        return [_read_boolean(text) for text in texts]
    if isinstance(feature, Integer):
        return [_read_whole(text, decimal) for text in texts]
    if isinstance(feature, Numeric):
        return _read_numbers(texts, decimal)
    if isinstance(feature, Category):
        return _read_categories(feature, texts, decimal)
    return [text or _read_empty(text) for text in texts]


def _read_empty(text: str) -> str | None:
    """Return an empty text where that is what the cell says, and None where it says nothing."""
    return "" if text is QUOTED_EMPTY else None


def _read_numbers(texts: Sequence[str], decimal: str) -> list[Value]:
    """Return the numbers; at once where all cells are plain numbers, which takes a third of it."""
    if decimal == ".":
        try:
            numbers = list(map(float, texts))
        except ValueError:
            return [_read_number(text, decimal) for text in texts]
        # Python reads more than a number of JSON: 1_000, nan, infinity, other scripts' digits.
        joined = "".join(texts)
        is_plain = joined.isascii() and "_" not in joined
        if is_plain and np.isfinite(numbers).all():
            return numbers
    return [_read_number(text, decimal) for text in texts]


def _read_number(text: str, decimal: str) -> Value:
    if not text:
        return None
    plain = _with_point(text, decimal)
    if not NUMBER.fullmatch(plain):
        return text
    number = float(plain)
    # One that does not fit into 64 bits would be infinite.
    return number if isfinite(number) else text


def _read_whole(text: str, decimal: str) -> Value:
    """Return a whole number with all its digits, of which a float has 15."""
    if WHOLE.fullmatch(text):
        return int(text)
    return _read_number(text, decimal)


def _with_point(text: str, decimal: str) -> str:
    """Return the text with a point for the decimal sign; what has a point already is no number."""
    if decimal == ".":
        return text
    return "" if "." in text else text.replace(decimal, ".", 1)


def _read_boolean(text: str) -> Value:
    if not text:
        return None
    return BOOLEANS.get(text.strip().lower(), text)


def _read_categories(
    feature: Category, texts: Sequence[str], decimal: str
) -> list[Value]:
    """Return the category that each cell stands for; each of the few different texts is read once.

    The text "1" is the number 1 where that is a category, and the text is none.
    """
    values: dict[str, Value] = {}
    for text in set(texts):
        values[text] = _read_category(feature, text, decimal)
    if "" not in feature.positions:
        return [values[text] for text in texts]
    return [values[text] if text else _read_empty(text) for text in texts]


def _read_category(feature: Category, text: str, decimal: str) -> Value:
    if not text:
        return None
    if text in feature.positions:
        return text
    readings = (_read_boolean(text), _read_whole(text, decimal))
    for value in readings:
        if feature.mismatch(value) is None:
            return value
    return text


def hint(text: Value, decimal: str) -> str:
    """Return what was probably meant by a cell that does not fit, for the end of a sentence."""
    if not isinstance(text, str):
        return ""
    if text.strip().lower() in MISSING_WORDS:
        return "; a cell is empty where its value is missing"
    if decimal == "." and COMMA_IN_NUMBER.fullmatch(text):
        return POINT_WANTED
    return ""
