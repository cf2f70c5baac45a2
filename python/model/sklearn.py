"""The family of estimators with scikit-learn's interface: its own, LightGBM, XGBoost, CatBoost."""

import logging
from functools import cached_property
from typing import Any, Self
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from python.errors import RefusedRecords, ServiceError, Unprocessable
from python.model import estimator as facts
from python.model import probes
from python.model.artifact import Artifact
from python.model.base import Effort, Explanation, Model, Predictions
from python.model.data.columns import (
    slice_rows,
    split_columns,
    stack_rows,
)
from python.model.data.features import Value
from python.model.data.forms import Form, as_columns, with_form
from python.model.data.json_values import list_values
from python.model.data.records import Records
from python.model.data.samples import (
    read_samples,
    rules_of_samples,
)
from python.model.data.schema import Row, Schema
from python.model.data.spelling import one_line
from python.model.doubts import (
    check_samples_as_they_are,
    check_whole_numbers,
)
from python.model.explain.explainer import Explainer
from python.model.explain.origins import find_origins, sum_by_feature
from python.model.fast import Copy, Unproven, make_copy
from python.model.missing import check_missing_values, find_missing_values
from python.model.refusals import Call, find_faults
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)

MAX_TRIED_SAMPLES = 4096


class SklearnModel(Model):
    """A fitted estimator behind the service's verbs."""

    def __init__(
        self,
        artifact: Artifact,
        schema: Schema,
        background: Columns | None,
        form: Form,
    ) -> None:
        """Take a schema that says what may be missing, and the background of the artifact.

        The estimator takes columns in the `form`.

        Raises ArtifactError if the class names do not match the estimator's classes.
        """
        super().__init__(artifact, schema)
        self._called = with_form(self.estimator, form)
        self._steps = facts.split_steps(self.estimator, form)
        self._background = background
        predict = self._called.predict
        self._probes = probes.make_probes(predict, schema, background)
        self._accepted = slice_rows(self._probes, 0, 1)
        first_prediction = np.asarray(predict(self._accepted))
        self.task = facts.find_task(self.estimator, first_prediction)
        if self.task != facts.SEVERAL_OUTPUTS:
            names = self.metadata.get("class_names")
            self.class_names = facts.find_class_names(self.estimator, names)
        self.offers_probabilities = self._has_probabilities()
        self.copy: Copy | None = None
        self._no_copy_reason = "it is switched off (FAST_PREDICT=0)"
        self._accepted_backgrounds: WeakSet[Records] = WeakSet()

    def _has_probabilities(self) -> bool:
        """Return whether the estimator has a probability for each class name."""
        if self.class_names is None:
            return False
        if not hasattr(self.estimator, "predict_proba"):
            return False
        try:
            with np.errstate(all="ignore"):
                probabilities = self._called.predict_proba(self._accepted)
        except Exception:
            # It says why to whoever asks for them.
            return True
        shape: tuple[int, ...] = np.shape(probabilities)
        return shape == (1, len(self.class_names))

    @classmethod
    def load(cls, artifact: Artifact) -> Self:
        """Return the model, after the estimator has predicted a first row and the samples.

        Raises ArtifactError in one sentence.
        """
        facts.prepare_to_serve(artifact.model)
        schema, rows = _read_schema(artifact)
        background = schema.columns(rows) if rows else None
        trial_rows = probes.make_trial_rows(schema, background)
        form = _find_form(artifact.model, schema, trial_rows)
        called = with_form(artifact.model, form)
        row = probes.first_row(
            called.predict, schema, background, artifact.version_cure
        )
        probes.check_counts(called.predict, trial_rows)
        probes.check_samples(called.predict, background)
        rules = probes.rules_of_estimator(called.predict, schema, row)
        schema = schema.with_rules(rules, "estimator")
        check_missing_values(called, schema, row, artifact.samples)
        check_whole_numbers(called, schema, trial_rows, artifact.samples)
        check_samples_as_they_are(called, schema, artifact.samples)
        return cls(artifact, schema, background, form)

    def speed_up(self) -> None:
        """Predict with a compiled copy from now on, where it is proven equal to the estimator."""
        self._no_copy_reason = "a faster copy is being prepared"
        rows = self._probes
        if self._background is not None:
            samples = slice_rows(self._background, 0, MAX_TRIED_SAMPLES)
            rows = stack_rows(samples, rows)
        try:
            self.copy = make_copy(
                self._called,
                self._steps,
                self.schema,
                rows,
            )
        except Unproven as error:
            self._no_copy_reason = str(error)
            log.warning("the estimator answers itself, because %s", error)
        except Exception as error:
            # There are more estimators than anybody knows.
            self._no_copy_reason = self._why_not_compiled(error)
            log.info("the estimator answers itself: %s", self._no_copy_reason)

    def _why_not_compiled(self, error: Exception) -> str:
        # The compiler raises ValueError where it knows what it cannot compile. What Python says of
        # a part that it looked for in vain says nothing to anybody.
        is_looked_for = isinstance(error, AttributeError | LookupError)
        if is_looked_for and not self.schema.has_codes:
            return "text is left to the estimator"
        return f"it cannot be compiled ({one_line(error)})"

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
            if name == "predict_proba":
                return predictions.probabilities
            return self.call(name, records)

        with np.errstate(all="ignore"):
            return self._explainer.explain(records, output_of, background)

    def _check_background(self, background: Records) -> None:
        """Raise RefusedRecords for a background that the estimator does not take."""
        if background not in self._accepted_backgrounds:
            self.predict(background)
            self._accepted_backgrounds.add(background)

    def explanation_effort(self, background: Records | None = None) -> Effort:
        """Return what it costs to explain one record."""
        return self._explainer.effort(background)

    def explanation_method(
        self,
        background: Records | None = None,
    ) -> str | None:
        """Return the name of the method that explains; None if there is none."""
        method = self._explainer.method(background)
        return None if method is None else method.name

    def preprocess(
        self,
        records: Records,
    ) -> tuple[list[str], list[list[Any]]]:
        """Return the names, and the values by column, of what the predictor takes."""
        matrix = self._call(self._steps.transform, records)
        columns = [list_values(column) for column in split_columns(matrix)]
        names = self._steps.names_out(self.schema.names, len(columns))
        return names, columns

    @property
    def offers_explanations(self) -> bool:
        """Whether `explain` explains a record without a background from the request."""
        return self._explainer.explains_alone

    def example(self) -> dict[str, Value]:
        """Return a record that the estimator can predict: of the samples, or made up."""
        record = {}
        columns = split_columns(self._accepted)
        for name, column in zip(self.schema.names, columns, strict=True):
            (value,) = list_values(column)
            if value is not None:
                record[name] = value
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
            **self._explainer.info(),
            "fast_predict": self.copy is not None,
            "fast_predict_reason": reason,
        }

    def call(self, name: str, records: Records) -> NDArray[Any]:
        """Return what the estimator's `predict`, or another of that name, returns.

        Raises RefusedRecords for values that the estimator does not take.
        """
        compute = getattr(self._called, name)
        output = np.asarray(self._call(compute, records))
        if output.shape[:1] != (len(records),):
            raise ServiceError(
                f"the model predicts an answer of shape {output.shape} "
                f"for {len(records)} records"
            )
        return output

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
    def _explainer(self) -> Explainer:
        # Made when it is first needed: it reads trees, and tries methods on many rows.
        return Explainer(
            self._called,
            self._steps,
            self._probes,
            self._origins,
            self._background,
        )

    @cached_property
    def _origins(self) -> NDArray[np.intp] | None:
        return find_origins(self._steps, len(self.schema.names), self._probes)

    @cached_property
    def _importances(self) -> list[float]:
        importances = facts.find_importances(self._steps.predictor)
        if importances is None or self._origins is None:
            return []
        if len(importances) != len(self._origins):
            return []
        (by_feature,) = sum_by_feature(
            importances[None],
            self._origins,
            len(self.schema.names),
        )
        return [float(importance) for importance in by_feature]


