"""Explanations that add up: a method is used once its values are proven to sum to what the estimator serves."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import dropwhile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model import coalitions, shapley
from python.model.base import Explanation
from python.model.columns import rows
from python.model.estimator import Steps
from python.model.origins import folded, origins
from python.model.schema import Records
from python.model.spaces import Ask, Space, asking, spaces

log = logging.getLogger(__name__)

MAX_PROBES, MAX_PROBE_BACKGROUND, MAX_BACKGROUNDS = 4, 8, 8
# An interventional tree takes about as long for a record and a row of the background as so many predictions.
INTERVENTIONAL_PREDICTIONS = 25
NO_SPACE = "it has neither a probability, a decision function nor a single number for values to add up to"
NO_METHOD = "no method gives values that add up to what it predicts"
NO_BACKGROUND = 'the model needs background rows to be explained: send them as "_samples", or put "samples" into its file'


@dataclass
class Method:
    """A way to SHAP values of the input features, made when it is first used, and the spaces they may live in.

    `predictions` is what it costs for each record and each row of the background.
    """

    name: str
    make: Callable[[], shapley.Way | None]
    spaces: list[Space]
    predictions: int = 0

    @cached_property
    def way(self) -> shapley.Way | None:
        """The way; None where it does not apply to the estimator."""
        return self.make()

    def explanation(self, columns: Any, ask: Ask) -> Explanation | None:
        """The values for each row; None if there are none, or if they do not add up to what the estimator answers."""
        try:
            if self.way is None:
                return None
            values, base = self.way(columns)
        except Exception as error:  # what they do not know, shap and the boosters refuse with exceptions of many kinds
            level = logging.WARNING if isinstance(error, ImportError) else logging.DEBUG
            log.log(level, "the method %s does not apply: %s", self.name, type(error).__name__)
            return None
        total = base + values.sum(axis=1)
        output = next((space.output for space in self.spaces if space.holds(total, ask)), None)
        return Explanation(values, base, output) if output else None


class Explainer:
    """Explains an estimator in the names of its input features, by the first method that is proven on probe rows."""

    def __init__(self, estimator: Any, steps: Steps, probes: Any, samples: Records | None = None) -> None:
        """`probes` are rows to prove the methods on; `samples` is the background where a request brings none."""
        self._estimator = estimator
        self._steps = steps
        self._samples = samples
        self._n_features = probes.shape[1]
        self._spaces = spaces(estimator, rows(probes, 0, 1))
        self._origins = origins(steps, self._n_features, probes) if self._spaces else None
        self._probes = rows(probes, 0, MAX_PROBES)
        # A background that comes again, the very same object, finds what was made for it.
        self._methods = lru_cache(maxsize=MAX_BACKGROUNDS)(self._list_methods)
        self._alone = self._proven(None)

    @cached_property
    def _against_samples(self) -> str | None:
        """The method for requests with a background, chosen by the first of them: most services never see one."""
        rows_ = self._probes if self._samples is None else self._samples.columns
        return self._proven(Records(rows(rows_, 0, MAX_PROBE_BACKGROUND)))

    @property
    def answers_alone(self) -> bool:
        """Whether requests without a background are answered."""
        return self._alone is not None

    @property
    def reason(self) -> str | None:
        """Why the model cannot be explained; None if it can."""
        if not self._spaces:
            return NO_SPACE
        return None if self._alone or self._against_samples else NO_METHOD

    def info(self) -> dict[str, Any]:
        """Whether and how the model is explained, or why not."""
        if self.reason:
            return {"is_explainable": False, "reason": self.reason}
        method = self._alone or self._against_samples
        needs_samples = not self.answers_alone
        return {"is_explainable": True, "reason": None, "explanation_method": method, "needs_samples": needs_samples}

    def effort(self, samples: Records | None = None) -> tuple[int, int]:
        """The rows of the background, and how many predictions each of them costs for each record."""
        first = next(self._chosen(samples), None) if not self.reason else None
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
                    log.warning("the first method does not add up to the prediction of these records, %s does", method.name)
                return explanation
        log.warning("no method adds up to the prediction of these records")
        raise Unprocessable("these records cannot be explained: no method gives values that add up to their prediction")

    def _chosen(self, samples: Records | None) -> Iterator[Method]:
        """The method that was proven, then those that stand behind it."""
        first = self._alone if samples is None else self._against_samples
        return dropwhile(lambda method: method.name != first, self._methods(samples))

    def _proven(self, samples: Records | None) -> str | None:
        ask = asking(self._estimator, self._probes)
        methods = self._list_methods(samples)
        return next((method.name for method in methods if method.explanation(self._probes, ask)), None)

    def _list_methods(self, samples: Records | None) -> list[Method]:
        """The methods to try, the best first; with a background, those for a classifier explain the probability."""
        if not self._spaces:
            return []
        methods = []
        background = self._samples if samples is None else samples
        reference = None if background is None else background.columns
        probable = [space for space in self._spaces if space.output == "probability"]
        allowed = probable or self._spaces if samples is not None else self._spaces
        if not self._steps.transformers or self._origins is not None:
            predictor = self._steps.predictor
            seen = None if reference is None else self._steps.transform(reference)
            if samples is None:
                methods += [
                    self._folded("native contributions", partial(shapley.contributions, predictor), allowed),
                    self._folded("tree path-dependent by shapiq", partial(shapley.faster_trees, predictor), allowed),
                    self._folded("tree path-dependent", partial(shapley.trees, predictor), allowed),
                ]
            else:
                trees = partial(shapley.trees, predictor, seen, probability=bool(probable))
                methods += [self._folded("tree interventional", trees, allowed, INTERVENTIONAL_PREDICTIONS)]
            if reference is not None:
                methods += [self._folded("linear", partial(shapley.linear, predictor, seen), allowed)]
        if reference is not None:
            any_model = partial(coalitions.shapley_values, self._served, reference)
            name, cost = coalitions.method_name(self._n_features), coalitions.n_coalitions(self._n_features)
            methods += [Method(name, any_model, self._spaces[:1], cost)]
        return methods

    def _served(self, columns: Any) -> NDArray[np.float64]:
        """The output of the whole model that values without a link explain."""
        return self._spaces[0].served(asking(self._estimator, columns))

    def _folded(self, name: str, make: Callable[[], shapley.Way | None], allowed: list[Space], predictions: int = 0) -> Method:
        """The method for the last step, its columns added up for the features they come from."""

        def make_folded() -> shapley.Way | None:
            way, found = make(), self._origins
            if way is None or found is None or not self._steps.transformers:
                return way

            def folding(columns: Any) -> shapley.Values:
                values, base = way(self._steps.transform(columns))
                return folded(values, found, self._n_features), base

            return folding

        return Method(name, make_folded, allowed, predictions)
