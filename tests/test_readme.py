"""README's commands, run from README's text."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import joblib
import lightgbm
import pandas as pd
import pytest

from python.app import create_app
from python.model import FAMILIES, load_model
from python.settings import Settings
from tests.laws import ask, strict
from tests.models import EXAMPLES, ROOT, features, numbers
from tests.problems import problem
from tests.servers import ENVIRON, project, started

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL
)
REQUESTS = [
    (text, BLOCKS[n + 1])
    for n, (kind, text) in enumerate(BLOCKS)
    if kind == "bash" and text.startswith("curl")
]
# What make has done before it comes to the command itself; .ci/run does it in a fresh clone.
PREPARED = ["--old-file=.venv/python", "--old-file=.venv/serve"]


def shape(value: Any) -> Any:
    """A JSON value without its numbers."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return (
        "a number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
    )


@pytest.mark.slow
def test_make_serve_then_every_request(tmp_path: Path) -> None:
    assert ("bash", "make serve\n") in BLOCKS
    folder = project(tmp_path)
    (folder / ".venv").symlink_to(sys.prefix)
    with started(["make", *PREPARED, "serve"], folder) as server:
        server.wait("/info", containing='"fast_predict":true')
        assert len(REQUESTS) >= 8
        for command, (kind, expected) in REQUESTS:
            url = f"http://localhost:{server.port}"
            assert "http://localhost:5000" in command
            run = subprocess.run(
                command.replace("http://localhost:5000", url),
                shell=True,
                capture_output=True,
                text=True,
                check=True,
            )
            if kind == "text":
                assert run.stdout == expected.strip()
            else:
                answer = strict(run.stdout)
                assert shape(answer) == shape(json.loads(expected)), command
                assert list(answer) == list(json.loads(expected))
        printed = [
            line
            for line in server.log.read_text().splitlines()
            if line.startswith("curl ")
        ]
        assert printed
        for line in printed[
            1:
        ]:  # the first one is the example script's, for the usual port
            assert strict(
                subprocess.run(
                    line, shell=True, capture_output=True, check=True
                ).stdout
            )["explanation"]


def test_the_second_start_builds_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "model.joblib").touch()
    planned = subprocess.run(
        ["make", *PREPARED, "--dry-run", "serve"],
        cwd=folder,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.splitlines() == [".venv/bin/python service.py"]


def test_make_test_is_what_ci_runs() -> None:
    assert ("bash", "make test\n") in BLOCKS
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_path_and_prints_a_line_that_works(
    script: Path, elsewhere: Path
) -> None:
    run = subprocess.run(
        [sys.executable, script],
        cwd=elsewhere,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, curl = run.stdout.splitlines()
    assert any(line.startswith("wrote model.joblib") for line in lines)
    found = re.fullmatch(
        r"curl -d '(.*)' 'http://localhost:5000(/predict\?.*)'", curl
    )
    assert found
    client = create_app(
        Settings(), load_model(elsewhere / "model.joblib", "SKLEARN_MODEL")
    ).test_client()
    assert ask(client, found[2], json.loads(found[1]))["explanation"]


def test_the_whole_example_of_a_model_file(elsewhere: Path) -> None:
    source = next(
        text
        for kind, text in BLOCKS
        if kind == "python" and "joblib.dump" in text
    )
    exec(compile(source, "README.md", "exec"), {})
    model = load_model(elsewhere / "model.joblib", "SKLEARN_MODEL")
    client = create_app(Settings(), model).test_client()
    (text,) = re.findall(
        r"^A request for it is `(.*)`\.$", README, re.MULTILINE
    )
    answer = ask(client, "/predict?proba=1&explain=1", json.loads(text))
    assert list(answer["prediction"][0]) == ["died", "survived"]
    assert list(answer["explanation"]) == list(json.loads(text))
    required = {
        f["name"]: f["required"] for f in strict(client.get("/features").data)
    }
    assert required == {
        "sex": True,
        "cabin_class": True,
        "alone": True,
        "age": False,
    }
    own = model.estimator.predict(
        pd.DataFrame([json.loads(text)]).astype({"age": float})
    )
    names = answer["prediction"][0]
    assert max(names, key=names.get) == ["died", "survived"][own[0]]


def test_a_frame_is_sent_as_the_page_on_inputs_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = (ROOT / "docs" / "inputs.md").read_text()
    blocks = re.findall(
        r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL
    )
    sending, with_all_digits = blocks[:2]
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
    scope: dict[str, Any] = {}
    exec(compile(sending, "inputs.md", "exec"), scope)
    exec(compile(with_all_digits, "inputs.md", "exec"), scope)
    expected = [
        {"feature1": 0.1, "feature2": 2},
        {"feature1": None, "feature2": 3},
    ]
    assert strict(bodies[0]) == expected
    assert strict(scope["body"]) == expected
    assert scope["frame"]["prediction"].tolist() == [0, 1]


def test_the_family_in_the_readme(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = next(
        text
        for kind, text in BLOCKS
        if kind == "python" and "class BoosterModel" in text
    )
    module = ModuleType("python.model.booster")
    exec(compile(source, "README.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(
        FAMILIES, "LGBM_BOOSTER", "python.model.booster:BoosterModel"
    )
    assert '"LGBM_BOOSTER": "python.model.booster:BoosterModel"' in README
    data = numbers().set_axis(["x", "y", "z"], axis=1)
    booster = lightgbm.train(
        {"verbose": -1}, lightgbm.Dataset(data, data["x"] * 2), 5
    )
    joblib.dump(
        {"model": booster, "metadata": {"features": features(data)}},
        elsewhere / "model.joblib",
    )
    client = create_app(
        Settings(), load_model(elsewhere / "model.joblib", "LGBM_BOOSTER")
    ).test_client()
    records = data.head(3).to_dict("records")
    assert (
        ask(client, "/predict", records)["prediction"]
        == booster.predict(data.head(3)).tolist()
    )
    assert ask(client, "/preprocess", records) == records
    assert strict(client.get("/info").data)["model"]["is_explainable"] is False
    assert [
        feature["name"] for feature in strict(client.get("/features").data)
    ] == [
        "x",
        "y",
        "z",
    ]
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
