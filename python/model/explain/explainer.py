"""Explanations that add up: a method is used once its values are proven to sum to what the estimator serves."""

import logging
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import dropwhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model.base import Explanation
from python.model.data.columns import rows
from python.model.data.records import Records
from python.model.estimator import Steps
from python.model.explain.methods import Method, Subject, methods_against, methods_alone
from python.model.explain.outputs import ABSOLUTE, RELATIVE, Ask, asking, spaces

log = logging.getLogger(__name__)

MAX_PROBES, MAX_PROBE_BACKGROUND, MAX_BACKGROUNDS = 4, 8, 8
NO_SPACE = (
    "it has neither a probability, a decision function nor a single number for values to add up to"
)
NO_METHOD = "no method gives values that add up to what it predicts"
NO_BACKGROUND = 'the model needs background rows to be explained: send them as "_samples", or put "samples" into its file'
NO_SUM = "these records cannot be explained: no method gives values that add up to their prediction"


class Explainer:
    """Explains an estimator in the names of its input features, by the first method that is proven on probe rows."""

    def __init__(
        self,
        estimator: Any,
        steps: Steps,
        probes: Any,
        origins: NDArray[np.intp] | None,
        samples: Records | None = None,
    ) -> None:
        """`probes` are rows to prove the methods on; `samples` is the background where a request brings none.

        `origins` has the feature of each column that the last step sees.
        """
        self._subject = Subject(
            estimator, steps, probes.shape[1], spaces(estimator, rows(probes, 0, 1)), origins
        )
        self._samples = samples
        self._probes = rows(probes, 0, MAX_PROBES)
        own = None if samples is None else samples.columns
        self._methods_alone = methods_alone(self._subject, own) if self._subject.spaces else []
        # A background that comes again, the very same object, finds what was made for it.
        self._methods_against = lru_cache(maxsize=MAX_BACKGROUNDS)(self._list_against)
        self._alone = self._proven(self._methods_alone)

    @cached_property
    def _against(self) -> str | None:
        """The method for requests with a background, chosen by the first of them: most services never see one."""
        columns = self._probes if self._samples is None else self._samples.columns
        return self._proven(self._list_against(Records(rows(columns, 0, MAX_PROBE_BACKGROUND))))

    @property
    def answers_alone(self) -> bool:
        """Whether requests without a background are answered."""
        return self._alone is not None

    @property
    def reason(self) -> str | None:
        """Why the model cannot be explained; None if it can."""
        if not self._subject.spaces:
            return NO_SPACE
        return None if self._alone or self._against else NO_METHOD

    def info(self) -> dict[str, Any]:
        """Whether and how the model is explained, or why not."""
        if self.reason:
            return {"is_explainable": False, "reason": self.reason}
        method = self._alone or self._against
        return {
            "is_explainable": True,
            "reason": None,
            "explanation_method": method,
            "needs_samples": not self.answers_alone,
        }

    def effort(self, samples: Records | None = None) -> tuple[int, int]:
        """The rows of the background, and how many predictions each of them costs for each record."""
        first = None if self.reason else next(self._chosen(samples), None)
        background = self._samples if samples is None else samples
        return (len(background), first.predictions) if first and background is not None else (0, 0)

    def explain(self, records: Records, ask: Ask, samples: Records | None = None) -> Explanation:
        """SHAP values whose sums have been compared with what `ask` says that the estimator answers for the records.

        Raises Unprocessable if the model cannot be explained, or needs a background and has none.
        """
        if self.reason:
            raise Unprocessable(f"the model cannot be explained: {self.reason}")
        if samples is None and not self.answers_alone:
            raise Unprocessable(NO_BACKGROUND)
        for tried, method in enumerate(self._chosen(samples)):
            if explanation := method.explanation(records.columns, ask):
                if tried:
                    log.warning(
                        "the first method does not add up to the prediction of a record, %s does",
                        method.name,
                    )
                return explanation
            if len(records) > 1:
                return self._explain_one_by_one(records, ask, samples)
        log.warning("no method adds up to the prediction of a record")
        raise Unprocessable(NO_SUM)

    def _explain_one_by_one(
        self, records: Records, ask: Ask, samples: Records | None
    ) -> Explanation:
        """Each record explained as it is alone, so that none depends on the others."""

        def alone(row: int) -> Explanation:
            record = Records(rows(records.columns, row, row + 1))
            return self.explain(record, lambda method: ask(method)[row : row + 1], samples)

        first, *others = map(alone, range(len(records)))
        for other in others:
            if other.output != first.output or not np.allclose(
                other.base_value, first.base_value, RELATIVE, ABSOLUTE
            ):
                raise Unprocessable(NO_SUM)
        return Explanation(
            np.concatenate([part.values for part in (first, *others)]),
            first.base_value,
            first.output,
        )

    def _chosen(self, samples: Records | None) -> Iterator[Method]:
        """The method that was proven, then those that stand behind it."""
        if samples is None:
            first, methods = self._alone, self._methods_alone
        else:
            first, methods = self._against, self._methods_against(samples)
        return dropwhile(lambda method: first and method.name != first, methods)

    def _proven(self, methods: list[Method]) -> str | None:
        ask = asking(self._subject.estimator, self._probes)
        return next(
            (method.name for method in methods if method.explanation(self._probes, ask)), None
        )

    def _list_against(self, samples: Records) -> list[Method]:
        return methods_against(self._subject, samples.columns) if self._subject.spaces else []
