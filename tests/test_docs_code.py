"""The programs in docs/ that no other test runs, and the models that come of them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from flask.testing import FlaskClient
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from python.app import create_app
from python.model import FAMILIES, load_model, save_model
from python.settings import Settings
from tests.laws import ask, strict
from tests.models import ROOT, features, numbers
from tests.pages import blocks_of, needs
from tests.problems import problem
from tests.servers import running

Content = dict[str, Any]


def python_blocks(page: str) -> list[str]:
    return [block.text for block in blocks_of(page) if block.kind == "python"]


def block_with(page: str, part: str, kind: str = "python") -> str:
    """Return the only block of a page that contains the part."""
    (text,) = [
        block.text
        for block in blocks_of(page)
        if block.kind == kind and part in block.text
    ]
    return text


def run(source: str, scope: Content) -> Content:
    """Run a block with the names that the page has explained before; return all names."""
    exec(compile(source, "a page", "exec"), scope)
    return scope


def client_of(content: Content, family: str = "SKLEARN_MODEL") -> FlaskClient:
    joblib.dump(content, "model.joblib")
    model = load_model(Path("model.joblib"), family)
    return create_app(Settings(), model).test_client()


def test_the_keys_of_a_file() -> None:
    rows = pd.DataFrame(
        {
            "feature1": [1.0, 2.0, 3.0],
            "feature2": [4.0, 5.0, 6.0],
            "feature3": pd.Categorical(["A", "B", "A"]),
            "feature4": ["x", "y", "z"],
        }
    )
    model = DummyClassifier(strategy="prior").fit(rows, [0, 1, 1])
    scope = {
        "trained_model": model,
        "model": model,
        "rows": rows,
        "first_rows": rows.head(2),
    }
    source = block_with("docs/model-file.md", '"model": trained_model')
    content = eval(source, scope)
    client = client_of(content)
    record = {"feature1": 1, "feature3": "B", "feature4": "w"}
    (row,) = ask(client, "/predict?proba=1", record)["prediction"]
    assert list(row) == ["no", "yes"]
    assert row["yes"] == pytest.approx(2 / 3)


def test_the_whole_example_of_a_file(elsewhere: Path) -> None:
    run(block_with("docs/model-file.md", "joblib.dump"), {})
    model = load_model(elsewhere / "model.joblib", "SKLEARN_MODEL")
    client = create_app(Settings(), model).test_client()
    page = (ROOT / "docs" / "model-file.md").read_text()
    (text,) = re.findall(r"^A request for it is `(.*)`\.$", page, re.MULTILINE)
    record = json.loads(text)
    answer = ask(client, "/predict?proba=1&explain=1", record)
    assert list(answer["prediction"][0]) == ["died", "survived"]
    assert list(answer["explanation"]) == list(record)
    required = {
        feature["name"]: feature["required"]
        for feature in strict(client.get("/features").data)
    }
    assert required == {
        "sex": True,
        "cabin_class": True,
        "alone": True,
        "age": False,
    }
    own = model.estimator.predict(
        pd.DataFrame([record]).astype({"age": float})
    )
    names = answer["prediction"][0]
    assert max(names, key=names.get) == ["died", "survived"][own[0]]


def test_a_frame_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sending, with_all_digits = python_blocks("docs/inputs.md")[:2]
    bodies = []

    class Response:
        def json(self) -> Any:
            return {"prediction": [0, 1]}

    def post(_: str, data: str) -> Response:
        bodies.append(data)
        return Response()

    requests = ModuleType("requests")
    requests.post = post  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "requests", requests)
    scope = run(sending, {})
    run(with_all_digits, scope)
    expected = [
        {"feature1": 0.1, "feature2": 2},
        {"feature1": None, "feature2": 3},
    ]
    assert strict(bodies[0]) == expected
    assert strict(scope["body"]) == expected
    assert scope["frame"]["prediction"].tolist() == [0, 1]


@pytest.fixture
def two_features() -> Iterator[str]:
    """Serve a model of the two features that docs/inputs.md sends; yield its address."""
    frame = pd.DataFrame(
        {"feature1": [0.1, np.nan, 3.0], "feature2": [2.0, 3.0, 4.0]}
    )
    model = lightgbm.LGBMRegressor(min_child_samples=1, verbose=-1)
    model.fit(frame, [1.0, 2.0, 3.0])
    joblib.dump(
        {"model": model, "metadata": {"features": features(frame)}},
        "model.joblib",
    )
    loaded = load_model(Path("model.joblib"), "SKLEARN_MODEL")
    with running(create_app(Settings(), loaded)) as url:
        yield url


@needs("node")
def test_records_are_sent_from_javascript(two_features: str) -> None:
    source = block_with("docs/inputs.md", "fetch(", kind="javascript")
    source = source.replace("http://localhost:5000", two_features)
    Path("send.mjs").write_text(f"{source}console.log(prediction.length);\n")
    printed = subprocess.check_output(["node", "send.mjs"], text=True)
    assert printed == "2\n"


def test_a_file_of_pandas_is_sent_by_curl(two_features: str) -> None:
    frame = pd.DataFrame({"feature1": [0.1, None], "feature2": [2, 3]})
    frame.to_json("records.json", orient="records", double_precision=15)
    command = block_with("docs/inputs.md", "@records.json", kind="bash")
    printed = subprocess.check_output(
        command.replace("http://localhost:5000", two_features),
        shell=True,
        stderr=subprocess.DEVNULL,
    )
    assert len(strict(printed)["prediction"]) == 2


def test_a_function_of_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("model_code.dates")
    run(block_with("docs/inputs.md", "def calendar"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    forest = RandomForestRegressor(n_estimators=3, random_state=0)
    scope = run(
        block_with("docs/inputs.md", "FunctionTransformer(calendar)"),
        {"make_pipeline": make_pipeline, "model": forest},
    )
    frame = pd.DataFrame(
        {"sold": pd.date_range("2024-01-01", periods=200, freq="5h")}
    )
    pipeline = scope["pipeline"].fit(frame, frame["sold"].dt.hour)
    entry = {
        "name": "sold",
        "type": "datetime",
        "dtype": str(frame.dtypes.iloc[0]),
    }
    client = client_of({"model": pipeline, "metadata": {"features": [entry]}})
    records = [{"sold": text} for text in frame["sold"].head(3).astype(str)]
    assert (
        ask(client, "/predict", records)["prediction"]
        == pipeline.predict(frame.head(3)).tolist()
    )


def test_a_model_of_text() -> None:
    scope = run(
        block_with("docs/inputs.md", "TfidfVectorizer"),
        {
            "make_pipeline": make_pipeline,
            "LogisticRegression": LogisticRegression,
            "texts": ["a good film", "a bad film"] * 5,
            "labels": ["good", "bad"] * 5,
        },
    )
    client = client_of(
        {"model": scope["model"], "metadata": scope["metadata"]}
    )
    page = (ROOT / "docs" / "inputs.md").read_text()
    (text,) = re.findall(
        r'^A request is `(\{"text".*?\})`', page, re.MULTILINE
    )
    assert ask(client, "/predict", json.loads(text))["prediction"] == ["good"]


@pytest.mark.slow
def test_a_file_without_pickle(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("skops")
    X = numbers()
    model = DecisionTreeClassifier(max_depth=2).fit(X, X.iloc[:, 0] > 0)
    run(
        block_with("docs/trust.md", "model.skops"),
        {"save_model": save_model, "model": model, "X": X},
    )
    shown = block_with("docs/trust.md", "TRUSTED_TYPES", kind="text").strip()
    assert shown in capsys.readouterr().out
    assert Path("model.skops").exists()


@pytest.mark.slow
def test_the_last_step_of_the_quickstart() -> None:
    X = numbers()
    y = X.iloc[:, 0] > 0
    model = DecisionTreeClassifier(max_depth=2).fit(X, y)
    run(
        block_with("docs/quickstart.md", "save_model"),
        {"model": model, "X": X, "y": y},
    )
    loaded = load_model(Path("model.joblib"), "SKLEARN_MODEL")
    client = create_app(Settings(), loaded).test_client()
    info = strict(client.get("/info").data)
    assert info["model"]["class_names"] == ["no", "yes"]


def test_a_description_of_a_feature() -> None:
    entry = eval(block_with("docs/openapi.md", '"description"'))
    rows = pd.DataFrame({"income": [1.0, 2.0, 3.0]})
    model = LinearRegression().fit(rows, [1, 2, 3])
    client = client_of({"model": model, "metadata": {"features": [entry]}})
    assert entry["description"] in client.get("/openapi.json").text


def test_an_estimator_made_of_a_booster() -> None:
    rows = numbers().set_axis(["x", "y", "z"], axis=1)
    target = (rows["x"] > 0).astype(int)
    booster = xgboost.train(
        {"objective": "binary:logistic"}, xgboost.DMatrix(rows, target), 3
    )
    scope = run(
        block_with("docs/outputs.md", "booster.save_model"),
        {"booster": booster, "xgboost": xgboost},
    )
    probabilities = scope["model"].predict_proba(rows)[:, 1]
    expected = booster.predict(xgboost.DMatrix(rows))
    assert probabilities == pytest.approx(expected)


def test_another_family(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "docs/families.md"
    module = ModuleType("python.model.booster")
    run(block_with(page, "class BoosterModel"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    registered = run(block_with(page, "FAMILIES = {"), {})["FAMILIES"]
    assert registered.items() >= FAMILIES.items()
    (family,) = registered.keys() - FAMILIES.keys()
    monkeypatch.setitem(FAMILIES, family, registered[family])
    data = numbers().set_axis(["x", "y", "z"], axis=1)
    booster = lightgbm.train(
        {"verbose": -1}, lightgbm.Dataset(data, data["x"] * 2), 5
    )
    client = client_of(
        {"model": booster, "metadata": {"features": features(data)}}, family
    )
    records = data.head(3).to_dict("records")
    assert (
        ask(client, "/predict", records)["prediction"]
        == booster.predict(data.head(3)).tolist()
    )
    assert ask(client, "/preprocess", records) == records
    assert strict(client.get("/info").data)["model"]["is_explainable"] is False
    names = [
        feature["name"] for feature in strict(client.get("/features").data)
    ]
    assert names == ["x", "y", "z"]
    problem(
        client.post("/predict?proba=1", json=records),
        422,
        "the model (REGRESSION) has no probabilities",
    )
    problem(
        client.post("/predict?explain=1", json=records),
        422,
        "the model cannot be explained: its family has no explanations",
    )
