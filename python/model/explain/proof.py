"""The proof of a method: its sums are what is predicted, and its values those by all coalitions.

It is made while the model is prepared, in a limited time.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from math import nan
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from python.errors import ServiceError, TooLarge
from python.model.data.columns import slice_rows
from python.model.data.spelling import one_line
from python.model.explain.attribution import Attribution
from python.model.explain.comparison import compare
from python.model.explain.costs import Cost
from python.model.explain.methods import (
    MAX_PROOF_ROWS,
    MakeMethod,
    Method,
    Subject,
    list_against,
    list_alone,
)
from python.model.explain.outputs import Output, OutputOf, outputs_of
from python.model.explain.timing import measure_against, measure_alone
from python.model.explain.verdicts import (
    Proven,
    Unproven,
    UnprovenForNow,
    Verdict,
    prove_once,
)
from python.model.types import Columns

log = logging.getLogger(__name__)

MAX_PROBES = 4
NO_SUM = "no method gives values that add up to what it predicts"
OTHER_VALUES = "its values are not those by all coalitions"
RAISES = "to prove its values raises an error ({})"
TOO_SLOW = (
    "it predicts too slowly: to prove an explanation takes {arithmetic}, "
    "and at most {limit:g} are spent (MAX_PROOF_SECONDS, MAX_EXPLAIN_SECONDS)"
)


Measure: TypeAlias = Callable[[Subject, MakeMethod, Method], Cost]
"""From a method that cannot tell itself what it costs to its cost."""


class Sizes(NamedTuple):
    """Of how many rows a proof is made."""

    n_probes: int
    n_rows: int


class ProvenSums(NamedTuple):
    """By how much a sum was off, and what the values add up to; nan and None where none can be."""

    worst_error: float
    output: Output | None


def prove_alone(subject: Subject, background: Columns | None) -> Proven:
    """Return the first right method for requests without a background; raise Unproven.

    `background` is the model's own, if it has one.
    """
    has_background = background is not None
    makes = list_alone(subject, has_background=has_background)
    rows = subject.probes if background is None else background
    path = subject.verdict("alone")
    return _prove_once(path, makes, subject, rows, _measure_alone)


def prove_against(subject: Subject, background: Columns | None) -> Proven:
    """Return the first right method for requests with a background; raise Unproven.

    It is proven with the model's own background, or else with the probes.
    """
    rows = subject.probes if background is None else background
    makes = list_against(subject)
    measure = partial(_measure_against, rows)
    path = subject.verdict("against")
    return _prove_once(path, makes, subject, rows, measure)


def _prove_once(
    path: Path | None,
    makes: list[MakeMethod],
    subject: Subject,
    rows: Columns,
    measure: Measure,
) -> Proven:
    prove = partial(_prove, subject, rows, measure)
    few_rows = slice_rows(rows, 0, MAX_PROOF_ROWS)
    return prove_once(path, makes, few_rows, partial(_first, makes, prove))


def _first(
    makes: list[MakeMethod], prove: Callable[[MakeMethod], Verdict]
) -> Verdict:
    """Return the verdict on the first method that is proven; if none is, on the last."""
    reason = NO_SUM
    lasts = True
    for number, make in enumerate(makes):
        try:
            return replace(prove(make), number=number, lasts=lasts)
        except Unproven as error:
            reason = str(error)
            lasts = lasts and not isinstance(error, UnprovenForNow)
        except Exception as error:
            # There are more estimators than anybody knows; the next method may explain this one.
            reason = RAISES.format(one_line(error))
            lasts = False
            log.warning("a method is not proven: %s", reason)
    return Verdict(objection=reason, lasts=lasts)


def _prove(
    subject: Subject, rows: Columns, measure: Measure, make: MakeMethod
) -> Verdict:
    method = make(slice_rows(rows, 0, MAX_PROOF_ROWS))
    sums = _prove_sums(make, subject, rows)
    are_values_proven = _prove_values(make, method, subject)
    cost = method.cost or measure(subject, make, method)
    place = method.outputs.index(sums.output) if sums.output else None
    return Verdict(
        name=method.name,
        output=place,
        worst_error=sums.worst_error,
        are_values_proven=are_values_proven,
        **cost._asdict(),
    )


def _prove_values(make: MakeMethod, method: Method, subject: Subject) -> bool:
    """Return whether it is shown that the values are right; raise Unproven if they are wrong."""
    against = method.against
    if method.background_output_of is not None:
        against = make
    is_right = compare(against, subject) if against else None
    if is_right is False:
        log.warning("the method %s gives other values", method.name)
        raise Unproven(OTHER_VALUES)
    return is_right or method.proves_values


def _measure_alone(subject: Subject, _: MakeMethod, method: Method) -> Cost:
    return measure_alone(method, subject)


def _measure_against(
    rows: Columns,
    subject: Subject,
    make: MakeMethod,
    _: Method,
) -> Cost:
    return measure_against(make, subject, rows)


def _prove_sums(
    make: MakeMethod, subject: Subject, rows: Columns
) -> ProvenSums:
    """Prove what the values of some probes add up to, against a background of some of the rows.

    Raises Unproven for a method that has no values, whose sums are wrong, or for whose proof there
    is no time.
    """
    method = make(slice_rows(rows, 0, MAX_PROOF_ROWS))
    n_probes = min(MAX_PROBES, len(subject.probes))
    n_rows = min(MAX_PROOF_ROWS, len(rows))
    if method.cost is None:
        return _compare_sums(method, subject, n_probes)
    largest = Sizes(n_probes, n_rows)
    # What a request has no time for need not be proven.
    limit_seconds = min(subject.budget)
    reason = ""
    for sizes in _list_sizes(method.cost, largest, limit_seconds):
        smaller = make(slice_rows(rows, 0, sizes.n_rows))
        try:
            return _compare_sums(smaller, subject, sizes.n_probes)
        except TooLarge as error:
            # What else the machine does made it longer, as it may where many processes start.
            reason = error.detail
    raise UnprovenForNow(reason)


def _list_sizes(
    cost: Cost, largest: Sizes, limit_seconds: float
) -> list[Sizes]:
    """Return the proofs that there is time for, the largest first; raise Unproven for none."""
    smaller = Sizes(1, largest.n_rows)
    smallest = Sizes(1, 1)
    affordable = []
    for sizes in (largest, smaller, smallest):
        if cost.seconds(*sizes) <= limit_seconds:
            affordable.append(sizes)
    if not affordable:
        arithmetic = cost.arithmetic(*smallest)
        raise UnprovenForNow(
            TOO_SLOW.format(arithmetic=arithmetic, limit=limit_seconds)
        )
    return affordable


def _decide_output(
    method: Method, attribution: Attribution, output_of: OutputOf
) -> Output | None:
    """Return the output that the values add up to, if the rows tell it; None if they do not.

    The log-odds of a probability of 1 may be any large number, which may be no log-odds at all.
    Of trees that were read, the output is taken that alone fits: nothing but a link is left open.
    """
    told = [each for each in method.outputs if each.is_told(output_of)]
    output = replace(method, outputs=told).find_output(attribution, output_of)
    if output is not None or not method.proves_values:
        return output
    fitting = []
    for each in method.outputs:
        of_each = replace(method, outputs=[each])
        if of_each.find_output(attribution, output_of) is not None:
            fitting.append(each)
    return fitting[0] if len(fitting) == 1 else None


def _compare_sums(
    method: Method, subject: Subject, n_probes: int
) -> ProvenSums:
    """Return what the values of so many probes add up to; raise Unproven, and TooLarge if slow."""
    probes = slice_rows(subject.probes, 0, n_probes)
    output_of = cache(outputs_of(subject.estimator, probes))
    try:
        attribution = method.attribute(probes)
    except TooLarge:
        raise
    except ServiceError as error:
        raise Unproven(error.detail) from error
    if attribution is None:
        raise Unproven(NO_SUM)
    output = _decide_output(method, attribution, output_of)
    if output is not None:
        sums, _ = output.sums(output_of)
        total = output.compared(attribution.total)
        return ProvenSums(float(np.abs(total - sums).max()), output)
    # Where nothing is predicted for rows that are made up, that proves nothing of other rows.
    if method.cost is not None and np.isnan(attribution.values).any():
        return ProvenSums(nan, None)
    raise Unproven(NO_SUM)
