"""Probes: rows on which an estimator is tried before it serves.

The background of an artifact is read here too, since the probes are drawn from it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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
COVERING_ROWS = 1024
UNSERVED_KINDS = {
    "c": "complex numbers",
    "m": "spans of time",
    "S": "bytes",
    "V": "structured rows",
}


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


def find_accepted(
    predict: Call, schema: Schema, rows: Sequence[Row]
) -> list[Row]:
    """Return up to twelve of the rows, from all over them, that the estimator takes.

    Without rows, they are made up. The first row always is one of them.
    """
    if not rows:
        choose = np.random.default_rng(0)
        rows = [schema.row(schema.example())]
        for _ in range(MADE_UP_ROWS):
            rows.append(_make_up_row(schema, choose))
    # A table is often sorted by class.
    places = np.linspace(0, len(rows) - 1, TRAINING_ROWS).astype(int)
    accepted = [rows[0]]
    for place in np.unique(places)[1:]:
        if accepts(predict, schema.columns([rows[place]])):
            accepted.append(rows[place])
    return accepted


def with_columns(predict: Call, schema: Schema, row: Row) -> Schema:
    """Return the schema with arrays of objects, or with names, where the estimator takes no others.

    CatBoost refuses whole numbers that are categories in an array of floats. A class of the user's
    own may say with how many columns it was fitted, and take a DataFrame all the same.
    """
    if schema.named or accepts(predict, schema.columns([row])):
        return schema
    with_objects = Schema(schema.features, as_objects=True)
    with_names = Schema(schema.features, named=True)
    for other in (with_objects, with_names):
        if accepts(predict, other.columns([row])):
            return other
    return schema


def find_form(predict: Call, rows: Columns, usual: Form = as_columns) -> Form:
    """Return the first form of the columns for which there is a prediction for each row.

    An estimator that iterates over a DataFrame meets its names, and predicts something for these:
    so one, two and three rows are tried. Return the `usual` form if there is none.
    """
    for form in forms_of(rows, usual):
        if _predicts_each_row(predict, rows, form):
            return form
    return usual


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
        prediction = predict(row)
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        advice = version_cure
        if not version_cure or isinstance(error, ValueError):
            advice = advise(error, schema.example(), is_made_up=not tables)
        reason = "; ".join(filter(None, [one_line(error), advice]))
        raise ArtifactError(
            f"the model cannot predict the first row {origin}: {reason}"
        ) from error
    _check_first(prediction)
    return row


def _check_first(output: Any) -> None:
    """Raise ArtifactError unless it is a prediction of one row that JSON can hold."""
    if hasattr(output, "toarray"):
        raise ArtifactError(
            "the model predicts a sparse matrix: fit it with a dense y, y.toarray()"
        )
    prediction = np.asarray(output)
    if prediction.shape[:1] != (1,):
        raise ArtifactError(
            f"the model predicts an answer of shape {prediction.shape} for one row"
        )
    if prediction.dtype.kind in UNSERVED_KINDS:
        what = UNSERVED_KINDS[prediction.dtype.kind]
        raise ArtifactError(
            f"the model predicts {what}, which JSON does not have: "
            "let it predict numbers or texts"
        )


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


def cover_values(predict: Call, schema: Schema) -> Columns | None:
    """Return rows with each value that the features are known to have, as far as they are few.

    None if the estimator does not take them.
    """
    by_feature = []
    for feature in schema.features:
        by_feature.append(feature.known_values or feature.made_up_values)
    n_rows = min(max(map(len, by_feature)), COVERING_ROWS)
    rows = []
    for number in range(n_rows):
        row = [values[number % len(values)] for values in by_feature]
        rows.append(tuple(row))
    columns = schema.columns(rows)
    return columns if accepts(predict, columns) else None


def _make_up_row(schema: Schema, choose: np.random.Generator) -> Row:
    values = [_made_up_value(feature, choose) for feature in schema.features]
    return tuple(values)


def _made_up_value(feature: Feature, choose: np.random.Generator) -> Value:
    if feature.accepts_missing and choose.random() < MISSING_SHARE:
        return None
    values = feature.trial_values
    return values[int(choose.integers(len(values)))]
