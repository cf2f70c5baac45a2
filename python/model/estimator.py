"""Facts about a fitted estimator, told by its attributes and never by the name of its class."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.base import Task
from python.model.data.columns import to_dense
from python.model.data.spelling import shorten
from python.model.types import Columns, Estimator, Matrix, Transformer

SKIPPED_STEPS = (None, "passthrough")
SEVERAL_OUTPUTS = "MULTIOUTPUT_CLASSIFICATION"


class Steps(NamedTuple):
    """What a record passes through: the transformers, then the estimator that predicts."""

    transformers: list[Transformer]
    predictor: Estimator

    def transform(self, columns: Columns) -> Columns:
        """Return the columns as the predictor takes them, a sparse matrix as an array."""
        return to_dense(self.transform_sparse(columns))

    def transform_sparse(self, columns: Columns) -> Any:
        """Return the columns as they reach the predictor: array, DataFrame or sparse matrix."""
        for transformer in self.transformers:
            columns = transformer.transform(columns)
        return columns

    def names_out(self, names: Sequence[str], width: int) -> list[str]:
        """Return the names of the `width` transformed columns.

        They are x0, x1, ... where a transformer does not know the names of its columns.
        """
        try:
            for transformer in self.transformers:
                names = transformer.get_feature_names_out(names)
        except (AttributeError, ValueError):
            return [f"x{number}" for number in range(width)]
        return [str(name) for name in names]


def split_steps(estimator: Estimator) -> Steps:
    """Return the steps inside pipelines and searches, however they are nested."""
    transformers: list[Transformer] = []
    *outer, predictor = layers(estimator)
    for layer in outer:
        if hasattr(layer, "best_estimator_"):
            continue
        for _, step in layer.steps[:-1]:
            if step not in SKIPPED_STEPS:
                transformers.append(step)
    return Steps(transformers, predictor)


def layers(estimator: Estimator) -> Iterator[Estimator]:
    """Yield the estimator, then what each search or pipeline holds, down to the predictor."""
    yield estimator
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            _, estimator = estimator.steps[-1]
        else:
            return
        yield estimator


def predictor_type(estimator: Estimator) -> type:
    """Return the type of the last step of a pipeline, search or calibration."""
    predictor = split_steps(estimator).predictor
    calibrated = getattr(predictor, "calibrated_classifiers_", None)
    if calibrated:
        return predictor_type(calibrated[0].estimator)
    return type(predictor)


def estimator_type(estimator: Estimator) -> str:
    """Return scikit-learn's `estimator_type`: "classifier", "regressor", "clusterer"..."""
    from sklearn.utils import get_tags

    try:
        tagged_type = get_tags(estimator).estimator_type
    except (AttributeError, TypeError):
        # It is no estimator of scikit-learn's kind.
        tagged_type = getattr(estimator, "_estimator_type", None)
    if tagged_type:
        return str(tagged_type)
    return "classifier" if hasattr(estimator, "classes_") else "regressor"


def find_task(estimator: Estimator, prediction: NDArray[Any]) -> str:
    """Return the task, told by the tags, the classes and the prediction for one record."""
    kind = estimator_type(estimator)
    if kind == "regressor":
        return Task.REGRESSION
    if kind != "classifier":
        return kind.upper()
    if prediction.size > 1:
        return SEVERAL_OUTPUTS
    if len(estimator.classes_) <= 2:
        return Task.BINARY_CLASSIFICATION
    return Task.MULTICLASS_CLASSIFICATION


def input_names(estimator: Estimator) -> list[str] | None:
    """Return the names of the columns that the estimator was fitted with; None for an array."""
    own_names = getattr(estimator, "feature_names_", None)  # CatBoost's
    names = getattr(estimator, "feature_names_in_", own_names)
    if names is None:
        return None
    listed = list(names)
    # CatBoost numbers the columns of an array.
    numbers = [str(number) for number in range(len(listed))]
    return None if listed == numbers else listed


def takes_names(estimator: Estimator) -> bool:
    """Return whether the estimator takes a DataFrame.

    It does if it was fitted with one, or does not say what it was fitted with.
    """
    if input_names(estimator) is not None:
        return True
    return not hasattr(estimator, "n_features_in_")


