"""Fits the models of the benchmark and writes each with its records and its own answers: `python -m benchmarks.models FOLDER`."""

import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from shap import TreeExplainer
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Fitted = tuple[dict[str, Any], list[dict[str, Any]]]


def logistic() -> Fitted:
    """Ten features and ten thousand records."""
    return _numbers(
        LogisticRegression(max_iter=1000),
        *make_classification(10_000, 10, random_state=0),
    )


def forest() -> Fitted:
    """A hundred trees over thirty features, and a thousand records, some of them twice."""
    content, records = _numbers(
        RandomForestClassifier(100, max_depth=10, random_state=0),
        *load_breast_cancer(return_X_y=True),
    )
    return content, (records * 2)[:1000]


def pipeline() -> Fitted:
    """Two numbers, imputed and scaled, and two categories, one-hot encoded, in front of a forest."""
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "age": choose.normal(40, 10, 2000).round(),
            "income": choose.normal(3e4, 1e4, 2000).round(),
        }
    )
    kinds = {"city": ["Bern", "Graz", "Lyon", "Oslo", "Riga"], "plan": ["a", "b", "c"]}
    data = data.assign(
        **{name: choose.choice(values, 2000) for name, values in kinds.items()}
    )
    steps = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]),
    )
    target = (
        data["income"] / 1e4
        + data["age"] / 20
        + (data["city"] == "Oslo")
        + choose.normal(size=2000)
        > 5
    ).astype(int)
    model = make_pipeline(
        steps, RandomForestClassifier(100, max_depth=10, random_state=0)
    ).fit(data, target)
    return _artifact(model, list(data), **kinds), data.to_dict("records")


def _numbers(model: Any, X: Any, y: Any) -> Fitted:
    names = [f"feature{number}" for number in range(X.shape[1])]
    return _artifact(model.fit(X, y), names), [
        dict(zip(names, row, strict=True)) for row in X.tolist()
    ]


def _artifact(model: Any, names: list[str], **categories: list[str]) -> dict[str, Any]:
    features = [
        {"name": name, "type": "category", "categories": categories[name]}
        if name in categories
        else {"name": name, "type": "numeric"}
        for name in names
    ]
    return {"model": model, "metadata": {"features": features}}


def write(
    folder: Path,
    name: str,
    content: dict[str, Any],
    records: list[dict[str, Any]],
    explained: bool = False,
) -> None:
    """The model, what is asked of it, and what it answers itself."""
    folder.mkdir(parents=True)
    joblib.dump(content, folder / "model.joblib")
    model, columns = content["model"], pd.DataFrame(records)
    named = hasattr(model, "feature_names_in_")
    columns = columns if named else columns.to_numpy()
    values = (
        TreeExplainer(model)
        .shap_values(columns, check_additivity=False)[:, :, 1]
        .tolist()
        if explained
        else None
    )
    told = {
        "probabilities": model.predict_proba(columns).tolist(),
        "explanation": values,
    }
    (folder / "workload.json").write_text(
        json.dumps({"name": name, "records": records, "named": named, **told})
    )


def main(folder: Path) -> None:
    """Every workload in a folder of its own, in the order of the table."""
    linear, rows = logistic()
    trees, cells = forest()
    mixed, people = pipeline()
    write(folder / "1", "1 record, logistic regression", linear, rows[:1])
    write(folder / "2", "1 record, forest", trees, cells[:1])
    write(folder / "3", "1 record, pipeline with a forest", mixed, people[:1])
    write(folder / "4", "1,000 records, forest", trees, cells)
    write(folder / "5", "10,000 records, logistic regression", linear, rows)
    write(folder / "6", "1 record explained, forest", trees, cells[:1], explained=True)
    write(
        folder / "7",
        "100 records explained, forest",
        trees,
        cells[:100],
        explained=True,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
