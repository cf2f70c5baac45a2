"""Examples: rows for which a file says what the model predicted when it was saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from python.errors import ArtifactError
from python.model.data.features import Value
from python.model.data.json_values import to_json_value
from python.model.data.spelling import shorten, suggest

RESULTS = ("predictions", "probabilities")
KEYS = ("records", *RESULTS)
EXPECTED = (
    'examples must be a dict with "records" and, for each of them, '
    '"predictions", "probabilities" or both'
)


@dataclass(frozen=True)
class Examples:
    """Rows, and what the model predicted for each of them; None where that was left out.

    `records` is a DataFrame or a list of records.
    `predictions` are labels or numbers; `probabilities` are lists in the order of `classes_`, or
    dicts by class name; of several outputs, a list of these, one for each output.
    """

    records: Any
    predictions: list[Value] | None = None
    probabilities: list[Value] | None = None

    @classmethod
    def of(cls, content: Any) -> Self:
        """Return the examples that an artifact holds; raise ArtifactError if they are none."""
        if not isinstance(content, Mapping):
            raise ArtifactError(f"{EXPECTED}, got {shorten(content)}")
        for key in content:
            if key not in KEYS:
                suggestion = suggest(str(key), KEYS)
                raise ArtifactError(
                    f"examples: unknown key {shorten(key)}{suggestion}"
                )
        records = content.get("records")
        results: dict[str, list[Value]] = {}
        for name in RESULTS:
            if content.get(name) is not None:
                results[name] = _read_result(name, content[name], records)
        if records is None or not results:
            raise ArtifactError(EXPECTED)
        return cls(records, **results)


def _read_result(name: str, result: Any, records: Any) -> list[Value]:
    """Return what the model predicted for each record, in lists of values as JSON has them."""
    n_records = len(records) if hasattr(records, "__len__") else 0
    if name == "probabilities":
        result = _by_record(result, n_records)
    by_record = _to_lists(result)
    if not isinstance(by_record, list):
        raise ArtifactError(f"examples: {name} must be a list or an array")
    if len(by_record) != n_records:
        raise ArtifactError(
            f"examples: there are {len(by_record)} {name} for {n_records} records"
        )
    return by_record


def _by_record(probabilities: Any, n_records: int) -> Any:
    """Return the probabilities by record, by class name where they are those of a DataFrame.

    Of several outputs, `predict_proba` returns a list of arrays, (n_records, n_classes) each, or an
    array (n_outputs, n_records, n_classes).
    """
    if isinstance(probabilities, list | tuple) and probabilities:
        if all(getattr(output, "ndim", 0) == 2 for output in probabilities):
            outputs = map(_name_columns, probabilities)
            return list(zip(*outputs, strict=True))
        return probabilities
    has_outputs = getattr(probabilities, "ndim", 0) == 3
    if has_outputs and probabilities.shape[1] == n_records:
        return probabilities.swapaxes(0, 1)
    return _name_columns(probabilities)


def _name_columns(table: Any) -> Any:
    """Return the rows of a DataFrame as dicts, unless pandas has numbered its columns itself."""
    if not hasattr(table, "columns") or hasattr(table.columns, "step"):
        return table
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names):
        return table
    rows = table.to_numpy().tolist()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _to_lists(values: Any) -> Value:
    """Return the values in lists, tuples, arrays, Series, DataFrames and dicts as JSON has them."""
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, list | tuple):
        return [_to_lists(value) for value in values]
    if isinstance(values, Mapping):
        items = values.items()
        return {str(name): _to_lists(value) for name, value in items}
    return to_json_value(values)
