"""Verdicts on explanations: what a proof shows, which other processes need not make again."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from python.model.explain.costs import Cost, Line
from python.model.explain.methods import MakeMethod, Method
from python.model.explain.outputs import Output
from python.model.types import Columns
from python.model.verdicts import judge_once

log = logging.getLogger(__name__)


CHANGED = "its methods have changed while they were proven"


class Unproven(Exception):
    """A method is not used; the text says why."""


class UnprovenForNow(Unproven):
    """A method is not used, because of what the machine does now, or lacks."""


@dataclass(frozen=True)
class Verdict:
    """What a proof shows of a method, or why none is right.

    `number` is its place among the methods. `output` is the place among its outputs of the one
    that its values add up to, None where the proof does not tell it.
    `once`, `each` and `n_predictions` are its cost.
    `worst_error` is by how much a sum was off, in the space of the output, for the rows of the
    proof.
    `are_values_proven` says whether it was shown of the values, and not of their sums alone, that
    they are right.
    `lasts` is false where a method was not proven for now, which would have come first.
    """

    number: int = 0
    name: str = ""
    output: int | None = None
    once: Sequence[float] = (0.0, 0.0)
    each: Sequence[float] = (0.0, 0.0)
    n_predictions: int = 0
    worst_error: float = 0.0
    are_values_proven: bool = False
    objection: str = ""
    lasts: bool = True

    @property
    def cost(self) -> Cost:
        """What the method costs where it does not say so itself."""
        return Cost(Line(*self.once), Line(*self.each), self.n_predictions)


class Proven(NamedTuple):
    """A method that was proven: what its proof shows, itself, and those that stand behind it."""

    verdict: Verdict
    makes: list[MakeMethod]


def prove_once(
    path: Path | None,
    makes: list[MakeMethod],
    rows: Columns,
    prove: Callable[[], Verdict],
) -> Proven:
    """Return the method that is proven among `makes`; raise Unproven if none is.

    `rows` are those of a background, as the proof has them.
    The file at `path` is for the verdict: other processes take it from there.
    """
    verdict = judge_once(path, Verdict, partial(_judge, prove))
    proven = _choose(verdict, makes, rows)
    if proven is None:
        log.info("the methods are others here, and are proven again")
        proven = _choose(prove(), makes, rows)
    if proven is None:
        raise Unproven(CHANGED)
    return proven


def _judge(prove: Callable[[], Verdict]) -> Verdict:
    start = time.process_time()
    verdict = prove()
    seconds = time.process_time() - start
    log.info(
        "explanations were judged in %.1f seconds of a processor", seconds
    )
    return verdict


def _choose(
    verdict: Verdict, makes: list[MakeMethod], rows: Columns
) -> Proven | None:
    """Return the method that a verdict is about; raise Unproven if it is about none.

    Returns None if the methods are others here, as where the speed of the model is not shared.
    """
    if verdict.objection:
        raise Unproven(verdict.objection)
    place = verdict.output
    try:
        method = makes[verdict.number](rows)
        output = None if place is None else method.outputs[place]
    except IndexError:
        return None
    if method.name != verdict.name:
        return None
    rest = makes[verdict.number :]
    return Proven(verdict, [partial(_make_for, output, each) for each in rest])


def _make_for(
    output: Output | None, make: MakeMethod, background: Columns
) -> Method:
    """Return the method for that output alone, if it has it: a record may seem to fit another.

    Example: log-odds of 0.659046 are the log-odds of 0.659046.
    """
    method = make(background)
    if output is None or output not in method.outputs:
        return method
    return replace(method, outputs=[output])
