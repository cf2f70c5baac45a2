"""Build `model.joblib`: LightGBM on two numbers and a category, any of which may be missing."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier

# The project is found from wherever the script is started.
sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from python.model import save_model

rows = 500
missing_share = 0.1

# Applications for a loan, made up.
choose = np.random.default_rng(0)
income = choose.lognormal(mean=10, sigma=0.5, size=rows).round(2)
age = choose.integers(18, 90, size=rows).astype(float)
housing = pd.Categorical(choose.choice(["own", "rent", "free"], size=rows))
data = pd.DataFrame(
    {
        "income": income,
        "age": age,
        "housing": housing,
    }
)
pays_no_rent = housing != "rent"
score = income + 500 * age * pays_no_rent
target = np.where(score > 45_000, "accepted", "declined")

is_missing = choose.random(data.shape) < missing_share
data = data.mask(is_missing)
model = LGBMClassifier(n_estimators=50, verbose=-1, random_state=0)
model.fit(data, target)

# It writes the categories in the order that the model was fitted with.
save_model(model, data, y=target)

record = json.dumps({"income": 25000, "age": 41, "housing": None})
print(f"curl -d '{record}' 'http://localhost:5000/predict?proba=1&explain=1'")
