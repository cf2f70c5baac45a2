"""Training data: the rows that an estimator was fitted with, as it takes them and as a table."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import ArtifactError
from python.model.attributes import read_attribute
from python.model.data.columns import Rows
from python.model.data.spelling import shorten
from python.model.inputs import input_names, says_inputs
from python.model.types import Columns, Estimator

Inputs: TypeAlias = Any
"""What an estimator was fitted with: a DataFrame, an array, or texts in a Series or a list."""

TEXT_NAME = "text"


class Training(NamedTuple):
    """The training data in both forms, with the same rows.

    `inputs` is what the estimator takes.
    `table` is a DataFrame whose columns are the features, each in the dtype of the training data.
    """

    inputs: Inputs
    table: Columns

    @property
    def names(self) -> list[str]:
        """The names of the features."""
        return list(self.table.columns)

    def take_inputs(self, rows: Rows) -> Inputs:
        """Return a copy of some rows as the estimator takes them: it may change what it gets."""
        if hasattr(self.inputs, "iloc"):
            return self.inputs.iloc[rows].copy()
        if isinstance(self.inputs, list):
            return [self.inputs[row] for row in rows]
        return self.inputs[rows]

    def take_table(self, rows: Rows) -> Columns:
        """Return some rows of the table, numbered from 0."""
        return self.table.iloc[rows].reset_index(drop=True)


def read_training(estimator: Estimator, inputs: Inputs) -> Training:
    """Return the training data of the estimator.

    Raises ArtifactError with one sentence for what is no training data, or not this estimator's.
    """
    if hasattr(inputs, "iloc"):
        inputs, table = _read_pandas(estimator, inputs)
    elif isinstance(inputs, list | tuple):
        inputs, table = _read_list(estimator, list(inputs))
    elif isinstance(inputs, np.ndarray):
        table = _read_array(estimator, inputs)
    else:
        raise _refuse_kind(inputs)
    _check_size(table)
    _check_columns(estimator, list(table.columns))
    return Training(inputs, table.reset_index(drop=True))


def _read_pandas(
    estimator: Estimator, inputs: Inputs
) -> tuple[Inputs, Columns]:
    """Return what the estimator takes of a DataFrame or a Series, and the table of it."""
    if not hasattr(inputs, "columns"):
        name = inputs.name if isinstance(inputs.name, str) else TEXT_NAME
        return inputs, inputs.to_frame(name)
    names = list(inputs.columns)
    _check_names(names)
    has_names = input_names(estimator, names) is not None
    if has_names or not says_inputs(estimator, names):
        return inputs, inputs
    return inputs.to_numpy(), inputs


def _read_list(
    estimator: Estimator, inputs: list[Any]
) -> tuple[Inputs, Columns]:
    """Return what the estimator takes of a list of texts, dicts or rows, and the table of it."""
    import pandas as pd  # a model of numbers alone does without

    kinds = set(map(type, inputs))
    if kinds == {dict}:
        return inputs, pd.DataFrame(inputs)
    if kinds == {str}:
        return inputs, pd.DataFrame({TEXT_NAME: inputs})
    try:
        array = np.asarray(inputs)
    except ValueError as error:
        # NumPy makes no array of rows of several lengths.
        raise ArtifactError(
            "the rows of X do not have the same number of values: "
            "pass the rows that the model was fitted with"
        ) from error
    return array, _read_array(estimator, array)


def _read_array(estimator: Estimator, array: NDArray[Any]) -> Columns:
    """Return the table of an array, whose columns are called x0, x1, and so on."""
    import pandas as pd  # a model of numbers alone does without

    if array.ndim == 1:
        return pd.DataFrame({TEXT_NAME: array})
    if array.ndim != 2:
        raise ArtifactError(f"X must have two dimensions, not {array.ndim}")
    names = [f"x{number}" for number in range(array.shape[1])]
    if input_names(estimator, names) is not None:
        raise ArtifactError(
            "X is an array, but the model was fitted with named columns: "
            "pass the DataFrame that it was fitted with"
        )
    # A DataFrame makes texts of objects that are texts.
    dtype = object if array.dtype == object else None
    return pd.DataFrame(array, columns=names, dtype=dtype)


def _refuse_kind(inputs: Inputs) -> ArtifactError:
    advice = ""
    for method in ("toarray", "to_pandas"):
        if hasattr(inputs, method):
            advice = f": fit the model with X.{method}() and pass that"
    kind = type(inputs).__name__
    return ArtifactError(
        f"X must be a DataFrame or an array and is a {kind}{advice}"
    )


def _check_names(names: Sequence[Any]) -> None:
    """Raise ArtifactError for names that a record cannot have."""
    for number, name in enumerate(names, start=1):
        if name == "":
            raise ArtifactError(
                f"column {number} of X has an empty name: rename it and fit again"
            )
        if not isinstance(name, str):
            raise ArtifactError(
                f"the column {shorten(str(name))} of X has a name that is no text: "
                "write X.columns = X.columns.map(str) and fit again"
            )
    for name, count in Counter(names).items():
        if count > 1:
            raise ArtifactError(
                f"X has several columns named {shorten(name)}: rename them and fit again"
            )


def _check_size(table: Columns) -> None:
    n_rows, n_columns = table.shape
    if not n_rows or not n_columns:
        raise ArtifactError(
            f"X has {n_rows} rows and {n_columns} columns: "
            "pass the rows that the model was fitted with"
        )


def _check_columns(estimator: Estimator, names: list[str]) -> None:
    """Raise ArtifactError unless the columns are those that the estimator says.

    Their order is compared when the file is proven, where the estimator can be tried.
    """
    fitted_names = input_names(estimator, names)
    if fitted_names is None:
        count = read_attribute(estimator, "n_features_in_") or len(names)
        if count != len(names):
            raise ArtifactError(
                f"X has {len(names)} columns, the model was fitted with {count}"
            )
        return
    # LightGBM writes an underscore for each blank.
    underscored = [name.replace(" ", "_") for name in names]
    additional = []
    for name, other in zip(names, underscored, strict=True):
        if name not in fitted_names and other not in fitted_names:
            additional.append(name)
    lacking = []
    for name in fitted_names:
        if name not in names and name not in underscored:
            lacking.append(name)
    _refuse_columns(additional, lacking)


def _refuse_columns(additional: list[str], lacking: list[str]) -> None:
    """Raise ArtifactError if there are such columns."""
    faults = []
    if additional:
        listed = _list(additional)
        faults.append(f"X has {listed}, which the model was not fitted with")
    if lacking:
        listed = _list(lacking)
        faults.append(f"X lacks {listed}, which the model was fitted with")
    if faults:
        raise ArtifactError("; ".join(faults))


def _list(names: list[str]) -> str:
    """Return the names for a sentence."""
    noun = "the column" if len(names) == 1 else "the columns"
    return f"{noun} {', '.join(map(shorten, names))}"
