"""What a user fitted, written as a user would write it, with the estimator's own answers.

It imports nothing of the service, so it also runs beside an older scikit-learn.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

ASKED_ROWS = 50
ANSWER = "answer"
"""The service has to give the estimator's own answers, or to refuse the file."""
REFUSE = "refuse"
"""The file contradicts itself: the service has to refuse it."""
UNSEEN = "unseen"
"""The file is wrong and nothing in it can tell: the answers differ, as the docs say."""

USUAL_DTYPES = {
    "float64": "numeric",
    "int64": "integer",
    "bool": "boolean",
    "str": "string",
    "datetime64[ns]": "datetime",
    "datetime64[us]": "datetime",
}
KINDS = {
    "f": "numeric",
    "i": "integer",
    "u": "integer",
    "b": "boolean",
    "M": "datetime",
}

Record = dict[str, Any]


@dataclass(frozen=True)
class Fitted:
    """An estimator, and the data as it was fitted with: a frame, a matrix, texts or dicts.

    `features` and `class_names` go into the metadata; without features they are derived from
    the data's own types, as the contract names them. `names` are those of a matrix's columns.
    `extra` holds further keys of the artifact, such as samples and examples.
    `predict` and `predict_proba` replace the estimator's methods where it has others.
    `called` are the true names of its classes, where `class_names` are wrong.
    `records` are sent instead of the data, where the metadata spells its values in another way.
    `task` is what `/info` has to say, where a model could be mistaken for another.
    """

    model: Any
    data: Any
    features: Sequence[Record] | None = None
    class_names: Sequence[Any] | None = None
    names: Sequence[str] | None = None
    extra: Record = field(default_factory=dict)
    predict: Callable[[Any], Any] | None = None
    predict_proba: Callable[[Any], Any] | None = None
    called: Sequence[Any] | None = None
    records: Sequence[Record] | None = None
    task: str | None = None
    should: str = ANSWER
    dump: Callable[[Any, Path], Any] = joblib.dump


def write(folder: Path, fitted: Fitted) -> None:
    """Write `model.joblib`, and `asked.json` with records and the estimator's answers."""
    asked_data = first_rows(fitted.data, ASKED_ROWS)
    records = fitted.records or to_records(asked_data, fitted.names)
    asked = {
        "records": records[:ASKED_ROWS],
        **own_answers(fitted, asked_data),
        "task": fitted.task,
        "should": fitted.should,
    }
    features = fitted.features or describe(fitted.data, fitted.names)
    metadata: Record = {"features": list(features)}
    if fitted.class_names is not None:
        metadata["class_names"] = list(fitted.class_names)
    artifact = {"model": fitted.model, "metadata": metadata, **fitted.extra}
    fitted.dump(artifact, folder / "model.joblib")
    (folder / "asked.json").write_text(json.dumps(asked))


def own_answers(fitted: Fitted, rows: Any) -> Record:
    """Return the estimator's predictions and probabilities for its own kind of data."""
    predict = fitted.predict or fitted.model.predict
    predictions = np.asarray(predict(rows))
    answers: Record = {
        "predictions": predictions.tolist(),
        "are_numbers": predictions.dtype.kind == "f"
        and not _has_classes(fitted),
        "is_float32": predictions.dtype == np.float32,
        "probabilities": None,
        "class_names": _class_names(fitted),
    }
    predict_proba = fitted.predict_proba or getattr(
        fitted.model, "predict_proba", None
    )
    if predict_proba is None:
        return answers
    probabilities = predict_proba(rows)
    if isinstance(probabilities, list):  # one table for each output
        tables = [np.asarray(table).tolist() for table in probabilities]
        answers["probabilities"] = [
            list(row) for row in zip(*tables, strict=True)
        ]
        return answers
    probabilities = np.asarray(probabilities)
    if predictions.shape[1:] > (1,):  # whether each label applies
        pairs = np.stack([1 - probabilities, probabilities], axis=2)
        answers["probabilities"] = pairs.tolist()
        answers["class_names"] = None
    else:
        answers["probabilities"] = probabilities.tolist()
    answers["is_float32"] |= probabilities.dtype == np.float32
    return answers


