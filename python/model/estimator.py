"""A fitted estimator, asked what it is: its attributes answer, never the name of its class."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.base import Task
from python.model.data.columns import dense
from python.model.data.features import shown

ABSENT = (None, "passthrough")
SEVERAL_OUTPUTS = "MULTIOUTPUT_CLASSIFICATION"


class Steps(NamedTuple):
    """What a record passes through: the transformers, then the estimator that predicts."""

    transformers: list[Any]
    predictor: Any

    def handed(self, columns: Any) -> Any:
        """The columns as the predictor is handed them: an array, a sparse matrix or a DataFrame."""
        for transformer in self.transformers:
            columns = transformer.transform(columns)
        return columns

    def transform(self, columns: Any) -> Any:
        """The columns as the predictor sees them, dense."""
        return dense(self.handed(columns))

    def names_out(self, names: Sequence[str], width: int) -> list[str]:
        """The names of the transformed columns, as far as the transformers know them."""
        try:
            for transformer in self.transformers:
                names = transformer.get_feature_names_out(names)
        except (AttributeError, ValueError):
            return [f"x{number}" for number in range(width)]
        return [str(name) for name in names]


def steps(estimator: Any) -> Steps:
    """The steps inside pipelines and searches, however they are nested."""
    transformers: list[Any] = []
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif hasattr(estimator, "steps"):
            transformers += [step for _, step in estimator.steps[:-1] if step not in ABSENT]
            estimator = estimator.steps[-1][1]
        else:
            return Steps(transformers, estimator)


def layers(estimator: Any) -> Iterator[Any]:
    """The estimator, and those inside that `steps` looks into, down to the one that predicts."""
    yield estimator
    if hasattr(estimator, "best_estimator_"):
        yield from layers(estimator.best_estimator_)
    elif hasattr(estimator, "steps"):
        yield from layers(estimator.steps[-1][1])


def predictor_type(estimator: Any) -> type:
    """The type of the last step of a pipeline, of the estimator inside a search or a calibration."""
    predictor = steps(estimator).predictor
    calibrated = getattr(predictor, "calibrated_classifiers_", None)
    return predictor_type(calibrated[0].estimator) if calibrated else type(predictor)


def kind(estimator: Any) -> str:
    """scikit-learn's `estimator_type`: "classifier", "regressor", "clusterer"..."""
    from sklearn.utils import get_tags

    try:
        told = get_tags(estimator).estimator_type
    except (AttributeError, TypeError):  # not a scikit-learn estimator
        told = getattr(estimator, "_estimator_type", None)
    return told or ("classifier" if hasattr(estimator, "classes_") else "regressor")


def task(estimator: Any, prediction: NDArray[Any]) -> str:
    """What the estimator does, told from its tags, its classes and the prediction for one record."""
    told = kind(estimator)
    if told == "regressor":
        return Task.REGRESSION
    if told != "classifier":
        return told.upper()
    if prediction.size > 1:  # of one record
        return SEVERAL_OUTPUTS
    return (
        Task.BINARY_CLASSIFICATION
        if len(estimator.classes_) <= 2
        else Task.MULTICLASS_CLASSIFICATION
    )


def input_names(estimator: Any) -> list[str] | None:
    """The names of the columns the estimator was fitted with; None if it was fitted with an array."""
    names = getattr(estimator, "feature_names_in_", getattr(estimator, "feature_names_", None))
    # CatBoost numbers the columns of an array.
    return (
        None if names is None or list(names) == [str(n) for n in range(len(names))] else list(names)
    )


def takes_names(estimator: Any) -> bool:
    """Whether it wants a DataFrame: it was fitted with one, or does not say what it was fitted with."""
    return input_names(estimator) is not None or not hasattr(estimator, "n_features_in_")


def check_inputs(estimator: Any, names: list[str]) -> None:
    """Raise ArtifactError if `names` are not the columns that the estimator was fitted with, in their order."""
    fitted_names = input_names(estimator) or names
    count = getattr(estimator, "n_features_in_", 0) or len(
        fitted_names
    )  # CatBoost forgets it in a file
    if count != len(names):
        raise ArtifactError(
            f"the metadata names {len(names)} features, the model was fitted with {count}"
        )
    for ours, fitted in zip(names, fitted_names, strict=True):
        if fitted not in (
            ours,
            ours.replace(" ", "_"),
        ):  # LightGBM writes an underscore for each blank
            raise ArtifactError(
                f"the metadata names {shown(ours)} where the model was fitted with {shown(fitted)}"
            )


def class_names(estimator: Any, given: Any) -> list[str] | None:
    """What to call the classes, in the order of `classes_`: as given, or their labels; None where there are none.

    Raises ArtifactError if the names given do not match the classes.
    """
    classes = [] if (found := getattr(estimator, "classes_", None)) is None else list(found)
    if given is None:
        return [
            str(label) for label in classes
        ] or None  # CatBoost's regressors have classes, and none of them
    if not classes:
        raise ArtifactError("the metadata has class_names, but the model has no classes")
    given = given.tolist() if hasattr(given, "tolist") else given
    names = (
        [str(name) for name in given if name is not None] if isinstance(given, list | tuple) else []
    )
    if len(names) != len(classes) or len(set(names)) < len(names):
        raise ArtifactError(
            f"class_names must be a list of {len(classes)} names, one for each of the model's classes"
        )
    return names


def importances(predictor: Any) -> NDArray[np.float64] | None:
    """The importance of each column the predictor sees: its own, or the absolute coefficients summed over the outputs.

    The second is the rule of scikit-learn's SelectFromModel (`importance_getter="auto"`, `norm_order=1`).
    """
    if (own := getattr(predictor, "feature_importances_", None)) is not None:
        return np.asarray(own, dtype=float)
    if (coefficients := getattr(predictor, "coef_", None)) is not None:
        return np.asarray(np.abs(np.atleast_2d(dense(coefficients)).astype(float)).sum(axis=0))
    return None


def of_sklearn(step: Any) -> bool:
    """Whether the step is scikit-learn's own: a subclass may do anything."""
    module = type(step).__module__
    return module.startswith("sklearn.") and not module.startswith(
        "sklearn.frozen"
    )  # which is what it holds


def fit_to_serve(estimator: Any) -> None:
    """Make the estimator, and all estimators in it, predict in the calling thread, and leave what they are given as it is.

    One record costs a forest saved with `n_jobs=-1` three times as much; the service's processes are its parallelism. A scaler
    saved with `copy=False` scales the same records once more when they are explained.
    """
    for part in _parts(estimator):
        if getattr(part, "n_jobs", 1) != 1:
            part.n_jobs = 1
        if of_sklearn(part) and getattr(part, "copy", True) is False:
            part.copy = True


def _parts(estimator: Any) -> Iterator[Any]:
    seen: set[int] = set()
    pending = [estimator]
    while pending:
        part = pending.pop()
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif id(part) not in seen and (hasattr(part, "predict") or hasattr(part, "transform")):
            seen.add(id(part))
            yield part
            pending.extend(getattr(part, "__dict__", {}).values())
