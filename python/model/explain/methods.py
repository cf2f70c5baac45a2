"""The methods that may apply to a model, each of which computes SHAP values of its features."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.base import Explanation
from python.model.estimator import Steps
from python.model.explain import coalitions, contributions, linear, tree_shap
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.origins import Origins, sum_by_feature
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
    origins: Origins | None

    @property
    def predictor(self) -> Estimator:
        """The last step, whose columns most methods explain."""
        return self.steps.predictor

    def first_output(self, columns: Columns) -> Matrix:
        """Return the output that values without a link explain."""
        first = self.outputs[0]
        output_of = outputs_of(self.estimator, columns)
        return first.served(output_of)


Make = Callable[[], Attribute | None]
"""Makes an attribute; None where it does not apply to the estimator."""


@dataclass(frozen=True, eq=False)
class Method:
    """A way to compute SHAP values of the features, and the outputs that they may add up to.

    `make` is called when the values are first needed.
    `predictions_per_row` is what they cost for each record and each row of the background.
    `background_output_of` has the estimator's outputs for the background, whose mean the base
    value must be; None where that is not compared.
    """

    name: str
    make: Make
    outputs: list[Output]
    predictions_per_row: int = 0
    background_output_of: OutputOf | None = None

    @cached_property
    def attribute(self) -> Attribute | None:
        """What computes the values; None where it does not apply to the estimator."""
        return self.make()

    def explain(
        self,
        columns: Columns,
        output_of: OutputOf,
    ) -> Explanation | None:
        """Return the values for each row; None if there are none, or if they do not add up."""
        attribution = self._attribution(columns)
        if attribution is None:
            return None
        values, base_value = attribution
        output = self._find_output(values, base_value, output_of)
        if output is None:
            return None
        if not self._is_background_mean(base_value, output):
            return None
        return Explanation(values, base_value, output.name)

    def _attribution(self, columns: Columns) -> Attribution | None:
        # shap and the boosters refuse what they do not know with exceptions of many kinds.
        try:
            return None if self.attribute is None else self.attribute(columns)
        except Exception as error:
            level = logging.DEBUG
            if isinstance(error, ImportError):
                level = logging.WARNING
            name = type(error).__name__
            log.log(level, "the method %s does not apply: %s", self.name, name)
            return None

    def _find_output(
        self,
        values: Matrix,
        base_value: NDArray[np.float64],
        output_of: OutputOf,
    ) -> Output | None:
        """Return the first output that the values add up to."""
        total = base_value + values.sum(axis=1)
        scale = np.abs(base_value) + np.abs(values).sum(axis=1)
        for output in self.outputs:
            if output.holds(total, scale, output_of):
                return output
        return None

    def _is_background_mean(
        self,
        base_value: NDArray[np.float64],
        output: Output,
    ) -> bool:
        """Return whether the base value is the mean output of the background.

        Sums would hold even if the background were misread.
        """
        if self.background_output_of is None:
            return True
        mean = output.mean(self.background_output_of)
        return bool(np.allclose(base_value, mean, RELATIVE, 10 * ABSOLUTE))


def methods_alone(
    subject: Subject,
    background: Columns | None = None,
) -> list[Method]:
    """Return the methods for requests without a background, the best first.

    Some of them need the model's own `background`.
    """
    if not subject.outputs:
        return []
    predictor = subject.predictor
    native = partial(contributions.make_contributions, predictor)
    path_dependent = partial(tree_shap.make_path_dependent, predictor)
    methods = [
        _by_columns("native contributions", subject, native),
        _by_columns("tree path-dependent", subject, path_dependent),
    ]
    if background is not None:
        methods.append(_linear(subject, background))
        methods.append(_by_coalitions(subject, background))
    return methods


def methods_against(subject: Subject, background: Columns) -> list[Method]:
    """Return the methods for requests with a background, the best first.

    Those for a classifier explain the probability.
    """
    if not subject.outputs:
        return []
    probability = [
        output for output in subject.outputs if output.name == "probability"
    ]
    if probability:
        subject = subject._replace(outputs=probability)
    return [
        _interventional(subject, background),
        _linear(subject, background),
        _by_coalitions(subject, background),
    ]


def _by_columns(
    name: str,
    subject: Subject,
    make: Make,
) -> Method:
    """Return a method that explains the columns of the predictor."""
    make_summed = partial(_sum_columns, subject, make)
    return Method(name, make_summed, subject.outputs)


def _interventional(subject: Subject, background: Columns) -> Method:
    make = partial(
        _make_against,
        tree_shap.make_interventional,
        subject,
        background,
    )
    output_of = outputs_of(subject.estimator, background)
    return Method(
        name="tree interventional",
        make=partial(_sum_columns, subject, make),
        outputs=subject.outputs,
        predictions_per_row=INTERVENTIONAL_PREDICTIONS,
        # The background is predicted once, when it is first compared.
        background_output_of=cache(output_of),
    )


def _linear(subject: Subject, background: Columns) -> Method:
    make = partial(_make_against, linear.make_linear, subject, background)
    return _by_columns("linear", subject, make)


def _by_coalitions(subject: Subject, background: Columns) -> Method:
    n_features = subject.n_features
    function = subject.first_output
    return Method(
        name=coalitions.method_name(n_features),
        make=partial(coalitions.make_shapley, function, background),
        outputs=subject.outputs[:1],
        predictions_per_row=coalitions.n_coalitions(n_features),
    )


def _make_against(
    make: Callable[[Estimator, Columns], Attribute | None],
    subject: Subject,
    background: Columns,
) -> Attribute | None:
    """Make what explains the predictor against the background as the predictor takes it."""
    as_predicted = subject.steps.transform(background)
    return make(subject.predictor, as_predicted)


def _sum_columns(subject: Subject, make: Make) -> Attribute | None:
    """Make what explains features by the sums of the values of the columns made of them."""
    origins = subject.origins
    if origins is None:
        return None
    attribute = make()
    if attribute is None or not subject.steps.transformers:
        return attribute

    def attribute_features(columns: Columns) -> Attribution:
        as_predicted = subject.steps.transform(columns)
        values, base_value = attribute(as_predicted)
        by_feature = sum_by_feature(values, origins, subject.n_features)
        return Attribution(by_feature, base_value)

    return attribute_features