def _read_schema(artifact: Artifact) -> tuple[Schema, list[Row]]:
    """Return the schema as the metadata and the samples say it, and the rows of the samples."""
    estimator = artifact.model
    schema = Schema.from_metadata(artifact.metadata)
    named = facts.takes_names(estimator, schema.names)
    schema = Schema(schema.features, named=named)
    facts.check_inputs(estimator, schema.names)
    rows = read_samples(schema, artifact.samples)
    missing_values = find_missing_values(estimator, schema, artifact.samples)
    schema = schema.with_missing_values(missing_values)
    if rows:
        rules = rules_of_samples(schema, rows)
        schema = schema.with_rules(rules, "samples")
    return schema, rows


def _find_form(estimator: Estimator, schema: Schema, rows: Columns) -> Form:
    """Return the form in which the estimator takes the rows."""
    if facts.says_inputs(estimator, schema.names):
        return as_columns
    return probes.find_form(estimator.predict, rows)


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
        if prediction.ndim == 2 and prediction.shape[1] == 1:
            return prediction[:, 0]
        return prediction

    @cached_property
    def probabilities(self) -> Matrix:
        """Probabilities in the order of the classes, (n_records, n_classes)."""
        if not self._sklearn.offers_probabilities:
            task = self._sklearn.task
            raise Unprocessable(f"the model ({task}) has no probabilities")
        if self._copied_output is not None:
            return self._copied_output
        probabilities = self._sklearn.call("predict_proba", self.records)
        return probabilities.astype(float, copy=False)

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
