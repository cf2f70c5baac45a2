"""Layouts: what the header of a table says, and where among its columns the features are."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import NamedTuple

from python.errors import Unprocessable
from python.model.data.features import Feature
from python.model.data.schema import Schema
from python.model.data.spelling import Guesses, cut, shorten

SHOWN_FAULTS = 10
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

    Raises Unprocessable where there is no name, or one twice, or what is no line of CSV.
    """
    headers: list[Header] = []
    for separator in SEPARATORS:
        headers += _split(line, separator)
    if not headers:
        raise Unprocessable(
            "there is no header: a quotation mark of the first line is not closed"
        )
    if not any(header.names for header in headers):
        raise Unprocessable("there is no header: the first line is empty")

    def count_known(header: Header) -> int:
        return len(set(names).intersection(header.names))

    header = max(headers, key=count_known)
    check_twice(header.names)
    return header


def _split(line: str, separator: str) -> Iterator[Header]:
    """Yield the header that a line is with this separator, if it is one."""
    source = StringIO(line, newline="")
    try:
        rows = list(csv.reader(source, delimiter=separator, strict=True))
    except csv.Error:
        return
    if len(rows) > 1:
        raise Unprocessable(
            "the lines end with a carriage return alone: end them with a newline"
        )
    for cells in rows:
        yield Header(separator, list(cells))


def check_twice(names: Sequence[str]) -> None:
    """Raise Unprocessable where two columns have the same name."""
    for name, count in Counter(names).items():
        if count > 1:
            raise Unprocessable(
                f"the header has {shorten(name)} {count} times"
            )


def lay_out(
    schema: Schema, names: Sequence[str], others: Callable[[str], bool]
) -> Layout:
    """Return where in columns of these names the features stand.

    `others` says whether a column that is no feature may be there.
    Raises Unprocessable for one that may not, and for a feature without a column that needs one.
    """
    positions: list[int | None] = []
    absent = []
    by_name = {name: position for position, name in enumerate(names)}
    for feature in schema.features:
        position = by_name.pop(feature.name, None)
        positions.append(position)
        if position is None and not feature.optional:
            absent.append(feature.name)
    strangers = [name for name in by_name if not others(name)]
    if strangers or absent:
        described = _describe(strangers, absent, Guesses(schema.names))
        faults = join(described, len(strangers) + len(absent))
        raise Unprocessable(f"the columns do not fit: {faults}")
    if set(positions) == {None}:
        features = cut(", ".join(schema.names))
        raise Unprocessable(f"no column is a feature of the model: {features}")
    return Layout(schema, positions, len(names))


def _describe(
    strangers: Iterable[str], absent: Iterable[str], guesses: Guesses
) -> Iterator[str]:
    """Yield a sentence for each column that may not be there, and for each that is not there."""
    for name in strangers:
        suggestion = guesses.suggest(name)
        yield f"unknown feature {shorten(name)}{suggestion}"
    for name in absent:
        yield f"no column for the feature {shorten(name)}"


def join(faults: Iterable[str], n_faults: int) -> str:
    """Return the faults in one sentence, the first of them; no others are made."""
    shown = "; ".join(islice(faults, SHOWN_FAULTS))
    hidden = n_faults - SHOWN_FAULTS
    return f"{shown}; and {hidden} more" if hidden > 0 else shown
