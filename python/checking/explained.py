"""The explanation of an example record: which method it is, and how exactly it adds up."""

from collections.abc import Mapping
from typing import Any

from python.errors import ServiceError
from python.model.base import Model
from python.model.data.records import Records

KEYS = ("is_explainable", "reason", "explanation_method", "needs_samples")


def check_explanation(model: Model, info: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the model is explained, or why not, by what `info` says and by an example.

    `players` is the number of features that share the output.
    `error` is by how much a sum was off in the proof, in the space of the output; None where no
    method was proven.
    """
    described = {key: info.get(key) for key in KEYS}
    described["players"] = len(model.schema.features)
    described["error"] = info.get("explanation_worst_error")
    if not model.offers_explanations:
        return described
    record = model.schema.row(model.example())
    predictions = model.predictions(Records(model.schema, [record]))
    try:
        explanation = model.explain(predictions)
    except ServiceError as error:
        # Another record may be explained; a request for this one gets the same sentence.
        described["reason"] = error.detail
        return described
    described["explained_output"] = explanation.output
    return described
