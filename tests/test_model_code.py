"""A user's own function in model_code/ is found wherever the model is served."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.production.replicas import command, run, serving
from tests.servers import DEVELOPMENT, UWSGI, Server, project, started

pytestmark = pytest.mark.slow

SOURCE = '''"""Steps of the pipeline."""

import numpy as np


def squares(data):
    """Return the square of each number."""
    return np.asarray(data) ** 2
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a module of the user's in model_code/, and a model that needs it."""
    project(tmp_path)
    (tmp_path / "run").mkdir()
    save_model(tmp_path, SOURCE)
    return tmp_path


def save_model(
    folder: Path,
    code: str,
    function: str = "squares",
    name: str = "model_code.steps",
) -> None:
    """Write the module, and a model that was fitted with it, imported by that name."""
    source = folder / "model_code" / "steps.py"
    source.write_text(code)
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # It can be pickled by reference, as it is where the user fits the model.
    sys.modules[name] = module
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    step = FunctionTransformer(getattr(module, function))
    model = make_pipeline(step, LinearRegression()).fit(data, [1.0, 4.0, 9.0])
    features = [{"name": "x", "type": "numeric"}]
    artifact: dict[str, Any] = {
        "model": model,
        "metadata": {"features": features},
    }
    joblib.dump(artifact, folder / "model.joblib")
    del sys.modules[name]


@pytest.mark.parametrize(
    "server_command",
    [DEVELOPMENT, UWSGI, command("serve")],
    ids=["development", "uWSGI", "production"],
)
def test_a_function_in_model_code_is_found(
    server_command: list[str], folder: Path
) -> None:
    with started(server_command, folder) as server:
        server.wait()
        status, body = server.post("/predict", b'{"x": 5}')
    assert status == 200
    assert np.isclose(float(body.removeprefix('{"prediction":[')[:-2]), 25.0)


def predicted(server: Server) -> float:
    status, body = server.post("/predict", b'{"x": 5}')
    assert status == 200
    return float(body.removeprefix('{"prediction":[')[:-2])


def test_a_swap_takes_the_module_as_it_is_in_the_folder(folder: Path) -> None:
    """The processes that fork the workers have not imported the old one."""
    with serving(folder, WORKERS=2) as server:
        assert np.isclose(predicted(server), 25.0)
        save_model(folder, SOURCE.replace("squares", "cubes").replace("** 2", "** 3"), "cubes")  # fmt: skip
        assert run(folder, "swap", server).returncode == 0
        for _ in range(8):
            # The model was fitted to 1, 4 and 9, of which it now knows the cubes of 1, 2 and 3.
            assert not np.isclose(predicted(server), 25.0)


def test_a_swap_without_the_new_module_changes_nothing(folder: Path) -> None:
    with serving(folder, WORKERS=1) as server:
        save_model(folder, SOURCE.replace("squares", "cubes"), "cubes")
        (folder / "model_code" / "steps.py").write_text(SOURCE)
        swap = run(folder, "swap", server)
        assert swap.returncode == 1
        assert "cubes in the module model_code.steps" in swap.stderr
        assert "model_code/" in swap.stderr
        assert np.isclose(predicted(server), 25.0)


def test_a_module_that_stood_beside_the_notebook_is_found_too(
    folder: Path,
) -> None:
    save_model(folder, SOURCE, name="steps")
    with serving(folder) as server:
        status, body = server.post("/predict", b'{"x": 2}')
    assert status == 200
    assert json.loads(body)["prediction"] == pytest.approx([4.0])
