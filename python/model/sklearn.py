"""The family of estimators with scikit-learn's interface: its own, pipelines, LightGBM, XGBoost, CatBoost."""

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from python.errors import MAX_FAULTS, Unprocessable
from python.model import estimator as ask
from python.model import probes
from python.model.artifact import Artifact
from python.model.base import Explanation, Model
from python.model.data.columns import by_column, missing, rows, stacked
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.explain.explainer import Explainer
from python.model.explain.origins import folded, origins
from python.model.fast.copy import Fast
from python.model.fast.predictors import Unproven
from python.model.refusals import refusals

log = logging.getLogger(__name__)

MAX_SAMPLES = 4096


class SklearnModel(Model):
    """A fitted estimator behind the service's verbs."""

    def __init__(
        self, estimator: Any, schema: Schema, metadata: Mapping[str, Any], samples: Any = None
    ) -> None:
        """`schema` says what may be missing, `samples` is a background; raises ArtifactError if class names differ."""
        self.estimator = estimator
        self.schema = schema
        self.metadata = metadata
        self._steps = ask.steps(estimator)
        self._probes = probes.probes(estimator.predict, schema, samples)
        self.task = ask.task(estimator, np.asarray(estimator.predict(rows(self._probes, 0, 1))))
        one_output = self.task != ask.SEVERAL_OUTPUTS
        self.class_names = (
            ask.class_names(estimator, metadata.get("class_names")) if one_output else None
        )
        self._has_probabilities = self.class_names is not None and hasattr(
            estimator, "predict_proba"
        )
        self._samples = None if samples is None else Records(samples)
        self._fast: Fast | None = None
        self._slow_because: str | None = "nothing faster is prepared"

    @classmethod
    def load(cls, artifact: Artifact) -> Self:
        """The model, with a first prediction made on a row made up from the metadata; raises ArtifactError."""
        estimator = artifact.model
        ask.fit_to_serve(estimator)
        schema = Schema.from_metadata(artifact.metadata, named=ask.takes_names(estimator))
        ask.check_inputs(estimator, schema.names)
        samples = probes.background(schema, artifact.samples)
        first = probes.first_row(estimator.predict, schema, samples)
        probes.check_samples(estimator.predict, samples)
        schema = probes.accepts_missing(estimator.predict, schema, first)
        return cls(estimator, schema, artifact.metadata, samples)

    def hasten(self) -> None:
        """Answer faster from now on, where that is proven to be equal."""
        try:
            self._fast = Fast.proven(self.estimator, self._steps, self.schema, self._known())
        except Unproven as error:
            self._slow_because = str(error)
            log.warning("the estimator answers itself, because %s", error)
        except Exception as error:  # there are more estimators than anybody knows
            self._slow_because = f"it cannot be compiled ({type(error).__name__}: {error})"
            log.info("the estimator answers itself: %s", self._slow_because)

    def predict(self, records: Records) -> NDArray[Any]:
        """Labels or numbers as the estimator gives them, (n_records,) or (n_records, n_outputs)."""
        answer = np.asarray(self._answer("predict", records))
        return answer[:, 0] if answer.ndim == 2 and answer.shape[1] == 1 else answer

    def predict_proba(self, records: Records) -> NDArray[np.float64]:
        """Probabilities in the order of `class_names`, (n_records, n_classes)."""
        if not self._has_probabilities:
            return super().predict_proba(records)
        return np.asarray(self._answer("predict_proba", records), dtype=float)

    def explain(self, records: Records, samples: Records | None = None) -> Explanation:
        """SHAP values for each input feature, against the background `samples` where given."""
        if samples is not None:
            self._answer("predict", samples)
        with np.errstate(all="ignore"):
            return self._explainer.explain(
                records, lambda method: self._answer(method, records), samples
            )

    def explanation_effort(self, samples: Records | None = None) -> tuple[int, int]:
        """The rows of the background, and how many predictions each of them costs for each record."""
        return self._explainer.effort(samples)

    def preprocess(self, records: Records) -> tuple[list[str], list[list[Any]]]:
        """The names and the values, by column, of what the last step sees; the input where there is no other step."""
        seen = self._asked(self._steps.transform, records)
        columns = [column.tolist() for column in by_column(seen)]
        return self._steps.names_out(self.schema.names, len(columns)), columns

    def offers(self, what: Literal["proba", "explain"]) -> bool:
        """Whether a request may ask for it and bring nothing but records."""
        if what == "explain":
            return self._explainer.answers_alone
        return self._has_probabilities

    def example(self) -> dict[str, Any]:
        """The first sample, or a record made up from the metadata; missing values left out."""
        values = [column.tolist()[0] for column in by_column(rows(self._probes, 0, 1))]
        return {
            name: value
            for name, value in zip(self.schema.names, values, strict=True)
            if not missing(value)
        }

    def features(self) -> list[dict[str, Any]]:
        """The features as the metadata describes them, each with its importance where the model has importances."""
        described = super().features()
        for entry, importance in zip(described, self._importances, strict=False):
            entry["importance"] = importance
        return described

    def info(self) -> dict[str, Any]:
        """What the model is, and how it is explained or why not."""
        inner = {"predictor_type": str(ask.predictor_type(self.estimator))}
        fast = {
            "fast_predict": self._fast is not None,
            "fast_predict_reason": None if self._fast else self._slow_because,
        }
        return {**super().info(), **inner, **self._explainer.info(), **fast}

    @cached_property
    def _explainer(self) -> Explainer:
        """Made when it is first asked for: shap takes seconds to import, and more memory than most models."""
        return Explainer(self.estimator, self._steps, self._probes, self._origins, self._samples)

    @cached_property
    def _origins(self) -> NDArray[np.intp] | None:
        return origins(self._steps, len(self.schema.names), self._probes)

    @cached_property
    def _importances(self) -> list[float]:
        found = ask.importances(self._steps.predictor)
        if found is None or self._origins is None or len(found) != len(self._origins):
            return []
        return [
            float(value) for value in folded(found[None], self._origins, len(self.schema.names))[0]
        ]

    def _known(self) -> Any:
        """Rows that the model has answers to, as many as there are."""
        return (
            self._probes
            if self._samples is None
            else stacked(rows(self._samples.columns, 0, MAX_SAMPLES), self._probes)
        )

    def _answer(self, method: str, records: Records) -> Any:
        """What the estimator's method says of the records, asked once; raises Unprocessable for values that it refuses."""
        if method not in records.answers:
            fast = self._fast.answer(method, records) if self._fast else None
            records.answers[method] = (
                self._asked(getattr(self.estimator, method), records) if fast is None else fast
            )
        return records.answers[method]

    def _asked(self, method: Callable[[Any], Any], records: Records) -> Any:
        def ask_quietly(columns: Any) -> Any:
            with np.errstate(all="ignore"):  # numbers too large for the estimator
                return method(columns)

        try:
            return ask_quietly(records.columns)
        except Exception as error:
            faults = list(
                islice(
                    refusals(ask_quietly, records, self.schema.names, rows(self._probes, 0, 1)),
                    MAX_FAULTS,
                )
            )
            if not faults:  # it does not answer to rows any more that it has answered to
                raise
            if not isinstance(error, ValueError):
                log.warning(
                    "the model says %s to records that fit its metadata", type(error).__name__
                )
            raise Unprocessable("the model does not take these values", errors=faults) from error
