"""Probes: rows on which an estimator is tried before it serves.

The background of an artifact is read here too, since the probes are drawn from it.
"""

from collections.abc import Mapping

import numpy as np

from python.errors import ArtifactError
from python.model.advice import advise
from python.model.data.columns import (
    find_complete_rows,
    slice_rows,
    stack_rows,
    take_rows,
    with_column,
)
from python.model.data.features import Feature, Value
from python.model.data.forms import Form, as_columns, forms_of
from python.model.data.schema import Row, Schema
from python.model.data.spelling import one_line
from python.model.refusals import Call, accepts, refused_rows
from python.model.types import Columns

MADE_UP_ROWS = 12
TRAINING_ROWS = 12
TRIAL_ROWS = 3
MISSING_SHARE = 0.25


def make_trial_rows(schema: Schema, training_rows: Columns | None) -> Columns:
    """Return three rows: the first training rows, or rows made up from the metadata.

    A row that lacks a value is only among them where each of the training rows does: an estimator
    may refuse it in any form.
    """
    if training_rows is not None:
        numbers = find_complete_rows(training_rows)
        if not len(numbers):
            numbers = np.arange(len(training_rows))
        return take_rows(training_rows, np.resize(numbers, TRIAL_ROWS))
    choose = np.random.default_rng(0)
    rows = [schema.row(schema.example())]
    while len(rows) < TRIAL_ROWS:
        rows.append(_make_up_row(schema, choose))
    return schema.columns(rows)


def with_array(predict: Call, schema: Schema, row: Row) -> Schema:
    """Return the schema with arrays of objects where the estimator takes no others.

    CatBoost refuses whole numbers that are categories in an array of floats.
    """
    if schema.named or schema.is_float:
        return schema
    if accepts(predict, schema.columns([row])):
        return schema
    with_objects = Schema(schema.features, as_objects=True)
    if accepts(predict, with_objects.columns([row])):
        return with_objects
    return schema


def find_form(predict: Call, rows: Columns) -> Form:
    """Return the first form of the columns for which there is a prediction for each row.

    An estimator that iterates over a DataFrame meets its names, and predicts something for these:
    so one, two and three rows are tried. Return the usual form if there is none.
    """
    for form in forms_of(rows):
        if _predicts_each_row(predict, rows, form):
            return form
    return as_columns


def _predicts_each_row(predict: Call, rows: Columns, form: Form) -> bool:
    for n_rows in range(1, len(rows) + 1):
        columns = form(slice_rows(rows, 0, n_rows))
        try:
            prediction = np.asarray(predict(columns))
        except Exception:
            # Estimators refuse another form with exceptions of many kinds.
            return False
        if prediction.shape[:1] != (n_rows,):
            return False
    return True


def check_counts(predict: Call, rows: Columns) -> None:
    """Raise ArtifactError if the estimator does not predict as many values as there are rows."""
    try:
        prediction = np.asarray(predict(rows))
    except Exception:
        # What is made up may be refused; the first row has been predicted.
        return
    if prediction.shape[:1] != (len(rows),):
        raise ArtifactError(
            f"the model predicts an answer of shape {prediction.shape} "
            f"for {len(rows)} rows"
        )


def first_row(
    predict: Call,
    schema: Schema,
    tables: Mapping[str, Columns],
    version_cure: str = "",
) -> Columns:
    """Return one row that the estimator takes: the first of a table, or made up from the metadata.

    Raises ArtifactError if it does not take that row, or predicts another number of rows.
    `version_cure` is what to do if other versions than the installed ones fitted the estimator.
    """
    row = schema.columns([schema.row(schema.example())])
    origin = f"made up from the metadata, {schema.example()}"
    for name, columns in tables.items():
        row = slice_rows(columns, 0, 1)
        origin = f"of the {name}"
        break
    try:
        prediction = np.asarray(predict(row))
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        advice = version_cure
        if not version_cure or isinstance(error, ValueError):
            advice = advise(error, schema.example(), is_made_up=not tables)
        reason = "; ".join(filter(None, [one_line(error), advice]))
        raise ArtifactError(
            f"the model cannot predict the first row {origin}: {reason}"
        ) from error
    if prediction.shape[:1] != (1,):
        shape = prediction.shape
        raise ArtifactError(
            f"the model predicts an answer of shape {shape} for one row"
        )
    return row


