"""What `make check` says of a file, and its exit status."""

import hashlib
import json
import os
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression

from python.checking.printing import describe, print_report
from python.checking.report import Report, check_file
from python.model import load_model
from python.settings import Settings
from tests.artifacts import FEATURES, X, content, features_with
from tests.laws import strict
from tests.models import ROOT, build, features
from tests.servers import ENVIRON

# An explanation of each kind of output: what it adds up to, and how exactly.
EXPLAINED = {
    "build_rf_binary": ("probability", 1e-9),
    "build_rf_multiclass": ("probability", 1e-9),
    "build_rf_regression": ("prediction", 1e-6),
    "logistic": ("log_odds", 1e-9),
    "poisson": ("log_prediction", 1e-9),
    "linear margin": ("margin", 1e-9),
    "lightgbm": ("log_odds", 1e-9),
    "lightgbm of three": ("margin", 1e-9),
}


def write(folder: Path, artifact: Any) -> Path:
    path = folder / "model.joblib"
    joblib.dump(artifact, path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPLAINED)
def test_a_file_that_will_be_served(name: str, elsewhere: Path) -> None:
    path = write(elsewhere, build(name).content)
    report = check_file(path, Settings())
    assert report["serves"] is True
    assert strict(json.dumps(report)) == report
    assert report["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    model = load_model(path, "SKLEARN_MODEL")
    info = model.info()
    assert report["model"]["task"] == info["task"]
    assert report["model"]["class_names"] == info["class_names"]
    assert [item["name"] for item in report["features"]] == model.schema.names
    explanation = report["explanation"]
    expected_output, tolerance = EXPLAINED[name]
    assert explanation["explained_output"] == expected_output
    assert 0 <= explanation["error"] < tolerance
    assert explanation["players"] == len(model.schema.names)
    costs = report["costs"]
    assert costs["file_bytes"] == path.stat().st_size
    assert costs["memory_bytes"] > 50e6
    assert costs["prediction_ms"] > 0
    assert costs["thousand_predictions_ms"] > 0
    assert costs["explanation_ms"] > 0
    assert report["curl"].startswith("curl -d ")


def test_what_is_not_offered_is_said_with_its_reason(elsewhere: Path) -> None:
    rows = build("logistic").data
    clusters = KMeans(2).fit(rows)
    artifact = {"model": clusters, "metadata": {"features": features(rows)}}
    path = write(elsewhere, artifact)
    report = check_file(path, Settings(fast_predict=False))
    explanation = report["explanation"]
    assert explanation["is_explainable"] is False
    assert explanation["error"] is None
    assert report["costs"]["explanation_ms"] is None
    assert report["fast_predict"] is False
    lines = dict(describe(report))
    assert lines["explanations"].startswith("no: it has neither a probability")
    assert lines["compiled copy"].endswith("(FAST_PREDICT=0)")
    assert lines["probabilities"] == "no: it has no predict_proba"
    assert lines["examples"] == "none in the file"


def test_a_model_that_needs_a_background(elsewhere: Path) -> None:
    fitted = build("logistic")
    artifact = {key: fitted.content[key] for key in ("model", "metadata")}
    report = check_file(write(elsewhere, artifact), Settings())
    text = dict(describe(report))["explanations"]
    assert text.endswith("with _samples in the request alone")


def test_features_say_their_rule_and_what_encoders_know(
    elsewhere: Path,
) -> None:
    fitted = build("pipeline")
    report = check_file(write(elsewhere, fitted.content), Settings())
    lines = dict(describe(report))
    colours = fitted.data["colour"].cat.categories
    assert report["features"][3]["known_values"] == list(colours)
    assert (
        'its encoder knows 3: "blue", "green", "red"'
        in lines['feature "colour"']
    )
    assert (
        lines['feature "size"']
        == "numeric; may be missing (says the estimator)"
    )


def test_defaults_and_many_features() -> None:
    feature = {"name": "x", "type": "integer", "dtype": "int8", "default": 0}
    more = {
        "required": False,
        "accepts_missing_from": "metadata",
        "known_values": None,
    }
    report = check_report()
    report["features"] = [feature | more] * 30
    lines = list(describe(report))
    assert lines[4].text == "integer (int8); 0 if missing"
    (hidden,) = [line.text for line in lines if line.name == "features"]
    assert hidden == "10 more; --json lists all of them"


def check_report() -> Report:
    path = write(Path.cwd(), build("build_rf_binary").content)
    return check_file(path, Settings(fast_predict=False))


def test_versions_then_and_now(elsewhere: Path) -> None:
    versions = {
        "scikit-learn": "1.6.0",
        "numpy": version("numpy"),
        "nope": "1.0",
    }
    artifact = content(versions=versions)
    artifact["metadata"]["python"] = "3.9.1"
    report = check_file(write(elsewhere, artifact), Settings())
    lines = dict(describe(report))
    assert lines["numpy"] == version("numpy")
    installed = version("scikit-learn")
    assert lines["scikit-learn"] == f"1.6.0 then, {installed} now"
    assert lines["nope"] == "1.0 then, not installed now"
    assert lines["Python"].startswith("3.9.1 then, ")
    assert any(
        "nope 1.0, which is not installed" in line
        for line in report["warnings"]
    )


class Leaving:
    """Ends the process as soon as it is loaded, as if all were well."""

    def __reduce__(self) -> Any:
        return sys.exit, (0,)


@pytest.mark.parametrize(
    ("artifact", "reason"),
    [
        (["no dict"], "model.joblib holds a list, not a dict"),
        (
            content(features=features_with(type="text")),
            'feature "x": unknown type',
        ),
        (
            content(features=FEATURES[:1]),
            "the metadata names 1 features, the model was fitted with 2",
        ),
        (
            content(model=LogisticRegression()),
            "fit the model before it is written",
        ),
        (
            content(examples={"records": X, "predictions": [9, 9, 9]}),
            "example 0: the model said 9 when it was saved",
        ),
        (Leaving(), "SystemExit"),
    ],
)
def test_a_file_that_will_not_be_served(
    artifact: Any, reason: str, elsewhere: Path
) -> None:
    report = check_file(write(elsewhere, artifact), Settings())
    assert report["serves"] is False
    (sentence,) = report["reasons"]
    assert reason in sentence
    assert next(describe(report)).name == "reason"


def test_another_file_than_the_approved_one(elsewhere: Path) -> None:
    path = write(elsewhere, build("build_rf_binary").content)
    report = check_file(path, Settings(model_sha256="0" * 64))
    assert "is not the file that MODEL_SHA256 names" in report["reasons"][0]


def test_a_file_that_is_not_there(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report(check_file(elsewhere / "model.joblib", Settings()))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("model.joblib will not be served")
    assert second.split() == [
        "reason",
        "model.joblib",
        "cannot",
        "be",
        "read:",
        "No",
        "such",
        "file",
        "or",
        "directory",
    ]


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "python.model", str(path), *options],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_command(elsewhere: Path) -> None:
    path = write(elsewhere, build("build_rf_binary").content)
    plain = run(path)
    assert plain.returncode == 0, plain.stderr
    first, *_, last = plain.stdout.splitlines()
    assert first == f"{path} will be served"
    assert last.startswith("curl -d ")
    assert "\x1b" not in plain.stdout
    assert strict(run(path, "--json").stdout)["serves"] is True
    path.write_bytes(b"")
    broken = run(path, "--json")
    assert broken.returncode == 1
    assert strict(broken.stdout)["serves"] is False


class Ending:
    """Ends the process that loads it at once, in some way."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        function, *arguments = self.call
        return function, tuple(arguments)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "status"),
    [((os._exit, 0), 0), ((os._exit, 3), 3), ((os.abort,), -6)],
)
def test_a_file_that_ends_the_process_that_loads_it(
    call: tuple[Any, ...], status: int, elsewhere: Path
) -> None:
    ended = run(write(elsewhere, Ending(*call)), "--json")
    assert ended.returncode == 1
    report = strict(ended.stdout)
    assert report["serves"] is False
    assert report["reasons"] == [
        f"the file ended the process that loaded it, with the status {status}"
    ]


@pytest.mark.slow
def test_what_a_file_prints_is_not_in_the_report(elsewhere: Path) -> None:
    path = write(elsewhere, Ending(print, "hello"))
    assert strict(run(path, "--json").stdout)["serves"] is False


@pytest.mark.slow
def test_a_terminal_gets_colours(elsewhere: Path) -> None:
    path = write(elsewhere, build("build_rf_binary").content)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "python.model", str(path)],
        cwd=ROOT,
        env=ENVIRON | {"TERM": "xterm-256color", "COLUMNS": "200"},
        stdout=slave,
        stderr=subprocess.PIPE,
    )
    os.close(slave)
    shown = b""
    try:
        while part := os.read(master, 4096):
            shown += part
    except OSError:
        pass  # Linux says so of a terminal that nobody writes to any more
    assert process.wait() == 0
    assert process.stderr
    process.stderr.close()
    os.close(master)
    text = shown.decode()
    assert "\x1b[1;32m" in text
    assert "will be served" in text
    assert "curl -d" in text


@pytest.mark.parametrize(
    ("options", "file"),
    [([], "model.joblib"), (["MODEL=other.joblib"], "other.joblib")],
)
def test_make_check(options: list[str], file: str) -> None:
    prepared = ["--old-file=.venv/python", "--old-file=.venv/serve"]
    planned = subprocess.run(
        ["make", *prepared, "--dry-run", "check", *options],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )
    command = f".venv/bin/python -m python.model {file}"
    assert planned.stdout.splitlines() == [command]
