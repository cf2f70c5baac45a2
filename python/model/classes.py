"""Classes: what an estimator's labels are called, and which probabilities are theirs.

Several outputs, such as the several labels of one text, have classes of their own each.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.attributes import has_attribute, read_attribute
from python.model.data.spelling import one_line, shorten
from python.model.types import Columns, Estimator, Matrix

Names: TypeAlias = list[str]
"""Of the classes of one output."""

log = logging.getLogger(__name__)

OTHER_BOOLEANS = {"0.0": "false", "1.0": "true"}
NO_METHOD = "it has no predict_proba"
# Their parts are numbered, and have no names: the components of a mixture, clusters.
NUMBERED = ("density_estimator", "clusterer")
CURE = (
    "serve a classifier whose predict() returns labels, such as CatBoostClassifier, "
    "or wrap the model as docs/outputs.md shows"
)


class Classes(NamedTuple):
    """The names of the classes of each output.

    `no_probabilities` says why they have no probabilities; it is "" if they have.
    """

    names: list[Names]
    no_probabilities: str


def find_classes(
    estimator: Estimator,
    kind: str,
    row: Columns,
    class_names: Any,
) -> Classes:
    """Return the classes of an estimator of this `kind`, which is tried on `row`.

    `class_names` are those of the metadata: a list, or for several outputs a list of lists.
    Raises ArtifactError if these do not match the classes, if nothing says what the columns of
    the probabilities are, or if what is predicted is none of the labels.
    """
    prediction = np.asarray(estimator.predict(row))
    labels = _find_labels(estimator, prediction.size)
    if kind == "classifier":
        _check_labels(prediction, labels)
    if not has_attribute(estimator, "predict_proba"):
        return Classes(_find_names(labels, class_names), NO_METHOD)
    try:
        with np.errstate(all="ignore"):
            probabilities = estimator.predict_proba(row)
        tables = split_outputs(probabilities, prediction.size)
    except Exception as error:
        # What one row raises, every other one would.
        reason = f"predict_proba raises {one_line(error)}"
        log.warning("no probabilities: %s", reason)
        return Classes(_find_names(labels, class_names), reason)
    labels = labels or _label_columns(kind, tables, class_names)
    _check_columns(probabilities, labels)
    names = _find_names(labels, class_names)
    mismatch = _compare(names, tables)
    if mismatch:
        log.warning("no probabilities: %s", mismatch)
    return Classes(names, mismatch)


def split_outputs(probabilities: Any, n_outputs: int) -> list[Matrix]:
    """Return the probabilities of each output, (n_records, n_classes).

    Estimators with several outputs return a list of them, or (n_records, n_outputs): the
    probability of the second of two classes. A float32 stays one: it says how exact it is.
    """
    if isinstance(probabilities, list) and np.ndim(probabilities[0]) == 2:
        return [_as_floats(table) for table in probabilities]
    table = _as_floats(probabilities)
    if table.ndim == 3:
        return list(table)
    if n_outputs == 1:
        return [table]
    return [np.column_stack([1 - column, column]) for column in table.T]


def _as_floats(table: Any) -> Matrix:
    """Return the numbers as floats of their own precision, others as float64."""
    numbers: Matrix = np.asarray(table)
    if numbers.dtype.kind == "f":
        return numbers
    return numbers.astype(float)


def _find_labels(estimator: Estimator, n_outputs: int) -> list[list[Any]]:
    """Return the labels of each output, in the order of `classes_`; none if it has no classes."""
    # CatBoost's regressors have classes, and none of them.
    classes = read_attribute(estimator, "classes_")
    if classes is None or len(classes) == 0:
        return []
    if np.ndim(classes[0]) > 0:
        return [list(of_output) for of_output in classes]
    if n_outputs > 1:
        # Where labels apply or not, they are the classes, and 0 or 1 is predicted for each.
        return [[0, 1]] * n_outputs
    return [list(classes)]


def _check_labels(prediction: NDArray[Any], labels: list[list[Any]]) -> None:
    """Raise ArtifactError if a classifier predicts scores instead of its labels."""
    if prediction.dtype.kind != "f":
        return
    for value, of_output in zip(prediction.flat, labels, strict=False):
        if value not in of_output:
            classes = ", ".join(shorten(str(label)) for label in of_output)
            raise ArtifactError(
                f"the model has the classes {classes} and predicts {value}, a score: {CURE}"
            )


def _check_columns(probabilities: Any, labels: list[list[Any]]) -> None:
    """Raise ArtifactError for a DataFrame of probabilities in another order than `classes_`."""
    if not hasattr(probabilities, "columns") or len(labels) != 1:
        return
    columns = [str(name) for name in probabilities.columns]
    own_names = [str(label) for label in labels[0]]
    if _is_reordered(columns, own_names):
        raise ArtifactError(
            f"predict_proba has the columns {', '.join(map(shorten, columns))}, and classes_ "
            f"has {', '.join(map(shorten, own_names))}: bring them into the same order"
        )


def _label_columns(
    kind: str, tables: list[Matrix], class_names: Any
) -> list[list[Any]]:
    """Return labels for the columns of probabilities that the estimator itself does not name.

    The metadata has to name them where they are not numbered anyway.
    """
    if kind == "regressor":
        return []
    if kind in NUMBERED:
        return [list(range(table.shape[1])) for table in tables]
    counts = [table.shape[1] for table in tables]
    names = [class_names] if len(tables) == 1 else _read_list(class_names)
    labels = [_read_names(of_output) for of_output in names]
    if [len(of_output) for of_output in labels] != counts:
        columns = _join(counts)
        raise ArtifactError(
            "the model has predict_proba and no classes_: write class_names into the "
            f"metadata, a name for each of its {columns} columns, in their order"
        )
    return labels


def _spell(label: Any) -> str:
    """Return the text of a label; of a date in ISO 8601, as a prediction has it."""
    if isinstance(label, np.datetime64):
        label = label.astype("datetime64[us]").item()
    if isinstance(label, datetime):
        return label.isoformat()
    return str(label)


def _find_names(labels: list[list[Any]], class_names: Any) -> list[Names]:
    """Return the names of the classes of each output: the metadata's, or else the labels."""
    own_names = []
    for of_output in labels:
        own_names.append([_spell(label) for label in of_output])
    if class_names is None:
        return own_names
    if not labels:
        raise ArtifactError(
            "the metadata has class_names, but the model has no classes"
        )
    if len(labels) == 1:
        return [_match(_read_names(class_names), own_names[0])]
    by_output = [_read_names(names) for names in _read_list(class_names)]
    counts = [len(names) for names in own_names]
    if [len(names) for names in by_output] != counts:
        raise ArtifactError(
            f"class_names must be a list of {len(labels)} lists, one for each of the "
            f"model's outputs, of {_join(counts)} names"
        )
    pairs = zip(by_output, own_names, strict=True)
    return [_match(names, own) for names, own in pairs]


