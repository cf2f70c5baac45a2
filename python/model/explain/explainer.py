"""Explanations that add up: a method explains only after its sums were proven on probes."""

import logging
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model.base import Effort, Explanation
from python.model.data.columns import slice_rows
from python.model.data.records import Records
from python.model.estimator import Steps
from python.model.explain.methods import (
    Method,
    Subject,
    methods_against,
    methods_alone,
)
from python.model.explain.outputs import (
    ABSOLUTE,
    RELATIVE,
    OutputOf,
    find_outputs,
    outputs_of,
    why_no_outputs,
)
from python.model.types import Columns, Estimator

log = logging.getLogger(__name__)

MAX_PROBES = 4
MAX_PROBE_BACKGROUND = 8

NO_METHOD = "no method gives values that add up to what it predicts"
NO_BACKGROUND = (
    "the model needs background rows to be explained: "
    'send them as "_samples", or put "samples" into its file'
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
        estimator: Estimator,
        steps: Steps,
        probes: Columns,
        origins: NDArray[np.intp] | None,
        background: Columns | None = None,
    ) -> None:
        """Take rows to prove the methods on, and the background where a request brings none.

        `origins` has the feature of each column that the predictor takes.
        """
        probe = slice_rows(probes, 0, 1)
        outputs = find_outputs(estimator, probe)
        self._no_output = ""
        if not outputs:
            self._no_output = why_no_outputs(estimator, probe)
        self._subject = Subject(estimator, steps, probes, outputs, origins)
        self._probes = slice_rows(probes, 0, MAX_PROBES)
        self._background = background
        self._methods_alone = methods_alone(self._subject, background)
        self._proven_alone = self._first_proven(self._methods_alone)
        # What is made for a background is kept for as long as the background itself is:
        # `api.bodies.Reader` keeps those that may come again.
        self._kept_methods: WeakKeyDictionary[Records, list[Method]]
        self._kept_methods = WeakKeyDictionary()

    @cached_property
    def _proven_against(self) -> str | None:
        # Chosen when it is first needed: most services never see a background.
        rows = self._probes if self._background is None else self._background
        background = slice_rows(rows, 0, MAX_PROBE_BACKGROUND)
        return self._first_proven(methods_against(self._subject, background))

    @property
    def explains_alone(self) -> bool:
        """Whether records without a background from the request are explained."""
        return self._proven_alone is not None

    @property
    def reason(self) -> str | None:
        """Why the estimator cannot be explained; None if it can."""
        if self._no_output:
            return self._no_output
        is_explained = self._proven_alone or self._proven_against
        return None if is_explained else NO_METHOD

    def info(self) -> dict[str, Any]:
        """Return whether and how the model is explained, or why not."""
        if self.reason is not None:
            return {"is_explainable": False, "reason": self.reason}
        return {
            "is_explainable": True,
            "reason": None,
            "explanation_method": self._proven_alone or self._proven_against,
            "needs_samples": not self.explains_alone,
        }

    def method(self, background: Records | None = None) -> Method | None:
        """Return the method that explains records, against the background if there is one."""
        if self.reason is not None:
            return None
        return self._candidates(background)[0]

    def effort(self, background: Records | None = None) -> Effort:
        """Return what it costs to explain one record."""
        method = self.method(background)
        rows = self._background if background is None else background
        if method is None or rows is None:
            return Effort(0, 0)
        return Effort(len(rows), method.predictions_per_row)

    def explain(
        self,
        records: Records,
        output_of: OutputOf,
        background: Records | None = None,
    ) -> Explanation:
        """Return SHAP values whose sums have been compared with what is served for the records.

        `output_of` returns what the estimator's `predict`, for example, returns for them.
        Raises Unprocessable if the model cannot be explained, or needs a background and has none.
        """
        if self.reason is not None:
            raise Unprocessable(
                f"the model cannot be explained: {self.reason}"
            )
        if background is None and not self.explains_alone:
            raise Unprocessable(NO_BACKGROUND)
        first, *others = self._candidates(background)
        explanation = first.explain(records.columns, output_of)
        if explanation is not None:
            return explanation
        if len(records) > 1:
            return self._explain_each(records, output_of, background)
        return _explain_by_others(others, records, output_of)

    def _explain_each(
        self,
        records: Records,
        output_of: OutputOf,
        background: Records | None,
    ) -> Explanation:
        """Explain each record as it is alone, so that none depends on the others."""
        parts = []
        for row, values in enumerate(records.rows):
            record = Records(records.schema, [values])
            parts.append(
                self.explain(record, _of_row(output_of, row), background)
            )
        return _join(parts)

    def _candidates(self, background: Records | None) -> list[Method]:
        """Return the method that was proven, then those that stand behind it."""
        if background is None:
            proven = self._proven_alone
            methods = self._methods_alone
        else:
            proven = self._proven_against
            methods = self._methods_against(background)
        if proven is None:
            return methods
        names = [method.name for method in methods]
        return methods[names.index(proven) :]

    def _first_proven(self, methods: list[Method]) -> str | None:
        output_of = outputs_of(self._subject.estimator, self._probes)
        for method in methods:
            if method.explain(self._probes, output_of) is not None:
                return method.name
        return None

    def _methods_against(self, background: Records) -> list[Method]:
        methods = self._kept_methods.get(background)
        if methods is None:
            methods = methods_against(self._subject, background.columns)
            self._kept_methods[background] = methods
        return methods


def _explain_by_others(
    methods: list[Method],
    records: Records,
    output_of: OutputOf,
) -> Explanation:
    """Explain a record by the first of the methods that adds up for it; raise Unprocessable."""
    for method in methods:
        explanation = method.explain(records.columns, output_of)
        if explanation is not None:
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

    Raises Unprocessable if they explain different outputs, or start from different base values.
    """
    first = parts[0]
    for part in parts:
        same_base = np.allclose(
            part.base_value, first.base_value, RELATIVE, ABSOLUTE
        )
        if part.output != first.output or not same_base:
            raise Unprocessable(NO_SUM)
    values = np.concatenate([part.values for part in parts])
    return Explanation(values, first.base_value, first.output)
