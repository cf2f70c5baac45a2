"""Write the workloads of the benchmark: `python -m benchmarks.models FOLDER`.

Each has a folder with a fitted model, the records to predict, and what the model itself predicts.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from shap import TreeExplainer
from shap.maskers import Independent
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from python.model.types import Estimator

CITIES = ["Bern", "Graz", "Lyon", "Oslo", "Riga"]
PLANS = ["a", "b", "c"]


@dataclass(frozen=True)
class Fitted:
    """The content of a model.joblib, and records to predict."""

    content: dict[str, Any]
    records: list[dict[str, Any]]


def logistic() -> Fitted:
    """Return a logistic regression on ten features, and ten thousand records."""
    X, y = make_classification(10_000, 10, random_state=0)
    return _fit_numbers(LogisticRegression(max_iter=1000), X, y)


def forest() -> Fitted:
    """Return a hundred trees over thirty features, and a thousand records, some of them twice."""
    X, y = load_breast_cancer(return_X_y=True)
    fitted = _fit_numbers(_forest_of_depth_10(), X, y)
    records = fitted.records * 2
    return Fitted(fitted.content, records[:1000])


def forest_of_types() -> Fitted:
    """Return a hundred trees over thirty features, one of them an integer and one a boolean."""
    data, target = load_breast_cancer(return_X_y=True, as_frame=True)
    whole, boolean = data.columns[:2]
    data[whole] = data[whole].round().astype(int)
    data[boolean] = data[boolean] > data[boolean].median()
    features = []
    for name in data.columns:
        features.append({"name": name, "type": "numeric"})
    features[0]["type"] = "integer"
    features[1]["type"] = "boolean"
    model = _forest_of_depth_10().fit(data, target)
    content = {"model": model, "metadata": {"features": features}}
    return Fitted(content, data.to_dict("records"))


def pipeline() -> Fitted:
    """Return a forest behind two numbers, imputed and scaled, and two one-hot encoded categories."""
    choose = np.random.default_rng(0)
    data = pd.DataFrame()
    data["age"] = choose.normal(40, 10, 2000).round()
    data["income"] = choose.normal(3e4, 1e4, 2000).round()
    data["city"] = choose.choice(CITIES, 2000)
    data["plan"] = choose.choice(PLANS, 2000)
    score = data["income"] / 1e4 + data["age"] / 20 + (data["city"] == "Oslo")
    target = (score + choose.normal(size=2000) > 5).astype(int)

    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    encode = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer(
        (scaled, ["age", "income"]),
        (encode, ["city", "plan"]),
    )
    model = make_pipeline(columns, _forest_of_depth_10()).fit(data, target)
    features = [
        {"name": "age", "type": "numeric"},
        {"name": "income", "type": "numeric"},
        {"name": "city", "type": "category", "categories": CITIES},
        {"name": "plan", "type": "category", "categories": PLANS},
    ]
    content = {"model": model, "metadata": {"features": features}}
    return Fitted(content, data.to_dict("records"))


def _forest_of_depth_10() -> Estimator:
    return RandomForestClassifier(100, max_depth=10, random_state=0)


def _fit_numbers(model: Estimator, X: Any, y: Any) -> Fitted:
    names = [f"feature{number}" for number in range(X.shape[1])]
    features = [{"name": name, "type": "numeric"} for name in names]
    content = {"model": model.fit(X, y), "metadata": {"features": features}}
    records = []
    for row in X.tolist():
        records.append(dict(zip(names, row, strict=True)))
    return Fitted(content, records)


def write(
    folder: Path,
    name: str,
    fitted: Fitted,
    n_records: int,
    explained_against: int | None = None,
) -> None:
    """Write a workload of the first records into a new folder.

    They are explained if `explained_against` is a number: that of the last records which are the
    background, 0 for none.
    """
    folder.mkdir(parents=True)
    joblib.dump(fitted.content, folder / "model.joblib")
    model = fitted.content["model"]
    records = fitted.records[:n_records]
    columns = pd.DataFrame(records)
    named = hasattr(model, "feature_names_in_")
    if not named:
        columns = columns.to_numpy()
    background = []
    if explained_against:
        background = fitted.records[-explained_against:]
    explanation = None
    if explained_against is not None:
        explanation = explain(model, columns, background)
    workload = {
        "name": name,
        "records": records,
        "named": named,
        "probabilities": model.predict_proba(columns).tolist(),
        "explanation": explanation,
        "background": background,
    }
    (folder / "workload.json").write_text(json.dumps(workload))


def explain(
    model: Estimator, columns: Any, background: list[dict[str, Any]]
) -> list[list[float]]:
    """Return shap's values of the second class."""
    masker = None
    if background:
        rows = pd.DataFrame(background).to_numpy()
        masker = Independent(rows, max_samples=len(rows))
    explainer = TreeExplainer(model, masker)
    values = explainer.shap_values(columns, check_additivity=False)
    of_second: list[list[float]] = values[:, :, 1].tolist()
    return of_second


def main(folder: Path) -> None:
    """Write every workload into a folder of its own, in the order of the table."""
    linear = logistic()
    trees = forest()
    mixed = pipeline()
    write(folder / "1", "1 record, logistic regression", linear, 1)
    write(folder / "2", "1 record, forest", trees, 1)
    write(folder / "3", "1 record, pipeline with a forest", mixed, 1)
    write(folder / "4", "1,000 records, forest", trees, 1000)
    write(folder / "5", "10,000 records, logistic regression", linear, 10_000)
    write(
        folder / "6",
        "1 record explained, forest",
        trees,
        1,
        explained_against=0,
    )
    write(
        folder / "7",
        "100 records explained, forest",
        trees,
        100,
        explained_against=0,
    )
    write(
        folder / "8",
        "1 record explained against 100, forest",
        trees,
        1,
        explained_against=100,
    )
    write(
        folder / "9",
        "100 records explained against 100, forest",
        trees,
        100,
        explained_against=100,
    )
    typed = forest_of_types()
    write(folder / "91", "1 record, forest, integer and boolean", typed, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
