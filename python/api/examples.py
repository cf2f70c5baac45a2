"""Examples of the artifact, sent through the service's own door when a model is loaded.

They come as JSON, are read and predicted as in any request, and are compared as JSON. So they show
whatever changes a prediction between the notebook and the client: a type, a date, the order of
the columns, a library of another version.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from python.api.bodies import reader
from python.api.pairs import Pair, measure_noise, pair_up
from python.api.responses import ENCODER, prediction_content
from python.errors import ArtifactError, RefusedRecords, ServiceError
from python.model.base import Model
from python.model.data.features import Value
from python.model.data.schema import Row
from python.model.data.spelling import one_line, shorten
from python.model.data.tables import read_table
from python.model.diagnosis import advise_versions
from python.model.doubts.frames import advise_dtypes
from python.model.doubts.noise import (
    MAX_ALONE,
    TOLERANCE,
    float32_tolerance,
)

COLUMNS_ADVICE = (
    "; the model was fitted with an array: the metadata must list the features in the order of "
    "its columns"
)
OTHERS_ADVICE = (
    "; alone, the record gets another prediction than among others: a step depends on the other "
    "records of a request, or on chance"
)


def check_examples(model: Model) -> None:
    """Raise ArtifactError if the model does not predict for its examples what it did when saved.

    All are sent together, and the first ones alone, too.
    """
    examples = model.examples
    if examples is None:
        return
    rows = read_table(model.schema, examples.records, "examples")
    if examples.predictions is not None:
        _check_results(model, rows, examples.predictions, proba=False)
    if examples.probabilities is not None:
        _check_results(model, rows, examples.probabilities, proba=True)


def _check_results(
    model: Model, rows: Sequence[Row], saved: Sequence[Value], *, proba: bool
) -> None:
    together = _predict(model, rows, proba=proba)
    # A step that scales by the mean of a request changes what is predicted for a record alone.
    alone: list[Value] = []
    for row in rows[:MAX_ALONE]:
        alone += _predict(model, [row], proba=proba)
    has_labels = model.class_names or model.class_names_by_output
    tolerance = 0.0
    if proba or not has_labels:
        tolerance = _find_tolerance(model, together, alone)
    dependent = _find_different(together, alone, tolerance)
    for number, predicted in enumerate(together):
        different = _first_different(saved[number], predicted, tolerance)
        if different is not None:
            advice = OTHERS_ADVICE if number in dependent else _advise(model)
            raise ArtifactError(
                f"example {number}: {different.describe()}{advice}"
            )
    for number, predicted in enumerate(alone):
        different = _first_different(saved[number], predicted, tolerance)
        if different is not None:
            raise ArtifactError(
                f"example {number}, sent alone: {different.describe()}{OTHERS_ADVICE}"
            )


def _find_different(
    together: Sequence[Value], alone: Sequence[Value], tolerance: float
) -> set[int]:
    """Return the numbers of the records that are predicted differently alone."""
    numbers = set()
    for number, predicted in enumerate(alone):
        if _first_different(together[number], predicted, tolerance):
            numbers.add(number)
    return numbers


def _first_different(
    saved: Value, predicted: Value, tolerance: float
) -> Pair | None:
    for pair in pair_up(saved, predicted):
        if pair.differs(tolerance):
            return pair
    return None


def _predict(model: Model, rows: Sequence[Row], *, proba: bool) -> list[Value]:
    """Return what a client receives for the rows."""
    names = model.schema.names
    body = ENCODER.encode([dict(zip(names, row, strict=True)) for row in rows])
    try:
        records = reader(model.schema, reject_unknown=True).read(body).records
        predictions = model.predictions(records)
        content = prediction_content(model, predictions, proba=proba)
    except ServiceError as error:
        raise ArtifactError(f"examples: {_first_fault(error)}") from error
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        raise ArtifactError(
            f"the model cannot predict the examples: {one_line(error)}"
        ) from error
    response = msgspec.json.decode(ENCODER.encode(content))
    predicted: list[Value] = response["prediction"]
    return predicted


def _first_fault(error: ServiceError) -> str:
    """Return the first thing that does not fit, and where it is."""
    if isinstance(error, RefusedRecords):
        row, feature, detail = error.faults[0]
        place = f"row {row}"
        if feature is not None:
            place += f", {shorten(feature)}"
        return f"{place}: {detail}"
    for fault in error.errors:
        return f"{fault['pointer']}: {fault['detail']}"
    return error.detail


def _find_tolerance(
    model: Model, together: list[Value], alone: list[Value]
) -> float:
    """Return how far numbers may differ: further where the model computes in float32.

    How far, the first records show, which are predicted among the others and alone.
    """
    if not (_has_float32(model) or _are_float32(together)):
        return TOLERANCE
    noise = 0.0
    for first, second in zip(together, alone, strict=False):
        noise = max(noise, measure_noise(pair_up(first, second)))
    return float32_tolerance(noise)


def _has_float32(model: Model) -> bool:
    """Return whether one of the columns that the estimator takes is of float32."""
    dtypes = {feature.column_dtype for feature in model.schema.features}
    return not dtypes.isdisjoint(("float32", "Float32"))


def _are_float32(predicted: list[Value]) -> bool:
    """Return whether all of them are numbers that float32 has."""
    for leaf in _leaves(predicted):
        if not isinstance(leaf, float):
            return False
        with np.errstate(over="ignore"):
            if float(np.float32(leaf)) != leaf:
                return False
    return True


def _leaves(value: Value) -> Iterator[Value]:
    """Yield the labels and numbers in lists and objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _advise(model: Model) -> str:
    """Return what may be wrong where an example differs, and what to do about it."""
    advice = ""
    records: Any = model.examples.records if model.examples else None
    if hasattr(records, "columns"):
        frame = records[model.schema.names]
        advice += advise_dtypes(model.schema, frame)
    if not model.schema.named:
        advice += COLUMNS_ADVICE
    if model.other_versions:
        advice += f"; {advise_versions(model.other_versions)}"
    return advice
