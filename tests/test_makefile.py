"""Which tests `make test` and `make test-quick` run."""

import shlex
import subprocess
import tomllib

from tests.models import ROOT
from tests.servers import ENVIRON

PREPARED = [
    "--old-file=.venv/python",
    "--old-file=.venv/serve",
    "--old-file=.venv/dev",
]
# The options of pytest that leave tests out.
SELECTIONS = {
    "-m",
    "-k",
    "--deselect",
    "--ignore",
    "--ignore-glob",
    "--last-failed",
}


def pytest_options(target: str) -> list[list[str]]:
    """Return the options of each run of pytest that a target starts where Docker runs."""
    planned = subprocess.run(
        ["make", *PREPARED, "--dry-run", target, "DOCKER=true"],
        cwd=ROOT,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )
    options = []
    for line in planned.stdout.splitlines():
        if "python -m pytest" in line:
            words = shlex.split(line)
            options.append(words[words.index("pytest") + 1 :])
    return options


def selections(options: list[str]) -> list[str]:
    """Return the options that leave tests out."""
    return [
        option for option in options if option.partition("=")[0] in SELECTIONS
    ]


def test_make_test_leaves_no_test_out_where_docker_runs() -> None:
    without_containers, containers, swarm = pytest_options("test")
    assert selections(without_containers) == ["--ignore=tests/containers"]
    assert "tests/containers" in containers
    left_out = "tests/containers/test_swarm.py"
    assert selections(containers) == [f"--ignore={left_out}"]
    assert selections(swarm) == []
    assert swarm[-1] == left_out


def test_make_test_quick_leaves_out_containers_and_slow_tests() -> None:
    (quick,) = pytest_options("test-quick")
    assert selections(quick) == ["--ignore=tests/containers", "-m"]
    assert quick[quick.index("-m") + 1] == "not slow"
    assert "--no-cov" in quick


def test_no_test_is_left_out_by_the_settings_of_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    settings = project["tool"]["pytest"]["ini_options"]
    assert settings["testpaths"] == ["tests"]
    assert selections(settings["addopts"]) == []
