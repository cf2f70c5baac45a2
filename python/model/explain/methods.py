"""The methods that may apply to a model, each of which computes SHAP values of its features."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from python.errors import ServiceError
from python.model.base import DEFAULT_BUDGET, Budget, Explanation
from python.model.data.columns import slice_rows, stack_rows, to_array
from python.model.estimator import Steps
from python.model.explain import (
    contributions,
    linear,
    readings,
    tree_shap,
)
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.coalitions import (
    Coalitions,
    Mixtures,
    choose_coalitions,
    make_shapley,
)
from python.model.explain.costs import (
    Cost,
    Speed,
    measure_prediction,
    time_best,
)
from python.model.explain.origins import (
    NO_ORIGIN,
    Origins,
    find_origins,
    sum_by_feature,
)
from python.model.explain.outputs import (
    Output,
    OutputOf,
    find_outputs,
    outputs_of,
)
from python.model.explain.parts import Parts, find_parts
from python.model.explain.paths import Paths
from python.model.explain.readings import read_paths
from python.model.explain.targets import find_target
from python.model.explain.training_mean import (
    find_mean_record,
    read_training_mean,
)
from python.model.types import Columns, Estimator, Matrix
from python.model.verdicts import judge_once

log = logging.getLogger(__name__)

SAMPLES = "samples"
TRAINING_DATA = "training data"
MEAN_RECORD = "mean record"
# To measure how fast a model is mostly takes less.
MAX_WAIT_SECONDS = 5
# So many rows of a background a proof has at most.
MAX_PROOF_ROWS = 8


@dataclass(frozen=True, eq=False)
class Subject:
    """A model to be explained.

    `origins` has the feature of each column that the predictor takes; None if columns mix features.
    `probes` are rows on which the reading of trees is proven.
    `budget` says how long an explanation may take, and so how many predictions it may need.
    `verdicts` is a folder in which the processes that serve the same file keep what they find.
    """

    estimator: Estimator
    steps: Steps
    probes: Columns
    outputs: list[Output]
    origins: Origins | None
    budget: Budget = DEFAULT_BUDGET
    verdicts: Path | None = None

    def verdict(self, name: str) -> Path | None:
        """Return the file for what is found of that name; None without a folder."""
        return self.verdicts and self.verdicts / name

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

    @property
    def takes_numbers(self) -> bool:
        """Whether trees that are read take the numbers of a record as they are."""
        return self.paths is not None and not self.steps.transformers

    @cached_property
    def summed(self) -> list[Output]:
        """The outputs to which what trees, coefficients or parts add up may lead.

        Where the target is transformed by anything but a straight line, this is not the
        prediction, although some records may have the same number in both spaces: 0 for `log1p`.
        """
        target = find_target(self.predictor)
        if target is None or target.line() is not None:
            return self.outputs
        return [
            output for output in self.outputs if output.name != "prediction"
        ]

    @cached_property
    def paths(self) -> Paths | None:
        """The paths of the predictor's trees; None where these are not read, or not proven."""
        if self.origins is None:
            return None
        rows = self.steps.transform_sparse(self.probes)
        return read_paths(self.predictor, self.origins, self.outputs, rows)

    @cached_property
    def speed(self) -> Speed:
        """How fast the model predicts mixtures: how many there are of a record depends on it.

        So processes that serve the same file take it from the one that has measured it first, and
        give the same values, until all of them start anew. One that cannot, as on a full disk,
        measures for itself.
        """
        path = self.verdict("speed")
        return judge_once(path, Speed, self._measure, MAX_WAIT_SECONDS)

    def coalitions_against(self, n_rows: int) -> Coalitions:
        """Return as many as there is time for with so many rows, in a request and in a proof."""
        speed = self.speed
        in_request = self.budget.request_seconds - speed.call_seconds
        in_proof = self.budget.proof_seconds - speed.call_seconds
        for_row = min(
            in_request / n_rows, in_proof / min(n_rows, MAX_PROOF_ROWS)
        )
        most = for_row / speed.prediction_seconds
        return choose_coalitions(self.n_features, most)

    def _measure(self) -> Speed:
        speed = Speed(
            measure_prediction(self.first_output, self.probes),
            time_best(self._predict_mixture),
        )
        fewest = choose_coalitions(self.n_features, most_predictions=0)
        cost = Cost.of_predictions(len(fewest.members), speed)
        return replace(speed, lasts=cost.seconds(1, 1) <= min(self.budget))

    def _predict_mixture(self) -> Matrix:
        """Mix a record with a single row, and predict that."""
        row = slice_rows(self.probes, 0, 1)
        no_coalition = np.zeros((1, self.n_features), dtype=np.bool_)
        mixtures = Mixtures(stack_rows(row, row), no_coalition)
        return mixtures.worths(self.first_output, rows_at_once=1)

    @cached_property
    def parts(self) -> Parts | None:
        """The parts of the predictor, where its output is a sum of theirs."""
        return find_parts(self.predictor)

    @cached_property
    def subjects(self) -> list["Subject"]:
        """The parts as models to be explained, in their order."""
        if self.parts is None:
            return []
        return [self._part(steps, self.parts) for steps in self.parts.steps]

    def _part(self, steps: Steps, parts: Parts) -> "Subject":
        transformers = [*self.steps.transformers, *steps.transformers]
        may_write = self.steps.may_write or steps.may_write
        whole = Steps(transformers, steps.predictor, may_write)
        probe = slice_rows(self.probes, 0, 1)
        outputs = find_outputs(whole.predictor, whole.transform(probe))
        return Subject(
            estimator=self.estimator,
            steps=whole,
            probes=self.probes,
            outputs=parts.select(outputs),
            origins=find_origins(whole, self.n_features, self.probes),
            budget=self.budget,
        )

    def first_output(self, columns: Columns) -> Matrix:
        """Return the output that values without a link explain."""
        first = self.outputs[0]
        output_of = outputs_of(self.estimator, columns)
        return first.served(output_of)


