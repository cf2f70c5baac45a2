"""A save that is interrupted, or that never ends, leaves nothing for long."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from python.errors import ArtifactError
from python.model import save_model
from python.model.saving.workspace import clear_leavings, workspace
from tests.models import ROOT
from tests.production.replicas import SlowToLoad
from tests.servers import ENVIRON

X = pd.DataFrame({"a": np.arange(30) % 7 / 4})
SAVE = """
from tests.model.saving.test_interrupted import X, Slow
from python.model import save_model
save_model(Slow(), X)
"""
WAIT_SECONDS = 60


class Slow:
    """Takes a minute to be unpickled."""

    def __init__(self) -> None:
        self.part = SlowToLoad(60)

    def predict(self, data: Any) -> Any:
        return np.zeros(len(data))


class Leaving:
    """Ends the process that unpickles it, as if all were well."""

    def __reduce__(self) -> Any:
        return os._exit, (0,)

    def predict(self, data: Any) -> Any:
        return np.zeros(len(data))


def wait_for(condition: Any) -> Any:
    """Return what the condition returns, once that is true."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(condition)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()]


def is_dead(pid: int) -> bool:
    """Return whether a process has ended; its parent may not have noticed."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle(
    number: signal.Signals,
    elsewhere: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = elsewhere / "model.joblib"
    path.write_text("the old one")
    process = subprocess.Popen(
        [sys.executable, "-c", SAVE],
        cwd=elsewhere,
        env=ENVIRON | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    (proof,) = wait_for(lambda: children(process.pid))
    # Another one that saves leaves it alone.
    clear_leavings(elsewhere)
    (folder,) = elsewhere.glob(".saving-*")
    assert [item.name for item in folder.iterdir()] == ["model.joblib"]
    process.send_signal(number)
    assert process.wait(WAIT_SECONDS) == -number
    wait_for(lambda: is_dead(proof))
    assert path.read_text() == "the old one"
    if number == signal.SIGINT:
        assert list(elsewhere.iterdir()) == [path]
    # Nobody can do anything against the other one, so the next save clears up.
    clear_leavings(elsewhere)
    assert list(elsewhere.iterdir()) == [path]
    removed = f"removed {folder}, left behind by an interrupted save"
    expected = [] if number == signal.SIGINT else [removed]
    assert capsys.readouterr().out.splitlines() == expected


def test_a_workspace_is_cleared_up_once_nobody_works_there(
    tmp_path: Path,
) -> None:
    (tmp_path / ".saving-left").mkdir()
    with workspace(tmp_path) as folder:
        clear_leavings(tmp_path)
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_a_proof_that_does_not_end(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python.model.saving.proof.PROOF_LIMIT_SECONDS", 1)
    with pytest.raises(
        ArtifactError, match="be proven within 1 seconds: pass"
    ):
        save_model(Slow(), X)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.slow
def test_a_model_that_ends_its_proof(elsewhere: Path) -> None:
    with pytest.raises(ArtifactError, match="done so ended with 0: it said"):
        save_model(Leaving(), X)
    assert list(elsewhere.iterdir()) == []
