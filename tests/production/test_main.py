"""What the commands `serve`, `swap` and `ready` do."""

import json
import os
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import joblib
import pytest

from python import loading
from python.loading import find_verdicts
from tests.models import ROOT
from tests.production.replicas import (
    RECORD,
    command,
    model_version,
    run,
    save_example,
    save_slow_example,
    serving,
)
from tests.servers import ENVIRON, Server, free_port, started

pytestmark = pytest.mark.slow

SECONDS_TO_PROVE = 60
ENOUGH_ANSWERS = 40


def test_serve_starts_a_worker_for_each_processor_that_may_be_used(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder, WORKERS="") as server:
        server.wait_for_workers(len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            {"MODEL_NAME": "none.joblib"},
            "serve failed: none.joblib cannot be copied: No such file or directory",
        ),
        (
            {"MAX_EXPLAIN_ROWS": "x"},
            "  MAX_EXPLAIN_ROWS: expected a whole number of 1 or more",
        ),
    ],
)
def test_serve_ends_with_a_sentence_if_it_cannot_serve(
    folder: Path, setting: dict[str, str], sentence: str
) -> None:
    with started(command("serve"), folder, **setting) as server:
        assert server.process.wait(30) == 1
        assert server.log.read_text().splitlines()[-1] == sentence


def test_swap_serves_a_new_model_from_every_worker_and_answers_have_its_version(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder, WORKERS=2) as server:
        old = model_version(server)
        save_example(folder, "build_linear_binary")
        assert model_version(server) == old
        assert run(folder, "swap", server).returncode == 0
        new = model_version(server)
        assert new != old
        assert {model_version(server) for _ in range(20)} == {new}


JUDGED = ("the copy was judged", "explanations were judged")


def test_one_worker_of_a_replica_proves_for_all(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder, WORKERS=3) as server:
        wait_for_copies(server)
        assert [server.log.read_text().count(each) for each in JUDGED] == [
            1,
            2,
        ]
        save_example(folder, "build_linear_binary")
        assert run(folder, "swap", server).returncode == 0
        wait_for_copies(server)
        assert [server.log.read_text().count(each) for each in JUDGED] == [
            2,
            4,
        ]


def test_what_was_proven_before_a_start_is_proven_anew(folder: Path) -> None:
    """Settings and packages may be others since."""
    save_example(folder, "build_rf_binary")
    for _ in range(2):
        with serving(folder, WORKERS=1) as server:
            wait_for_copies(server)
            info = json.loads(server.get("/info")[1])["model"]
        assert info["is_explainable"]
        assert info["fast_predict"]
        kept = [
            path for path in folder.glob("run/verdicts/**/*") if path.is_file()
        ]
        assert {path.name for path in kept} == {"copy", "alone", "against"}
        for path in kept:
            path.write_text('{"objection": "it was another day"}')


def test_what_other_code_has_proven_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A new worker imports `model_code/` as it is in the folder."""
    monkeypatch.setenv("SERVICE_VERDICTS", str(tmp_path))
    monkeypatch.setattr(loading, "MODEL_CODE", tmp_path)
    before = find_verdicts()
    (tmp_path / "steps.py").write_text("double = 2")
    after = find_verdicts()
    assert before != after == find_verdicts()
    (tmp_path / "steps.py").rename(tmp_path / "other.py")
    assert find_verdicts() not in (before, after)


def wait_for_copies(server: Server) -> None:
    """Wait until every worker that answers predicts with a copy."""
    deadline = time.monotonic() + SECONDS_TO_PROVE
    copies = 0
    while copies < ENOUGH_ANSWERS:
        assert time.monotonic() < deadline
        is_copied = '"fast_predict":true' in server.get("/info")[1]
        copies = copies + 1 if is_copied else 0


def test_swap_waits_for_workers_that_still_load_the_old_model(
    folder: Path,
) -> None:
    save_slow_example(folder, 0, 1, 5)
    with started(command("serve"), folder, WORKERS=2) as server:
        server.wait("/health")  # one of the two listens
        save_example(folder, "build_linear_binary")
        assert run(folder, "swap", server).returncode == 0
        new = model_version(server)
        assert {model_version(server) for _ in range(20)} == {new}
        live = (folder / "run" / "live" / "model.joblib").read_bytes()
        assert (
            new
            == sha256(live).hexdigest()[:12]
            == sha256((folder / "model.joblib").read_bytes()).hexdigest()[:12]
        )


@pytest.mark.parametrize("broken", [b"not a pickle", b""])
def test_swap_leaves_the_old_model_if_the_new_one_is_broken(
    folder: Path, broken: bytes
) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder) as server:
        old = model_version(server)
        (folder / "model.joblib").write_bytes(broken)
        swap = run(folder, "swap", server)
        assert swap.returncode == 1
        assert swap.stderr.splitlines()[-1].startswith(
            "swap failed: model.joblib is truncated, damaged or something else"
        )
        assert "Traceback" not in swap.stderr
        assert model_version(server) == old
        (folder / "model.joblib").unlink()
        assert (
            run(folder, "swap", server).stderr
            == "swap failed: model.joblib cannot be copied: No such file or directory\n"
        )
        assert model_version(server) == old
        assert server.post("/predict", RECORD)[0] == 200


def test_swap_leaves_the_old_model_if_an_example_of_the_new_one_differs(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder) as server:
        old = model_version(server)
        artifact = joblib.load(folder / "model.joblib")
        artifact["examples"] = {
            "records": [json.loads(RECORD)],
            "predictions": [7],
        }
        joblib.dump(artifact, folder / "model.joblib")
        swap = run(folder, "swap", server)
        assert swap.returncode == 1
        sentence = "swap failed: example 0: the model said 7 when it was saved"
        assert swap.stderr.splitlines()[-1].startswith(sentence)
        assert model_version(server) == old


def test_swap_removes_a_refused_model_and_logs_the_reason(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder) as server:
        (folder / "model.joblib").write_bytes(b"not a pickle")
        log = server.log.read_text()
        assert run(folder, "swap", server).returncode == 1
        assert not (folder / "run" / "candidate" / "model.joblib").exists()
        assert server.log.read_text().startswith(log)
        assert (
            "swap failed: model.joblib is truncated" in server.log.read_text()
        )


def test_ready_says_whether_the_service_is_ready(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    with serving(folder) as server:
        assert run(folder, "ready", server).returncode == 0
    ended = run(folder, "ready", server)
    assert ended.returncode == 1
    assert ended.stderr == "not ready: [Errno 111] Connection refused\n"


def test_ready_imports_neither_a_web_framework_nor_data_science() -> None:
    # The health check starts this command every five seconds in each replica.
    command = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "python.production",
        "ready",
    ]
    environ = ENVIRON | {"PORT": str(free_port())}
    health_check = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "not ready: [Errno 111] Connection refused" in health_check.stderr
    modules = re.findall(
        r"^import time: .*\| +([\w.]+)$", health_check.stderr, re.MULTILINE
    )
    assert "python.settings" in modules
    packages = {module.split(".")[0] for module in modules}
    assert not packages & {
        "flask",
        "werkzeug",
        "numpy",
        "pandas",
        "scipy",
        "sklearn",
        "joblib",
    }
