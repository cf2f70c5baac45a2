"""Parquet: the only module that imports pyarrow, which is an optional requirement."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from python.errors import Fault
from python.model.data.features import Feature, Value
from python.model.data.json_values import to_json_value
from python.model.data.kinds import Datetime
from python.model.data.records import Records
from python.model.data.spelling import shorten
from python.model.tabular.layouts import Layout
from python.model.tabular.numbers import take_numbers
from python.model.tabular.results import Results, spell
from python.model.tabular.sheets import find_faults, fit
from python.score.jobs import CSV, JobError
from python.score.tables import Input, Table

BATCH_VALUES = 200_000
MAX_BATCH_ROWS = 20_000

Batch: TypeAlias = Any
"""A RecordBatch."""

Array: TypeAlias = Any
"""An Array, or a column of a RecordBatch."""


class ParquetChunk(NamedTuple):
    """Rows of a Parquet file, and the number of the first one, from 1."""

    batch: Batch
    first_row: int


def read_schema(path: Path) -> Any:
    """Return the schema of the columns of a file; raise JobError if it is another kind of file."""
    try:
        return pq.read_schema(path)
    except pa.ArrowInvalid as error:
        raise JobError(f"{path} is no Parquet file: {error}") from error


def count_rows(path: Path) -> int:
    """Return how many rows a file has."""
    n_rows: int = pq.read_metadata(path).num_rows
    return n_rows


def make_empty_chunk(schema: Any) -> ParquetChunk:
    """Return a chunk without a row."""
    batch = pa.RecordBatch.from_pylist([], schema=schema)
    return ParquetChunk(batch, 1)


def read_batches(path: Path) -> Iterator[ParquetChunk]:
    """Yield the rows in batches of about 200,000 values, whatever the size of the row groups."""
    # Without pre_buffer, a whole row group need not be in memory.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        n_columns = max(len(file.schema_arrow.names), 1)
        size = max(1, min(MAX_BATCH_ROWS, BATCH_VALUES // n_columns))
        first_row = 1
        for batch in file.iter_batches(batch_size=size):
            yield ParquetChunk(batch, first_row)
            first_row += batch.num_rows


def read_batch(source: Input, chunk: ParquetChunk) -> Table:
    """Return the table that a batch is; its rows are numbered from 1."""
    batch = chunk.batch
    faults: list[Fault] = []
    records = _read_numbers(source.layout, batch)
    if records is None:
        records, faults = _read_values(source.layout, batch)
    kept = {}
    for name in source.kept:
        kept[name] = _keep(name, batch.column(name), source.writes)
    numbers = range(chunk.first_row, chunk.first_row + batch.num_rows)
    return Table(records, kept, faults, numbers, "row")


def _read_values(layout: Layout, batch: Batch) -> tuple[Records, list[Fault]]:
    """Return the records of a batch, and what does not fit."""
    columns: list[list[Value]] = []
    for feature, position in layout.places:
        if position is None:
            columns.append([None] * batch.num_rows)
        else:
            columns.append(_list_values(feature, batch.column(position)))
    records = Records(layout.schema, list(zip(*columns, strict=True)))
    if fit(layout.schema, columns) and not _has_infinity(columns):
        return records, []
    return records, list(find_faults(records, {}))


def _read_numbers(layout: Layout, batch: Batch) -> Records | None:
    """Return the records of a batch of numbers alone; None where it holds something else."""
    columns = []
    for position in layout.positions:
        if position is None:
            columns.append(np.full(batch.num_rows, np.nan))
            continue
        array = batch.column(position)
        kind = array.type
        if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
            return None
        numbers = array.cast(pa.float64(), safe=False)
        columns.append(numbers.to_numpy(zero_copy_only=False))
    return take_numbers(layout.schema, columns)


def _list_values(feature: Feature, array: Array) -> list[Value]:
    """Return the values as JSON has them: None for null and NaN, a date as text."""
    types = pa.types
    if types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    elif types.is_decimal(kind):
        array = array.cast(pa.float64())
    elif types.is_temporal(kind) and isinstance(feature, Datetime):
        array = array.cast(pa.string())
    values: list[Value] = array.to_pylist()
    return values


def _has_infinity(columns: list[list[Value]]) -> bool:
    infinities = (math.inf, -math.inf)
    return any(
        infinity in values for infinity in infinities for values in columns
    )


def _keep(name: str, array: Array, writes: str) -> Any:
    """Return a column as the output takes it: CSV takes the values as JSON has them.

    Raises JobError for values that a cell of CSV does not hold.
    """
    if writes != CSV:
        return array
    if pa.types.is_nested(array.type) or _is_binary(array.type):
        raise JobError(
            f"--keep: the column {shorten(name)} holds {array.type}, "
            "which CSV does not: write Parquet, or keep other columns"
        )
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.string())
    return [spell(to_json_value(value)) for value in array.to_pylist()]


def _is_binary(kind: Any) -> bool:
    types = pa.types
    is_one_of = (
        types.is_binary,
        types.is_large_binary,
        types.is_binary_view,
        types.is_fixed_size_binary,
    )
    return any(is_one(kind) for is_one in is_one_of)


def make_batch(kept: Mapping[str, Any], results: Results) -> Batch:
    """Return a batch of the columns that are kept, and of the results: null for NaN."""
    arrays = {}
    for name, column in kept.items():
        is_text = isinstance(column, list)
        arrays[name] = pa.array(column, pa.string()) if is_text else column
    for name, values in results.items():
        arrays[name] = pa.array(values, from_pandas=True)
    return pa.RecordBatch.from_pydict(arrays)


class ParquetWriter:
    """Writes batches to a file, each as the first one."""

    def __init__(self, path: Path, empty: Batch) -> None:
        """Take the place of the file, and a batch without rows that shows the types."""
        self._schema = empty.schema
        self._writer = pq.ParquetWriter(path, self._schema)

    def write(self, batch: Batch) -> None:
        """Write the rows of a batch; raise OSError where that fails."""
        self._writer.write_batch(batch.cast(self._schema))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()
