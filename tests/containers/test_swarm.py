"""Docker Swarm: the same file on an engine that spreads it over machines."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.stack import SECONDS_TO_START, Stack, docker
from tests.models import build

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
STACK = "mmd-swarm"


@pytest.fixture
def swarm(built: str, tmp_path: Path) -> Iterator[Stack]:
    """The stack, deployed to a swarm of one machine."""
    joined = (
        docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "active"
    )
    if not joined:
        docker("swarm", "init", "--advertise-addr", "127.0.0.1")
    stack = Stack(tmp_path, STACK, image=built)
    stack.put(build("build_rf_binary").content)
    try:
        deploy(stack)
        stack.wait()
        stack.until(lambda: running() == 2)
        yield stack
    finally:
        docker("stack", "rm", STACK, check=False)
        if not joined:
            end = time.monotonic() + SECONDS_TO_START
            while (
                docker("ps", "--quiet", "--filter", f"name={STACK}")
                and time.monotonic() < end
            ):
                time.sleep(0.5)
            docker("swarm", "leave", "--force")


def deploy(stack: Stack) -> None:
    # As docs/production.md has it; the images are nowhere but here.
    stack.run(
        "sh",
        "-c",
        f"grep -v pids_limit {stack.file} | docker stack deploy "
        f"--resolve-image never --compose-file - {STACK}",
    )


def running() -> int:
    states = docker(
        "stack",
        "ps",
        STACK,
        "--filter",
        f"name={STACK}_service",
        "--format",
        "{{.CurrentState}}",
    ).splitlines()
    return sum(state.startswith("Running") for state in states)


def update(stack: Stack) -> str:
    """Deploy anew, wait for the end of the update, and return how it ended."""
    deploy(stack)
    state = ""
    end = time.monotonic() + 240
    while (
        state
        not in ("completed", "rollback_completed", "paused", "rollback_paused")
        and time.monotonic() < end
    ):
        time.sleep(0.5)
        status = (
            json.loads(
                docker(
                    "service",
                    "inspect",
                    f"{STACK}_service",
                    "--format",
                    "{{json .UpdateStatus}}",
                )
            )
            or {}
        )
        state = status.get("State", "")
    return state


def test_a_rolling_update_loses_nothing_and_a_broken_one_is_rolled_back(
    swarm: Stack,
) -> None:
    [old] = swarm.versions()
    swarm.put(build("build_linear_binary").content)
    subprocess.run(
        ["docker", "tag", f"{swarm.image}:latest", f"{swarm.image}:2"],
        check=True,
    )
    swarm.environ["TAG"] = "2"
    with swarm.load(RECORD) as load:
        assert update(swarm) == "completed"
    load.assert_nothing_lost()
    [new] = swarm.versions()
    assert load.versions == {old, new}

    good = swarm.model.read_bytes()
    swarm.model.write_bytes(b"broken")
    subprocess.run(
        ["docker", "tag", f"{swarm.image}:latest", f"{swarm.image}:3"],
        check=True,
    )
    swarm.environ["TAG"] = "3"
    with swarm.load(RECORD) as load:
        ended = update(swarm)
        swarm.model.write_bytes(good)
    assert ended == "rollback_completed"
    load.assert_nothing_lost()
    assert load.versions == swarm.versions() == {new}
