"""Responses: from the model's answers, and from everything that went wrong, to bytes."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Any

import msgspec
from flask import Response
from numpy.typing import NDArray

from python.api.requests import Query
from python.model.base import Explanation, Model

JSON = "application/json"


def _jsonable(value: Any) -> Any:
    """NumPy's scalars and arrays as the values they hold; anything else that metadata may bring as its text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


ENCODER = msgspec.json.Encoder(enc_hook=_jsonable)


def answer(content: Any) -> Response:
    """The content as strict JSON: the order of keys kept, NaN and infinity as null."""
    return Response(ENCODER.encode(content), mimetype=JSON)


def predicted(
    model: Model, query: Query, outcome: NDArray[Any], explanation: Explanation | None
) -> Response:
    """The answer to a prediction: labels, numbers or probabilities, and what explains them."""
    content = {
        "prediction": _objects(model.class_names or (), outcome)
        if query.proba
        else outcome.tolist()
    }
    return answer(
        content | _explained(model, query.records.single, explanation)
        if explanation
        else content
    )


def _objects(names: Sequence[str], table: NDArray[Any]) -> list[Any]:
    """The rows of a table, (n_rows, n_names), as objects with these names."""
    return list(starmap(_object(tuple(names)), table.tolist()))


@lru_cache(maxsize=16)
def _object(names: tuple[str, ...]) -> Callable[..., Any]:
    """What makes an object of its values: a structure, which takes a fifth of the time that a dict takes."""
    fields = [f"value{number}" for number in range(len(names))]
    try:
        return msgspec.defstruct(
            "Object", fields, rename=dict(zip(fields, names, strict=True)), gc=False
        )
    except (
        ValueError
    ):  # a name with a quotation mark, a backslash or a control character
        return lambda *values: dict(zip(names, values, strict=True))


def _explained(model: Model, single: bool, explanation: Explanation) -> dict[str, Any]:
    names, classes = model.schema.names, model.class_names or []
    if explanation.values.ndim == 2:
        rows = _objects(names, explanation.values)
        base: Any = explanation.base_value
    else:
        by_class = explanation.values.swapaxes(1, 2)
        rows = [
            dict(zip(classes, _objects(names, table), strict=True))
            for table in by_class
        ]
        base = dict(zip(classes, explanation.base_value.tolist(), strict=True))
    return {
        "explanation": rows[0] if single else rows,
        "base_value": base,
        "explained_output": explanation.output,
    }


def preprocessed(names: list[str], columns: list[list[Any]]) -> Response:
    """The answer to a preprocessing: a list of records."""
    return answer(
        [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    )
