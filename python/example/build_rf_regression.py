"""Build `model.joblib`: a random forest that predicts a number from three others."""

import json

import joblib
import pandas as pd
from sklearn.datasets import make_regression
from sklearn.ensemble import RandomForestRegressor

names = ["feature1", "feature2", "feature3"]
values, target = make_regression(
    n_samples=200,
    n_features=3,
    noise=5,
    random_state=0,
)
data = pd.DataFrame(values, columns=names)
model = RandomForestRegressor(n_estimators=100, max_depth=5, random_state=0)
model.fit(data, target)

features = []
for name in names:
    features.append({"name": name, "type": "numeric", "default": -1})
artifact = {
    "model": model,
    "metadata": {"features": features},
}
joblib.dump(artifact, "model.joblib")

print("wrote model.joblib:", model)
record = json.dumps({"feature1": 1, "feature2": 1, "feature3": 2})
print(f"curl -d '{record}' 'http://localhost:5000/predict?explain=1'")
