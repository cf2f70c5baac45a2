"""Refusals: which values an estimator does not take, found by trying them again."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from python.errors import MAX_FAULTS, Fault
from python.model.data.columns import slice_rows, with_column
from python.model.types import Columns

Call = Callable[[Columns], Any]
"""A method of an estimator, which raises an exception for columns that it does not take."""


# After so many calls, or so many rows for each row of the columns, no other refused row is looked
# for. To find one among all takes two rows for each.
MAX_CALLS = 1000
MAX_TRIED_SHARE = 6


class Trials:
    """Calls a method and counts the calls and the rows."""

    def __init__(self, call: Call, columns: Columns) -> None:
        """Take the method, and the columns that decide how many rows may be tried."""
        self._call = call
        self._calls_left = MAX_CALLS
        self._rows_left = MAX_CALLS + MAX_TRIED_SHARE * len(columns)

    def __call__(self, columns: Columns) -> Any:
        """Return what the method returns."""
        self._calls_left -= 1
        self._rows_left -= len(columns)
        return self._call(columns)

    @property
    def exhausted(self) -> bool:
        """Whether it has been called often enough."""
        return self._calls_left <= 0 or self._rows_left <= 0


def find_faults(
    call: Call,
    columns: Columns,
    names: Sequence[str],
    accepted: Columns,
) -> list[Fault]:
    """Return a fault for each value that makes `call` raise, at most 100.

    There are fewer where it takes too many calls to find them.
    The columns are halved until the refused rows are alone.
    Each of their values is then put into `accepted`, one row that `call` has taken before.
    Where no single value is refused, the fault is the record's.
    The list is empty if `call` refuses `accepted` too: then the values are not to blame.
    """
    if not accepts(call, accepted):
        return []
    trials = Trials(call, columns)
    faults = _faults(trials, columns, names, accepted)
    return list(islice(faults, MAX_FAULTS))


def _faults(
    call: Trials,
    columns: Columns,
    names: Sequence[str],
    accepted: Columns,
) -> Iterator[Fault]:
    for row in refused_rows(call, columns):
        record = slice_rows(columns, row, row + 1)
        refused_names = []
        for number, name in enumerate(names):
            one_value = with_column(accepted, number, record)
            if not accepts(call, one_value):
                refused_names.append(name)
        for name in refused_names:
            yield Fault(
                row, name, "the model does not take this value", "refused"
            )
        if not refused_names:
            yield Fault(
                row,
                None,
                "the model does not take these values together",
                "refused",
            )
        if call.exhausted:
            return


def refused_rows(call: Call, columns: Columns) -> Iterator[int]:
    """Yield the numbers of the rows for which `call` raises, found by halving."""
    pending = [(0, len(columns))]
    while pending:
        start, stop = pending.pop()
        if accepts(call, slice_rows(columns, start, stop)):
            continue
        if stop - start == 1:
            yield start
            continue
        middle = (start + stop) // 2
        # The first half is looked at first, so that the rows come in their order.
        pending += [(middle, stop), (start, middle)]


def accepts(call: Call, columns: Columns) -> bool:
    """Return whether `call` returns; estimators refuse with exceptions of many kinds."""
    try:
        call(columns)
    except Exception:
        return False
    return True
