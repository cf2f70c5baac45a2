"""Explanations that add up: a method is used once its values are proven to sum to what the estimator serves."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, dropwhile
from typing import Any

from python.errors import Unprocessable
from python.model import coalitions, shapley
from python.model.base import Explanation
from python.model.coding import Coding
from python.model.columns import rows
from python.model.estimator import Steps
from python.model.origins import folded, origins
from python.model.spaces import Space, spaces

log = logging.getLogger(__name__)

MAX_PROBES, MAX_PROBE_BACKGROUND = 6, 12
NO_SPACE = "it has neither a probability, a decision function nor a single number for values to add up to"
NO_METHOD = "no method gives values that add up to what it predicts"
NO_BACKGROUND = 'the model needs background rows to be explained: send them as "_samples", or put "samples" into its file'


@dataclass
class Method:
    """A way to SHAP values of the input features, made when it is first used, and the spaces they may live in."""

    name: str
    make: Callable[[], shapley.Way | None]
    spaces: list[Space]

    @cached_property
    def way(self) -> shapley.Way | None:
        """The way; None where it does not apply to the estimator."""
        return self.make()

    def explanation(self, columns: Any) -> Explanation | None:
        """The values for each row; None if there are none, or if they do not add up to an output of the served model."""
        try:
            if self.way is None:
                return None
            values, base = self.way(columns)
        except Exception as error:  # what they do not know, shap and the boosters refuse with exceptions of many kinds
            level = logging.WARNING if isinstance(error, ImportError) else logging.DEBUG
            log.log(level, "the method %s does not apply: %s", self.name, type(error).__name__)
            return None
        total = base + values.sum(axis=1)
        output = next((space.output for space in self.spaces if space.holds(total, columns)), None)
        return Explanation(values, base, output) if output else None


class Explainer:
    """Explains an estimator in the names of its input features, by the first method that is proven on probe rows."""

    def __init__(self, estimator: Any, steps: Steps, probes: Any, samples: Any = None) -> None:
        """`probes` are rows to prove the methods on; `samples` is the background where a request brings none."""
        self._steps = steps
        self._samples = samples
        self._n_features = probes.shape[1]
        self._spaces = spaces(estimator, rows(probes, 0, 1))
        self._origins = origins(steps, self._n_features, probes) if self._spaces else None
        self._probes = rows(probes, 0, MAX_PROBES)
        self._own = _first_proven(self._methods(None), self._probes)

    @cached_property
    def _with_background(self) -> Method | None:
        """The method for requests with a background, chosen by the first of them: most services never see one."""
        background = self._probes if self._samples is None else rows(self._samples, 0, MAX_PROBE_BACKGROUND)
        return _first_proven(self._methods(background), self._probes)

    @property
    def answers_alone(self) -> bool:
        """Whether requests without a background are answered."""
        return self._own is not None

    @property
    def reason(self) -> str | None:
        """Why the model cannot be explained; None if it can."""
        if not self._spaces:
            return NO_SPACE
        return None if self._own or self._with_background else NO_METHOD

    def info(self) -> dict[str, Any]:
        """Whether and how the model is explained, or why not."""
        if self.reason:
            return {"is_explainable": False, "reason": self.reason}
        method = self._own or self._with_background
        return {
            "is_explainable": True,
            "reason": None,
            "explanation_method": method.name if method else None,
            "needs_samples": not self.answers_alone,
        }

    def explain(self, columns: Any, background: Any = None) -> Explanation:
        """SHAP values whose sums have been compared with the outputs served for the same rows.

        Raises Unprocessable if the model cannot be explained, or needs a background and has none.
        """
        if self.reason:
            raise Unprocessable(f"the model cannot be explained: {self.reason}")
        if background is None and self._own is None:
            raise Unprocessable(NO_BACKGROUND)
        for tried, method in enumerate(self._chosen(background)):
            if explanation := method.explanation(columns):
                if tried:
                    log.warning("the first method does not add up to the prediction of these records, %s does", method.name)
                return explanation
        log.warning("no method adds up to the prediction of these records")
        raise Unprocessable("these records cannot be explained: no method gives values that add up to their prediction")

    def _chosen(self, background: Any) -> Iterator[Method]:
        """The method proven at load, then those that stand behind it."""
        own = [self._own] if self._own and background is None else []
        background = self._samples if background is None else background
        first = self._with_background
        if background is None or first is None:
            return iter(own)
        return chain(own, dropwhile(lambda method: method.name != first.name, self._methods(background)))

    def _methods(self, background: Any) -> Iterator[Method]:
        """The methods to try, the best first; with a background, those for a classifier explain the probability."""
        if not self._spaces:
            return
        reference = self._samples if background is None else background
        probable = [space for space in self._spaces if space.output == "probability"]
        allowed = probable or self._spaces if background is not None else self._spaces
        predictor = self._steps.predictor
        if not self._steps.transformers or self._origins is not None:
            seen = reference if reference is None else self._steps.transform(reference)
            if background is None:
                yield self._folded("native contributions", partial(shapley.contributions, predictor), allowed)
                yield self._folded("tree path-dependent", partial(shapley.trees, predictor), allowed)
            else:
                interventional = partial(shapley.trees, predictor, seen, probability=bool(probable))
                yield self._folded("tree interventional", interventional, allowed)
            if reference is not None:
                yield self._folded("linear", partial(shapley.linear, predictor, seen), allowed)
        if reference is not None:
            yield Method(coalitions.method_name(self._n_features), partial(self._agnostic, reference), self._spaces[:1])

    def _folded(self, name: str, make: Callable[[], shapley.Way | None], allowed: list[Space]) -> Method:
        """The method for the last step, its columns added up for the features they come from."""

        def make_folded() -> shapley.Way | None:
            way, origins_, width = make(), self._origins, self._n_features
            if way is None or not self._steps.transformers or origins_ is None:
                return way
            found = origins_

            def folding(columns: Any) -> shapley.Values:
                values, base = way(self._steps.transform(columns))
                return folded(values, found, width), base

            return folding

        return Method(name, make_folded, allowed)

    def _agnostic(self, background: Any) -> shapley.Way:
        """The whole model as a function of a matrix, in the space of its output."""

        def way(columns: Any) -> shapley.Values:
            coding = Coding(background, columns)
            served = self._spaces[0].served
            explain = coalitions.shapley_values(lambda matrix: served(coding.decode(matrix)), coding.encode(background))
            return explain(coding.encode(columns))

        return way


def _first_proven(methods: Iterator[Method], probes: Any) -> Method | None:
    return next((method for method in methods if method.explanation(probes)), None)
