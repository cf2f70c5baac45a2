"""Build `model.joblib`: a random forest that tells three classes apart by three numbers."""

import json

import joblib
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

names = ["feature1", "feature2", "feature3"]
data, target = make_classification(
    n_samples=300,
    n_features=3,
    n_informative=3,
    n_redundant=0,
    n_classes=3,
    n_clusters_per_class=1,
    random_state=0,
)
data = pd.DataFrame(data, columns=names)
model = RandomForestClassifier(n_estimators=100, max_depth=5, random_state=0).fit(
    data, target
)

artifact = {
    "model": model,
    "metadata": {
        "features": [
            {"name": name, "type": "numeric", "default": -1} for name in names
        ],
        "class_names": ["low", "middle", "high"],
    },
}
joblib.dump(artifact, "model.joblib")

print("wrote model.joblib:", model)
record = json.dumps({"feature1": 1, "feature2": 1, "feature3": 2})
print(f"curl -d '{record}' 'http://localhost:5000/predict?proba=1&explain=1'")
