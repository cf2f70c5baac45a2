"""The methods that may apply to a model, each a way to SHAP values of its input features."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.base import Explanation
from python.model.estimator import Steps
from python.model.explain import coalitions, contributions, tree_shap
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.origins import sum_by_feature
from python.model.explain.outputs import (
    ABSOLUTE,
    RELATIVE,
    Output,
    OutputOf,
    outputs_of,
)
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)

# An interventional tree takes about as long for a record and a background row as this many
# predictions.
INTERVENTIONAL_PREDICTIONS = 25


class Subject(NamedTuple):
    """A model to be explained.

    `origins` has the feature of each column that the predictor takes; None if columns mix features.
    """

    estimator: Estimator
    steps: Steps
    n_features: int
    outputs: list[Output]
    origins: NDArray[np.intp] | None

    def first_output(self, columns: Columns) -> Matrix:
        """Return the output that values without a link explain."""
        return self.outputs[0].served(outputs_of(self.estimator, columns))


@dataclass
class Method:
    """A way to SHAP values of the input features, and the outputs that they may add up to.

    `make` makes the way when it is first needed; None where it does not apply to the estimator.
    `predictions_per_row` is what it costs for each record and each row of the background.
    `background_output_of` has the estimator's outputs for the background, whose mean the base
    value must be; None where that is not compared.
    """

    name: str
    make: Callable[[], Attribute | None]
    outputs: list[Output]
    predictions_per_row: int = 0
    background_output_of: OutputOf | None = None

    @cached_property
    def attribute(self) -> Attribute | None:
        """The way; None where it does not apply to the estimator."""
        return self.make()

    def explain(self, columns: Columns, output_of: OutputOf) -> Explanation | None:
        """Return the values for each row; None if there are none, or if they do not add up."""
        attribution = self._attribution(columns)
        if attribution is None:
            return None
        values, base_value = attribution
        total = base_value + values.sum(axis=1)
        scale = np.abs(base_value) + np.abs(values).sum(axis=1)
        for output in self.outputs:
            if output.holds(total, scale, output_of):
                is_mean = self._is_background_mean(base_value, output)
                return Explanation(values, base_value, output.name) if is_mean else None
        return None

    def _attribution(self, columns: Columns) -> Attribution | None:
        try:
            return None if self.attribute is None else self.attribute(columns)
        except (
            Exception
        ) as error:  # shap and the boosters refuse with exceptions of many kinds
            level = logging.WARNING if isinstance(error, ImportError) else logging.DEBUG
            name = type(error).__name__
            log.log(level, "the method %s does not apply: %s", self.name, name)
            return None

    def _is_background_mean(
        self, base_value: NDArray[np.float64], output: Output
    ) -> bool:
        """Return whether the base value is the mean output of the background.

        Sums would hold even if the background were misread.
        """
        if self.background_output_of is None:
            return True
        mean = self._background_means.get(output.name)
        if mean is None:
            mean = output.mean(self.background_output_of)
            self._background_means[output.name] = mean
        return bool(np.allclose(base_value, mean, RELATIVE, 10 * ABSOLUTE))

    @cached_property
    def _background_means(self) -> dict[str, NDArray[np.float64]]:
        return {}


def methods_alone(subject: Subject, background: Columns | None = None) -> list[Method]:
    """Return the methods for requests without a background, the best first.

    Some of them need the model's own `background`.
    """
    if not subject.outputs:
        return []
    predictor = subject.steps.predictor
    contributed = partial(contributions.own_contributions, predictor)
    path_dependent = partial(tree_shap.trees, predictor)
    methods = [
        _by_columns("native contributions", subject, contributed),
        _by_columns("tree path-dependent", subject, path_dependent),
    ]
    if background is not None:
        methods.append(_linear(subject, background, subject.outputs))
        methods.append(_by_coalitions(subject, background))
    return methods


def methods_against(subject: Subject, background: Columns) -> list[Method]:
    """Return the methods for requests with a background, the best first.

    Those for a classifier explain the probability.
    """
    if not subject.outputs:
        return []
    probability = [output for output in subject.outputs if output.name == "probability"]
    outputs = probability or subject.outputs
    make = partial(_against_matrix, tree_shap.trees, subject, background)
    trees = Method(
        "tree interventional",
        partial(_sum_columns, subject, make),
        outputs,
        INTERVENTIONAL_PREDICTIONS,
        outputs_of(subject.estimator, background),
    )
    return [
        trees,
        _linear(subject, background, outputs),
        _by_coalitions(subject, background),
    ]


def _by_columns(
    name: str, subject: Subject, make: Callable[[], Attribute | None]
) -> Method:
    return Method(name, partial(_sum_columns, subject, make), subject.outputs)


def _linear(subject: Subject, background: Columns, outputs: list[Output]) -> Method:
    make = partial(_against_matrix, tree_shap.linear, subject, background)
    return Method("linear", partial(_sum_columns, subject, make), outputs)


def _by_coalitions(subject: Subject, background: Columns) -> Method:
    n_features = subject.n_features
    return Method(
        coalitions.method_name(n_features),
        partial(coalitions.shapley_values, subject.first_output, background),
        subject.outputs[:1],
        coalitions.n_coalitions(n_features),
    )


def _against_matrix(
    make: Callable[[Estimator, Columns], Attribute | None],
    subject: Subject,
    background: Columns,
) -> Attribute | None:
    return make(subject.steps.predictor, subject.steps.transform(background))


def _sum_columns(
    subject: Subject, make: Callable[[], Attribute | None]
) -> Attribute | None:
    """Return the way of the predictor, its values for columns summed for their features."""
    origins = subject.origins
    if origins is None:
        return None
    attribute = make()
    if attribute is None or not subject.steps.transformers:
        return attribute

    def attribute_features(columns: Columns) -> Attribution:
        values, base_value = attribute(subject.steps.transform(columns))
        return Attribution(
            sum_by_feature(values, origins, subject.n_features), base_value
        )

    return attribute_features
