"""Dates: the unit in which a column counts, where the metadata say none and it matters.

A step that makes an integer of a date sees the number of these units since 1970.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from python.model.data.kinds import Datetime
from python.model.data.schema import Schema
from python.model.doubts.doubt import Doubt

OTHER_UNITS = ("ns", "us", "s")
# Whatever a tree compares them with: in another unit, some of them are on the other side of it.
DATES = (
    "1700-01-01",
    "1950-05-05T05:05",
    "1990-09-09",
    "2005-05-25T12:00",
    "2015-10-05",
    "2025-02-15T18:30",
    "2050-01-01",
    "2250-12-31",
)


def doubt_units(
    schema: Schema, tables: Mapping[str, Any]
) -> list[list[Doubt]]:
    """Return for each unit the doubts that the dates count in it.

    Where the metadata name a dtype, or a table of the artifact has a column of dates, there is no
    doubt. Of dates and texts, an array holds objects, which have no unit.
    """
    if not schema.named:
        return []
    return [_doubt_unit(schema, tables, unit) for unit in OTHER_UNITS]


def _doubt_unit(
    schema: Schema, tables: Mapping[str, Any], unit: str
) -> list[Doubt]:
    dtype = f"datetime64[{unit}]"
    cure = f'write the dtype of the column that it was fitted with, such as "dtype": "{dtype}"'
    doubts = []
    for number, feature in enumerate(schema.features):
        if not isinstance(feature, Datetime) or feature.dtype is not None:
            continue
        if not _has_dates(tables, feature.name):
            other = replace(feature, dtype=dtype)
            doubts.append(
                Doubt(number, DATES, other, DATES, cure, by_difference=True)
            )
    return doubts


def _has_dates(tables: Mapping[str, Any], name: str) -> bool:
    for table in tables.values():
        if hasattr(table, "columns") and table[name].dtype.kind == "M":
            return True
    return False
