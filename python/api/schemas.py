"""Schemas: what a client may send to a model, and what it receives, as JSON Schema (2020-12)."""

from collections.abc import Sequence
from typing import Any

from python.api.responses import Content
from python.model.base import Model, Predictions
from python.model.data.features import Feature, Value
from python.model.data.metadata import RESERVED_NAMES
from python.model.data.records import Records
from python.model.data.schema import Schema

TEXT: Content = {"type": "string"}
NUMBER: Content = {"type": "number"}
BOOLEAN: Content = {"type": "boolean"}
WHOLE_NUMBER: Content = {"type": "integer"}
# A number that is not finite leaves as null.
NUMBER_OR_NULL: Content = {"type": ["number", "null"]}
TEXT_OR_NULL: Content = {"type": ["string", "null"]}
ANY_VALUE: Content = {
    "type": ["string", "number", "boolean", "null"],
    "description": "A value of a record.",
}
OUTPUTS = [
    "probability",
    "log_odds",
    "margin",
    "prediction",
    "log_prediction",
]


def ref(name: str) -> Content:
    """Return the reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def array_of(items: Content) -> Content:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def object_of(
    properties: Content, required: Sequence[str] | None = None
) -> Content:
    """Return the schema of an object, of whose members all are required unless some are named.

    It may have more: keys are added to responses in time.
    """
    names = list(properties) if required is None else list(required)
    return {"type": "object", "required": names, "properties": properties}


PROBLEM_SCHEMAS: Content = {
    "Problem": object_of(
        {
            "title": TEXT,
            "status": WHOLE_NUMBER,
            "detail": TEXT,
            "errors": array_of(ref("Fault")),
            "request_id": TEXT,
            "trace_id": TEXT,
        },
        required=["title", "status", "detail"],
    )
    | {"description": "What went wrong (RFC 9457)."},
    "Fault": object_of({"pointer": TEXT, "detail": TEXT})
    | {
        "description": "What does not fit, and where in the body it stands: a JSON pointer "
        "(RFC 6901), or a cell of CSV (RFC 7111)."
    },
}
ABOUT_SCHEMAS: Content = {
    "PreprocessedRecord": {
        "type": "object",
        "additionalProperties": ANY_VALUE,
    },
    "ServiceInfo": object_of(
        {
            "debug": BOOLEAN,
            "environment": TEXT,
            "running-since": NUMBER,
            "serving-model-name": TEXT,
            "serving-model-type": TEXT,
            "version-template": TEXT,
        }
    ),
    "Feature": object_of(
        {
            "name": TEXT,
            "type": TEXT,
            "default": ANY_VALUE,
            "categories": array_of(ANY_VALUE),
            "accepts_missing": BOOLEAN,
            "accepts_missing_from": TEXT,
            "required": BOOLEAN,
            "importance": NUMBER_OR_NULL,
        },
        required=["name", "type", "accepts_missing", "required"],
    ),
    "Info": object_of({"metadata": ref("Metadata"), "model": ref("Model")}),
    "Metadata": object_of({"features": array_of(ref("Feature"))}),
    "Model": object_of(
        {
            "type": TEXT,
            "predictor_type": TEXT,
            "task": TEXT,
            "has_probabilities": BOOLEAN,
            "probabilities_reason": TEXT_OR_NULL,
            "is_explainable": {"type": ["boolean", "null"]},
            "reason": TEXT_OR_NULL,
        }
    ),
}


EXPLANATIONS: Content = {
    "oneOf": [ref("Explanation"), array_of(ref("Explanation"))]
}
BESIDE_PREDICTIONS: Content = {
    "score": array_of(NUMBER_OR_NULL)
    | {"description": "Of an outlier detector: below 0 is an outlier."},
    "explanation": EXPLANATIONS
    | {"description": "SHAP values: a list for a list of records."},
    "base_value": ref("BaseValue"),
    "explained_output": {
        "type": "string",
        "enum": OUTPUTS,
        "description": "What the base value and the values add up to.",
    },
    "standard_error": EXPLANATIONS
    | {"description": "Of values that are sampled."},
}


def list_schemas(
    model: Model, example: Content, *, reject_unknown: bool
) -> Content:
    """Return the schemas of a model's requests and responses, by name.

    `example` is a record; with `reject_unknown`, a record has no other features than the model's.
    """
    schemas: Content = {
        "Record": record_schema(model, example, reject_unknown=reject_unknown),
        "Records": array_of(ref("Record")) | {"minItems": 1},
        "Envelope": envelope_schema(),
        "Prediction": prediction_schema(model, example),
    }
    if model.offers_probabilities:
        classes = model.class_names_by_output or [model.class_names or []]
        schemas["Probabilities"] = by_output(list(map(numbers_by, classes)))
    schemas |= explanation_schemas(model)
    return schemas | ABOUT_SCHEMAS | PROBLEM_SCHEMAS


def record_schema(
    model: Model, example: Content, *, reject_unknown: bool
) -> Content:
    """Return the schema of a record, whose features are in the order of the model's."""
    properties: Content = {}
    required = []
    for feature in model.schema.features:
        properties[feature.name] = feature.json_schema() | {
            "description": describe(feature, model.profile.get(feature.name)),
            "examples": [example.get(feature.name, feature.example)],
        }
        if not feature.optional:
            required.append(feature.name)
    schema = object_of(properties, required) | {"minProperties": 1}
    if reject_unknown:
        return schema | {"additionalProperties": False}
    return schema | _allow_unknown(model.schema)


