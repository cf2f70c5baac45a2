"""Explanations that add up: a method explains only after it was proven on probes."""

import logging
import time
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from python.errors import TooSlow, Unprocessable
from python.model.base import Explanation
from python.model.data.columns import slice_rows
from python.model.data.records import Records
from python.model.explain.coalitions import TOOK_TOO_LONG
from python.model.explain.costs import NO_COST, Cost
from python.model.explain.methods import Candidates, Method, Subject
from python.model.explain.outputs import (
    DOUBLE_ROUNDING,
    OutputOf,
    why_no_outputs,
)
from python.model.explain.proof import prove_against, prove_alone
from python.model.explain.verdicts import Proven, Unproven
from python.model.types import Columns

log = logging.getLogger(__name__)

NO_BACKGROUND = (
    "the model needs background rows to be explained: "
    'send them as "_samples", or put "samples" into its file'
)
NOT_ALONE = (
    'the model can only be explained with "_samples", '
    "because its explanations with the samples of its file cannot be proven: {reason}"
)
NOT_AGAINST = (
    'the model can only be explained without "_samples", '
    "because its explanations with them cannot be proven: {reason}"
)
TOO_LONG = (
    "to explain this takes {arithmetic}, and at most {limit:g} are spent (MAX_EXPLAIN_SECONDS, "
    "or half of REQUEST_TIMEOUT): send fewer records, or fewer rows of background"
)
OTHER_METHOD = (
    "the first method does not add up to the prediction of a record, %s does"
)
NO_SUM = "these records cannot be explained: no method gives values that add up to their prediction"


class Explainer:
    """Explains an estimator in its input features, by the first method that is proven on probes.

    A method that is proven may still fail to add up for a record, where numbers are extreme.
    The methods behind it are then tried, for each record alone.
    """

    def __init__(
        self,
        subject: Subject,
        background: Columns | None = None,
    ) -> None:
        """Take a model, and the background to explain it against where a request brings none.

        `prove_alone` and `prove_against` have to be called, which takes seconds where the model is
        slow.
        """
        self._subject = subject
        self._background = background
        self._alone: Proven | None = None
        self._against: Proven | None = None
        self._methods_alone = Candidates([], subject.probes)
        self._reason = ""
        self._reason_alone = ""
        self._reason_against = ""
        # What is made for a background is kept for as long as the background itself is:
        # `api.bodies.Reader` keeps those that may come again.
        self._kept_methods: WeakKeyDictionary[Records, Candidates]
        self._kept_methods = WeakKeyDictionary()

    def prove_alone(self) -> None:
        """Find the method that explains records without the background of a request."""
        try:
            proven = prove_alone(self._subject, self._background)
        except Unproven as error:
            log.info("background rows are needed: %s", error)
            self._reason_alone = str(error)
            return
        probes = self._subject.probes
        rows = probes if self._background is None else self._background
        self._methods_alone = Candidates(proven.makes, rows)
        method = self._methods_alone.first
        if method.cost is None:
            # What it keeps for all records is made now, and not in the first request.
            method.attribute(slice_rows(probes, 0, 1))
        self._alone = proven

    def prove_against(self) -> None:
        """Find the method that explains records against the background of a request."""
        subject = self._subject
        try:
            self._against = prove_against(subject, self._background)
        except Unproven as error:
            self._reason_against = str(error)
            if self._alone is None:
                self._reason = str(error)
        if not subject.outputs:
            probe = slice_rows(subject.probes, 0, 1)
            self._reason = why_no_outputs(subject.estimator, probe)

    @property
    def explains_alone(self) -> bool:
        """Whether records without a background from the request are explained."""
        return self._alone is not None

    @property
    def reason(self) -> str | None:
        """Why the estimator cannot be explained; None if it can."""
        return self._reason or None

    def info(self) -> dict[str, Any]:
        """Return whether and how the model is explained, or why not."""
        proven = self._alone or self._against
        if proven is None:
            return {"is_explainable": False, "reason": self.reason}
        verdict = proven.verdict
        method = self._name_method(proven)
        return {
            "is_explainable": True,
            "reason": None,
            "explanation_method": method,
            "needs_samples": not self.explains_alone,
            "explanation_exactness": (
                "sampled" if method == "permutation" else "exact"
            ),
            "explanation_proven": (
                "values" if verdict.are_values_proven else "sums"
            ),
            "explanation_worst_error": verdict.worst_error,
            "explanation_players": "features",
            "explanation_background": self._name_background(),
        }

    def _name_method(self, proven: Proven) -> str:
        """Return the method that explains records without a background of their own, if one does.

        There may be time for fewer coalitions than in its proof, which takes a few rows.
        """
        if proven is self._alone:
            return self._methods_alone.first.name
        return proven.verdict.name

    def _name_background(self) -> str | None:
        """Return what records alone are compared with; None if they are not explained."""
        if not self.explains_alone:
            return None
        return self._methods_alone.first.background

    def method(self, background: Records | None = None) -> Method | None:
        """Return the method that explains records, against the background if there is one."""
        if self.reason is not None:
            return None
        return self._candidates(background).first

    def explain(
        self,
        records: Records,
        output_of: OutputOf,
        background: Records | None = None,
    ) -> Explanation:
        """Return SHAP values whose sums have been compared with what is served for the records.

        `output_of` returns what the estimator's `predict`, for example, returns for them.
        Raises Unprocessable if the model cannot be explained, or needs a background and has none;
        TooLarge if it would take longer than the budget says.
        """
        self._check_background(background)
        self._check_cost(len(records), background)
        deadline = time.monotonic() + self._subject.budget.request_seconds
        methods = self._candidates(background)
        explanation = _explain(methods.first, records, output_of)
        if explanation is not None:
            return explanation
        return self._explain_each(methods, records, output_of, deadline)

    def _check_background(self, background: Records | None) -> None:
        """Raise Unprocessable if no method is proven for that background, or for none."""
        if self.reason is not None:
            raise Unprocessable(
                f"the model cannot be explained: {self.reason}"
            )
        if background is None and not self.explains_alone:
            if self._background is None:
                raise Unprocessable(NO_BACKGROUND)
            detail = NOT_ALONE.format(reason=self._reason_alone)
            raise Unprocessable(detail)
        if background is not None and self._against is None:
            detail = NOT_AGAINST.format(reason=self._reason_against)
            raise Unprocessable(detail)

    def _check_cost(self, n_records: int, background: Records | None) -> None:
        """Raise TooLarge, with the arithmetic, if the records would take too long to explain."""
        cost = self._cost(background)
        n_rows = self._count_rows(background)
        limit = self._subject.budget.request_seconds
        if cost.seconds(n_records, n_rows) > limit:
            arithmetic = cost.arithmetic(n_records, n_rows)
            raise TooSlow(TOO_LONG.format(arithmetic=arithmetic, limit=limit))

    def affordable_records(self, background: Records | None) -> int:
        """Return how many records are explained within the budget, 0 for none.

        Raises Unprocessable if the model cannot be explained, or needs a background and has none.
        """
        self._check_background(background)
        limit = self._subject.budget.request_seconds
        n_rows = self._count_rows(background)
        return self._cost(background).affordable_records(n_rows, limit)

    def _count_rows(self, background: Records | None) -> int:
        rows = self._background if background is None else background
        return 0 if rows is None else len(rows)

    def _cost(self, background: Records | None) -> Cost:
        proven = self._alone if background is None else self._against
        method = self._candidates(background).first
        if method.cost is not None or proven is None:
            return method.cost or NO_COST
        if method.is_prepared:
            return proven.verdict.cost._replace(once=NO_COST.once)
        return proven.verdict.cost

    def _explain_each(
        self,
        methods: Candidates,
        records: Records,
        output_of: OutputOf,
        deadline: float,
    ) -> Explanation:
        """Explain each record as it is alone, so that none depends on the others.

        Raises TooLarge once `time.monotonic()` is past the deadline.
        """
        parts = []
        for row, values in enumerate(records.rows):
            if time.monotonic() > deadline:
                limit = self._subject.budget.request_seconds
                raise TooSlow(TOOK_TOO_LONG.format(limit))
            record = Records(records.schema, [values])
            parts.append(
                _explain_by_first(methods, record, _of_row(output_of, row))
            )
        return _join(parts)

    def _candidates(self, background: Records | None) -> Candidates:
        """Return the method that was proven, then those that stand behind it."""
        if background is None:
            return self._methods_alone
        methods = self._kept_methods.get(background)
        if methods is None:
            makes = [] if self._against is None else self._against.makes
            methods = Candidates(makes, background.columns)
            self._kept_methods[background] = methods
        return methods


