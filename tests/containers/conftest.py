"""Stacks of containers, built once; each of the processes that test has its own."""

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
    lock = tmp_path_factory.getbasetemp().parent / "building"
    with lock.open("w") as file:
        # Those who wait find everything in the engine's cache.
        fcntl.flock(file, fcntl.LOCK_EX)
        for name in ("docker-compose-production.yml", "docker-compose.yml"):
            stack.file = name
            stack.compose("build")
    return stack.image


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
