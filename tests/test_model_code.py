"""A user's own function in model_code/ is found wherever the model is served."""

import importlib.util
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

from tests.production.replicas import command
from tests.servers import DEVELOPMENT, UWSGI, project, started

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
    source = tmp_path / "model_code" / "steps.py"
    source.write_text(SOURCE)
    name = "model_code.steps"
    spec = importlib.util.spec_from_file_location(name, source)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # It can be pickled by reference, as it is where the user fits the model.
    sys.modules[name] = module
    data = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    step = FunctionTransformer(module.squares)
    model = make_pipeline(step, LinearRegression()).fit(data, [1.0, 4.0, 9.0])
    features = [{"name": "x", "type": "numeric"}]
    artifact: dict[str, Any] = {
        "model": model,
        "metadata": {"features": features},
    }
    joblib.dump(artifact, tmp_path / "model.joblib")
    del sys.modules[name]
    return tmp_path


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
