"""Examples of the artifact, sent through the service's own door when a model is loaded.

They come as JSON, are read and predicted as in any request, and are compared as JSON. So they show
whatever changes a prediction between the notebook and the client: a type, a date, the order of
the columns, a library of another version.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from python.api.bodies import reader
from python.api.responses import ENCODER, prediction_content
from python.errors import ArtifactError, RefusedRecords, ServiceError
from python.model.base import Model
from python.model.data.features import Value
from python.model.data.schema import Row
from python.model.data.spelling import one_line, shorten
from python.model.data.tables import read_table
from python.model.examples import Examples

TOLERANCE = 1e-9
FLOAT32_TOLERANCE = 1e-6
# A step that scales by the mean of a request changes what is predicted for a record alone.
MAX_SENT_ALONE = 20
FEWEST_DIGITS = 3
FLOAT_DIGITS = 17

COLUMNS_ADVICE = (
    "; the model was fitted with an array: the metadata must list the features in the order of "
    "its columns"
)


class Pair(NamedTuple):
    """A label or a number as it was saved, and what a client receives now."""

    saved: Value
    predicted: Value
    class_name: str | None
    """The class whose probability the two are; None for a prediction."""

    def differs(self, tolerance: float) -> bool:
        """Return whether the two are different labels, or numbers that are too far apart."""
        if not isinstance(self.saved, float | int) or not isinstance(
            self.predicted, float | int
        ):
            return bool(self.saved != self.predicted)
        is_close = math.isclose(
            self.saved, self.predicted, rel_tol=tolerance, abs_tol=tolerance
        )
        return not is_close


class Results(NamedTuple):
    """What was saved for each example: probabilities with `proba`, else labels or numbers."""

    noun: str
    results: Sequence[Value]
    proba: bool


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


def _check_results(model: Model, rows: Sequence[Row], saved: Results) -> None:
    predicted = _predict(model, rows, saved)
    tolerance = _tolerance(predicted)
    for number in range(len(rows)):
        _check_example(
            model,
            f"{saved.noun} {number}",
            list(_pairs(saved.results[number], predicted[number])),
            tolerance,
        )
    for number, row in enumerate(rows[:MAX_SENT_ALONE]):
        (alone,) = _predict(model, [row], saved)
        _check_example(
            model,
            f"{saved.noun} {number}, sent alone",
            list(_pairs(saved.results[number], alone)),
            tolerance,
        )


def _predict(model: Model, rows: Sequence[Row], saved: Results) -> list[Value]:
    """Return what a client receives for the rows, where the saved results are of its kind."""
    names = model.schema.names
    body = ENCODER.encode([dict(zip(names, row, strict=True)) for row in rows])
    try:
        records = reader(model.schema, reject_unknown=True).read(body).records
        predictions = model.predictions(records)
        content = prediction_content(model, predictions, proba=saved.proba)
    except ServiceError as error:
        raise ArtifactError(f"{saved.noun}s: {_first_fault(error)}") from error
    except Exception as error:
        # Whatever an estimator raises, the service cannot be ready.
        raise ArtifactError(
            f"the model cannot predict the {saved.noun}s: {one_line(error)}"
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


def _tolerance(predicted: list[Value]) -> float:
    """Return how far numbers may differ: more where each of them is one of float32."""
    for leaf in _leaves(predicted):
        if not isinstance(leaf, float):
            return TOLERANCE
        with np.errstate(over="ignore"):
            if float(np.float32(leaf)) != leaf:
                return TOLERANCE
    return FLOAT32_TOLERANCE


def _leaves(value: Value) -> Iterator[Value]:
    """Yield the labels and numbers in lists and objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def _pairs(
    saved: Value, predicted: Value, class_name: str | None = None
) -> Iterator[Pair]:
    """Yield the labels or numbers of one example, as they were saved and as they are.

    Probabilities were saved in a list, and are an object by class now.
    """
    names: Sequence[str | None]
    if isinstance(predicted, dict):
        names = list(predicted)
        items = list(predicted.values())
    elif isinstance(predicted, list):
        names = [class_name] * len(predicted)
        items = predicted
    else:
        if isinstance(saved, list) and len(saved) == 1:
            (saved,) = saved  # a column of numbers leaves as a list of them
        yield Pair(saved, predicted, class_name)
        return
    if not isinstance(saved, list) or len(saved) != len(items):
        yield Pair(saved, predicted, class_name)
        return
    for name, item, value in zip(names, saved, items, strict=True):
        yield from _pairs(_both_classes(item, value), value, name)


def _both_classes(saved: Value, predicted: Value) -> Value:
    """Return the probabilities of both classes where one of several outputs was saved as one."""
    is_number = isinstance(saved, float | int)
    if is_number and isinstance(predicted, dict) and len(predicted) == 2:
        return [1 - saved, saved]
    return saved


def _check_example(
    model: Model, place: str, pairs: Sequence[Pair], tolerance: float
) -> None:
    for pair in pairs:
        if not pair.differs(tolerance):
            continue
        saved, predicted = _show(pair.saved, pair.predicted)
        if pair.class_name is not None:
            saved += f" for {shorten(pair.class_name)}"
        raise ArtifactError(
            f"{place}: the model said {saved} when it was saved, "
            f"here it says {predicted}{_advice(model)}"
        )


def _show(saved: Value, predicted: Value) -> tuple[str, str]:
    """Return both for a sentence: numbers with as many digits as tell them apart."""
    if isinstance(saved, float) and isinstance(predicted, float):
        for digits in range(FEWEST_DIGITS, FLOAT_DIGITS + 1):
            first = f"{saved:.{digits}g}"
            second = f"{predicted:.{digits}g}"
            if first != second:
                return first, second
    return _describe(saved), _describe(predicted)


def _describe(value: Value) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} values"
    return shorten(value)


def _advice(model: Model) -> str:
    if model.version_cure:
        return f"; {model.version_cure}"
    return "" if model.schema.named else COLUMNS_ADVICE