Make = Callable[[], Attribute | None]
"""Makes an attribute; None where it does not apply to the estimator."""
MakeOf = Callable[[Subject], Attribute | None]
"""Makes what explains a model or a part of one; None where it does not apply to it."""


@dataclass(frozen=True, eq=False)
class Method:
    """A way to compute SHAP values of the features, and the outputs that they may add up to.

    `make` is called when the values are first needed.
    `cost` is what they cost where that can be told; None where it is to be measured.
    `background_output_of` has the estimator's outputs for the background, whose mean the base
    value must be; None where that is not compared.
    `proves_values` says whether its values are right where what it computes with is: trees that
    were compared on mixtures, and predictions themselves.
    `against` makes the same method against a background, by which its values are compared where it
    has none itself.
    `background` says in words what records are compared with.
    `takes_numbers` says whether an array of numbers may stand for the columns: to make a DataFrame
    of one record takes as long as to explain it.
    """

    name: str
    make: Make
    outputs: list[Output]
    cost: Cost | None = None
    background_output_of: OutputOf | None = None
    proves_values: bool = False
    against: "MakeMethod | None" = None
    background: str = SAMPLES
    takes_numbers: bool = False

    def explain(
        self,
        columns: Columns,
        output_of: OutputOf,
    ) -> Explanation | None:
        """Return the values for each row; None if there are none, or if they do not add up.

        Raises TooLarge where they take too long, and Unprocessable where the estimator does not
        take a mixture of a record and the background.
        """
        attribution = self.attribute(columns)
        if attribution is None:
            return None
        output = self.find_output(attribution, output_of)
        if output is None:
            return None
        return Explanation(
            attribution.values,
            attribution.base_value,
            output.name,
            attribution.standard_error,
        )

    def attribute(self, columns: Columns) -> Attribution | None:
        """Return the values, which nothing is compared with; None if there are none."""
        # Libraries refuse what they do not know with exceptions of many kinds.
        try:
            attribute = self._attribute
            return None if attribute is None else attribute(columns)
        except ServiceError:
            raise
        except Exception as error:
            level = logging.DEBUG
            if isinstance(error, ImportError):
                level = logging.WARNING
            name = type(error).__name__
            log.log(level, "the method %s does not apply: %s", self.name, name)
            return None

    @property
    def is_prepared(self) -> bool:
        """Whether what is made once has been made."""
        return "_attribute" in vars(self)

    @cached_property
    def _attribute(self) -> Attribute | None:
        return self.make()

    def find_output(
        self,
        attribution: Attribution,
        output_of: OutputOf,
    ) -> Output | None:
        """Return the first output that the values add up to, if they start from its mean.

        None where there is no such output.
        """
        total = attribution.total
        rounding = attribution.tolerance
        for output in self.outputs:
            if output.holds(total, rounding, output_of):
                is_right = self._is_background_mean(attribution, output)
                return output if is_right else None
        return None

    def _is_background_mean(
        self,
        attribution: Attribution,
        output: Output,
    ) -> bool:
        """Return whether the base value is the mean output of the background.

        Sums would hold even if the background were misread.
        """
        if self.background_output_of is None:
            return True
        mean, of_mean = output.mean(self.background_output_of)
        rounding = np.max(attribution.tolerance) + of_mean
        base_value = output.compared(attribution.base_value)
        is_close = np.abs(base_value - mean) <= rounding
        return bool(np.all(is_close & np.isfinite(rounding)))