def rules_of_estimator(
    predict: Call,
    schema: Schema,
    row: Columns,
) -> dict[str, bool]:
    """Return for each feature without a rule whether the estimator takes `row` without its value.

    A value is required where the column holds no missing value.
    """
    unsaid = []
    rules = {}
    for number, feature in enumerate(schema.features):
        if feature.accepts_missing is None and feature.default is None:
            rules[feature.name] = False
            if feature.can_be_missing:
                unsaid.append(number)
    empty = _make_empty(schema)

    def takes_row_without(numbers: list[int]) -> bool:
        columns = row
        for number in numbers:
            columns = with_column(columns, number, empty)
        return accepts(predict, columns)

    # Most estimators take either all values missing or none: one call instead of one for each.
    accepting = unsaid
    if not takes_row_without(unsaid):
        accepting = [
            number for number in unsaid if takes_row_without([number])
        ]
    for number in accepting:
        rules[schema.names[number]] = True
    return rules


def _make_empty(schema: Schema) -> Columns:
    """Return a row that lacks each value that its column can be without."""
    tolerant = schema.tolerant()
    row = []
    for feature in tolerant.features:
        # A column of int64 categories has no place for a missing one.
        row.append(None if feature.can_be_missing else feature.example)
    return tolerant.columns([tuple(row)])


def check_tables(predict: Call, tables: Mapping[str, Columns]) -> None:
    """Raise ArtifactError for the first row of the tables that the estimator does not take."""
    for name, columns in tables.items():
        for number in refused_rows(predict, columns):
            row = slice_rows(columns, number, number + 1)
            raise ArtifactError(
                f"{name}, row {number}: the model does not take these values"
                f"{_refusal(predict, row)}"
            )


def _refusal(predict: Call, row: Columns) -> str:
    """Return how the estimator refuses a row that it has refused before."""
    try:
        predict(row)
    except Exception as error:
        return f": {one_line(error)}"
    return ""


def make_probes(
    predict: Call,
    schema: Schema,
    training_rows: Columns | None,
) -> Columns:
    """Return rows for which the estimator predicts finite numbers: training rows, and made-up ones.

    The made-up rows differ from each other in every feature, and lack values where they may.
    """
    choose = np.random.default_rng(0)
    made_up = [schema.row(schema.example())]
    for _ in range(MADE_UP_ROWS):
        made_up.append(_make_up_row(schema, choose))
    probes = schema.columns(made_up)
    if training_rows is not None:
        first_rows = slice_rows(training_rows, 0, TRAINING_ROWS)
        probes = stack_rows(first_rows, probes)

    def predict_finite(columns: Columns) -> None:
        prediction = np.asarray(predict(columns))
        if prediction.dtype.kind == "f" and not np.isfinite(prediction).all():
            raise ValueError("a number that proves nothing")

    usable = []
    for row in range(len(probes)):
        if accepts(predict_finite, slice_rows(probes, row, row + 1)):
            usable.append(row)
    return take_rows(probes, usable or [0])


def _make_up_row(schema: Schema, choose: np.random.Generator) -> Row:
    values = [_made_up_value(feature, choose) for feature in schema.features]
    return tuple(values)


def _made_up_value(feature: Feature, choose: np.random.Generator) -> Value:
    if feature.accepts_missing and choose.random() < MISSING_SHARE:
        return None
    values = feature.trial_values
    return values[int(choose.integers(len(values)))]
