"""Forms: what an estimator was fitted with, where that is no DataFrame and no array.

Inside the room, columns are a DataFrame or an array. A text model may want its one column alone,
and a DictVectorizer a list of dicts: a form makes that of the columns when an estimator is called.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from python.model.data.columns import is_frame, to_array
from python.model.types import Columns, Estimator

Form: TypeAlias = Callable[[Columns], Any]
"""From columns to what an estimator takes."""

METHODS = ("predict", "predict_proba", "decision_function", "transform")


def as_columns(columns: Columns) -> Columns:
    """Return the columns as they are."""
    return columns


def as_copy(columns: Columns) -> Columns:
    """Return a copy of the columns: code that nobody knows may write into what it is given."""
    return columns.copy()


def as_series(columns: Columns) -> Any:
    """Return the only column of a DataFrame as a Series."""
    return columns.iloc[:, 0]


def as_vector(columns: Columns) -> Any:
    """Return the only column as an array of one dimension."""
    return as_matrix(columns)[:, 0]


def as_matrix(columns: Columns) -> Columns:
    """Return an array of its own, which may be written into: a DataFrame's may not."""
    return np.array(to_array(columns))


def as_list(columns: Columns) -> list[Any]:
    """Return the values of the only column as a list."""
    return list(as_vector(columns))


def as_records(columns: Columns) -> list[dict[str, Any]]:
    """Return a list of a dict for each row of a DataFrame."""
    records: list[dict[str, Any]] = columns.to_dict("records")
    return records


def forms_of(columns: Columns, usual: Form = as_columns) -> list[Form]:
    """Return the forms that an estimator may have been fitted with, the `usual` one first."""
    forms = [usual]
    if is_frame(columns):
        if columns.shape[1] == 1:
            forms += [as_series, as_vector, as_list]
        forms += [as_matrix, as_records]
    return forms


class FormedEstimator:
    """An estimator that is called with columns, and takes them in the form it was fitted with."""

    def __init__(self, estimator: Estimator, form: Form) -> None:
        self.__wrapped__ = estimator
        self._form = form

    def __getattr__(self, name: str) -> Any:
        # A copy that is being made has no fields yet.
        if name in ("__wrapped__", "_form"):
            raise AttributeError(name)
        attribute = getattr(self.__wrapped__, name)
        if name not in METHODS:
            return attribute
        form = self._form

        def call(columns: Columns) -> Any:
            return attribute(form(columns))

        return call


def with_form(estimator: Estimator, form: Form) -> Estimator:
    """Return the estimator, or one that puts columns into the form before it is called."""
    if form is as_columns:
        return estimator
    return FormedEstimator(estimator, form)
