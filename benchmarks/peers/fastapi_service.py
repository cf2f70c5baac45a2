"""A service as one writes it by hand with FastAPI: pydantic models, a DataFrame, the estimator, one cached explainer."""

import os
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI
from pydantic import RootModel, create_model

CONTENT = joblib.load(os.environ["MODEL"])
MODEL, FEATURES = CONTENT["model"], CONTENT["metadata"]["features"]
NAMED = hasattr(MODEL, "feature_names_in_")
Record = create_model("Record", **{f["name"]: (float if f["type"] == "numeric" else str, ...) for f in FEATURES})
EXPLAINER: list[Any] = []

app = FastAPI()


@app.post("/predict")
def predict(records: RootModel[Record | list[Record]], proba: int = 0, explain: int = 0) -> dict[str, Any]:  # noqa: ARG001
    """Probabilities, and SHAP values where asked for."""
    given = records.root if isinstance(records.root, list) else [records.root]
    frame = pd.DataFrame([record.model_dump() for record in given])
    columns = frame if NAMED else frame.to_numpy()
    rows = MODEL.predict_proba(columns).tolist()
    answer: dict[str, Any] = {"prediction": [dict(zip(map(str, MODEL.classes_), row, strict=True)) for row in rows]}
    if explain:
        if not EXPLAINER:
            import shap

            EXPLAINER.append(shap.TreeExplainer(MODEL))
        answer["explanation"] = EXPLAINER[0].shap_values(columns, check_additivity=False)[:, :, 1].tolist()
    return answer
