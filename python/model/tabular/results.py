"""Results: what a model says of records, as named columns of a table."""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from python.errors import Unprocessable
from python.model.base import Explanation, Model, Predictions
from python.model.data.features import Value
from python.model.data.spelling import shorten
from python.model.types import Matrix

Results: TypeAlias = dict[str, NDArray[Any]]
"""A column for each name, (n_records,): labels, texts or numbers."""

Named: TypeAlias = Iterator[tuple[str, NDArray[Any]]]
"""Columns, each with its name."""

BOOLEANS = {True: "true", False: "false"}


def make_results(
    model: Model,
    predictions: Predictions,
    explanation: Explanation | None,
    *,
    proba: bool,
) -> Results:
    """Return the columns `prediction`, with `proba` `proba_...`, and those of an explanation.

    With several outputs, there is one for each of them, `prediction_0` and so on.
    Raises Unprocessable for probabilities of a model that has none.
    """
    columns = list(_name_outputs("prediction", predictions.prediction))
    if predictions.scores is not None:
        columns.append(("score", predictions.scores))
    if proba:
        columns += _name_probabilities(model, predictions)
    if explanation is not None:
        columns += _name_values(model, explanation)
    check_names([name for name, _ in columns])
    return {name: _without_infinity(column) for name, column in columns}


def _without_infinity(column: NDArray[Any]) -> NDArray[Any]:
    """Return a column of numbers with NaN where they are infinite: no result is a number then."""
    if column.dtype.kind != "f":
        return column
    return np.where(np.isfinite(column), column, np.nan)


def _name_outputs(name: str, outputs: NDArray[Any]) -> Named:
    if outputs.ndim == 1:
        yield name, outputs
        return
    for number, column in enumerate(outputs.T):
        yield f"{name}_{number}", column


def _name_probabilities(model: Model, predictions: Predictions) -> Named:
    if model.class_names_by_output is None:
        # It raises where there are none.
        probabilities = predictions.probabilities
        yield from _name_columns(
            "proba", model.class_names or [], probabilities
        )
        return
    by_output = zip(
        model.class_names_by_output,
        predictions.probabilities_by_output,
        strict=True,
    )
    for number, (classes, table) in enumerate(by_output):
        yield from _name_columns(f"proba_{number}", classes, table)


def _name_columns(prefix: str, names: Sequence[str], table: Matrix) -> Named:
    for name, column in zip(names, table.T, strict=True):
        yield f"{prefix}_{name}", column


def _name_values(model: Model, explanation: Explanation) -> Named:
    """Yield a column for each feature and a base value, for each output and class there is.

    Values that are sampled come with their standard errors.
    """
    labels = list(_label_explained(model))
    tables = {"shap": explanation.values}
    if explanation.standard_error is not None:
        tables["standard_error"] = explanation.standard_error
    for prefix, values in tables.items():
        by_label = values.reshape(*values.shape[:2], len(labels))
        for label, table in zip(
            labels, np.moveaxis(by_label, 2, 0), strict=True
        ):
            yield from _name_columns(prefix + label, model.schema.names, table)
    base_values = np.reshape(explanation.base_value, len(labels))
    for label, base_value in zip(labels, base_values, strict=True):
        yield (
            f"base_value{label}",
            np.full(len(explanation.values), base_value),
        )


def _label_explained(model: Model) -> Iterator[str]:
    """Yield what follows the prefix of a column, nothing where one number is explained.

    Example: `_yes` and `_no` of a class each, `_0` and `_1` of an output each.
    """
    outputs = model.explained_classes
    for number, classes in enumerate(outputs):
        of_output = f"_{number}" if len(outputs) > 1 else ""
        if not classes:
            yield of_output
        for name in classes:
            yield f"{of_output}_{name}"


def check_names(names: Sequence[str]) -> None:
    """Raise Unprocessable where two columns would have the same name."""
    for name, count in Counter(names).items():
        if count > 1:
            raise Unprocessable(
                f"the output would have {count} columns named {shorten(name)}"
            )


def list_cells(column: NDArray[Any]) -> list[Value]:
    """Return the values of a column for CSV: None, an empty cell, for what is no number."""
    values: list[Value] = column.tolist()
    has_gaps = column.dtype.kind == "f" and np.isnan(column).any()
    if has_gaps or column.dtype.kind in "bO":
        return [spell(value) for value in values]
    return values


def spell(value: Value) -> Value:
    """Return true and false as JSON spells them, and None for NaN."""
    if isinstance(value, bool):
        return BOOLEANS[value]
    return None if isinstance(value, float) and isnan(value) else value
