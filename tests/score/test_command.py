"""The command `python -m python.score`: files, standard streams, interruptions and full disks."""

import os
import pickle
import pty
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from tests.models import ROOT, build, mixed
from tests.servers import ENVIRON

pytestmark = pytest.mark.slow

NAME = "pipeline"
SECONDS_TO_END = 60


class Ending:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (9,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model, and an input of twenty rows."""
    joblib.dump(build(NAME).content, tmp_path / "model.joblib")
    mixed(missing=True).head(20).to_csv(tmp_path / "in.csv", index=False)
    return tmp_path


def command(*arguments: str) -> list[str]:
    # The environment of a user who is in another folder.
    return [sys.executable, "-m", "python.score", "model.joblib", *arguments]


def environ(**settings: str) -> dict[str, str]:
    return ENVIRON | {"PYTHONPATH": str(ROOT)} | settings


def run(
    folder: Path, *arguments: str, stdin: bytes = b"", **settings: str
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environ(**settings),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=SECONDS_TO_END,
    )


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {
        "model.joblib",
        "in.csv",
    }


def expected() -> pd.DataFrame:
    rows = mixed(missing=True).head(20)
    model = build(NAME).estimator
    proba = model.predict_proba(rows)
    return pd.DataFrame(
        {
            "prediction": model.predict(rows),
            "proba_no": proba[:, 0],
            "proba_yes": proba[:, 1],
        }
    )


def test_a_file_is_scored_as_the_estimator_does(folder: Path) -> None:
    scored = run(folder, "in.csv", "out.csv", "--proba")
    assert scored.returncode == 0, scored.stderr
    assert scored.stdout == b""
    assert scored.stderr.startswith(b"20 rows in ")
    written = pd.read_csv(folder / "out.csv", float_precision=None)
    pd.testing.assert_frame_equal(written, expected(), rtol=1e-12, atol=0)
    assert left_over(folder) == {"out.csv"}
    # As any other file that this user writes.
    (folder / "other").write_text("")
    assert (folder / "out.csv").stat().st_mode == (
        folder / "other"
    ).stat().st_mode


def test_standard_streams(folder: Path) -> None:
    text = (folder / "in.csv").read_bytes()
    # A model may print.
    settings = {"PYTHONSTARTUP": "", "WORKERS": "1"}
    scored = run(folder, "-", "-", "--proba", stdin=text, **settings)
    assert scored.returncode == 0, scored.stderr
    run(folder, "in.csv", "out.csv", "--proba")
    assert scored.stdout == (folder / "out.csv").read_bytes()


def test_parquet_in_and_out(folder: Path) -> None:
    frame = mixed(missing=True).head(20).assign(id=range(20))
    frame.to_parquet(folder / "in.parquet", index=False)
    scored = run(
        folder, "in.parquet", "out.parquet", "--proba", "--keep", "id"
    )
    assert scored.returncode == 0, scored.stderr
    written = pd.read_parquet(folder / "out.parquet")
    assert written.pop("id").tolist() == list(range(20))
    wanted = expected()
    for name in wanted:
        if name == "prediction":
            assert written[name].tolist() == wanted[name].tolist()
        else:
            np.testing.assert_allclose(written[name], wanted[name], 1e-12)


def test_an_output_that_exists_is_not_replaced_unawares(folder: Path) -> None:
    (folder / "out.csv").write_text("precious")
    scored = run(folder, "in.csv", "out.csv")
    assert scored.returncode == 1
    assert scored.stderr == b"out.csv exists; --force replaces it\n"
    assert (folder / "out.csv").read_text() == "precious"
    assert run(folder, "in.csv", "out.csv", "--force").returncode == 0
    assert (folder / "out.csv").read_text().startswith("prediction\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("none.csv", "out.csv"), "none.csv: No such file or directory"),
        (("in.csv", "none/out.csv"), "there is no folder none"),
        (("in.csv", "out.txt"), "out.txt: the name must end in .csv or"),
        (("empty.csv", "out.csv"), "the input is empty: its first line must"),
        (("in.csv", "out.csv", "--keep", "x"), "--keep: the input has no"),
        (("other.csv", "out.csv"), "the columns do not fit: unknown feature"),
        (("not.parquet", "out.csv"), "not.parquet is no Parquet file: "),
        (
            ("in.csv", "out.csv", "--samples", "none.csv"),
            "none.csv: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    arguments: tuple[str, ...], sentence: str, folder: Path
) -> None:
    (folder / "empty.csv").write_text("")
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "not.parquet").write_text("a,b\n1,2\n")
    scored = run(folder, *arguments)
    assert scored.returncode == 1
    assert scored.stderr.decode().startswith(sentence)
    assert b"Traceback" not in scored.stderr
    assert not (folder / "out.csv").exists()


def test_a_row_that_does_not_fit_stops_it_or_not(folder: Path) -> None:
    lines = (folder / "in.csv").read_text().splitlines()
    lines.insert(3, "1,2,x,red")
    (folder / "in.csv").write_text("\n".join(lines))
    stopped = run(folder, "in.csv", "out.csv")
    assert stopped.returncode == 1
    fault = 'line 4, column "height": expected a number, got "x"'
    first, advice = stopped.stderr.decode().splitlines()
    assert first == fault
    assert "--on-error skip" in advice
    assert left_over(folder) == set()
    for on_error, rows, what in (
        ("skip", 20, "left out"),
        ("null", 21, "left without a result"),
    ):
        scored = run(
            folder, "in.csv", "out.csv", "--on-error", on_error, "--force"
        )
        assert scored.returncode == 0
        summary, listed = scored.stderr.decode().splitlines()
        assert summary.startswith("21 rows in ")
        assert summary.endswith(f"; 1 {what}:")
        assert listed == fault
        written = pd.read_csv(folder / "out.csv", skip_blank_lines=False)
        assert len(written) == rows


# A value that the service does not try of its own accord, so that only the file is slow.
STUCK = 13_579
SLOW = f"""
import time

class Slow:
    def predict(self, X):
        if (X.to_numpy() == {STUCK}).any():
            time.sleep(30)
        return [0] * len(X)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing(
    number: signal.Signals, folder: Path
) -> None:
    (folder / "slow_model.py").write_text(SLOW)
    script = (
        "import joblib, slow_model;"
        "joblib.dump({'model': slow_model.Slow(), 'metadata': {'features': "
        "[{'name': 'x', 'type': 'numeric'}]}}, 'model.joblib')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
    (folder / "out.csv").write_text("precious")
    (folder / "in.csv").write_text("x\n" + f"{STUCK}\n" * 100)
    paths = os.pathsep.join([str(ROOT), str(folder)])
    process = subprocess.Popen(
        command("in.csv", "out.csv", "--force"),
        cwd=folder,
        env=environ(PYTHONPATH=paths),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        wait_for_output(folder, process)
        # A terminal signals the whole group.
        os.killpg(process.pid, number)
        _, printed = process.communicate(timeout=10)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    assert printed == b"interrupted; nothing is written\n"
    assert (folder / "out.csv").read_text() == "precious"
    assert left_over(folder) == {"out.csv", "slow_model.py"}
    wait_for_end(process.pid)


def wait_for_output(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the output is begun beside its place."""
    deadline = time.monotonic() + SECONDS_TO_END
    while not list(folder.glob(".out.csv.*")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)


def wait_for_end(group: int) -> None:
    """Wait until no process of the group is left."""
    deadline = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("some processes have not ended")


def test_a_full_disk_leaves_nothing(folder: Path) -> None:
    def limit() -> None:
        # The same as a full disk, to the process: no write goes beyond it.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    rows = mixed(missing=True)
    pd.concat([rows] * 40).to_csv(folder / "in.csv", index=False)
    (folder / "out.csv").write_text("precious")
    scored = subprocess.run(
        command("in.csv", "out.csv", "--force", "--proba"),
        cwd=folder,
        env=environ(FAST_PREDICT="0"),
        capture_output=True,
        check=False,
        preexec_fn=limit,
        timeout=SECONDS_TO_END,
    )
    assert scored.returncode == 1
    assert scored.stderr == b"out.csv: File too large\n"
    assert (folder / "out.csv").read_text() == "precious"
    assert left_over(folder) == {"out.csv"}


def test_a_full_standard_output(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        scored = subprocess.run(
            command("in.csv", "-"),
            cwd=folder,
            env=environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=SECONDS_TO_END,
        )
    assert scored.returncode == 1
    assert scored.stderr == b"-: No space left on device\n"


def test_a_reader_that_goes_away(folder: Path) -> None:
    head = "head -c 5"
    line = " ".join([*command("in.csv", "-"), "|", head])
    scored = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=folder,
        env=environ(),
        capture_output=True,
        check=False,
        timeout=SECONDS_TO_END,
    )
    assert scored.stdout == b"predi"
    assert b"Traceback" not in scored.stderr


def test_a_worker_that_dies(folder: Path) -> None:
    (folder / "deadly_model.py").write_text(
        SLOW.replace("time.sleep(30)", "__import__('os')._exit(9)").replace(
            "Slow", "Deadly"
        )
    )
    script = (
        "import joblib, deadly_model;"
        "joblib.dump({'model': deadly_model.Deadly(), 'metadata': {'features': "
        "[{'name': 'x', 'type': 'numeric'}]}}, 'model.joblib')"
    )
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
    (folder / "in.csv").write_text("x\n" + f"{STUCK}\n" * 100)
    paths = os.pathsep.join([str(ROOT), str(folder)])
    scored = run(folder, "in.csv", "out.csv", PYTHONPATH=paths)
    assert scored.returncode == 1
    assert scored.stderr.startswith(b"a worker has died")
    assert not (folder / "out.csv").exists()


def test_a_file_that_ends_the_process_that_loads_it(folder: Path) -> None:
    (folder / "model.joblib").write_bytes(pickle.dumps(Ending()))
    (folder / "in.csv").write_text("x\n1\n")
    scored = run(folder, "in.csv", "out.csv")
    assert scored.returncode == 1
    assert b"the model file ended it" in scored.stderr
    assert left_over(folder) == set()


def test_a_terminal_gets_a_bar(folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("in.csv", "out.csv"),
        cwd=folder,
        env=environ(TERM="xterm"),
        stderr=theirs,
    )
    os.close(theirs)
    printed = b""
    try:
        while part := os.read(ours, 1024):
            printed += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert "20 rows" in printed.decode()
    assert "━" in printed.decode()
