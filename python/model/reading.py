"""Reading: what an artifact says of its features, and what its estimator takes, held together.

Wherever the two may contradict each other, the estimator is tried.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from python.model import probes
from python.model.artifact import Artifact
from python.model.boosters import check_booster
from python.model.data.forms import Form, as_columns, with_form
from python.model.data.schema import Row, Schema
from python.model.data.tables import read_table, rules_of_tables
from python.model.doubts.dates import doubt_units
from python.model.doubts.doubt import check_doubts
from python.model.doubts.frames import check_samples
from python.model.doubts.numbers import doubt_numbers
from python.model.doubts.repeats import check_alone, is_repeatable
from python.model.estimator import prepare_to_serve
from python.model.inputs import (
    check_inputs,
    check_order,
    says_inputs,
    takes_names,
)
from python.model.known_values import (
    check_known_values,
    example_values,
    find_known_values,
)
from python.model.missing import find_missing_values, settle_missing_values
from python.model.types import Columns, Estimator

log = logging.getLogger(__name__)

Tables = Mapping[str, Columns]
"""The columns of the tables of an artifact, by their names."""


class Reading(NamedTuple):
    """The features of an artifact, the columns of its tables, and the form of what it takes."""

    schema: Schema
    tables: Tables
    form: Form

    @property
    def training_rows(self) -> Columns | None:
        """The samples, or else the records of the examples, if there are any."""
        return _first_table(self.tables)


def read(artifact: Artifact) -> Reading:
    """Return what the artifact says, after its estimator has predicted a first row and the tables.

    Raises ArtifactError in one sentence.
    """
    prepare_to_serve(artifact.model)
    check_booster(artifact.model)
    schema = _read_schema(artifact)
    schema, tables, first_row = _read_tables(schema, artifact)
    trial_rows = probes.make_trial_rows(schema, _first_table(tables))
    form = _find_form(artifact.model, schema, trial_rows)
    estimator = with_form(artifact.model, form)
    check_order(estimator, schema.names, trial_rows)
    row = probes.first_row(
        estimator.predict, schema, tables, artifact.version_cure
    )
    probes.check_counts(estimator.predict, trial_rows)
    probes.check_tables(estimator.predict, tables)
    rules = probes.rules_of_estimator(estimator.predict, schema, row)
    schema = schema.with_rules(rules, "estimator")
    schema = settle_missing_values(estimator, schema, row, artifact.tables)
    reading = Reading(schema, tables, form)
    if is_repeatable(estimator, row):
        _check_answers(estimator, reading, first_row, artifact)
    else:
        log.warning("the model predicts at random, so that nothing is tried")
    return reading


def _check_answers(
    estimator: Estimator, reading: Reading, row: Row, artifact: Artifact
) -> None:
    """Raise ArtifactError where the estimator's answers contradict what the metadata says."""
    schema = reading.schema
    of_numbers = doubt_numbers(estimator, schema, artifact.tables)
    of_units = doubt_units(schema, artifact.tables)
    for doubts in of_numbers + of_units:
        check_doubts(estimator, schema, row, doubts)
    if "samples" in reading.tables:
        columns = reading.tables["samples"]
        check_alone(estimator, columns)
        check_samples(estimator, schema, artifact.samples, columns)


def _read_schema(artifact: Artifact) -> Schema:
    """Return the schema as the metadata says it, with what the encoders of the estimator know."""
    estimator = artifact.model
    schema = Schema.from_metadata(artifact.metadata)
    named = takes_names(estimator, schema.names)
    schema = Schema(schema.features, named=named)
    check_inputs(estimator, schema.names)
    known_values = find_known_values(estimator, schema)
    check_known_values(schema, known_values)
    return schema.with_known_values(example_values(known_values))


def _read_tables(
    schema: Schema, artifact: Artifact
) -> tuple[Schema, Tables, Row]:
    """Return the schema with what the tables show of missing values, their columns, and a row.

    The row is the first one of a table, or one that is made up.
    """
    rows_of: dict[str, list[Row]] = {}
    for name, table in artifact.tables.items():
        rows_of[name] = read_table(schema, table, name)
    values = find_missing_values(artifact.model, schema, artifact.tables)
    schema = schema.with_missing_values(values)
    rules = rules_of_tables(schema, rows_of)
    schema = schema.with_rules(rules, " and ".join(rows_of))
    first_row = schema.row(schema.example())
    for rows in reversed(rows_of.values()):
        first_row = rows[0]
    schema = probes.with_array(artifact.model.predict, schema, first_row)
    tables = {}
    for name, rows in rows_of.items():
        tables[name] = schema.columns(rows)
    return schema, tables, first_row


def _first_table(tables: Tables) -> Columns | None:
    return next(iter(tables.values()), None)


def _find_form(estimator: Estimator, schema: Schema, rows: Columns) -> Form:
    """Return the form in which the estimator takes the rows."""
    if says_inputs(estimator, schema.names):
        return as_columns
    return probes.find_form(estimator.predict, rows)
