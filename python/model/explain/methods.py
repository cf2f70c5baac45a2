"""Methods: the ways to SHAP values that may apply to a model, in the names of its input features."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.base import Explanation, Values, Way
from python.model.estimator import Steps
from python.model.explain import coalitions, contributions, tree_shap
from python.model.explain.origins import folded
from python.model.explain.outputs import ABSOLUTE, RELATIVE, Ask, Space, asking

log = logging.getLogger(__name__)

# An interventional tree takes about as long for a record and a row of the background as so many predictions.
INTERVENTIONAL_PREDICTIONS = 25


class Subject(NamedTuple):
    """A model to be explained."""

    estimator: Any
    steps: Steps
    n_features: int
    spaces: list[Space]
    origins: (
        NDArray[np.intp] | None
    )  # the feature of each column that the last step sees; None if columns mix features

    def served(self, columns: Any) -> NDArray[np.float64]:
        """The output that values without a link explain."""
        return self.spaces[0].served(asking(self.estimator, columns))


@dataclass
class Method:
    """A way to SHAP values of the input features, made when it is first used, and the spaces they may live in.

    `predictions` is what it costs for each record and each row of the background; `ask_background` says what the estimator
    answers for that.
    """

    name: str
    make: Callable[[], Way | None]
    spaces: list[Space]
    predictions: int = 0
    ask_background: Ask | None = None

    @cached_property
    def way(self) -> Way | None:
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
        total, scale = base + values.sum(axis=1), np.abs(base) + np.abs(values).sum(axis=1)
        space = next((space for space in self.spaces if space.holds(total, scale, ask)), None)
        return (
            Explanation(values, base, space.output)
            if space and self._is_mean(base, space)
            else None
        )

    def _is_mean(self, base: NDArray[np.float64], space: Space) -> bool:
        """Whether the base value is what the background has on average: the sums would hold with a background misread."""
        if self.ask_background is None:
            return True
        if space.output not in self._means:
            self._means[space.output] = space.mean(self.ask_background)
        return bool(np.allclose(base, self._means[space.output], RELATIVE, 10 * ABSOLUTE))

    @cached_property
    def _means(self) -> dict[str, NDArray[np.float64]]:
        return {}


def methods_alone(subject: Subject, samples: Any = None) -> list[Method]:
    """The methods for requests without a background, the best first; some of them need the model's own `samples`."""
    predictor = subject.steps.predictor
    ways = {
        "native contributions": partial(contributions.own_contributions, predictor),
        "tree path-dependent": partial(tree_shap.trees, predictor),
    }
    methods = [
        Method(name, partial(_folding, subject, make), subject.spaces)
        for name, make in ways.items()
    ]
    if samples is None:
        return methods
    return [*methods, _linear(subject, samples, subject.spaces), _agnostic(subject, samples)]


def methods_against(subject: Subject, background: Any) -> list[Method]:
    """The methods for requests with a background, the best first; those for a classifier explain the probability."""
    spaces = [space for space in subject.spaces if space.output == "probability"] or subject.spaces
    make = partial(_on_last_step, tree_shap.trees, subject, background)
    ask = asking(subject.estimator, background)
    trees = Method(
        "tree interventional",
        partial(_folding, subject, make),
        spaces,
        INTERVENTIONAL_PREDICTIONS,
        ask,
    )
    return [trees, _linear(subject, background, spaces), _agnostic(subject, background)]


def _linear(subject: Subject, background: Any, spaces: list[Space]) -> Method:
    return Method(
        "linear",
        partial(_folding, subject, partial(_on_last_step, tree_shap.linear, subject, background)),
        spaces,
    )


def _agnostic(subject: Subject, background: Any) -> Method:
    make = partial(coalitions.shapley_values, subject.served, background)
    name, cost = (
        coalitions.method_name(subject.n_features),
        coalitions.n_coalitions(subject.n_features),
    )
    return Method(name, make, subject.spaces[:1], cost)


def _on_last_step(
    way: Callable[[Any, Any], Way | None], subject: Subject, background: Any
) -> Way | None:
    return way(subject.steps.predictor, subject.steps.transform(background))


def _folding(subject: Subject, make: Callable[[], Way | None]) -> Way | None:
    """The way of the last step, the values of its columns added up for the features they come from."""
    found = subject.origins
    way = make() if found is not None else None
    if way is None or found is None or not subject.steps.transformers:
        return way

    def folding(columns: Any) -> Values:
        values, base = way(subject.steps.transform(columns))
        return folded(values, found, subject.n_features), base

    return folding
