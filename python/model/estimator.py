"""Facts about a fitted estimator, told by its attributes and never by the name of its class."""

import logging
import re
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from python.model.attributes import has_attribute, read_attribute
from python.model.base import Task
from python.model.data.columns import to_dense
from python.model.data.forms import Form, as_columns, as_copy, with_form
from python.model.data.spelling import one_line
from python.model.diagnosis import distribution_of
from python.model.inputs import are_lightgbms
from python.model.types import Columns, Estimator, Matrix, Transformer

log = logging.getLogger(__name__)

SEVERAL_OUTPUTS = "MULTIOUTPUT_CLASSIFICATION"
NUMBERS = "biuf"  # the kinds of NumPy's dtypes
# What an estimator is not, and has by the million: the words of a vocabulary, for example.
PLAIN_TYPES = {
    type(None),
    bool,
    bytes,
    complex,
    float,
    int,
    str,
    np.bool_,
    np.float32,
    np.float64,
    np.int32,
    np.int64,
    np.ndarray,
    np.str_,
}
MAX_VISITED = 1_000_000


class Steps(NamedTuple):
    """What a record passes through: the transformers, then the estimator that predicts."""

    transformers: list[Transformer]
    predictor: Estimator
    may_write: bool = False
    """Whether a transformer may write into the columns, so that it gets a copy of them."""

    def transform(self, columns: Columns) -> Columns:
        """Return the columns as the predictor takes them, a sparse matrix as an array."""
        return to_dense(self.transform_sparse(columns))

    def transform_sparse(self, columns: Columns) -> Any:
        """Return the columns as they reach the predictor: array, DataFrame or sparse matrix."""
        if self.may_write:
            columns = as_copy(columns)
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
        except Exception as error:
            # A name is optional, and libraries raise whatever they like for it.
            log.info("no names of columns: %s", one_line(error))
            names = []
        if len(names) != width:
            return [f"x{number}" for number in range(width)]
        return [str(name) for name in names]


def split_steps(estimator: Estimator, form: Form = as_columns) -> Steps:
    """Return the steps inside pipelines and searches, however they are nested.

    The first of them is called with columns, and takes them in the `form`.
    """
    transformers: list[Transformer] = []
    *outer, predictor = layers(estimator)
    for layer in outer:
        if has_attribute(layer, "best_estimator_"):
            continue
        for _, step in layer.steps[:-1]:
            if _transforms(step):
                transformers.append(step)
    if transformers and form is as_copy:
        return Steps(transformers, predictor, may_write=True)
    if transformers:
        transformers[0] = with_form(transformers[0], form)
        return Steps(transformers, predictor)
    return Steps([], with_form(predictor, form))


def _transforms(step: Transformer | str | None) -> bool:
    """Return whether a step changes what is predicted.

    A sampler of imbalanced-learn changes only what is fitted, and has no `transform`.
    """
    if step is None or isinstance(step, str):
        return False
    return has_attribute(step, "transform")


