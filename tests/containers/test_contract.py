"""The answers through nginx are those of `python service.py`."""

import json
import sys
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.containers.stack import Answer, Stack
from tests.models import build

EXAMPLES = (
    "build_rf_binary",
    "build_rf_multiclass",
    "build_pipeline_regression",
    "build_lgbm_binary",
)


@pytest.fixture(scope="module")
def development(
    built: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    stack = Stack(
        tmp_path_factory.mktemp("development"),
        "mmd-development",
        file="docker-compose.yml",
        image=built,
    )
    stack.put(build("build_rf_binary").content)
    try:
        stack.compose("up", "--detach", "--no-build")
        stack.wait()
        yield stack
    finally:
        stack.down()


def requests(name: str) -> Iterator[tuple[str, bytes | None, dict[str, str]]]:
    records = build(name).records(3)
    yield from (
        (path, None, {})
        for path in (
            "/health",
            "/ready",
            "/info",
            "/features",
            "/nowhere",
            "/predict",
        )
    )
    bodies: list[Any] = [
        records[0],
        records,
        {"_data": records[0], "_samples": records},
        {"_data": records},
    ]
    for body in bodies:
        for query in (
            "",
            "?proba=1",
            "?explain=1",
            "?proba=1&explain=1",
            "?proba=maybe",
        ):
            yield f"/predict{query}", json.dumps(body).encode(), {}
        yield "/preprocess", json.dumps(body).encode(), {}
    yield from (
        ("/predict", body, {})
        for body in (
            b"[]",
            b"{",
            b"NaN",
            b"\xff",
            b'{"no such": 1}',
            b'{"_samples": []}',
        )
    )
    yield "/predict", b"a,b", {"Content-Type": "text/csv"}
    yield "/predict", b"<a/>", {"Content-Type": "application/xml"}
    yield "/health", b"", {}


def told(answer: Answer) -> Any:
    allowed = sorted(answer.headers.get("Allow", "").split(", "))
    return (
        answer.status,
        answer.headers["Content-Type"],
        allowed,
        answer.headers["X-Model-Version"],
        answer.body,
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_answers_are_those_of_development(
    stack: Stack, development: Stack, name: str
) -> None:
    stack.put(build(name).content)
    development.put(build(name).content)
    development.model.write_bytes(stack.model.read_bytes())
    stack.run("make", "swap")
    [version] = stack.versions()
    development.until(
        lambda: (
            development.status("/ready") == 200
            and development.versions() == {version}
        )
    )
    for one in (stack, development):
        one.until(
            lambda one=one: (
                not any(
                    b"being prepared" in one.ask("/info").body
                    for _ in range(20)
                )
            )
        )
    statuses = set()
    for path, body, headers in requests(name):
        sent = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-00", **headers}
        answer = stack.ask(path, body, **sent)
        assert told(answer) == told(development.ask(path, body, **sent)), (
            path,
            body,
        )
        statuses.add(answer.status)
    assert {200, 400, 404, 405, 415, 422} <= statuses


def test_service_info_tells_the_two_apart(
    stack: Stack, development: Stack
) -> None:
    production, other = (
        stack.ask("/service-info").json,
        development.ask("/service-info").json,
    )
    assert production.keys() == other.keys()
    assert (production["environment"], production["debug"]) == (
        "production",
        False,
    )
    assert (other["environment"], other["debug"]) == ("development", True)
    assert (
        production["serving-model-name"]
        == other["serving-model-name"]
        == "model.joblib"
    )


def test_development_serves_changed_code(development: Stack) -> None:
    routes = development.folder / "python" / "api" / "routes.py"
    routes.write_text(routes.read_text().replace('"up"', '"changed"'))

    def is_changed() -> bool:
        try:
            return development.ask("/health").body == b"changed"
        except (OSError, HTTPException):
            # It starts anew while it answers.
            return False

    development.until(is_changed)


def test_boosters_answer_in_four_processes(built: str, tmp_path: Path) -> None:
    stack = Stack(tmp_path, "mmd-boosters", image=built)
    # Beside the model, since an image with two more lines in requirements.txt takes minutes to build.
    wheels = [
        "--no-deps",
        "--only-binary=:all:",
        "--python-version=3.13",
        "--target",
        str(stack.model.parent / "packages"),
    ]
    stack.run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        *wheels,
        "xgboost-cpu~=3.1",
        "catboost~=1.2",
        "six",
    )
    stack.configure(WORKERS=4, PYTHONPATH="/models/packages")
    stack.put(build("lightgbm").content)
    try:
        stack.up(1)
        for name in ("lightgbm", "xgboost", "catboost"):
            stack.put(build(name).content)
            stack.run("make", "swap")
            body = json.dumps(build(name).records(1)[0]).encode()
            with stack.load(body, "/predict?explain=1", clients=16) as load:
                pass
            load.assert_nothing_lost()
            assert load.versions == stack.versions()
            assert len(load.bodies) == 1
        assert stack.logs("service").count(" spawned uWSGI worker") == 4
    finally:
        stack.down()
