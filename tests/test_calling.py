"""docs/calling.md: its code is run in each language, and prints what the page shows."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import joblib
import pytest

from tests.laws import strict
from tests.models import build
from tests.pages import blocks_of, commands_of, needs
from tests.servers import (
    DEVELOPMENT,
    Server,
    project,
    run_command,
    run_program,
    started,
)

pytestmark = pytest.mark.slow

PAGE = "docs/calling.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = project(tmp_path_factory.mktemp("calling"))
    with chdir(folder):  # where the example writes its file
        joblib.dump(build("build_rf_binary").content, "model.joblib")
    with started(DEVELOPMENT, folder) as running:
        running.wait("/info", containing='"explanation":"ready"')
        yield running


def program(kind: str) -> tuple[str, str]:
    """Return the page's only program in a language, and what it shows as its output."""
    blocks = blocks_of(PAGE)
    (number,) = [
        number for number, block in enumerate(blocks) if block.kind == kind
    ]
    shown = blocks[number + 1]
    assert shown.kind == "text"
    return blocks[number].text, shown.text


def check_program(
    server: Server, source: Path, text: str, command: list[str], shown: str
) -> None:
    """Check that a program prints what the page shows."""
    url = f"http://localhost:{server.port}"
    source.write_text(text.replace("http://localhost:5000", url))
    printed = run_program([*command, source.name], source.parent)
    assert rounded(printed) == rounded(shown)


def rounded(text: str) -> str:
    """Return a text whose numbers have twelve decimals: the last digits differ by machine."""
    return re.sub(r"(\d\.\d{12})\d+", r"\1", text)


def test_curl(server: Server) -> None:
    commands = commands_of(PAGE)
    assert len(commands) == 3
    for command, shown in commands:
        printed = run_command(command, server).stdout
        if shown is None:
            assert [feature["name"] for feature in strict(printed)]
        else:
            assert strict(rounded(printed)) == strict(rounded(shown.text))


def test_python(server: Server, tmp_path: Path) -> None:
    text, shown = program("python")
    check_program(server, tmp_path / "call.py", text, [sys.executable], shown)


def test_python_names_the_faults(server: Server, tmp_path: Path) -> None:
    text, _ = program("python")
    wrong = text.replace('"feature3": 1', '"fature3": 1')
    source = tmp_path / "call.py"
    url = f"http://localhost:{server.port}"
    source.write_text(wrong.replace("http://localhost:5000", url))
    run = subprocess.run(
        [sys.executable, source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stdout.startswith("#/1/fature3 unknown feature; did you mean")


@needs("node")
def test_javascript(server: Server, tmp_path: Path) -> None:
    text, shown = program("javascript")
    check_program(server, tmp_path / "call.mjs", text, ["node"], shown)


@needs("java")
def test_java(server: Server, tmp_path: Path) -> None:
    text, shown = program("java")
    check_program(server, tmp_path / "Predict.java", text, ["java"], shown)
