"""Build `model.joblib`: a pipeline on the diabetes data, from a patient's measurements to the progression a year later."""

import json

import joblib
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

data, progression = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
data["sex"] = data["sex"].map(
    {1: "a", 2: "b"}
)  # the data set does not say which is which
train, test, train_target, test_target = train_test_split(
    data, progression, random_state=0
)

numbers = [name for name in data if name != "sex"]
prepare = ColumnTransformer(
    [
        (
            "numbers",
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            numbers,
        ),
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

features = [
    {"name": name, "type": "category", "categories": ["a", "b"]}
    if name == "sex"
    else {"name": name, "type": "numeric"}
    for name in data
]
joblib.dump({"model": model, "metadata": {"features": features}}, "model.joblib")

score = model.score(test, test_target)
print(f"wrote model.joblib: R^2 = {score:.2f} on {len(test)} patients it has not seen")
record = json.dumps(test.iloc[0].to_dict())
print(f"curl -d '{record}' 'http://localhost:5000/predict?explain=1'")
