"""Stacks of containers, built once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acting import SLEEPS, acting
from tests.containers.stack import Stack, docker
from tests.models import build

FIGURES: list[str] = []


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the images, built from this project."""
    stack = Stack(tmp_path_factory.mktemp("build"), "mmd-build")
    stack.put(build("build_rf_binary").content)
    for file in ("docker-compose-production.yml", "docker-compose.yml"):
        stack.file = file
        stack.compose("build")
    names = ("", "-nginx", "-balancer")
    for image in (f"{stack.image}{name}" for name in names):
        size = (
            int(docker("image", "inspect", "--format", "{{.Size}}", image))
            / 1e6
        )
        FIGURES.append(f"image {image}: {size:.0f} MB")
    return stack.image


@pytest.fixture(scope="module")
def stack(
    built: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Two replicas of a forest behind nginx."""
    stack = Stack(tmp_path_factory.mktemp("stack"), "mmd-test", image=built)
    stack.put(build("build_rf_binary").content)
    try:
        seconds = stack.up()
        FIGURES.append(f"from up to ready: {seconds:.1f} s")
        yield stack
    finally:
        stack.down()


@pytest.fixture
def fresh(built: str, tmp_path: Path) -> Iterator[Stack]:
    """A stack of a test's own, not yet up."""
    stack = Stack(tmp_path, "mmd-fresh", image=built)
    stack.put(acting(SLEEPS))
    try:
        yield stack
    finally:
        stack.down()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for figure in FIGURES:
        terminalreporter.write_line(figure)
