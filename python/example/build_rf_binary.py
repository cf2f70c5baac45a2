"""Build `model.joblib`: a random forest that predicts one of two classes from three numbers."""

import json

import joblib
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

names = ["feature1", "feature2", "feature3"]
values, target = make_classification(
    n_samples=200,
    n_features=3,
    n_informative=3,
    n_redundant=0,
    random_state=0,
)
data = pd.DataFrame(values, columns=names)
model = RandomForestClassifier(n_estimators=100, max_depth=5, random_state=0)
model.fit(data, target)

features = []
for name in names:
    # A value that is missing in a record is -1.
    features.append({"name": name, "type": "numeric", "default": -1})
record = {"feature1": 1, "feature2": 1, "feature3": 2}
artifact = {
    "model": model,
    "metadata": {"features": features},
    # The page begins with this record, and each start compares what it predicts.
    "examples": {
        "records": [record],
        "probabilities": model.predict_proba(pd.DataFrame([record])),
    },
}
joblib.dump(artifact, "model.joblib")

print("wrote model.joblib:", model)
body = json.dumps(record)
print(f"curl -d '{body}' 'http://localhost:5000/predict?proba=1&explain=1'")
