"""The scorer: a worker's model, which makes a part of the output of each chunk of the input."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from python.loading import explanation_budget, find_verdicts, load
from python.model.data.records import Records
from python.model.data.spelling import shorten
from python.model.tabular.layouts import lay_out
from python.model.tabular.results import Results, check_names
from python.model.versions import explain_version
from python.score.calculator import Calculator, Outcome
from python.score.formats import make_content, read_chunk
from python.score.jobs import Chunk, Content, Job, JobError, Part, Plan
from python.score.samples import read_samples
from python.score.source import make_empty_chunk
from python.score.tables import Input, Table, find_header, find_kept

MAX_LISTED_FAULTS = 20


class Scorer:
    """A model, and what it is to make of the rows of one input."""

    def __init__(self, job: Job) -> None:
        """Load the model.

        Raises ArtifactError if it cannot be served, and Unprocessable or JobError where the input
        does not fit it, or the results could not be told from columns that are kept.
        """
        self._job = job
        # What explains takes tens of megabytes in each process.
        self._model = load(job.settings, explains=job.explain)
        if job.explain:
            budget = explanation_budget(job.settings)
            self._model.prepare_explanations(budget, find_verdicts())
        self._input = self._read_header()
        background = self._read_background()
        self._calculator = Calculator(self._model, job, background)
        check_names([*self._input.kept, *self._calculator.nothing])

    def _read_header(self) -> Input:
        job = self._job
        schema = self._model.schema
        header = find_header(job.header, schema.names)
        kept = find_kept(job.keep, header.names)
        ignored = job.settings.unknown_features == "ignore"

        def may_be_there(name: str) -> bool:
            return ignored or name in kept

        layout = lay_out(schema, header.names, may_be_there)
        return Input(header, layout, kept, job.decimal, job.writes)

    def _read_background(self) -> Records | None:
        if self._job.samples is not None:
            return read_samples(self._job, self._model.schema)
        if self._job.explain and not self._model.offers_explanations:
            self._refuse_to_explain()
        return None

    def _refuse_to_explain(self) -> NoReturn:
        info = self._model.info()
        if info["is_explainable"]:
            raise JobError(
                "the model needs background rows to be explained: pass --samples background.csv"
            )
        raise JobError(f"the model cannot be explained: {info['reason']}")

    @property
    def plan(self) -> Plan:
        """What the output will be, and what a person should know about it."""
        names = [*self._input.kept, *self._calculator.nothing]
        separator = self._input.header.separator
        remarks = list(self._make_remarks())
        return Plan(separator, names, self._make_empty(), remarks)

    def _make_remarks(self) -> Iterator[str]:
        for package, fitted_with in self._model.other_versions.items():
            yield f"the model was {explain_version(package, fitted_with)}"
        for feature, position in self._input.layout.places:
            if position is None:
                stand_in = "it is missing"
                if feature.default is not None:
                    stand_in = f"its default is {shorten(feature.default)}"
                name = shorten(feature.name)
                yield f"there is no column {name}: {stand_in} in every row"
        output = self._calculator.explained_output
        if output is not None:
            yield f"the shap columns and the base value of a row add up to: {output}"

    def _make_empty(self) -> Content:
        """Return the part of the output that an input without rows makes."""
        table = read_chunk(self._input, make_empty_chunk(self._job.header))
        nothing = self._calculator.nothing
        return make_content(table.kept, nothing, self._job.writes)

    def score(self, chunk: Chunk) -> Part:
        """Return the part of the output that a chunk of the input makes.

        Raises JobError if the chunk cannot be read.
        """
        table = read_chunk(self._input, chunk)
        outcome = self._calculator.find_outcome(table)
        listed = []
        for fault in outcome.faults[:MAX_LISTED_FAULTS]:
            listed.append(table.describe(fault))
        content = self._make_content(table, outcome)
        n_faulty = len({fault.row for fault in outcome.faults})
        names = [*self._input.kept, *outcome.results]
        return Part(names, content, len(table.records), n_faulty, listed)

    def _make_content(self, table: Table, outcome: Outcome) -> Content:
        kept = table.kept
        results = outcome.results
        if outcome.faults and self._job.on_error == "null":
            results = _spread(outcome, len(table.records))
        elif outcome.faults:
            kept = table.keep_rows(outcome.usable)
        return make_content(kept, results, self._job.writes)


def _spread(outcome: Outcome, n_rows: int) -> Results:
    """Return the results with a row for each row of the table: None where it has a fault."""
    columns = {}
    for name, column in outcome.results.items():
        spread: NDArray[Any] = np.full(n_rows, None, dtype=object)
        spread[outcome.usable] = column.astype(object)
        columns[name] = spread
    return columns


@cache
def scorer_of(job: Job) -> Scorer:
    """Return this process's scorer for a job, which is made when it is first needed."""
    return Scorer(job)
