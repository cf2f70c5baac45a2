"""The methods that may apply to a model, each of which computes SHAP values of its features."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial

import numpy as np
from numpy.typing import NDArray

from python.model.base import Explanation
from python.model.estimator import Steps
from python.model.explain import (
    coalitions,
    contributions,
    linear,
    readings,
    tree_shap,
)
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.origins import Origins, sum_by_feature
from python.model.explain.outputs import (
    ABSOLUTE,
    RELATIVE,
    Output,
    OutputOf,
    outputs_of,
)
from python.model.explain.paths import Paths
from python.model.explain.readings import read_paths
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)

# Trees take at most about as long for a record and a background row as this many predictions:
# 0.3 ms where paths are long, else some microseconds.
INTERVENTIONAL_PREDICTIONS = 25


@dataclass(frozen=True, eq=False)
class Subject:
    """A model to be explained.

    `origins` has the feature of each column that the predictor takes; None if columns mix features.
    `probes` are rows on which the reading of trees is proven.
    """

    estimator: Estimator
    steps: Steps
    probes: Columns
    outputs: list[Output]
    origins: Origins | None

    @property
    def predictor(self) -> Estimator:
        """The last step, whose columns most methods explain."""
        return self.steps.predictor

    @property
    def n_features(self) -> int:
        """The number of input features."""
        return int(self.probes.shape[1])

    @property
    def has_groups(self) -> bool:
        """Whether a feature has several of the columns that the predictor takes."""
        if self.origins is None:
            return False
        return len(np.unique(self.origins)) < len(self.origins)

    @cached_property
    def paths(self) -> Paths | None:
        """The paths of the predictor's trees; None where these are not read, or not proven."""
        if self.origins is None:
            return None
        rows = self.steps.transform_sparse(self.probes)
        return read_paths(self.predictor, self.origins, self.outputs, rows)

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
        # Libraries refuse what they do not know with exceptions of many kinds.
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
    contributed = partial(_make_contributions, subject)
    path_dependent = partial(_make_path_dependent, subject)
    methods = [
        Method("native contributions", contributed, subject.outputs),
        Method("tree path-dependent", path_dependent, subject.outputs),
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
    probability = [
        output for output in subject.outputs if output.name == "probability"
    ]
    outputs = probability or subject.outputs
    background_output_of = outputs_of(subject.estimator, background)
    interventional = Method(
        name="tree interventional",
        make=partial(_make_interventional, subject, background),
        outputs=outputs,
        predictions_per_row=INTERVENTIONAL_PREDICTIONS,
        # The background is predicted once, when it is first compared.
        background_output_of=cache(background_output_of),
    )
    return [
        interventional,
        _linear(subject, background, outputs),
        _by_coalitions(subject, background),
    ]


def _linear(
    subject: Subject,
    background: Columns,
    outputs: list[Output],
) -> Method:
    return Method(
        "linear", partial(_make_linear, subject, background), outputs
    )


def _by_coalitions(subject: Subject, background: Columns) -> Method:
    n_features = subject.n_features
    function = subject.first_output
    return Method(
        name=coalitions.method_name(n_features),
        make=partial(coalitions.make_shapley, function, background),
        outputs=subject.outputs[:1],
        predictions_per_row=coalitions.n_coalitions(n_features),
    )


def _make_contributions(subject: Subject) -> Attribute | None:
    # The values of columns that are known one by one are not those of a feature.
    if subject.has_groups:
        return None
    attribute = contributions.make_contributions(subject.predictor)
    return _by_columns(subject, attribute)


def _make_path_dependent(subject: Subject) -> Attribute | None:
    """Return the values of trees by the proven reading, or else by shap."""
    if subject.paths is not None:
        attribute = readings.make_path_dependent(
            subject.paths, subject.n_features
        )
        if attribute is not None:
            return _transformed(subject, attribute)
    if subject.has_groups:
        return None
    attribute = tree_shap.make_path_dependent(subject.predictor)
    return _by_columns(subject, attribute)


def _make_interventional(
    subject: Subject,
    background: Columns,
) -> Attribute | None:
    """Return the values of trees by the proven reading, or else by shap."""
    as_predicted = subject.steps.transform_sparse(background)
    if subject.paths is not None:
        attribute = readings.make_interventional(
            subject.paths, subject.n_features, as_predicted
        )
        if attribute is not None:
            return _transformed(subject, attribute)
    if subject.has_groups:
        return None
    attribute = tree_shap.make_interventional(subject.predictor, as_predicted)
    return _by_columns(subject, attribute)


def _make_linear(subject: Subject, background: Columns) -> Attribute | None:
    # The columns of a feature add to the output one by one, so their values add up to its own.
    as_predicted = subject.steps.transform_sparse(background)
    attribute = linear.make_linear(subject.predictor, as_predicted)
    return _by_columns(subject, attribute)


def _by_columns(
    subject: Subject,
    attribute: Attribute | None,
) -> Attribute | None:
    """Return what explains features by the sums of the values of the columns made of them."""
    origins = subject.origins
    if attribute is None or origins is None:
        return None
    if not subject.steps.transformers:
        return attribute

    def attribute_features(columns: Columns) -> Attribution:
        values, base_value = attribute(columns)
        by_feature = sum_by_feature(values, origins, subject.n_features)
        return Attribution(by_feature, base_value)

    return _transformed(subject, attribute_features)


def _transformed(subject: Subject, attribute: Attribute) -> Attribute:
    """Return what explains columns as the predictor takes them."""

    def attribute_transformed(columns: Columns) -> Attribution:
        as_predicted = subject.steps.transform_sparse(columns)
        return attribute(as_predicted)

    return attribute_transformed
