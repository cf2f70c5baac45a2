"""A service as one writes it by hand with FastAPI: pydantic models, a matrix or a DataFrame, the estimator, one cached explainer."""

import os
from functools import cache
from typing import Any

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, RootModel, create_model

CONTENT = joblib.load(os.environ["MODEL"])
MODEL, FEATURES = CONTENT["model"], CONTENT["metadata"]["features"]
CLASSES = [str(label) for label in MODEL.classes_]
Record = create_model(
    "Record",
    **{f["name"]: (float if f["type"] == "numeric" else str, ...) for f in FEATURES},
)


class Answer(BaseModel):
    """What is answered."""

    prediction: list[dict[str, float]]
    explanation: list[list[float]] | None = None


app = FastAPI()


@app.post("/predict")
async def predict(
    records: RootModel[Record | list[Record]],
    proba: int = 0,  # noqa: ARG001
    explain: int = 0,
) -> Answer:
    """Probabilities, and SHAP values where asked for."""
    given = records.root if isinstance(records.root, list) else [records.root]
    rows = [vars(record) for record in given]
    columns = (
        pd.DataFrame(rows)
        if hasattr(MODEL, "feature_names_in_")
        else np.array([list(row.values()) for row in rows])
    )
    prediction = [
        dict(zip(CLASSES, row, strict=True))
        for row in MODEL.predict_proba(columns).tolist()
    ]
    values = (
        explainer().shap_values(columns, check_additivity=False)[:, :, 1].tolist()
        if explain
        else None
    )
    return Answer(prediction=prediction, explanation=values)


@cache
def explainer() -> Any:
    """Made once; shap is imported only where it is used."""
    import shap

    return shap.TreeExplainer(MODEL)
