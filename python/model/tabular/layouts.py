"""Layouts: what the header of a table says, and where among its columns the features are."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from python.errors import Unprocessable
from python.model.data.features import Feature
from python.model.data.schema import Schema
from python.model.data.spelling import cut, shorten, suggest

SEPARATORS = (",", ";", "\t", "|")


class Header(NamedTuple):
    """The first line of a CSV text: the separator, and the names of the columns."""

    separator: str
    names: list[str]


class Layout(NamedTuple):
    """In which column of a table each feature stands; None where a feature has no column.

    `n_columns` is how many the table has.
    """

    schema: Schema
    positions: Sequence[int | None]
    n_columns: int

    @property
    def places(self) -> Iterator[tuple[Feature, int | None]]:
        """Each feature with the position of its column."""
        return zip(self.schema.features, self.positions, strict=True)


def read_header(line: str, names: Sequence[str]) -> Header:
    """Return the header that a line is; the separator is the one that finds most of the names.

    Raises Unprocessable where there is no name, or one twice.
    """
    headers = []
    for separator in SEPARATORS:
        for cells in csv.reader([line], delimiter=separator):
            headers.append(Header(separator, cells))
    if not any(header.names for header in headers):
        raise Unprocessable("there is no header: the first line is empty")

    def count_known(header: Header) -> int:
        return len(set(names).intersection(header.names))

    header = max(headers, key=count_known)
    for name, count in Counter(header.names).items():
        if count > 1:
            raise Unprocessable(
                f"the header has {shorten(name)} {count} times"
            )
    return header


def lay_out(
    schema: Schema, names: Sequence[str], others: Callable[[str], bool]
) -> Layout:
    """Return where in columns of these names the features stand.

    `others` says whether a column that is no feature may be there.
    Raises Unprocessable for one that may not, and for a feature without a column that needs one.
    """
    faults = [*_find_strangers(schema, names, others)]
    positions: list[int | None] = []
    for feature in schema.features:
        if feature.name in names:
            positions.append(list(names).index(feature.name))
            continue
        positions.append(None)
        if not feature.optional:
            faults.append(f"no column for the feature {shorten(feature.name)}")
    if faults:
        raise Unprocessable(f"the columns do not fit: {join(faults)}")
    if set(positions) == {None}:
        features = cut(", ".join(schema.names))
        raise Unprocessable(f"no column is a feature of the model: {features}")
    return Layout(schema, positions, len(names))


def _find_strangers(
    schema: Schema, names: Sequence[str], others: Callable[[str], bool]
) -> Iterator[str]:
    for name in names:
        if name not in schema.names and not others(name):
            suggestion = suggest(name, schema.names)
            yield f"unknown feature {shorten(name)}{suggestion}"


def join(faults: Sequence[str]) -> str:
    """Return the faults in one sentence, the first ten of them."""
    shown = "; ".join(faults[:10])
    hidden = len(faults) - 10
    return f"{shown}; and {hidden} more" if hidden > 0 else shown
