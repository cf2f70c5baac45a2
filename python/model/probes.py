"""Probes: rows to try an estimator on before anybody asks it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from python.errors import ArtifactError
from python.model.data.columns import replaced, rows, stacked, taken
from python.model.data.features import Category, Feature, Numeric
from python.model.data.schema import Schema
from python.model.refusals import answers, refused_rows

PROBES, MISSING = 12, 0.25
NUMBERS = (0.0, 1.0, -1.0, 0.5, 2.0, 10.0, -10.0, 100.0, 1000.0)

Answer = Callable[[Any], Any]


def background(schema: Schema, samples: Any) -> Any:
    """The artifact's background rows, a DataFrame or a list of records, as columns; None if there are none.

    Raises ArtifactError for the first value that does not fit its feature.
    """
    records = samples.to_dict("records") if hasattr(samples, "columns") else samples
    if records is None:
        return None
    if not isinstance(records, Iterable) or not (records := list(records)):
        raise ArtifactError("samples must be a DataFrame or a list of records, and not empty")
    tolerant = schema.tolerant()
    return tolerant.columns([_values(tolerant, record, row) for row, record in enumerate(records)])


def _values(schema: Schema, record: Any, row: int) -> tuple[Any, ...]:
    if not isinstance(record, Mapping):
        raise ArtifactError(f"samples, row {row}: expected a record")
    if absent := [name for name in schema.names if name not in record]:
        raise ArtifactError(f'samples, row {row}: no value for "{absent[0]}"')
    values = tuple(_python_value(record[name]) for name in schema.names)
    for feature, value in zip(schema.features, values, strict=True):
        if detail := feature.fault(value):
            raise ArtifactError(f'samples, row {row}, "{feature.name}": {detail}')
    return values


def _python_value(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if str(value) in ("nan", "NaT", "<NA>") and not isinstance(value, str) else value


def first_row(answer: Answer, schema: Schema, samples: Any) -> Any:
    """One row that the estimator has answered: the first sample, or one made up from the metadata.

    Raises ArtifactError if it has no answer to it.
    """
    example = schema.example()
    row = schema.columns([tuple(example.values())]) if samples is None else rows(samples, 0, 1)
    try:
        predicted = np.asarray(answer(row))
    except Exception as error:  # whatever an estimator raises, the service cannot be ready
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        origin = f"made up from the metadata, {example}" if samples is None else "of the samples"
        advice = "; defaults or samples that it takes would help" if samples is None else ""
        raise ArtifactError(
            f"the model cannot predict the first row {origin}: {said}{advice}"
        ) from error
    if predicted.shape[:1] != (1,):
        raise ArtifactError(f"the model predicts an answer of shape {predicted.shape} for one row")
    return row


def accepts_missing(answer: Answer, schema: Schema, row: Any) -> Schema:
    """The schema with every `accepts_missing` left unsaid as the estimator answers `row` when that value is missing."""
    unsaid = [f.name for f in schema.features if f.accepts_missing is None and f.default is None]
    empty = schema.tolerant().columns([(None,) * len(schema.features)])

    def without(*names: str) -> Any:
        columns = row
        for name in names:
            columns = replaced(columns, schema.names.index(name), empty)
        return columns

    if unsaid and answers(answer, without(*unsaid)):
        taking = set(unsaid)
    else:
        taking = {name for name in unsaid if answers(answer, without(name))}
    return schema.settled(lambda feature: bool(feature.accepts_missing) or feature.name in taking)


def check_samples(answer: Answer, samples: Any) -> None:
    """Raise ArtifactError for the first of the samples that the estimator does not answer."""
    if (
        samples is not None
        and (refused := next(refused_rows(answer, samples, 0, len(samples)), None)) is not None
    ):
        raise ArtifactError(f"samples, row {refused}: the model does not take these values")


def probes(answer: Answer, schema: Schema, samples: Any) -> Any:
    """Rows that the estimator answers with finite numbers: some samples, and rows made up from the metadata.

    The made-up ones differ from each other in every feature, and lack values where they may.
    """
    choose = np.random.default_rng(0)
    tried = [
        schema.example(),
        *({f.name: _made_up(f, choose) for f in schema.features} for _ in range(PROBES)),
    ]
    made_up = schema.columns([tuple(record.values()) for record in tried])
    all_rows = made_up if samples is None else stacked(rows(samples, 0, PROBES), made_up)

    def finite(columns: Any) -> None:
        predicted = np.asarray(answer(columns))
        if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
            raise ValueError("a number that proves nothing")

    good = [row for row in range(len(all_rows)) if answers(finite, rows(all_rows, row, row + 1))]
    return taken(all_rows, good or [0])


def _made_up(feature: Feature, choose: np.random.Generator) -> Any:
    if feature.accepts_missing and choose.random() < MISSING:
        return None
    if isinstance(feature, Category):
        return feature.categories[choose.integers(len(feature.categories))]
    return float(choose.choice(NUMBERS)) if isinstance(feature, Numeric) else feature.example
