"""Build `model.joblib`: LightGBM on two numbers and a category, any of which may be missing."""

import json

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier

choose = np.random.default_rng(0)
rows = 500
data = pd.DataFrame(
    {
        "income": choose.lognormal(mean=10, sigma=0.5, size=rows).round(2),
        "age": choose.integers(18, 90, size=rows).astype(float),
        "housing": pd.Categorical(choose.choice(["own", "rent", "free"], size=rows)),
    }
)
target = np.where(
    data["income"] + 500 * data["age"] * (data["housing"] != "rent") > 45_000,
    "accepted",
    "declined",
)
data = data.mask(choose.random(data.shape) < 0.1)
model = LGBMClassifier(n_estimators=50, verbose=-1, random_state=0).fit(data, target)

artifact = {
    "model": model,
    "metadata": {
        "features": [
            {"name": "income", "type": "numeric"},
            {"name": "age", "type": "numeric"},
            {
                "name": "housing",
                "type": "category",
                "categories": list(data["housing"].cat.categories),
            },
        ]
    },
}
joblib.dump(artifact, "model.joblib")

print("wrote model.joblib:", model)
record = json.dumps({"income": 25000, "age": 41, "housing": None})
print(f"curl -d '{record}' 'http://localhost:5000/predict?proba=1&explain=1'")
