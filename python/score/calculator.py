"""The calculator: results for records, or the faults for which there are none."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import Fault, RefusedRecords, TooLarge, Unprocessable
from python.model.base import Explanation, Model, Predictions
from python.model.data.records import Records
from python.model.tabular.results import Results, make_results
from python.score.jobs import Job, JobError
from python.score.tables import Table


class Outcome(NamedTuple):
    """The results of the usable rows of a table, in their order, and all faults of the table."""

    usable: Sequence[int]
    results: Results
    faults: Sequence[Fault]


class Calculator:
    """Computes what a job wants of a model."""

    def __init__(
        self, model: Model, job: Job, background: Records | None
    ) -> None:
        """Take the rows to explain against, if there are some."""
        self._model = model
        self._job = job
        self._background = background

    @cached_property
    def nothing(self) -> Results:
        """The columns of the results without a row, by which their names and types are known."""
        columns = {}
        for name, column in self._compute(self._example).items():
            columns[name] = _take_none(column)
        return columns

    @property
    def explained_output(self) -> str | None:
        """What an explanation adds up to; None where nothing is explained."""
        _, explanation = self._predict(self._example)
        return None if explanation is None else explanation.output

    @cached_property
    def _example(self) -> Records:
        schema = self._model.schema
        return Records(schema, [schema.row(self._model.example())])

    def find_outcome(self, table: Table) -> Outcome:
        """Return what the model makes of a table; nothing where it is to stop at a fault.

        Raises JobError where the background is not taken.
        """
        faults = list(table.faults)
        while True:
            usable = list_others(faults, len(table.records))
            has_to_stop = faults and self._job.on_error == "stop"
            if has_to_stop or not usable:
                return Outcome([], self.nothing, faults)
            records = table.records.take(usable) if faults else table.records
            try:
                return Outcome(usable, self._compute_all(records), faults)
            except RefusedRecords as error:
                self._check_origin(error)
                for fault in error.faults:
                    faults.append(fault._replace(row=usable[fault.row]))
                faults.sort(key=_row_of)

    def _check_origin(self, error: RefusedRecords) -> None:
        """Raise JobError where it is the background that is not taken."""
        if error.records is self._background:
            fault = error.faults[0]
            raise JobError(
                f"the samples, row {fault.row}: {fault.detail}"
            ) from error

    def _compute_all(self, records: Records) -> Results:
        """Return the results for the records; raise RefusedRecords where there are none for some.

        They are explained in slices, of the size of a request, so that memory is bounded.
        """
        if not self._job.explain:
            return self._compute(records)
        size = self._slice_size()
        slices = []
        for start in range(0, len(records), size):
            stop = min(start + size, len(records))
            part = records.take(range(start, stop))
            slices.append(self._compute_slice(part, start))
        columns = {}
        for name in slices[0]:
            columns[name] = np.concatenate([part[name] for part in slices])
        return columns

    def _compute_slice(self, records: Records, start: int) -> Results:
        """Return the results for records, which begin at that row of others; errors say the row."""
        try:
            return self._compute(records)
        except RefusedRecords as error:
            if error.records is self._background:
                raise
            faults = error.faults
        except TooLarge as error:
            raise JobError(error.detail) from error
        except Unprocessable as error:
            # What explains the example does not explain one of these.
            faults = self._find_unexplained(records)
            if not faults:
                raise JobError(error.detail) from error
        moved = []
        for fault in faults:
            moved.append(fault._replace(row=start + fault.row))
        raise RefusedRecords("some rows have no results", records, moved)

    def _find_unexplained(self, records: Records) -> list[Fault]:
        faults = []
        for row in range(len(records)):
            try:
                self._predict(records.take([row]))
            except Unprocessable as error:
                faults.append(Fault(row, None, error.detail))
        return faults

    def _slice_size(self) -> int:
        affordable = self._model.explained_at_once(self._background)
        return max(1, min(self._job.settings.max_explain_rows, affordable))

    def _compute(self, records: Records) -> Results:
        predictions, explanation = self._predict(records)
        return make_results(
            self._model, predictions, explanation, proba=self._job.proba
        )

    def _predict(
        self, records: Records
    ) -> tuple[Predictions, Explanation | None]:
        predictions = self._model.predictions(records)
        explanation = None
        if self._job.explain:
            explanation = self._model.explain(predictions, self._background)
        return predictions, explanation


def _take_none(column: NDArray[Any]) -> NDArray[Any]:
    """Return the column without a row, in the type of its values."""
    if column.dtype == object:
        # Of no objects, nobody could say which type they have.
        column = np.array(column.tolist())
    return column[:0]


def list_others(faults: Sequence[Fault], n_rows: int) -> Sequence[int]:
    """Return the numbers of the rows without a fault."""
    if not faults:
        return range(n_rows)
    faulty = {fault.row for fault in faults}
    return [row for row in range(n_rows) if row not in faulty]


def _row_of(fault: Fault) -> int:
    return fault.row
