"""The servers: development's and production's, started for real."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.discretion import note_raw
from tests.models import build
from tests.servers import DEVELOPMENT, UWSGI, Server, project, started

pytestmark = pytest.mark.slow

SECONDS_TO_PRINT = 30
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of development."""
    folder = project(tmp_path_factory.mktemp("development"))
    put(folder)
    with started(DEVELOPMENT, folder) as server:
        server.wait()
        yield server


def put(folder: Path, name: str = "build_linear_binary") -> None:
    joblib.dump(build(name).content, folder / "model.joblib")


def raw(server: Server, request: bytes) -> bytes:
    """What comes back for bytes that no HTTP library would send."""
    with socket.create_connection(
        ("127.0.0.1", server.port), timeout=10
    ) as connection:
        note_raw(request)
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


class Slow:
    """Takes its time to be unpickled."""

    def __reduce__(self) -> Any:
        return (time.sleep, (3,))


def test_development_answers_while_the_model_loads(folder: Path) -> None:
    joblib.dump(
        build("build_linear_binary").content | {"slow": Slow()},
        folder / "model.joblib",
    )
    with started(DEVELOPMENT, folder) as server:
        server.wait("/health", containing="up")
        status, problem = server.get("/ready")
        assert status == 503
        assert "not ready: the model is being loaded" in problem
        assert server.post("/predict", RECORD)[0] == 503
        server.wait()
        assert server.post("/predict", RECORD)[0] == 200


def test_development_says_why_a_model_will_never_be_there(
    folder: Path,
) -> None:
    with started(DEVELOPMENT, folder) as server:
        server.wait(
            "/ready",
            503,
            "not ready: model.joblib cannot be read: No such file or directory",
        )
        assert server.get("/health") == (200, "up")
        assert "Traceback" not in server.log.read_text()


def wait_for_line(log: Path, start: str) -> str:
    """Return the first line of a log that starts like this, once there is one."""
    deadline = time.monotonic() + SECONDS_TO_PRINT
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if line.startswith(start):
                return line
        time.sleep(0.05)
    raise AssertionError(f"no line starts with {start}")


def test_development_prints_a_line_that_works_as_pasted(folder: Path) -> None:
    put(folder, "build_lgbm_binary")
    with started(DEVELOPMENT, folder) as server:
        server.wait()
        line = wait_for_line(server.log, "curl ")
        answer = json.loads(
            subprocess.run(
                line, shell=True, capture_output=True, check=True
            ).stdout
        )
        assert {"prediction", "explanation", "base_value"} <= answer.keys()


def test_development_with_debug_starts_anew_on_a_change(folder: Path) -> None:
    put(folder)
    with started(DEVELOPMENT, folder, DEBUG=1) as server:
        server.wait()
        # Werkzeug's debugger would be there.
        assert server.get("/console")[0] == 404
        for changed in ("python/api/routes.py", "model.joblib"):
            since = json.loads(server.get("/service-info")[1])["running-since"]
            (folder / changed).touch()
            server.wait("/service-info", differing=f'"running-since":{since},')
        server.wait()


def test_settings_come_from_variables_env_and_the_environment_goes_before(
    folder: Path,
) -> None:
    put(folder)
    manual = (
        (folder / "variables.env")
        .read_text()
        .replace("ENVIRONMENT=development", "ENVIRONMENT=file")
    )
    (folder / "variables.env").write_text(manual)
    with started(DEVELOPMENT, folder) as server:
        assert (
            json.loads(server.wait("/service-info"))["environment"] == "file"
        )
    with started(DEVELOPMENT, folder, ENVIRONMENT="shell") as server:
        assert (
            json.loads(server.wait("/service-info"))["environment"] == "shell"
        )


@pytest.mark.parametrize(
    "command", [DEVELOPMENT, UWSGI], ids=["development", "uwsgi"]
)
def test_wrong_settings_end_the_process_with_all_of_them(
    folder: Path, command: list[str]
) -> None:
    with started(
        command, folder, WORKERS=2, MAX_EXPLAIN_ROWS="x", DEBUG="maybe"
    ) as server:
        assert server.process.wait(30) != 0
        log = server.log.read_text()
        assert "MAX_EXPLAIN_ROWS: expected a whole number of 1 or more" in log
        assert "DEBUG: expected 0, 1, true, false, yes or no" in log
        assert "Traceback" not in log


