"""Records made from what tests have: payloads, codes, and data frames or arrays."""

from typing import Any

import numpy as np
import pandas as pd

from python.model.base import Explanation
from python.model.data.features import Category, Feature
from python.model.data.records import Records
from python.model.data.schema import Schema
from python.model.sklearn import SklearnModel


def of_payload(schema: Schema, payload: Any) -> Records:
    """The records of a record or a list of records, as JSON has them."""
    records = payload if isinstance(payload, list) else [payload]
    return Records(schema, [schema.row(record) for record in records])


def of_codes(schema: Schema, codes: Any) -> Records:
    """The records that have these codes, (n_records, n_features)."""
    rows = []
    for row in np.asarray(codes, dtype=float).tolist():
        rows.append(tuple(map(_value, schema.features, row)))
    return Records(schema, rows)


def of_data(schema: Schema, data: Any) -> Records:
    """The records that a data frame or an array holds."""
    rows = []
    for row in pd.DataFrame(data).astype(object).to_numpy():
        rows.append(tuple(None if pd.isna(value) else value for value in row))
    return Records(schema, rows)


def _value(feature: Feature, code: float) -> Any:
    if isinstance(feature, Category):
        return None if code < 0 else feature.categories[int(code)]
    return None if np.isnan(code) else code


def explain(model: SklearnModel, data: Any, background: Any = None) -> Explanation:
    """What the model explains of the data, against the background where there is one."""
    predictions = model.predictions(of_data(model.schema, data))
    against = None if background is None else of_data(model.schema, background)
    return model.explain(predictions, against)
