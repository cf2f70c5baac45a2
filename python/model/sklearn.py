"""The family of estimators with scikit-learn's interface: its own, LightGBM, XGBoost, CatBoost."""

import logging
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from python.errors import (
    RefusedRecords,
    ServiceError,
)
from python.model import estimator as facts
from python.model import probes
from python.model.artifact import Artifact
from python.model.attributes import has_attribute, read_attribute
from python.model.base import (
    DEFAULT_BUDGET,
    Budget,
    Explanation,
    Model,
    Predictions,
    check_returned,
)
from python.model.classes import find_classes, split_outputs
from python.model.data.columns import (
    count_columns,
    slice_rows,
    split_columns,
    stack_rows,
    to_dense,
)
from python.model.data.features import Value
from python.model.data.forms import as_columns, as_copy, with_form
from python.model.data.json_values import (
    list_columns,
    list_values,
    to_json_value,
)
from python.model.data.records import Records
from python.model.data.spelling import one_line
from python.model.explain.explainer import Explainer
from python.model.explain.methods import Subject
from python.model.explain.origins import (
    NO_ORIGIN,
    find_origins,
    sum_by_feature,
)
from python.model.explain.outputs import find_finite_rows, find_outputs
from python.model.explain.preparation import Preparation
from python.model.fast import Copy, Unproven, make_copy
from python.model.reading import Reading, read
from python.model.refusals import Call, find_faults
from python.model.types import Columns, Matrix

log = logging.getLogger(__name__)

MAX_TRIED_ROWS = 4096


