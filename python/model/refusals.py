"""Refusals: which values an estimator will not take, found by asking it again."""

from collections.abc import Callable, Iterator
from typing import Any

from python.errors import Fault
from python.model.columns import replaced, rows
from python.model.schema import Records


def refusals(answer: Callable[[Any], Any], records: Records, names: list[str], accepted: Any) -> Iterator[Fault]:
    """A fault for each value, or for each record where no single value is to blame, that makes `answer` raise ValueError.

    The records are halved until the refused ones are alone; then each of their values is put into `accepted`, one row that
    the estimator is known to take.
    """
    for row in _refused_rows(answer, records.columns, 0, len(records)):
        record = rows(records.columns, row, row + 1)
        culprits = [name for number, name in enumerate(names) if not _answers(answer, replaced(accepted, number, record))]
        for name in culprits:
            yield Fault(records.pointer(row, name), "the model does not take this value")
        if not culprits:
            yield Fault(records.pointer(row), "the model does not take these values together")


def _refused_rows(answer: Callable[[Any], Any], columns: Any, start: int, stop: int) -> Iterator[int]:
    if _answers(answer, rows(columns, start, stop)):
        return
    if stop - start == 1:
        yield start
        return
    middle = (start + stop) // 2
    yield from _refused_rows(answer, columns, start, middle)
    yield from _refused_rows(answer, columns, middle, stop)


def _answers(answer: Callable[[Any], Any], columns: Any) -> bool:
    try:
        answer(columns)
    except ValueError:
        return False
    return True
