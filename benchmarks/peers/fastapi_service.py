"""A service as one writes it by hand with FastAPI: pydantic models, and one cached explainer."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel, RootModel, create_model

CONTENT = joblib.load(os.environ["MODEL"])
MODEL = CONTENT["model"]
CLASSES = [str(label) for label in MODEL.classes_]
KINDS = {"numeric": float, "integer": int, "boolean": bool}
FIELDS = {}
for feature in CONTENT["metadata"]["features"]:
    kind = KINDS.get(feature["type"], str)
    FIELDS[feature["name"]] = (kind, ...)
Record = create_model("Record", **FIELDS)


class Answer(BaseModel):
    """The content of a response."""

    prediction: list[dict[str, float]]
    explanation: list[list[float]] | None = None


app = FastAPI()


@app.post("/predict")
async def predict(
    records: RootModel[Record | list[Record]],
    proba: int = 0,  # noqa: ARG001
    explain: int = 0,
) -> Answer:
    """Return probabilities, and SHAP values if the query wants them."""
    listed = records.root if isinstance(records.root, list) else [records.root]
    rows = [vars(record) for record in listed]
    if hasattr(MODEL, "feature_names_in_"):
        columns = pd.DataFrame(rows)
    else:
        columns = np.array([list(row.values()) for row in rows])
    prediction = []
    for row in MODEL.predict_proba(columns).tolist():
        prediction.append(dict(zip(CLASSES, row, strict=True)))
    values = None
    if explain:
        both_classes = explainer().shap_values(columns, check_additivity=False)
        values = both_classes[:, :, 1].tolist()
    return Answer(prediction=prediction, explanation=values)


@cache
def explainer() -> Any:
    """Return the explainer, which is made once."""
    import shap  # takes seconds, and only explanations need it

    path = os.environ.get("BACKGROUND")
    if path is None:
        return shap.TreeExplainer(MODEL)
    rows = json.loads(Path(path).read_text())
    background = pd.DataFrame(rows).to_numpy()
    masker = shap.maskers.Independent(background, max_samples=len(background))
    return shap.TreeExplainer(MODEL, masker)
