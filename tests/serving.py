"""Models as the service loads them, for tests that request it in process."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pytest
from flask.testing import FlaskClient

from python.api.logs import RequestLine
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from tests.models import build

FEATURE = {"name": "x", "type": "numeric"}

Client = Callable[..., FlaskClient]
"""What the fixture `client` is: `client("lightgbm", max_explain_rows=3)` makes a client."""


@cache
def served(name: str, *, fast: bool = True) -> SklearnModel:
    """The model of that name, loaded from a file as the service loads it, and sped up if `fast`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(build(name).content, path)
        model = SklearnModel.load(Artifact.load(path))
    model.prepare_explanations()
    if fast:
        model.speed_up()
    return model


def last_line(caplog: pytest.LogCaptureFixture) -> RequestLine:
    """The last line of the log that is about a request."""
    lines = [
        record.msg
        for record in caplog.records
        if isinstance(record.msg, RequestLine)
    ]
    return lines[-1]


class Odd:
    """An estimator of its own making: no tags, no scikit-learn."""

    broken = False

    def predict(self, X: Any) -> Any:
        if self.broken or float(np.asarray(X)[0, 0]) == 7654.25:
            raise RuntimeError(f"the value is {np.asarray(X)[0, 0]}")
        return np.full(len(X), np.nan)


def load_odd(**metadata: Any) -> SklearnModel:
    """A model around `Odd`, with the metadata besides its one feature, the number `x`."""
    return SklearnModel.load(
        Artifact.of(
            {"model": Odd(), "metadata": {"features": [FEATURE], **metadata}}
        )
    )
