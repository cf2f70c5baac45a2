"""Remarks: what was assumed of each feature, and which features look like a mistake."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from python.model.data.spelling import cut, shorten
from python.model.saving.entries import Column, Entry
from python.model.types import Columns

FEW_VALUES = 50
MANY_CATEGORIES = 1000
MIN_ROWS_OF_AN_ID = 20
# A text of an id is one word; free texts are all distinct by nature.
WHOLE_TYPES = ("integer", "category", "string")


def print_names(names: Sequence[str]) -> None:
    """Print how the columns of an array or a list are called, which have no names of their own."""
    shown = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
    print(f"X has no names for its columns; they are called {shown}")


def print_assumptions(entries: Sequence[Entry], table: Columns) -> None:
    """Print a line for each feature of which something had to be assumed, and one for the others.

    `entries` is what the metadata says of the columns of the table.
    """
    required = []
    for entry in entries:
        name = entry["name"]
        remarks = list(_assume(entry, table[name]))
        if remarks:
            print(f"{_show(name)}: {'; '.join(remarks)}")
        if entry.get("accepts_missing") is False:
            required.append(_show(name))
    if required:
        shown = ", ".join(required[:FEW_VALUES])
        hidden = len(required) - FEW_VALUES
        more = f" and {hidden} more" if hidden > 0 else ""
        print(f"never missing in X, and required: {shown}{more}")


def _show(name: str) -> str:
    """Return a name as it is, or as JSON where it would tear the line."""
    return cut(name) if name.isprintable() else shorten(name)


def _assume(entry: Entry, column: Column) -> Iterator[str]:
    """Yield what was assumed of a feature."""
    yield from _assume_type(entry, column)
    if entry["type"] == "category":
        dropped = set(column.cat.categories) - set(entry["categories"])
        if dropped:
            listed = ", ".join(map(shorten, sorted(dropped, key=str)))
            yield f"without {listed}, which no row has and the model does not know"
    if entry.get("accepts_missing"):
        share = column.isna().mean()
        yield f"may be missing, as in {share:.1%} of X"
    elif "default" in entry:
        yield f"{shorten(entry['default'])} stands in for a missing value"


def _assume_type(entry: Entry, column: Column) -> Iterator[str]:
    values = column.dropna()
    if not len(values):
        yield "no row has a value, so that nothing is assumed of it"
        return
    n_distinct = values.nunique()
    is_few = n_distinct <= FEW_VALUES and 2 * n_distinct <= len(values)
    fit_again = "if not, make the column a category and fit again"
    if entry["type"] == "integer" and is_few:
        if set(values.unique()) <= {0, 1}:
            yield "0 and 1, taken for whole numbers; true and false are refused"
        else:
            yield f"{n_distinct} distinct whole numbers, taken for quantities; {fit_again}"
    elif entry["type"] == "string" and is_few:
        yield f"{n_distinct} distinct texts, and any other is taken as well; {fit_again}"
    elif entry["type"] == "numeric" and (values.astype(float) % 1 == 0).all():
        yield f"whole numbers in a column of {column.dtype}; decimals are taken as well"


def warn_of_mistakes(
    entries: Sequence[Entry], table: Columns, target: Column | None
) -> None:
    """Warn of columns that look like the target, an index or an id, and of many categories."""
    for entry in entries:
        name = entry["name"]
        for remark in _find_mistakes(entry, table[name], target):
            # The line that called save_model is four calls up.
            warnings.warn(f"{shorten(name)} {remark}", stacklevel=5)


def _find_mistakes(
    entry: Entry, column: Column, target: Column | None
) -> Iterator[str]:
    categories = entry.get("categories", ())
    if len(categories) > MANY_CATEGORIES:
        yield (
            f"has {len(categories)} categories, each of which is in the file; "
            "a text or a number may serve better"
        )
    if target is not None and _is_same(column, target):
        yield "is the target: a model that was fitted with it is of no use"
    elif _counts_rows(column):
        yield "numbers the rows, as an index does"
    elif entry["type"] in WHOLE_TYPES and _is_id(column):
        yield "has another value in each row, as an id does"


def _is_same(column: Column, target: Column) -> bool:
    """Return whether each value of one stands for a value of the other, as 0 and 1 for no and yes.

    Of values that are hardly ever repeated, that is no sign, so these have to be equal.
    """
    n_values = column.nunique()
    if n_values < 2 or column.hasnans:
        return False
    if 2 * n_values > len(column):
        is_equal: bool = column.tolist() == target.tolist()
        return is_equal
    if n_values != target.nunique():
        return False
    pairs = set(zip(column.astype(str), target.astype(str), strict=True))
    return bool(len(pairs) == n_values)


def _counts_rows(column: Column) -> bool:
    """Return whether the values are the numbers of the rows, from 0 or from any other."""
    is_number = str(column.dtype.kind) in "iuf"
    if not is_number or len(column) < MIN_ROWS_OF_AN_ID or column.hasnans:
        return False
    steps = np.diff(column.to_numpy(dtype=float))
    return bool(np.all(steps == 1))


def _is_id(column: Column) -> bool:
    values = column.dropna()
    n_values = len(values)
    if n_values < MIN_ROWS_OF_AN_ID or values.nunique() < n_values:
        return False
    texts: list[Any] = [value for value in values if isinstance(value, str)]
    return not any(" " in text for text in texts)