def examples_of(model: Any, rows: Any) -> Record:
    """Return what a user adds to the artifact as `examples`."""
    examples = {
        "records": rows,
        "predictions": np.asarray(model.predict(rows)).tolist(),
    }
    if hasattr(model, "predict_proba"):
        examples["probabilities"] = np.asarray(
            model.predict_proba(rows)
        ).tolist()
    return examples


def first_rows(data: Any, count: int) -> Any:
    """Return the first rows of data of any kind, as data of that kind."""
    return data.iloc[:count] if hasattr(data, "iloc") else data[:count]


def to_records(data: Any, names: Sequence[str] | None = None) -> list[Record]:
    """Return the rows of data of any kind as records that JSON can carry."""
    if _is_table_of_dicts(data):
        return [{name: to_json(row[name]) for name in row} for row in data]
    columns = _columns(data, names)
    rows = zip(*[list(column) for column in columns.values()], strict=True)
    return [dict(zip(columns, map(to_json, row), strict=True)) for row in rows]


def to_json(value: Any) -> Any:
    """Return a value of a column as JSON has it, null where it is missing."""
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, pd.Timestamp | np.datetime64):
        return pd.Timestamp(value).isoformat()
    scalar = value.item() if isinstance(value, np.generic) else value
    is_nan = isinstance(scalar, float) and math.isnan(scalar)
    return None if is_nan else scalar


def describe(data: Any, names: Sequence[str] | None = None) -> list[Record]:
    """Return the features as a user would describe them, by the columns' own types."""
    if _is_table_of_dicts(data):
        return describe(pd.DataFrame(data))
    return [
        _describe(name, column)
        for name, column in _columns(data, names).items()
    ]


def _describe(name: str, column: Any) -> Record:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = [to_json(category) for category in dtype.categories]
        return {"name": name, "type": "category", "categories": categories}
    kind = _kind(column)
    feature: Record = {"name": name, "type": kind}
    if str(dtype) not in USUAL_DTYPES and not _is_usual_text(column):
        feature["dtype"] = str(dtype)
    return feature


def _kind(column: Any) -> str:
    present = [value for value in column if to_json(value) is not None]
    if present and all(
        isinstance(value, bool | np.bool_) for value in present
    ):
        return "boolean"
    return KINDS.get(getattr(column.dtype, "kind", "O"), "string")


def _is_usual_text(column: Any) -> bool:
    if isinstance(column, np.ndarray):
        return column.dtype.kind in "OUS"
    # Since version 3, pandas has a type of its own for text.
    return bool(column.dtype.kind == "O") and pd.__version__.startswith("2")


def _columns(data: Any, names: Sequence[str] | None) -> dict[str, Any]:
    if isinstance(data, pd.DataFrame):
        return {str(name): data[name] for name in data}
    if isinstance(data, pd.Series):
        return {str(data.name or "text"): data}
    table = data.toarray() if hasattr(data, "toarray") else np.asarray(data)
    if table.ndim == 1:
        return {"text": table}
    numbered = [f"feature{number}" for number in range(table.shape[1])]
    return dict(zip(names or numbered, table.T, strict=True))


def _is_table_of_dicts(data: Any) -> bool:
    return isinstance(data, list) and isinstance(data[0], dict)


def _has_classes(fitted: Fitted) -> bool:
    classes: Any = getattr(fitted.model, "classes_", None)
    return (
        classes is not None and len(classes) > 0
    )  # CatBoost has none for a number


def _class_names(fitted: Fitted) -> list[str] | None:
    names: Any = fitted.called or fitted.class_names
    if names is None and _has_classes(fitted):
        names = fitted.model.classes_
    if names is None or np.ndim(names[0]) > 0:  # classes_ of several outputs
        return None
    return [str(name) for name in names]
