"""The page "Your model": its code is run, and its requests are sent to what came of it."""

import re
import sys
from pathlib import Path

import pytest

from tests.laws import strict
from tests.models import ROOT
from tests.servers import (
    DEVELOPMENT,
    project,
    run_command,
    run_program,
    started,
)

PAGE = (ROOT / "docs" / "your-model.md").read_text()
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL
)
SCRIPTS = [
    number
    for number, (kind, text) in enumerate(BLOCKS)
    if kind == "python" and "save_model" in text
]
OWN_CODE = "calendar_steps"
MAX_LINES_FROM_FIT_TO_CURL = 10


def following(number: int, kind: str) -> str | None:
    """Return the first block of a kind after a script, before the next script."""
    for other_kind, text in BLOCKS[number + 1 :]:
        if other_kind == "python":
            return None
        if other_kind == kind:
            return str(text)
    return None


def test_there_are_five_jobs_of_few_lines_each() -> None:
    assert len(SCRIPTS) == 5
    for number in SCRIPTS:
        *_, from_fit = BLOCKS[number][1].split("\n\n")
        assert ".fit(" in from_fit
        assert len(from_fit.splitlines()) < MAX_LINES_FROM_FIT_TO_CURL


@pytest.mark.slow
@pytest.mark.parametrize("number", SCRIPTS)
def test_from_fit_to_curl(number: int, tmp_path: Path) -> None:
    folder = project(tmp_path)
    for kind, text in BLOCKS:
        if kind == "python" and text.startswith("def calendar"):
            (folder / "model_code" / f"{OWN_CODE}.py").write_text(text)
    (folder / "fit.py").write_text(BLOCKS[number][1])
    printed = run_program([sys.executable, "-W", "error", "fit.py"], folder)
    shown = following(number, "text")
    if shown is not None:
        assert without_digest(printed) == without_digest(shown)
    command = following(number, "bash")
    assert command is not None
    with started(DEVELOPMENT, folder) as server:
        server.wait()
        sent = run_command(command, server)
    response = strict(sent.stdout)
    assert response["prediction"]
    assert ("explanation" in response) == ("explain=1" in command)


def without_digest(text: str) -> list[str]:
    return re.sub(r"SHA-256 \w{64}", "SHA-256", text).splitlines()
