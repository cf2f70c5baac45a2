"""Timing: what a method costs that cannot tell, measured while a model is prepared."""

from functools import cache, partial
from typing import NamedTuple

from python.model.data.columns import slice_rows
from python.model.explain.costs import (
    Cost,
    Line,
    repeat,
    time_best,
    time_call,
)
from python.model.explain.methods import MakeMethod, Method, Subject
from python.model.explain.outputs import outputs_of
from python.model.types import Columns

TIMED_RECORDS = 4
SMALL_BACKGROUND = 8
LARGE_BACKGROUND = 64


def measure_alone(method: Method, subject: Subject) -> Cost:
    """Return what a method costs that needs no background of a request."""
    seconds = _time_method(method, subject)
    return Cost(Line(seconds.once, 0.0), Line(seconds.each, 0.0))


def measure_against(make: MakeMethod, subject: Subject, rows: Columns) -> Cost:
    """Return what a method costs that explains against a background."""
    small = repeat(rows, SMALL_BACKGROUND)
    large = repeat(rows, LARGE_BACKGROUND)
    of_small = _time_method(make(small), subject)
    of_large = _time_method(make(large), subject)
    between = partial(_line, SMALL_BACKGROUND, LARGE_BACKGROUND)
    return Cost(
        once=between(of_small.once, of_large.once),
        each=between(of_small.each, of_large.each),
    )


class Seconds(NamedTuple):
    """What a method makes once, for the first record, and what it computes for each."""

    once: float
    each: float


def _time_method(method: Method, subject: Subject) -> Seconds:
    records = slice_rows(subject.probes, 0, TIMED_RECORDS)
    output_of = cache(outputs_of(subject.estimator, records))
    for output in method.outputs:
        output.sums(output_of)  # a prediction is no part of the explanation
    explain = partial(method.explain, records, output_of)
    first = time_call(explain)
    later = time_best(explain)
    return Seconds(max(0.0, first - later), later / len(records))


def _line(few: int, many: int, of_few: float, of_many: float) -> Line:
    """Return the line through the seconds for few rows and for many; it never falls."""
    slope = max(0.0, (of_many - of_few) / (many - few))
    return Line(max(0.0, of_few - slope * few), slope)