def _explain(
    method: Method, records: Records, output_of: OutputOf
) -> Explanation | None:
    if method.takes_numbers and records.schema.is_float:
        return method.explain(records.codes, output_of)
    return method.explain(records.columns, output_of)


def _explain_by_first(
    methods: Candidates,
    record: Records,
    output_of: OutputOf,
) -> Explanation:
    """Explain a record by the first of the methods that adds up for it; raise Unprocessable.

    It is compared with what others are compared with, by whichever method.
    """
    background = methods.first.background
    for number, method in enumerate(methods):
        if method.background != background:
            continue
        explanation = _explain(method, record, output_of)
        if explanation is not None:
            if number > 0:
                log.warning(OTHER_METHOD, method.name)
            return explanation
    log.warning("no method adds up to the prediction of a record")
    raise Unprocessable(NO_SUM)


def _of_row(output_of: OutputOf, row: int) -> OutputOf:
    """Return what gives the outputs of one of the rows."""

    def output_of_row(name: str) -> NDArray[np.generic]:
        return output_of(name)[row : row + 1]

    return output_of_row


def _join(parts: list[Explanation]) -> Explanation:
    """Return the explanations of single records as one, of all.

    Raises Unprocessable if they explain different outputs, start from different base values, or
    some are exact and others sampled.
    """
    first = parts[0]
    if not all(_are_alike(first, part) for part in parts):
        raise Unprocessable(NO_SUM)
    values = np.concatenate([part.values for part in parts])
    errors = [
        part.standard_error
        for part in parts
        if part.standard_error is not None
    ]
    standard_error = np.concatenate(errors) if errors else None
    return Explanation(values, first.base_value, first.output, standard_error)


def _are_alike(first: Explanation, second: Explanation) -> bool:
    same_base = np.allclose(
        first.base_value, second.base_value, DOUBLE_ROUNDING, 0.0
    )
    first_exact = first.standard_error is None
    second_exact = second.standard_error is None
    return (
        same_base
        and first.output == second.output
        and first_exact == second_exact
    )
