"""Examples of the artifact, sent through the service's own door when a model is loaded.

They come as JSON, are read and predicted as in any request, and are compared as JSON. So they show
whatever changes a prediction between the notebook and the client: a type, a date, the order of
the columns, a library of another version.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from python.api.bodies import reader
from python.api.pairs import Pair, measure_noise, pair_up
from python.api.responses import (
    ENCODER,
    Content,
    prediction_content,
    records_content,
)
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
from python.model.examples import Examples

MAX_SHOWN = 2
COLUMNS_ADVICE = (
    "; the model was fitted with an array: the metadata must list the features in the order of "
    "its columns"
)
OTHERS_ADVICE = (
    "; alone, the record gets another prediction than among others: a step depends on the other "
    "records of a request, or on chance"
)


class Results(NamedTuple):
    """What was saved for each example: probabilities with `proba`, else labels or numbers.

    `noun` is what one of the examples is called in a sentence.
    """

    noun: str
    saved: Sequence[Value]
    proba: bool


def list_records(model: Model) -> list[Content]:
    """Return two records that the model has predicted: of its examples, or one that it offers."""
    if model.examples is None:
        return [model.example()]
    first_rows = model.examples.records[:MAX_SHOWN]
    rows = read_table(model.schema, first_rows, "examples")
    return records_content(model.schema.names, zip(*rows, strict=True))


def check_examples(model: Model) -> None:
    """Raise ArtifactError if the model does not predict for its examples what it did when saved."""
    if model.examples is not None:
        compare(model, model.examples, "example")


def compare(model: Model, examples: Examples, noun: str) -> None:
    """Raise ArtifactError if the model does not predict for the examples what they say.

    All are sent together, and the first ones alone, too. `noun` is what one of them is called.
    """
    rows = read_table(model.schema, examples.records, f"{noun}s")
    if examples.predictions is not None:
        predictions = Results(noun, examples.predictions, proba=False)
        _check_results(model, rows, predictions)
    if examples.probabilities is not None:
        probabilities = Results(noun, examples.probabilities, proba=True)
        _check_results(model, rows, probabilities)


def _check_results(
    model: Model, rows: Sequence[Row], results: Results
) -> None:
    noun, saved, proba = results
    together = _predict(model, rows, results)
    # A step that scales by the mean of a request changes what is predicted for a record alone.
    alone: list[Value] = []
    for row in rows[:MAX_ALONE]:
        alone += _predict(model, [row], results)
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
                f"{noun} {number}: {different.describe()}{advice}"
            )
    for number, predicted in enumerate(alone):
        different = _first_different(saved[number], predicted, tolerance)
        if different is not None:
            raise ArtifactError(
                f"{noun} {number}, sent alone: {different.describe()}{OTHERS_ADVICE}"
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


def _predict(
    model: Model, rows: Sequence[Row], results: Results
) -> list[Value]:
    """Return what a client receives for the rows: results of the same kind."""
    names = model.schema.names
    body = ENCODER.encode([dict(zip(names, row, strict=True)) for row in rows])
    try:
        records = reader(model.schema, reject_unknown=True).read(body).records
        predictions = model.predictions(records)
        content = prediction_content(model, predictions, proba=results.proba)
    except ServiceError as error:
        raise ArtifactError(
            f"{results.noun}s: {_first_fault(error)}"
        ) from error
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        raise ArtifactError(
            f"the model cannot predict the {results.noun}s: {one_line(error)}"
        ) from error
    response = msgspec.json.decode(ENCODER.encode(content))
    predicted: list[Value] = response["prediction"]
    return predicted


def _first_fault(error: ServiceError) -> str:
    """Return the first thing that does not fit, and where it is."""
    if isinstance(error, RefusedRecords):
        first = error.faults[0]
        place = f"row {first.row}"
        if first.feature is not None:
            place += f", {shorten(first.feature)}"
        return f"{place}: {first.detail}"
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