@pytest.mark.parametrize(
    ("request_bytes", "status", "detail"),
    [
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "the URI is longer than the 65536 bytes"),
        (b"GET /" + b"x" * 8_000_000 + b" HTTP/1.1\r\n\r\n", 414, "the URI is longer than the 65536 bytes"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 150 + b"\r\n", 431, "more than 100 headers"),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431, "longer than 65536 bytes"),
        (b"GET / HTTP/9.9\r\n\r\n", 505, "the version of HTTP"),
        (b"<s3nt> / HTTP/x\r\n\r\n", 400, "is not HTTP that can be understood"),
    ],
)  # fmt: skip
def test_what_the_server_of_development_refuses_is_a_problem(
    request_bytes: bytes, status: int, detail: str, development: Server
) -> None:
    head, _, body = raw(development, request_bytes).partition(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert b"s3nt" not in head + body
    document = json.loads(body)
    assert document["status"] == status
    assert detail in document["detail"]
    assert head.split()[1] == str(status).encode()


@pytest.mark.parametrize(
    "command", [DEVELOPMENT, UWSGI], ids=["development", "uwsgi"]
)
def test_a_body_over_the_limit_is_refused_before_it_is_read(
    folder: Path, command: list[str]
) -> None:
    put(folder)
    with started(command, folder, MAX_CONTENT_LENGTH=1000) as server:
        server.wait()
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        for rest in (
            b"Content-Length: 9999999999\r\n\r\n",
            b"Content-Length: 2000\r\n\r\n{",
        ):
            answer = raw(server, head + rest)
            assert b" 413 " in answer.splitlines()[0]
            assert b"application/problem+json" in answer
        assert server.post("/predict", RECORD)[0] == 200


def test_a_chunked_body_is_read_and_its_limit_kept(folder: Path) -> None:
    put(folder)
    with started(DEVELOPMENT, folder, MAX_CONTENT_LENGTH=1000) as server:
        server.wait()
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = raw(
            server, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(RECORD), RECORD)
        )
        assert b" 200 " in answer.splitlines()[0]
        for blanks, status in (
            (1000 - len(RECORD), b" 200 "),
            (1001 - len(RECORD), b" 413 "),
        ):
            body = RECORD + b" " * blanks
            answer = raw(
                server, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
            )
            assert status in answer.splitlines()[0]


def test_uwsgi_takes_its_defaults_and_asks_for_the_length_of_a_body(
    folder: Path,
) -> None:
    put(folder)
    # `nproc` follows these, which are about the threads of a library.
    limits = {"OMP_NUM_THREADS": 1, "OMP_THREAD_LIMIT": 1}
    with started(UWSGI, folder, WORKERS="", THREADS="", **limits) as server:
        server.wait()
        server.wait_for_workers(len(os.sched_getaffinity(0)))
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = raw(
            server, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(RECORD), RECORD)
        )
        assert b"\r\nConnection: close\r\n" in answer
        assert b" 411 " in answer.splitlines()[0]
        assert b"the body must come with its Content-Length" in answer


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost"])
def test_uwsgi_loads_the_model_in_each_worker_before_the_first_request(
    folder: Path, name: str
) -> None:
    put(folder, name)
    record = json.dumps(build(name).records(1)[0]).encode()
    with started(UWSGI, folder, WORKERS=2, THREADS=2) as server:
        server.wait("/health")
        assert {server.get("/ready") for _ in range(20)} == {(200, "ready")}
        answers = {
            server.post("/predict?explain=1", record) for _ in range(20)
        }
        assert [status for status, _ in answers] == [200]
        assert (
            len(
                {
                    line
                    for line in server.log.read_text().splitlines()
                    if "spawned uWSGI worker" in line
                }
            )
            == 2
        )


@pytest.mark.parametrize(
    "broken", [None, b"", b"not a pickle", b"cno_such_package\nThing\n."]
)
def test_uwsgi_ends_with_one_clear_line_where_the_model_cannot_be_loaded(
    folder: Path, broken: bytes | None
) -> None:
    if broken is not None:
        (folder / "model.joblib").write_bytes(broken)
    with started(UWSGI, folder, WORKERS=1) as server:
        assert server.process.wait(30) != 0
        log = server.log.read_text()
        assert log.count("ArtifactError: model.joblib ") == 1
        assert "Traceback" not in log