def _allow_unknown(schema: Schema) -> Content:
    """Return what holds for the names of a record that may have unknown ones.

    With a name of the envelope, it would be an envelope. And it must have one that is known.
    """
    unknown = {"propertyNames": {"not": {"enum": schema.names}}}
    return {
        "additionalProperties": True,
        "propertyNames": {"not": {"enum": list(RESERVED_NAMES)}},
        "not": unknown,
    }


def describe(feature: Feature, profile: Any) -> str:
    """Return what a client should know of a feature: whether it may be left out, and its range.

    The range is that of the training data. It is no limit: a model predicts outside of it, too.
    """
    sentences = []
    described = feature.entry.get("description")
    if isinstance(described, str):
        sentences.append(described)
    if feature.default is not None:
        sentences.append("The default stands in for null.")
    elif feature.optional:
        sentences.append("It may be missing: null, or left out.")
    if isinstance(profile, dict) and "range" in profile:
        least, largest = map(_show, profile["range"])
        sentences.append(
            f"In the training data, it was from {least} to {largest}."
        )
    return " ".join(sentences)


def _show(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def envelope_schema() -> Content:
    """Return the schema of records with a background to explain them against."""
    either: Content = {"oneOf": [ref("Record"), ref("Records")]}
    properties: Content = {
        "_data": either | {"description": "What is predicted."},
        "_samples": either
        | {"description": "What the records are explained against."},
    }
    schema = object_of(properties, required=["_data"])
    return schema | {"additionalProperties": False}


def prediction_schema(model: Model, example: Content) -> Content:
    """Return the schema of what `/predict` returns for one or more records, whatever is wanted."""
    item = label_schema(model, example)
    if model.offers_probabilities:
        item = {"oneOf": [item, ref("Probabilities")]}
    prediction = array_of(item) | {
        "description": "What is predicted for each record, in their order."
    }
    properties = {"prediction": prediction, **BESIDE_PREDICTIONS}
    return object_of(properties, required=["prediction"])


def label_schema(model: Model, example: Content) -> Content:
    """Return the schema of what is predicted for a record: a label, a number, or several."""
    predicted = predict_examples(model, [example]).prediction.tolist()[0]
    schema = schema_of(predicted)
    if is_one_of(predicted, model.labels):
        return schema | {"enum": model.labels}
    return schema


def is_one_of(predicted: Value, labels: Sequence[Value]) -> bool:
    """Return whether a prediction is one of the labels, which are all texts or whole numbers.

    Booleans are all that their type has, and generators of clients refuse an enum of floats.
    An estimator may predict labels of another type than those that it lists, as CatBoost does.
    """
    types = {type(label) for label in (predicted, *labels)}
    return types in ({str}, {int}) and predicted in labels


def predict_examples(model: Model, records: Sequence[Content]) -> Predictions:
    """Return the predictions for records that the model can predict."""
    rows = [model.schema.row(record) for record in records]
    return model.predictions(Records(model.schema, rows))


def schema_of(value: Value) -> Content:
    """Return the schema of values such as this one: of a list, those with as many items."""
    if isinstance(value, list):
        items = schema_of(value[0])
        n_items = {"minItems": len(value), "maxItems": len(value)}
        return array_of(items) | n_items
    if isinstance(value, str):
        return TEXT
    if isinstance(value, bool):
        return BOOLEAN
    return WHOLE_NUMBER if isinstance(value, int) else NUMBER_OR_NULL


def explanation_schemas(model: Model) -> Content:
    """Return the schemas of a record's explanation, and of what its values are added to."""
    explanations = []
    base_values = []
    for classes in model.explained_classes:
        values = ref("Values")
        base_value = NUMBER
        if classes:
            values = object_of(dict.fromkeys(classes, values))
            base_value = numbers_by(classes)
        explanations.append(values)
        base_values.append(base_value)
    return {
        "Values": numbers_by(model.schema.names)
        | {"description": "The SHAP value of each feature."},
        "Explanation": by_output(explanations),
        "BaseValue": by_output(base_values)
        | {"description": "What the values of a record are added to."},
    }


def numbers_by(names: Sequence[str]) -> Content:
    """Return the schema of an object with a number under each of the names."""
    return object_of(dict.fromkeys(names, NUMBER_OR_NULL)) | {
        "additionalProperties": False
    }


def by_output(schemas: Sequence[Content]) -> Content:
    """Return the schema of a list with an item for each output, or of the item if there is one."""
    if len(schemas) == 1:
        return dict(schemas[0])
    return {
        "type": "array",
        "prefixItems": list(schemas),
        "minItems": len(schemas),
        "maxItems": len(schemas),
    }
