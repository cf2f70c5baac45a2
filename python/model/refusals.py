"""Refusals: which values an estimator will not take, found by asking it again."""

from collections.abc import Callable, Iterator
from typing import Any

from python.errors import Fault
from python.model.data.columns import replaced, rows
from python.model.data.records import Records


def refusals(
    answer: Callable[[Any], Any], records: Records, names: list[str], accepted: Any
) -> Iterator[Fault]:
    """A fault for each value, or for each record where no single value is to blame, that makes `answer` raise.

    None if it does not answer to `accepted` any more, one row that it has answered to: then the values are not to blame.
    The records are halved until the refused ones are alone; then each of their values is put into that row.
    """
    if not answers(answer, accepted):
        return
    for row in refused_rows(answer, records.columns, 0, len(records)):
        record = rows(records.columns, row, row + 1)
        culprits = [
            name
            for number, name in enumerate(names)
            if not answers(answer, replaced(accepted, number, record))
        ]
        for name in culprits:
            yield Fault(records.pointer(row, name), "the model does not take this value")
        if not culprits:
            yield Fault(records.pointer(row), "the model does not take these values together")


def refused_rows(
    answer: Callable[[Any], Any], columns: Any, start: int, stop: int
) -> Iterator[int]:
    """The numbers of the rows that have no answer, found by halving."""
    if answers(answer, rows(columns, start, stop)):
        return
    if stop - start == 1:
        yield start
        return
    middle = (start + stop) // 2
    yield from refused_rows(answer, columns, start, middle)
    yield from refused_rows(answer, columns, middle, stop)


def answers(answer: Callable[[Any], Any], columns: Any) -> bool:
    """Whether the estimator has an answer; it says no with exceptions of many kinds."""
    try:
        answer(columns)
    except Exception:
        return False
    return True