def check_inputs(estimator: Estimator, names: list[str]) -> None:
    """Raise ArtifactError unless `names` are the estimator's columns, in their order."""
    fitted_names = input_names(estimator) or names
    # CatBoost forgets the number in a file.
    count = getattr(estimator, "n_features_in_", 0) or len(fitted_names)
    if count != len(names):
        message = f"the metadata names {len(names)} features, the model was fitted with {count}"
        raise ArtifactError(message)
    for name, fitted_name in zip(names, fitted_names, strict=True):
        # LightGBM writes an underscore for each blank.
        with_underscores = name.replace(" ", "_")
        if fitted_name not in (name, with_underscores):
            named = f"the metadata names {shorten(name)}"
            fitted = f"the model was fitted with {shorten(fitted_name)}"
            raise ArtifactError(f"{named} where {fitted}")


def find_class_names(
    estimator: Estimator,
    class_names: Any,
) -> list[str] | None:
    """Return what to call the classes, in the order of `classes_`; None if there are none.

    These are the `class_names` of the metadata, or else the labels.
    Raises ArtifactError if the names do not match the classes.
    """
    labels = _labels(estimator)
    if class_names is None:
        return [str(label) for label in labels] or None
    if not labels:
        raise ArtifactError(
            "the metadata has class_names, but the model has no classes"
        )
    if hasattr(class_names, "tolist"):
        class_names = class_names.tolist()
    names = []
    if isinstance(class_names, list | tuple):
        names = [str(name) for name in class_names if name is not None]
    is_repeated = len(set(names)) < len(names)
    if len(names) != len(labels) or is_repeated:
        expected = f"a list of {len(labels)} names, one for each of the model's classes"
        raise ArtifactError(f"class_names must be {expected}")
    return names


def _labels(estimator: Estimator) -> list[Any]:
    # CatBoost's regressors have classes, and none of them.
    labels = getattr(estimator, "classes_", None)
    return [] if labels is None else list(labels)


def find_importances(predictor: Estimator) -> Matrix | None:
    """Return the importance of each column that the predictor takes, (n_columns,).

    These are its own, or else its absolute coefficients, summed over the outputs: the rule of
    scikit-learn's SelectFromModel (`importance_getter="auto"`, `norm_order=1`).
    """
    importances = getattr(predictor, "feature_importances_", None)
    if importances is not None:
        return np.asarray(importances, dtype=float)
    coefficients = getattr(predictor, "coef_", None)
    if coefficients is not None:
        by_output = np.atleast_2d(to_dense(coefficients))
        sizes = np.abs(by_output.astype(float))
        return np.asarray(sizes.sum(axis=0))
    return None


def is_sklearns_own(step: Any) -> bool:
    """Return whether the step's class is scikit-learn's own: a subclass may do anything."""
    module = type(step).__module__
    # A frozen estimator is whatever it holds.
    is_frozen = module.startswith("sklearn.frozen")
    return module.startswith("sklearn.") and not is_frozen


def prepare_to_serve(estimator: Estimator) -> None:
    """Let the estimator, and all in it, predict in one thread and leave its input as it is.

    A forest saved with `n_jobs=-1` takes three times as long for one record, and the service has
    processes to use all processors. A scaler saved with `copy=False` would scale the same
    records once more when they are explained.
    """
    for part in _parts(estimator):
        if getattr(part, "n_jobs", 1) != 1:
            part.n_jobs = 1
        if is_sklearns_own(part) and getattr(part, "copy", True) is False:
            part.copy = True


def _parts(estimator: Estimator) -> Iterator[Any]:
    """Yield the estimator, and each estimator and transformer inside it, once."""
    visited: set[int] = set()
    pending = [estimator]
    while pending:
        part = pending.pop()
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif id(part) in visited:
            continue
        elif hasattr(part, "predict") or hasattr(part, "transform"):
            visited.add(id(part))
            yield part
            attributes = getattr(part, "__dict__", {})
            pending.extend(attributes.values())
