"""Build `model.joblib`: a pipeline that predicts how far a patient's diabetes has progressed."""

import json
import sys
from pathlib import Path

from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# The project is found from wherever the script is started.
sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from python.model import save_model

# Measurements of patients, and the progression of their disease a year later.
data, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
# The data set does not say which sex is which.
data["sex"] = data["sex"].map({1: "a", 2: "b"}).astype("category")
train, test, train_target, test_target = train_test_split(
    data,
    progression,
    random_state=0,
)

names = list(data)
numbers = [name for name in names if name != "sex"]
scale = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
prepare = ColumnTransformer(
    [
        ("numbers", scale, numbers),
        ("sex", OneHotEncoder(), ["sex"]),
    ]
)
model = Pipeline(
    [
        ("prepare", prepare),
        ("predict", RandomForestRegressor(min_samples_leaf=5, random_state=0)),
    ]
)
model.fit(train, train_target)

# The features are what a client sends, before any step of the pipeline.
save_model(model, train, y=train_target)

score = model.score(test, test_target)
print(f"R^2 = {score:.2f} on {len(test)} patients that the model has not seen")
record = json.dumps(test.iloc[0].to_dict())
print(f"curl -d '{record}' 'http://localhost:5000/predict?explain=1'")