class SklearnModel(Model):
    """A fitted estimator behind the service's verbs."""

    def __init__(self, artifact: Artifact, reading: Reading) -> None:
        """Take an artifact that has been read.

        Raises ArtifactError if the class names do not match the estimator's classes.
        """
        super().__init__(artifact, reading.schema)
        self._form = reading.form
        self._called = with_form(self.estimator, self._form)
        self._steps = facts.split_steps(self.estimator, self._form)
        self._background = reading.tables.get("samples")
        self._training_rows = reading.training_rows
        predict = self._called.predict
        self._probes = probes.make_probes(
            predict, self.schema, self._training_rows
        )
        self._accepted = slice_rows(self._probes, 0, 1)
        self._read_outputs()
        self.copy: Copy | None = None
        self._no_copy_reason = "it is switched off (FAST_PREDICT=0)"
        self._accepted_backgrounds: WeakSet[Records] = WeakSet()
        self._preparation = Preparation(self._make_explainer)

    def _read_outputs(self) -> None:
        """Find out what is predicted: the task, the classes, and whether they have probabilities.

        Raises ArtifactError where this cannot be told, or contradicts the metadata.
        """
        prediction = np.asarray(self._called.predict(self._accepted))
        kind = facts.estimator_type(self.estimator)
        names = self.metadata.get("class_names")
        classes = find_classes(self._called, kind, self._accepted, names)
        self.n_outputs = prediction.size
        self.no_probabilities = classes.no_probabilities
        self.offers_probabilities = not classes.no_probabilities
        if self.n_outputs > 1:
            self.class_names_by_output = classes.names or None
        elif classes.names:
            (self.class_names,) = classes.names
        self.task = facts.find_task(kind, prediction, classes.names)
        self.has_scores = kind == "outlier_detector" and has_attribute(
            self.estimator, "decision_function"
        )

    @classmethod
    def load(cls, artifact: Artifact) -> Self:
        """Return the model, after the estimator has predicted a first row and the tables.

        Raises ArtifactError in one sentence.
        """
        return cls(artifact, read(artifact))

    def announce_speed_up(self) -> None:
        """Say that `speed_up` will be called, by another thread."""
        self._no_copy_reason = "a faster copy is being prepared"

    def speed_up(self, verdicts: Path | None = None) -> None:
        """Predict with a compiled copy from now on, where it is proven equal to the estimator."""
        self.announce_speed_up()
        rows = self._probes
        if self._training_rows is not None:
            first_rows = slice_rows(self._training_rows, 0, MAX_TRIED_ROWS)
            rows = stack_rows(first_rows, rows)
        # What is compiled is given columns of its own anyway.
        form = as_columns if self._form is as_copy else self._form
        try:
            self.copy = make_copy(
                with_form(self.estimator, form),
                facts.split_steps(self.estimator, form),
                self.schema,
                rows,
                verdicts and verdicts / self.version / "copy",
            )
        except Unproven as error:
            self._no_copy_reason = str(error)
            log.warning("the estimator answers itself, because %s", error)
        except Exception as error:
            # There are more estimators than anybody knows.
            reason = f"it cannot be compiled ({one_line(error)})"
            self._no_copy_reason = reason
            log.info("the estimator answers itself: %s", self._no_copy_reason)

    def predict(self, records: Records) -> NDArray[Any]:
        """Return the estimator's labels or numbers, (n_records,) or (n_records, n_outputs)."""
        return self.predictions(records).prediction

    def predict_proba(self, records: Records) -> Matrix:
        """Return the estimator's probabilities, (n_records, n_classes)."""
        return self.predictions(records).probabilities

    def predictions(self, records: Records) -> "SklearnPredictions":
        """Return the predictions for the records, none of which is computed yet."""
        return SklearnPredictions(self, records)

    def explain(
        self,
        predictions: Predictions,
        background: Records | None = None,
    ) -> Explanation:
        """Return SHAP values of each input feature for the predictions."""
        records = predictions.records
        if background is not None:
            self._check_background(background)

        def output_of(name: str) -> NDArray[Any]:
            if name == "predict":
                return predictions.prediction
            if name == "predict_proba" and self.n_outputs > 1:
                tables = predictions.probabilities_by_output
                return np.concatenate(tables, axis=1)
            if name == "predict_proba":
                return predictions.probabilities
            return self.call(name, records)

        explainer = self._preparation.wait(alone=background is None)
        with np.errstate(all="ignore"):
            return explainer.explain(records, output_of, background)

    def announce_explanations(self, budget: Budget) -> None:
        """Say that `prepare_explanations` will be called, by another thread."""
        self._preparation.announce(budget)

    def prepare_explanations(
        self,
        budget: Budget = DEFAULT_BUDGET,
        verdicts: Path | None = None,
    ) -> None:
        """Prove the methods that explain, and keep the first one that is right."""
        self._preparation.run(budget, verdicts and verdicts / self.version)

    def await_explanations(self, seconds: float) -> None:
        """Return once it is proven how records are explained alone, or after that time."""
        self._preparation.wait_quietly(seconds)

    def _make_explainer(
        self, budget: Budget, verdicts: Path | None
    ) -> Explainer:
        outputs = find_outputs(self._called, slice_rows(self._probes, 0, 1))
        finite = find_finite_rows(outputs, self._called, self._probes)
        subject = Subject(
            estimator=self._called,
            steps=self._steps,
            probes=finite if len(finite) else self._probes,
            outputs=outputs,
            origins=self._origins,
            budget=budget,
            verdicts=verdicts,
        )
        return Explainer(subject, self._background)

    def _check_background(self, background: Records) -> None:
        """Raise RefusedRecords for a background that the estimator does not take."""
        if background not in self._accepted_backgrounds:
            self.predict(background)
            self._accepted_backgrounds.add(background)

    def explained_at_once(self, background: Records | None = None) -> int:
        """Return how many records are explained in the time that an explanation may take."""
        explainer = self._preparation.wait(alone=background is None)
        return explainer.affordable_records(background)

    def explanation_method(
        self,
        background: Records | None = None,
    ) -> str | None:
        """Return the name of the method that explains; None if there is none."""
        explainer = self._preparation.wait(alone=False)
        method = explainer.method(background)
        return None if method is None else method.name

    def preprocess(
        self,
        records: Records,
    ) -> tuple[list[str], list[list[Any]]]:
        """Return the names, and the values by column, of what the predictor takes.

        Raises TooLarge for more values than a response may have.
        """
        transformed = self._call(self._steps.transform_sparse, records)
        n_columns = count_columns(transformed)
        # A text can become a million columns, nearly all of them 0: they are counted while the
        # matrix is sparse.
        check_returned(len(records), n_columns, "columns")
        names = self._steps.names_out(self.schema.names, n_columns)
        return names, list_columns(to_dense(transformed))

    @property
    def offers_explanations(self) -> bool:
        """Whether `explain` explains a record without a background from the request."""
        try:
            explainer = self._preparation.wait(alone=True)
            return explainer.explains_alone
        except ServiceError:
            return False

    @property
    def labels(self) -> list[Value]:
        """What `predict` returns, in the order of `class_names`; none where nothing says so."""
        classes = read_attribute(self.estimator, "classes_")
        if classes is None or len(classes) != len(self.class_names or ()):
            return []
        return [to_json_value(label) for label in np.asarray(classes).tolist()]

    def example(self) -> dict[str, Value]:
        """Return a record that the estimator can predict: of the samples, or made up."""
        record = {}
        columns = split_columns(self._accepted)
        for feature, column in zip(self.schema.features, columns, strict=True):
            (value,) = map(to_json_value, list_values(column))
            if value is not None:
                # In a column of numbers, true is 1.
                is_boolean = feature.value_type is bool
                record[feature.name] = bool(value) if is_boolean else value
        return record

    def features(self) -> list[dict[str, Any]]:
        """Return the features as the metadata describes them, with importances where there are."""
        features = super().features()
        pairs = zip(features, self._importances, strict=False)
        for feature, importance in pairs:
            feature["importance"] = importance
        return features

    def info(self) -> dict[str, Any]:
        """Return what the model is, how it is explained and how it predicts, or why not."""
        predictor_type = facts.predictor_type(self.estimator)
        reason = self._no_copy_reason if self.copy is None else None
        return {
            **super().info(),
            "predictor_type": str(predictor_type),
            **self._preparation.info(),
            "fast_predict": self.copy is not None,
            "fast_predict_reason": reason,
        }

    def call(self, name: str, records: Records) -> NDArray[Any]:
        """Return what the estimator's `predict`, or another of that name, returns.

        Raises RefusedRecords for values that the estimator does not take.
        """
        compute = getattr(self._called, name)
        output = np.asarray(self._call(compute, records))
        _check_length(output, records)
        return output

    def split_probabilities(self, records: Records) -> list[Matrix]:
        """Return the estimator's probabilities of each output, (n_records, n_classes).

        Raises Unprocessable where there are none, and errors as `call` does.
        """
        if not self.offers_probabilities:
            raise self._refuse_probabilities()
        probabilities = self._call(self._called.predict_proba, records)
        tables = split_outputs(probabilities, self.n_outputs)
        for table in tables:
            _check_length(table, records)
        return tables

    def _call(self, method: Call, records: Records) -> Any:
        def call_quietly(columns: Columns) -> Any:
            # Numbers may be too large for the estimator.
            with np.errstate(all="ignore"):
                return method(columns)

        try:
            return call_quietly(records.columns)
        except Exception as error:
            faults = find_faults(
                call_quietly,
                records.columns,
                self.schema.names,
                self._accepted,
            )
            if not faults:  # the estimator does not work any more
                raise
            if not isinstance(error, ValueError):
                name = type(error).__name__
                log.warning(
                    "the model says %s to records that fit its metadata", name
                )
            detail = "the model does not take these values"
            raise RefusedRecords(detail, records, faults) from error

    @cached_property
    def _origins(self) -> NDArray[np.intp] | None:
        n_features = len(self.schema.names)
        try:
            make_more_rows = partial(
                probes.cover_values, self._called.predict, self.schema
            )
            return find_origins(
                self._steps, n_features, self._probes, make_more_rows
            )
        except Exception as error:
            # Steps of other libraries return tables of other kinds.
            log.warning("no origins of columns: %s", one_line(error))
            return None

    @cached_property
    def _importances(self) -> list[float]:
        importances = facts.find_importances(self._steps.predictor)
        if importances is None or self._origins is None:
            return []
        if len(importances) != len(self._origins):
            return []
        if importances[self._origins == NO_ORIGIN].any():
            return []
        (by_feature,) = sum_by_feature(
            importances[None],
            self._origins,
            len(self.schema.names),
        )
        return [float(importance) for importance in by_feature]


