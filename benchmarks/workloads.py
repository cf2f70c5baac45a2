"""What is asked in the benchmark: models of the usual kinds, one record or many."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


@dataclass(frozen=True)
class Workload:
    """A model, and the records that it is asked about."""

    name: str
    content: dict[str, Any]
    records: list[dict[str, Any]]
    query: str = "?proba=1"
    quick: bool = False

    @property
    def body(self) -> bytes:
        """A record, or a list of them."""
        return json.dumps(self.records[0] if len(self.records) == 1 else self.records).encode()

    @property
    def named(self) -> bool:
        """Whether the model was fitted with a DataFrame."""
        return hasattr(self.content["model"], "feature_names_in_")

    @cached_property
    def answer(self) -> bytes:
        """What the model itself says of the records, as the service writes it."""
        return json.dumps({"prediction": [{"0": p, "1": q} for p, q in self._told.tolist()]}, separators=(",", ":")).encode()

    def check(self, answer: Any) -> None:
        """Raise AssertionError unless the probabilities are the model's, and an explanation is there if asked for."""
        found = [[row["0"], row["1"]] for row in answer["prediction"]]
        np.testing.assert_allclose(found, self._told, rtol=1e-12, atol=1e-12)
        assert ("explanation" in answer) == ("explain" in self.query)  # noqa: S101

    @cached_property
    def _told(self) -> Any:
        frame = pd.DataFrame(self.records)
        return self.content["model"].predict_proba(frame if self.named else frame.to_numpy())


def _artifact(model: Any, names: list[str], **categories: list[str]) -> dict[str, Any]:
    features = [
        {"name": name, "type": "category", "categories": categories[name]}
        if name in categories
        else {"name": name, "type": "numeric"}
        for name in names
    ]
    return {"model": model, "metadata": {"features": features}}


def _numbers(model: Any, X: Any, y: Any) -> tuple[dict[str, Any], list[dict[str, float]]]:
    names = [f"feature{number}" for number in range(X.shape[1])]
    return _artifact(model.fit(X, y), names), [dict(zip(names, row, strict=True)) for row in X.tolist()]


def _mixed() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    choose = np.random.default_rng(0)
    data = pd.DataFrame({"age": choose.normal(40, 10, 2000).round(), "income": choose.normal(3e4, 1e4, 2000).round()})
    kinds = {"city": ["Bern", "Graz", "Lyon", "Oslo", "Riga"], "plan": ["a", "b", "c"]}
    data = data.assign(**{name: choose.choice(values, 2000) for name, values in kinds.items()})
    steps = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income"]),
        (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]),
    )
    target = (data["income"] / 1e4 + data["age"] / 20 + (data["city"] == "Oslo") + choose.normal(size=2000) > 5).astype(int)
    model = make_pipeline(steps, RandomForestClassifier(100, max_depth=10, random_state=0)).fit(data, target)
    return _artifact(model, list(data), **kinds), data.to_dict("records")


_logistic, _rows = _numbers(LogisticRegression(max_iter=1000), *make_classification(10_000, 10, random_state=0))
_forest, _cells = _numbers(RandomForestClassifier(100, max_depth=10, random_state=0), *load_breast_cancer(return_X_y=True))
_pipeline, _people = _mixed()
_many = [_cells[number % len(_cells)] for number in range(1000)]

WORKLOADS = [
    Workload("1 record, logistic regression", _logistic, _rows[:1], quick=True),
    Workload("1 record, forest", _forest, _cells[:1], quick=True),
    Workload("1 record, pipeline with a forest", _pipeline, _people[:1], quick=True),
    Workload("1,000 records, forest", _forest, _many),
    Workload("10,000 records, logistic regression", _logistic, _rows),
    Workload("1 record explained, forest", _forest, _cells[:1], "?proba=1&explain=1"),
    Workload("100 records explained, forest", _forest, _cells[:100], "?proba=1&explain=1"),
]