def layers(estimator: Estimator) -> Iterator[Estimator]:
    """Yield the estimator, then what each search or pipeline holds, down to the predictor."""
    yield estimator
    while True:
        if has_attribute(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif has_steps(estimator):
            _, estimator = estimator.steps[-1]
        else:
            return
        yield estimator


def has_steps(estimator: Estimator) -> bool:
    """Return whether it is a pipeline; `steps` may be a number in a class of the user's own."""
    steps = read_attribute(estimator, "steps")
    if not isinstance(steps, list) or not steps:
        return False
    return all(isinstance(step, tuple) and len(step) == 2 for step in steps)


def predictor_type(estimator: Estimator) -> type:
    """Return the type of the last step of a pipeline, search or calibration."""
    predictor = split_steps(estimator).predictor
    calibrated = read_attribute(predictor, "calibrated_classifiers_")
    if calibrated and isinstance(calibrated, list):
        return predictor_type(calibrated[0].estimator)
    return type(predictor)


def estimator_type(estimator: Estimator) -> str:
    """Return scikit-learn's `estimator_type`: "classifier", "regressor", "clusterer"..."""
    from sklearn.utils import get_tags

    try:
        tagged_type = get_tags(estimator).estimator_type
    except Exception:
        # It is no estimator of scikit-learn's kind.
        tagged_type = read_attribute(estimator, "_estimator_type")
    if tagged_type:
        return str(tagged_type)
    has_classes = has_attribute(estimator, "classes_")
    if has_classes or has_attribute(estimator, "predict_proba"):
        return "classifier"
    return "regressor"


def find_task(
    kind: str, prediction: NDArray[Any], class_names: list[list[str]]
) -> str:
    """Return the task, told by the estimator's type and the prediction for one record.

    `class_names` are those of each output.
    """
    if kind == "regressor" and prediction.dtype.kind in NUMBERS:
        return Task.REGRESSION
    if kind not in ("classifier", "regressor"):
        return kind.upper()
    if prediction.size > 1:
        return SEVERAL_OUTPUTS
    if not class_names:
        return "CLASSIFIER"
    if len(class_names[0]) <= 2:
        return Task.BINARY_CLASSIFICATION
    return Task.MULTICLASS_CLASSIFICATION


def find_importances(predictor: Estimator) -> Matrix | None:
    """Return the importance of each column that the predictor takes, (n_columns,).

    These are its own, or else its absolute coefficients, summed over the outputs: the rule of
    scikit-learn's SelectFromModel (`importance_getter="auto"`, `norm_order=1`).
    """
    try:
        return _read_importances(predictor)
    except Exception as error:
        # Nothing is known of what other libraries call by these names.
        log.warning("no importances: %s", one_line(error))
        return None


def _read_importances(predictor: Estimator) -> Matrix | None:
    importances = read_attribute(predictor, "feature_importances_")
    if (
        np.ndim(importances) == 1
    ):  # CatBoost's rankers have none until they are computed
        return np.asarray(importances, dtype=float)
    coefficients = read_attribute(predictor, "coef_")
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


def holds_own_code(estimator: Estimator) -> bool:
    """Return whether there is a function or a class in it that belongs to no installed package.

    Such code may write into the columns that it is given, as many a function of a notebook does:
    `frame["x"] = np.log1p(frame["x"])`.
    """
    return any(map(_is_own_code, find_nested(estimator)))


def _is_own_code(part: Any) -> bool:
    function = read_attribute(part, "func")  # a FunctionTransformer's
    if function is not None and not isinstance(function, np.ufunc):
        return True
    package = type(part).__module__.partition(".")[0]
    return distribution_of(package) is None


def prepare_to_serve(estimator: Estimator) -> None:
    """Let the estimator, and all in it, predict in one thread and leave its input as it is.

    A forest saved with `n_jobs=-1` takes three times as long for one record, and the service has
    processes to use all processors. A scaler saved with `copy=False` would scale the same
    records once more when they are explained.
    """
    for part in find_nested(estimator):
        if read_attribute(part, "n_jobs", 1) != 1:
            part.n_jobs = 1
        if is_sklearns_own(part) and getattr(part, "copy", True) is False:
            part.copy = True
        _ignore_missing_names(part)


def _ignore_missing_names(part: Estimator) -> None:
    """Let an array come without names where the part was fitted with an array.

    LightGBM before 4.7 says that it was fitted with names, so that scikit-learn would write a
    warning to the log for each prediction.
    """
    names = read_attribute(part, "feature_names_in_")
    if names is not None and are_lightgbms(list(names)):
        message = (
            f"X does not have valid feature names, but {type(part).__name__} "
        )
        warnings.filterwarnings("ignore", re.escape(message), UserWarning)


def find_nested(estimator: Estimator) -> Iterator[Any]:
    """Yield the estimator, and each estimator and transformer inside it, once.

    The outer ones come first. What an estimator keeps besides may be of any size and may hold
    itself: the search ends after a million items, of which plain values are none.
    """
    visited: set[int] = set()
    pending = deque([estimator])
    while pending and len(visited) < MAX_VISITED:
        item = pending.popleft()
        if id(item) in visited:
            continue
        visited.add(id(item))
        if not isinstance(item, dict | list | tuple):
            if not _is_part(item):
                continue
            yield item
        pending.extend(_items_of(item))


def _items_of(part: Any) -> list[Any]:
    """Return what is in a list or a dict, or the attributes of an estimator, but plain values."""
    items = part
    if isinstance(part, dict):
        items = part.values()
    elif not isinstance(part, list | tuple):
        items = getattr(part, "__dict__", {}).values()
    return [item for item in items if type(item) not in PLAIN_TYPES]


def _is_part(value: Any) -> bool:
    # What a calibration holds has probabilities alone.
    methods = ("predict", "transform", "predict_proba")
    return any(has_attribute(value, method) for method in methods)
