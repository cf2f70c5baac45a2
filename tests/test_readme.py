"""README: its commands are run, and its figures are those of the tables that it links to."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from python.app import create_app
from python.model import load_model
from python.settings import Settings
from tests.laws import ask, strict
from tests.models import EXAMPLES, ROOT
from tests.pages import DOCS, Block, blocks_of, commands_of
from tests.servers import (
    DEVELOPMENT,
    ENVIRON,
    Server,
    project,
    run_command,
    run_program,
    started,
)
from tests.test_reading import check

README = (ROOT / "README.md").read_text()
BLOCKS = blocks_of("README.md")
MOST_LINES = 249
# The pages whose commands are for the model that `make serve` builds when there is no other.
PAGES_ABOUT_THE_EXAMPLE = (
    "docs/quickstart.md",
    "docs/api.md",
    "docs/operations.md",
)
# What make has done before it comes to the command itself; .ci/run does it in a fresh clone.
PREPARED = ["--old-file=.venv/python", "--old-file=.venv/serve"]
NUMBER = re.compile(r"\d[\d,.]*\d|\d")
TRACE_ID = re.compile(r"[0-9a-f]{32}")


def shape(value: Any) -> Any:
    """A JSON value without its numbers and trace ids."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, str) and TRACE_ID.fullmatch(value):
        return "a trace id"
    return (
        "a number"
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
    )


def check_response(command: str, printed: str, shown: Block | None) -> None:
    """Check that a command has printed what the page shows, up to numbers and trace ids."""
    if shown is None:
        assert "status" not in strict(printed), command
    elif shown.kind == "text":
        assert printed == shown.text.strip()
    else:
        response = strict(printed)
        expected = json.loads(shown.text)
        assert shape(response) == shape(expected), command
        assert list(response) == list(expected)


def test_it_is_short_and_has_no_badges() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert pictures == ["./docs/page.png"]


@pytest.mark.slow
def test_make_serve_then_every_request(tmp_path: Path) -> None:
    assert Block("bash", "make serve\n") in BLOCKS
    folder = project(tmp_path)
    (folder / ".venv").symlink_to(sys.prefix)
    with started(["make", *PREPARED, "serve"], folder) as server:
        server.wait("/info", containing='"fast_predict":true')
        for page in PAGES_ABOUT_THE_EXAMPLE:
            commands = commands_of(page)
            assert commands
            for command, shown in commands:
                printed = run_command(command, server).stdout
                check_response(command, printed, shown)
        check_what_is_printed(server)


def check_what_is_printed(server: Server) -> None:
    """Check that what is printed at the end is what the quickstart shows, and that it works."""
    log = server.log.read_text()
    (shown,) = [
        block.text
        for block in blocks_of("docs/quickstart.md")
        if block.text.startswith("The model is ready.")
    ]
    here = shown.replace("localhost:5000", f"localhost:{server.port}")
    start = log.index("The model is ready.")
    assert log[start:].startswith(here)
    for line in log[start:].splitlines():
        if line.startswith("curl "):
            assert strict(run_command(line, server).stdout)["explanation"]


def test_the_second_start_builds_nothing(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "model.joblib").touch()
    planned = subprocess.run(
        ["make", *PREPARED, "--dry-run", "serve"],
        cwd=folder,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.splitlines() == [".venv/bin/python service.py"]


def test_make_test_is_what_ci_runs() -> None:
    assert Block("bash", "make test\n") in BLOCKS
    assert "make test" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.slow
def test_the_passengers(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (script,) = [block.text for block in BLOCKS if block.kind == "python"]
    (folder / "fit.py").write_text(script)
    run_program([sys.executable, "-W", "error", "fit.py"], folder)
    ((command, shown),) = commands_of("README.md")
    assert shown is not None
    with started(DEVELOPMENT, folder) as server:
        server.wait()
        response = strict(run_command(command, server).stdout)
    check(json.loads(shown.text), response)
    (arithmetic,) = [block.text for block in BLOCKS if block.kind == "text"]
    left, right = arithmetic.replace(" ", "").split("=")
    total = sum(float(number) for number in re.findall(r"[+-]?[\d.]+", left))
    assert total == pytest.approx(float(right), abs=1e-9)
    explained = [response["base_value"], *response["explanation"].values()]
    assert total == pytest.approx(sum(explained), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_path_and_prints_a_line_that_works(
    script: Path, elsewhere: Path
) -> None:
    printed = run_program([sys.executable, str(script)], elsewhere)
    *lines, curl = printed.splitlines()
    assert any(line.startswith("wrote model.joblib") for line in lines)
    found = re.fullmatch(
        r"curl -d '(.*)' 'http://localhost:5000(/predict\?.*)'", curl
    )
    assert found
    client = create_app(
        Settings(), load_model(elsewhere / "model.joblib", "SKLEARN_MODEL")
    ).test_client()
    assert ask(client, found[2], json.loads(found[1]))["explanation"]


def tables_behind(page: Path) -> str:
    """Return a page with the tables that it includes."""
    text = page.read_text()
    for name in re.findall(r"```\{include\} (\S+)", text):
        text += (page.parent / name).read_text()
    return text


def test_the_figures_of_a_row_are_in_the_table_that_it_names() -> None:
    rows = re.findall(
        r"^\| \*\*.*\[table\]\(\./(\S+)\) \|$", README, re.MULTILINE
    )
    assert len(rows) == 4
    for line in README.splitlines():
        table = re.search(r"\[table\]\(\./(\S+)\)", line)
        if table:
            _, _, figures, source, _ = line.split("|")
            assert re.match(r" `make [a-z]+`", source)
            measured = NUMBER.findall(tables_behind(ROOT / table[1]))
            assert set(NUMBER.findall(figures)) <= set(measured), line


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables in a text."""
    rows = []
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_comparison_shows_what_was_measured() -> None:
    page = (DOCS / "comparison.md").read_text()
    speeds = {}
    for workload, server, rate, *_ in rows_of(
        (DOCS / "speed-table.md").read_text()
    ):
        speeds[workload, server] = rate.split(" (")[0]
    starts = {}
    for server, seconds, memory in rows_of(
        (DOCS / "start-table.md").read_text()
    ):
        starts[server] = [seconds.split(" (")[0], memory.split(" (")[0]]
    workloads = {workload for workload, _ in speeds}
    servers = ["service", "FastAPI", "MLflow", "BentoML", "model in process"]
    compared = 0
    for name, *cells in rows_of(page):
        if name in workloads and len(cells) == len(servers):
            expected = [speeds.get((name, server), "") for server in servers]
            assert cells == expected, name
            compared += 1
        elif len(cells) == 2 and NUMBER.fullmatch(cells[0]):
            assert cells == starts[name.replace("This project", "service")]
            compared += 1
    assert compared == 10 + 4
    sources = "".join(
        tables_behind(DOCS / name)
        for name in ("served.md", "shap-compared.md")
    )
    for line in page.splitlines():
        if re.match(r"(Of \d|Without a background|1 is wrong)", line):
            assert set(NUMBER.findall(line)) <= set(NUMBER.findall(sources))
