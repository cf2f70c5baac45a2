"""Samples: the background of explanations, from a file of its own."""

from collections.abc import Iterator

from python.errors import ServiceError
from python.model.data.records import Records
from python.model.data.schema import Row, Schema
from python.model.tabular.layouts import lay_out
from python.score.formats import read_chunk
from python.score.jobs import CSV, Job, JobError
from python.score.source import open_source
from python.score.tables import Input, Table, find_header


def read_samples(job: Job, schema: Schema) -> Records:
    """Return the rows of the file of samples, which may have columns that are no features.

    Raises JobError where one does not fit, where there is none, and where there are too many.
    """
    rows: list[Row] = []
    for table in _read_tables(job, schema):
        for fault in table.faults:
            raise JobError(f"{job.samples}, {table.describe(fault)}")
        rows += table.records.rows
        limit = job.settings.max_explain_rows
        if len(rows) > limit:
            raise JobError(
                f"{job.samples}: at most {limit} samples are taken (MAX_EXPLAIN_ROWS)"
            )
    if not rows:
        raise JobError(f"{job.samples}: there are no rows")
    return Records(schema, rows)


def _read_tables(job: Job, schema: Schema) -> Iterator[Table]:
    with open_source(str(job.samples)) as source:
        header = find_header(source.header, schema.names)
        try:
            layout = lay_out(schema, header.names, _anything)
        except ServiceError as error:
            raise JobError(f"{job.samples}: {error.detail}") from error
        reading = Input(header, layout, [], job.decimal, CSV)
        for chunk in source.chunks(header.separator):
            yield read_chunk(reading, chunk)


def _anything(name: str) -> bool:  # noqa: ARG001
    return True
