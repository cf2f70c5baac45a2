"""Records made from what tests have: payloads, codes, data frames and arrays."""

from typing import Any

import numpy as np
import pandas as pd

from python.model.base import Explanation
from python.model.data.features import Category, Feature
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.sklearn import SklearnModel


def of_payload(schema: Schema, payload: Any) -> Records:
    """Return the records of a record or a list of records, as JSON has them."""
    records = payload if isinstance(payload, list) else [payload]
    rows = [schema.row(record) for record in records]
    return Records(schema, rows)


def of_codes(schema: Schema, codes: Any) -> Records:
    """Return the records that have these codes, (n_records, n_features)."""
    rows = []
    for row in np.asarray(codes, dtype=float).tolist():
        values = map(_value, schema.features, row)
        rows.append(tuple(values))
    return Records(schema, rows)


def of_data(schema: Schema, data: Any) -> Records:
    """Return the records that a data frame or an array holds."""
    frame = pd.DataFrame(data).astype(object)
    values = frame.where(frame.notna(), None).to_numpy()
    rows = [tuple(row) for row in values]
    return Records(schema, rows)


def _value(feature: Feature, code: float) -> Any:
    if code < 0 and isinstance(feature, Category):
        return None
    if isinstance(feature, Category):
        return feature.categories[int(code)]
    if np.isnan(code):
        return None
    return code


def explain(
    model: SklearnModel, data: Any, background: Any = None
) -> Explanation:
    """Return the explanation of the data, against the background where there is one."""
    predictions = model.predictions(of_data(model.schema, data))
    if background is None:
        return model.explain(predictions)
    return model.explain(predictions, of_data(model.schema, background))
