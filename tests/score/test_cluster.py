"""Folders of Parquet, scored by Dask: each row once, also where a worker is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from tests.models import ROOT, build, numbers
from tests.servers import ENVIRON, free_port

pytestmark = pytest.mark.slow

NAME = "build_rf_binary"
FILES = 12
ROWS = 3000
SECONDS = 120
# Slow enough that a worker can be killed in the middle. It has no probabilities, which the
# forest's own examples have.
SLOW = """
import time

class Slow:
    def __init__(self, model):
        self.model = model

    def predict(self, X):
        time.sleep(len(X) / 5000)
        return self.model.predict(X)
"""


def environ(folder: Path) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(folder)])
    return ENVIRON | {"PYTHONPATH": paths, "FAST_PREDICT": "0", "WORKERS": "2"}


def run(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environ(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "python.score", "model.joblib", *arguments]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a slow model, and a folder of inputs."""
    (tmp_path / "slow_model.py").write_text(SLOW)
    joblib.dump(build(NAME).content, tmp_path / "plain.joblib")
    script = (
        "import joblib, slow_model; content = joblib.load('plain.joblib');"
        "content['model'] = slow_model.Slow(content['model']);"
        "del content['examples'];"
        "joblib.dump(content, 'model.joblib')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    (tmp_path / "in").mkdir()
    draw = np.random.default_rng(0)
    for number in range(FILES):
        frame = pd.DataFrame(
            draw.normal(size=(ROWS, 3)),
            columns=["feature1", "feature2", "feature3"],
        )
        frame["id"] = np.arange(ROWS) + number * ROWS
        frame.to_parquet(tmp_path / "in" / f"part-{number:02}.parquet")
    return tmp_path


def start(folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environ(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def cluster(
    folder: Path, count: int
) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """Run a scheduler and workers, each a process; yield the address and the workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--no-nanny", "--nthreads", "1"]
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = start(folder, [*dask, "scheduler", "--port", str(port), *here])
    workers = [start(folder, [*worker, *here]) for _ in range(count)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def check_output(folder: Path, output: str) -> None:
    """Assert that the output has each row once, with the estimator's prediction."""
    written = pd.concat(
        pd.read_parquet(path) for path in sorted((folder / output).iterdir())
    )
    assert written["id"].tolist() == list(range(FILES * ROWS))
    frames = [
        pd.read_parquet(path) for path in sorted((folder / "in").iterdir())
    ]
    rows = pd.concat(frames).drop(columns="id")
    expected = build(NAME).estimator.predict(rows)
    assert written["prediction"].tolist() == expected.tolist()
    assert {path.name for path in (folder / output).iterdir()} == {
        path.name for path in (folder / "in").iterdir()
    }


def test_three_workers_one_of_which_is_killed(folder: Path) -> None:
    with cluster(folder, 3) as (address, workers):
        process = subprocess.Popen(
            command("in", "out", "--keep", "id", "--dask", address),
            cwd=folder,
            env=environ(folder),
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            deadline = time.monotonic() + SECONDS
            while not list(folder.glob(".out.*/part-*")):
                assert time.monotonic() < deadline
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            workers[0].send_signal(signal.SIGKILL)
            assert len(list(folder.glob(".out.*/part-*"))) < FILES
            _, printed = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, printed
    assert f"{FILES * ROWS:,} rows in " in printed
    check_output(folder, "out")
    assert not list(folder.glob(".out.*"))
    check_same_without_a_cluster(folder, "out")


def check_same_without_a_cluster(folder: Path, output: str) -> None:
    """Assert that the files, joined, are what the processes of one command make of their rows."""
    parts = []
    for path in sorted((folder / "in").iterdir()):
        parts.append(pd.read_parquet(path))
    rows = pd.concat(parts, ignore_index=True)
    rows.to_parquet(folder / "all.parquet")
    scored = run(folder, "all.parquet", "alone.parquet", "--keep", "id")
    assert scored.returncode == 0, scored.stderr
    alone = pd.read_parquet(folder / "alone.parquet")
    by_cluster = []
    for path in sorted((folder / output).iterdir()):
        by_cluster.append(pd.read_parquet(path))
    joined = pd.concat(by_cluster, ignore_index=True)
    pd.testing.assert_frame_equal(joined, alone, check_exact=True)


def test_local_workers_and_what_they_refuse(folder: Path) -> None:
    options = ("--keep", "id", "--dask", "local")
    scored = run(folder, "in", "out", *options)
    assert scored.returncode == 0, scored.stderr
    check_output(folder, "out")
    again = run(folder, "in", "out", *options)
    assert again.returncode == 1
    assert again.stderr == "out exists; --force replaces it\n"
    bad = pd.read_parquet(folder / "in" / "part-03.parquet")
    bad.loc[7, "feature1"] = np.inf
    bad.to_parquet(folder / "in" / "part-03.parquet")
    stopped = run(folder, "in", "out", *options, "--force")
    assert stopped.returncode == 1
    assert (
        'part-03.parquet, row 8, column "feature1": expected a number'
        in stopped.stderr
    )
    assert len(list((folder / "out").iterdir())) == FILES
    assert not list(folder.glob(".out.*"))


def test_what_is_no_folder_of_parquet(folder: Path) -> None:
    options = ("--dask", "tcp://127.0.0.1:1")
    refused = run(folder, "none", "out", *options)
    assert "none is no folder with .parquet files" in refused.stderr
    numbers().to_parquet(folder / "in" / "other.parquet")
    refused = run(folder, "in", "out", *options)
    assert "has other columns than" in refused.stderr
    assert refused.returncode == 1