def _read_list(values: Any) -> Sequence[Any]:
    """Return what is in a list, a tuple, an array or an index; nothing for anything else."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    return values if isinstance(values, list | tuple) else []


def _read_names(class_names: Any) -> Names:
    return [str(name) for name in _read_list(class_names) if name is not None]


def _match(names: Names, own_names: Names) -> Names:
    """Return the names; raise ArtifactError unless there is one for each label, in its order."""
    is_reordered = _is_reordered(names, own_names) or _is_reordered(
        _normalize(names, own_names), _normalize(own_names, own_names)
    )
    if is_reordered:
        # Each would name another class.
        order = ", ".join(map(shorten, own_names))
        raise ArtifactError(
            "class_names are the model's own labels in another order: "
            f"its classes_ are {order}"
        )
    if len(names) != len(own_names):
        expected = f"a list of {len(own_names)} names, one for each of the model's classes"
        raise ArtifactError(f"class_names must be {expected}")
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ArtifactError(
                f"class_names has {shorten(name)} twice: give each class a name of its own"
            )
    return names


def _is_reordered(names: Names, own_names: Names) -> bool:
    return names != own_names and sorted(names) == sorted(own_names)


def _normalize(names: Names, own_names: Names) -> Names:
    """Return the names as they are compared: a number by its value, a text without its case.

    Where the `own_names` of the labels are true and false, 1 and 0 are other names for them.
    """
    normalized = []
    for name in names:
        text = name.strip().casefold()
        normalized.append(_normalize_number(text))
    if sorted(own_names) == ["False", "True"]:
        return [OTHER_BOOLEANS.get(text, text) for text in normalized]
    return normalized


def _normalize_number(text: str) -> str:
    """Return the text of the same number as a decimal; any other text as it is."""
    try:
        return str(float(text))
    except ValueError:
        return text


def _compare(names: list[Names], tables: list[Matrix]) -> str:
    """Return why the probabilities are not those of the classes; "" if they are."""
    columns = [table.shape[-1] for table in tables]
    classes = [len(of_output) for of_output in names]
    if columns == classes:
        return ""
    if not names:
        return "it has no classes"
    reason = f"predict_proba has {_join(columns)} columns, and classes_ has {_join(classes)}"
    if classes == [1]:
        # Boosters have a second one all the same.
        reason += ": the model was fitted with rows of one class alone"
    return reason


def _join(counts: list[int]) -> str:
    return " and ".join(map(str, counts))
