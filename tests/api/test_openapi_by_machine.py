"""What programs make of the OpenAPI document: schemathesis its requests, a generator its client."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import (
    EngineEvent,
    FatalError,
    NonFatalError,
    ScenarioFinished,
)

from python.app import create_app
from python.settings import Settings
from tests.described import DESCRIBED, model_of
from tests.models import ROOT
from tests.servers import running

pytestmark = pytest.mark.slow

KEY = "s3cret"
EXAMPLES_PER_OPERATION = 20
# The phase that tries each limit of each feature takes five times as long as all others.
COVERED = {"build_lgbm_binary", "whole numbers"}


def is_no_fault(failure: Any, case: Any, response: Any) -> bool:
    """Whether a request that fits the document may be refused all the same.

    JSON Schema has no words for a table of CSV. And an estimator may refuse a number that its
    feature takes: a forest has none beyond those of float32.
    """
    is_refusal = type(failure).__name__ == "RejectedPositiveData"
    by_model = "the model does not take these values" in response.text
    return is_refusal and (case.media_type == "text/csv" or by_model)


def run(url: str, *, key: str, covers: bool) -> Iterator[EngineEvent]:
    """Yield what happens when schemathesis tests the service, always in the same way."""
    headers = {}
    auth = {}
    if key:
        headers = {"X-API-Key": key}  # for the document itself
        auth = {"openapi": {"bearer": {"bearer": key}}}
    generation = {
        "deterministic": True,
        "max-examples": EXAMPLES_PER_OPERATION,
        "database": "none",
    }
    config = schemathesis.Config.from_dict(
        {
            "auth": auth,
            "generation": generation,
            "suppress-health-check": ["too_slow"],  # as the machine may be
            "phases": {"coverage": {"enabled": covers}},
        }
    )
    schema = schemathesis.openapi.from_url(
        f"{url}/openapi.json", config=config, headers=headers
    )

    @schema.hook
    def filter_failure(
        context: Any,  # noqa: ARG001
        failure: Any,
        case: Any,
        response: Any,
    ) -> bool:
        return not is_no_fault(failure, case, response)

    yield from from_schema(schema).execute()


def find_failures(event: EngineEvent) -> list[str]:
    if isinstance(event, NonFatalError):
        return [str(event.value)]
    if isinstance(event, FatalError):
        return [str(event.exception)]
    if not isinstance(event, ScenarioFinished):
        return []
    failures = []
    for checks in event.recorder.checks.values():
        for check in checks:
            if check.failure_info is not None:
                failures.append(
                    f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                )
    if event.status == Status.ERROR:
        failures.append(f"{event.recorder.label} could not be tested")
    return failures


@pytest.mark.parametrize(
    ("name", "key"),
    [*((name, "") for name in DESCRIBED), ("build_rf_binary", KEY)],
)
def test_schemathesis_finds_no_fault(name: str, key: str) -> None:
    app = create_app(Settings(api_key=key), model_of(name))
    failures = []
    tested = set()
    cases = 0
    with running(app) as url:
        for event in run(url, key=key, covers=name in COVERED):
            failures += find_failures(event)
            if isinstance(event, ScenarioFinished):
                cases += len(event.recorder.cases)
                tested.add(event.recorder.label)
    assert failures == []
    assert {"POST /predict", "POST /preprocess", "GET /info"} <= tested
    assert cases >= EXAMPLES_PER_OPERATION


def generate(app: Flask, folder: Path, *options: str) -> None:
    """Let a client be written into the folder."""
    headers = {"X-API-Key": KEY}
    document = app.test_client().get("/openapi.json", headers=headers)
    (folder / "openapi.json").write_bytes(document.data)
    # It would format the code with ruff.
    (folder / "config.yaml").write_text("post_hooks: []\n")
    generator = [sys.executable, "-m", "openapi_python_client", "generate"]
    subprocess.run(
        [*generator, "--path=openapi.json", "--config=config.yaml", *options],
        cwd=folder,
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("name", ["build_rf_multiclass", "whole numbers"])
def test_a_generated_client_predicts_and_explains(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(api_key=KEY), model_of(name))
    package = f"client_of_{name.replace(' ', '_')}"
    generate(app, tmp_path, "--meta=none", f"--output-path={package}")
    monkeypatch.syspath_prepend(str(tmp_path))
    models = import_module(f"{package}.models")
    predict = import_module(f"{package}.api.default.predict")
    clients = import_module(f"{package}.client")
    record = model_of(name).example()
    first_name = next(iter(record))
    expected = app.test_client().post(
        "/predict?proba=1&explain=1",
        json=[record, record],
        headers={"X-API-Key": KEY},
    )
    one = models.Record.from_dict(record)
    wrong = models.Record.from_dict(record | {first_name: []})
    with (
        running(app) as url,
        clients.AuthenticatedClient(base_url=url, token=KEY) as client,
    ):
        returned = predict.sync(
            client=client,
            body=[one, one],
            proba=models.Flag.VALUE_1,
            explain=models.Flag.TRUE,
        )
        plain = predict.sync(client=client, body=one)
        refused = predict.sync(client=client, body=wrong)
    assert returned.to_dict() == expected.get_json()
    assert len(plain.prediction) == 1
    assert refused.status == 422
    assert refused.errors[0].pointer == f"#/{first_name}"


def test_the_client_of_the_documentation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (source,) = re.findall(
        r"^```python\n(from predictions_of.*?)^```$",
        (ROOT / "docs" / "openapi.md").read_text(),
        flags=re.MULTILINE | re.DOTALL,
    )
    app = create_app(Settings(), model_of("build_rf_binary"))
    generate(app, tmp_path)
    monkeypatch.syspath_prepend(
        str(tmp_path / "predictions-of-model-joblib-client")
    )
    capsys.readouterr()  # what the example script printed
    with running(app) as url:
        exec(source.replace("http://localhost:5000", url), {})
    assert capsys.readouterr().out.startswith("1 {'feature1': 0.07")
