"""What tools and forges read at the top of the repository, and what make says while it installs."""

import configparser
import re
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.models import ROOT
from tests.servers import ENVIRON

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"^\s*make ([a-z][a-z-]*)", re.MULTILINE)
TEXT = (
    *("*.py", "*.md", "*.yml", "*.toml", "*.ini", "*.txt", "*.env"),
    *("*.cfg", "*.json"),
)
# What Sphinx makes of the code.
GENERATED = (ROOT / "docs" / "code", ROOT / "docs" / "_build")
FOLDERS = (
    "benchmarks",
    "docs",
    "haproxy",
    "monitoring",
    "nginx",
    "python",
    "tests",
    ".github",
)


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def test_the_workflow_runs_the_two_commands_and_the_containers() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "test.yml")
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    called = MAKE.findall(commands)
    assert called == ["serve", "test", "test-containers"]
    assert set(called) <= targets()


def test_the_hooks_are_local_and_call_make() -> None:
    config = read(ROOT / ".pre-commit-config.yaml")
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    (repository,) = config["repos"]
    stages = {}
    for hook in repository["hooks"]:
        command, target = hook["entry"].split()
        assert command == "make"
        assert target in targets()
        assert hook["pass_filenames"] is False
        stages[target] = hook["stages"]
    assert stages["lint"] == ["pre-commit"]
    # Nothing that takes minutes stands between somebody and a commit.
    assert "pre-commit" not in stages["test-quick"]


def test_the_forms_ask_for_info_and_the_version() -> None:
    forms = [path for path in FORMS if path.name != "config.yml"]
    assert forms
    for path in forms:
        form = read(path)
        assert form["name"]
        assert form["description"]
        fields = [part for part in form["body"] if part["type"] != "markdown"]
        names = [field["id"] for field in fields]
        assert len(names) == len(set(names))
        assert {"version", "info"} <= set(names)
        for field in fields:
            assert field["attributes"]["label"]
    fault = read(ROOT / ".github" / "ISSUE_TEMPLATE" / "fault.yml")
    required = {
        part["id"]
        for part in fault["body"]
        if part.get("validations", {}).get("required")
    }
    assert {"version", "info", "happened"} <= required
    (ways,) = [
        part["attributes"]["options"]
        for part in fault["body"]
        if part["type"] == "dropdown"
    ]
    for way in ways:
        if way.startswith("make "):
            assert way.removeprefix("make ") in targets()
    assert "SECURITY.md" in str(fault)


def test_the_security_policy_says_how_what_and_who() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert headings == [
        "Report a fault",
        "What is supported",
        "Who can do what",
    ]
    assert "in private" in text
    assert "Report a vulnerability" in text
    model = text[text.index("## Who can do what") :]
    rows = re.findall(r"^\| (?!Who|---)(.*)\|$", model, re.MULTILINE)
    assert len(rows) > 6
    for row in rows:
        assert len(row.split(" |")) == 4
    for setting in re.findall(r"`([A-Z_0-9]+)`", text):
        assert f"\n{setting}=" in (ROOT / "variables.env").read_text()


def test_the_files_are_as_editors_are_told() -> None:
    config = configparser.ConfigParser()
    text = (ROOT / ".editorconfig").read_text()
    config.read_string(f"[top]\n{text}")
    told = config["*"]
    assert told["end_of_line"] == "lf"
    assert told["insert_final_newline"] == "true"
    assert told["trim_trailing_whitespace"] == "true"
    assert config["Makefile"]["indent_style"] == "tab"
    below = (
        (ROOT / folder).rglob(pattern)
        for folder in FOLDERS
        for pattern in TEXT
    )
    top = (ROOT.glob(pattern) for pattern in TEXT)
    for path in chain(*below, *top):
        if any(folder in path.parents for folder in GENERATED):
            continue
        content = path.read_bytes()
        assert b"\r" not in content, path
        assert not content or content.endswith(b"\n"), path
        assert not re.search(rb"[ \t]\n", content), path


PIP = """#!/bin/sh
case "$*" in
*"-m venv"*)
    mkdir -p .venv/bin
    cp "$0" .venv/bin/python
    ;;
*"pip install"*)
    echo "Collecting flask~=3.1 (from -r requirements-service.txt (line 2))"
    echo "  Downloading flask-3.1.3-py3-none-any.whl (103 kB)"
    echo "Processing /wheels/rich-15.0.0-py3-none-any.whl"
    echo "Requirement already satisfied: joblib"
    echo "WARNING: from pip" >&2
    echo "Installing collected packages: flask"
    exit STATUS
    ;;
esac
"""


def install(folder: Path, status: int) -> subprocess.CompletedProcess[str]:
    """Run what `make serve` does first, with an interpreter that only pretends to install."""
    for name in (
        "Makefile",
        "requirements.txt",
        "requirements-service.txt",
        "requirements-dev.txt",
    ):
        (folder / name).write_text((ROOT / name).read_text())
    python = folder / "stand-in"
    python.write_text(PIP.replace("STATUS", str(status)))
    python.chmod(0o755)
    return subprocess.run(
        ["make", "PYTHON=./stand-in", ".venv/serve"],
        cwd=folder,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_says_what_it_installs(tmp_path: Path) -> None:
    run = install(tmp_path, status=0)
    assert run.returncode == 0
    assert run.stdout.splitlines() == [
        "Creating a virtual environment in .venv",
        "Installing what the service and the model need;"
        " this takes a few minutes the first time",
        "  flask~=3.1",
        "  rich-15.0.0-py3-none-any.whl",
        "Unpacking them, which takes longest",
    ]
    assert run.stderr == "WARNING: from pip\n"
    assert (tmp_path / ".venv" / "serve").exists()


@pytest.mark.parametrize("status", [1, 2])
def test_an_installation_that_fails_is_not_taken_for_done(
    tmp_path: Path, status: int
) -> None:
    run = install(tmp_path, status)
    assert run.returncode != 0
    assert not (tmp_path / ".venv" / "serve").exists()