MakeMethod: TypeAlias = Callable[[Columns], Method]
"""From a background to a method, which may not need it."""


class Candidates:
    """The methods for one background, each of which is made when it is first needed.

    To make the last one, predictions are timed.
    """

    def __init__(self, makes: Sequence[MakeMethod], rows: Columns) -> None:
        """Take the methods, the best first, and the rows of the background."""
        self._makes = makes
        self._rows = rows
        self._made: list[Method] = []

    @property
    def first(self) -> Method:
        """The best method."""
        return next(iter(self))

    def __iter__(self) -> Iterator[Method]:
        for number, make in enumerate(self._makes):
            if number == len(self._made):
                self._made.append(make(self._rows))
            yield self._made[number]


def list_alone(subject: Subject, *, has_background: bool) -> list[MakeMethod]:
    """Return the methods for requests without a background, the best first.

    Some of them need the model's own background.
    """
    if not subject.outputs:
        return []
    makes = [
        partial(_path_dependent, subject),
        partial(_contributions, subject),
    ]
    if has_background:
        makes.append(partial(_linear, subject, subject.summed))
        makes.append(partial(_by_parts, subject, subject.summed))
        makes.append(partial(_by_coalitions, subject))
    else:
        makes.append(partial(_linear_alone, subject))
        makes.append(partial(_by_parts_alone, subject))
        mean_record = find_mean_record(subject.steps, subject.probes)
        if mean_record is not None:
            makes.append(partial(_by_coalitions_alone, subject, mean_record))
    return list(makes)


def list_against(subject: Subject) -> list[MakeMethod]:
    """Return the methods for requests with a background, the best first.

    Those for a classifier explain the probability.
    """
    if not subject.outputs:
        return []
    probability = [
        output for output in subject.outputs if output.name == "probability"
    ]
    outputs = probability or subject.summed
    return [
        partial(_interventional, subject, outputs),
        partial(_linear, subject, outputs),
        partial(_by_parts, subject, outputs),
        partial(_by_coalitions, subject),
    ]


def _contributions(subject: Subject, background: Columns) -> Method:  # noqa: ARG001
    make = partial(_make_of, subject, _make_contributions)
    return Method(
        name="native contributions",
        make=make,
        outputs=subject.summed,
        background=TRAINING_DATA,
    )


def _path_dependent(subject: Subject, background: Columns) -> Method:  # noqa: ARG001
    make = partial(_make_of, subject, _make_path_dependent)
    return Method(
        name="tree path-dependent",
        make=make,
        outputs=subject.summed,
        proves_values=_is_read(subject),
        background=TRAINING_DATA,
        takes_numbers=subject.takes_numbers,
    )


def _interventional(
    subject: Subject, outputs: list[Output], background: Columns
) -> Method:
    make_interventional = partial(_make_interventional, background=background)
    return Method(
        name="tree interventional",
        make=partial(_make_of, subject, make_interventional),
        outputs=outputs,
        background_output_of=_output_of(subject, background),
        proves_values=_is_read(subject),
        takes_numbers=subject.takes_numbers,
    )


def _linear(
    subject: Subject, outputs: list[Output], background: Columns
) -> Method:
    make_linear = partial(_make_linear, background=background)
    return Method(
        name="linear",
        make=partial(_make_of, subject, make_linear),
        outputs=outputs,
        background_output_of=_output_of(subject, background),
    )


def _output_of(subject: Subject, background: Columns) -> OutputOf:
    """Return what predicts the background once, when it is first compared."""
    return cache(outputs_of(subject.estimator, background))


def _linear_alone(subject: Subject, background: Columns) -> Method:  # noqa: ARG001
    """Return the method against the training data, whose mean a scaler has kept."""
    return Method(
        name="linear",
        make=partial(_make_of, subject, _make_linear_alone),
        outputs=subject.summed,
        against=partial(_linear, subject, subject.summed),
        background=TRAINING_DATA,
    )


def _by_parts(
    subject: Subject, outputs: list[Output], background: Columns
) -> Method:
    """Return the method for parts of which some are trees and others linear."""
    makes = [
        partial(_make_interventional, background=background),
        partial(_make_linear, background=background),
    ]
    return Method(
        name="parts",
        make=partial(_make_of_parts, subject, makes),
        outputs=outputs,
        background_output_of=_output_of(subject, background),
    )


