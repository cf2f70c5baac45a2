"""Stacks of containers: each process that tests has its own, of images that are built once."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acting import SLEEPS, acting
from tests.containers.stack import Stack
from tests.models import build

# Of pytest-xdist; empty where one process runs all tests.
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the images, built from this project."""
    stack = Stack(tmp_path_factory.mktemp("build"), f"mmd-build{PROCESS}")
    stack.put(build("build_rf_binary").content)
    run = tmp_path_factory.getbasetemp()
    if PROCESS:
        run = run.parent  # that of all processes
    with (run / "built").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not file.tell():
            build_images(stack)
            file.write(stack.image)
    return stack.image


def build_images(stack: Stack) -> None:
    for file in ("docker-compose-production.yml", "docker-compose.yml"):
        stack.file = file
        stack.compose("build")


@pytest.fixture(scope="module")
def stack(
    built: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Two replicas of a forest behind nginx."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack(folder, f"mmd-test{PROCESS}", image=built)
    stack.put(build("build_rf_binary").content)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


@pytest.fixture
def fresh(built: str, tmp_path: Path) -> Iterator[Stack]:
    """A stack of a test's own, not yet up."""
    stack = Stack(tmp_path, f"mmd-fresh{PROCESS}", image=built)
    stack.put(acting(SLEEPS))
    try:
        yield stack
    finally:
        stack.down()