def _check_length(output: NDArray[Any], records: Records) -> None:
    """Raise ServiceError unless there is one row of the output for each record."""
    if output.shape[:1] != (len(records),):
        raise ServiceError(
            f"the model predicts an answer of shape {output.shape} "
            f"for {len(records)} records"
        )


class SklearnPredictions(Predictions):
    """An estimator's predictions for some records: its copy's where it has one, else its own."""

    def __init__(self, model: SklearnModel, records: Records) -> None:
        super().__init__(model, records)
        self._sklearn = model

    @cached_property
    def prediction(self) -> NDArray[Any]:
        """Labels or numbers, (n_records,) or (n_records, n_outputs)."""
        prediction = self._copied_prediction
        if prediction is None:
            prediction = self._sklearn.call("predict", self.records)
        if prediction.dtype.kind == "M":
            # Nanoseconds would become whole numbers in a list; these become dates.
            prediction = prediction.astype("datetime64[us]")
        if prediction.ndim == 2 and prediction.shape[1] == 1:
            return prediction[:, 0]
        return prediction

    @cached_property
    def probabilities(self) -> Matrix:
        """Probabilities in the order of the classes, (n_records, n_classes)."""
        is_offered = self._sklearn.offers_probabilities
        if is_offered and self._copied_output is not None:
            return self._copied_output
        return self.probabilities_by_output[0]

    @cached_property
    def probabilities_by_output(self) -> list[Matrix]:
        """The probabilities of each output, (n_records, n_classes)."""
        return self._sklearn.split_probabilities(self.records)

    @cached_property
    def scores(self) -> Matrix | None:
        """The decision function of an outlier detector, (n_records,): below 0 is an outlier."""
        if not self._sklearn.has_scores:
            return None
        return self._sklearn.call("decision_function", self.records)

    @cached_property
    def _copied_prediction(self) -> NDArray[Any] | None:
        copy = self._sklearn.copy
        if copy is None or self._copied_output is None:
            return None
        if copy.has_classes:
            return copy.label(self._copied_output)
        return self._copied_output

    @cached_property
    def _copied_output(self) -> Matrix | None:
        """What the copy computes: probabilities for a classifier, numbers for a regressor."""
        copy = self._sklearn.copy
        return None if copy is None else copy.output(self.records)