def _by_parts_alone(subject: Subject, background: Columns) -> Method:  # noqa: ARG001
    """Return the same method against the data that the trees and the scalers were fitted with."""
    makes = [_make_path_dependent, _make_linear_alone]
    return Method(
        name="parts",
        make=partial(_make_of_parts, subject, makes),
        outputs=subject.summed,
        against=partial(_by_parts, subject, subject.summed),
        background=TRAINING_DATA,
    )


def _by_coalitions(subject: Subject, background: Columns) -> Method:
    """Return the method that predicts mixtures, as many as the budget has time for."""
    coalitions = subject.coalitions_against(len(background))
    make = partial(
        make_shapley,
        subject.first_output,
        background,
        coalitions,
        subject.speed.prediction_seconds,
        subject.budget.request_seconds,
    )
    return Method(
        name=coalitions.method,
        make=make,
        outputs=subject.outputs[:1],
        cost=Cost.of_predictions(len(coalitions.members), subject.speed),
        proves_values=True,
    )


def _by_coalitions_alone(
    subject: Subject,
    mean_record: Columns,
    background: Columns,  # noqa: ARG001
) -> Method:
    """Return the method against a single record: that of the means which a scaler has kept."""
    method = _by_coalitions(subject, mean_record)
    cost = None if method.cost is None else method.cost.against_one_row
    return replace(method, cost=cost, background=MEAN_RECORD)


def _is_read(subject: Subject) -> bool:
    """Return whether all trees are read: readings were compared on mixtures."""
    if subject.paths is not None:
        return True
    if not subject.subjects:
        return False
    return all(_is_read(part) for part in subject.subjects)


def _make_of(subject: Subject, make: MakeOf) -> Attribute | None:
    """Return what explains the subject, or else the sum of what explains each of its parts."""
    if not subject.summed:
        return None
    attribute = make(subject)
    parts = subject.parts
    if attribute is not None or parts is None:
        return attribute
    attributes = []
    for part in subject.subjects:
        of_part = _make_of(part, make)
        if of_part is None:
            return None
        attributes.append(of_part)
    return parts.add_up(attributes)


def _make_of_parts(
    subject: Subject, makes: Sequence[MakeOf]
) -> Attribute | None:
    """Return the sum of what explains the parts, each by the first that applies to it."""

    def make_first(part: Subject) -> Attribute | None:
        for make in makes:
            attribute = make(part)
            if attribute is not None:
                return attribute
        return None

    return None if subject.parts is None else _make_of(subject, make_first)


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
    # The columns of other predictors may be no numbers, or too many for a matrix that is dense.
    if not linear.is_linear(subject.predictor):
        return None
    as_predicted = subject.steps.transform_sparse(background)
    mean = to_array(as_predicted).astype(float).mean(axis=0)
    return _make_linear_from(subject, mean)


def _make_linear_alone(subject: Subject) -> Attribute | None:
    mean = read_training_mean(subject.steps.transformers)
    return None if mean is None else _make_linear_from(subject, mean)


def _make_linear_from(subject: Subject, mean: Matrix) -> Attribute | None:
    # The columns of a feature add to the output one by one, so their values add up to its own.
    attribute = linear.make_linear(subject.predictor, mean)
    return _by_columns(subject, attribute)


def _by_columns(
    subject: Subject,
    attribute: Attribute | None,
) -> Attribute | None:
    """Return what explains features by the sums of the values of the columns made of them."""
    origins = subject.origins
    if attribute is None or origins is None:
        return None
    # Its values would be nobody's, and a sum without them holds for some records only.
    if (origins == NO_ORIGIN).any():
        return None
    if not subject.steps.transformers:
        return attribute

    def attribute_features(columns: Columns) -> Attribution:
        attribution = attribute(columns)
        by_feature = sum_by_feature(
            attribution.values, origins, subject.n_features
        )
        # Sums for features hide what was lost where the columns of one cancel out.
        return attribution._replace(
            values=by_feature, rounding=attribution.tolerance
        )

    return _transformed(subject, attribute_features)


def _transformed(subject: Subject, attribute: Attribute) -> Attribute:
    """Return what explains columns as the predictor takes them."""

    def attribute_transformed(columns: Columns) -> Attribution:
        as_predicted = subject.steps.transform_sparse(columns)
        return attribute(as_predicted)

    return attribute_transformed
