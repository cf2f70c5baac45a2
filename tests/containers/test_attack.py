"""The attack of `attack.py`, each part of it with its right outcomes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.containers.attack import (
    TARGETS,
    Attack,
    Target,
    drip_bodies,
    drip_headers,
    explain_all_the_time,
    freeze_a_replica,
    probe_while_busy,
    send_long_names,
)
from tests.containers.stack import Stack

# Of three requests, each is sent twice.
WORKERS_ENDED = 6

# What compares times may fail for what else the machine does; twice in a row, it has a reason.
TIMED = (
    drip_bodies,
    drip_headers,
    explain_all_the_time,
    freeze_a_replica,
    probe_while_busy,
    send_long_names,
)
EACH = [(target, attack) for target in TARGETS for attack in target.attacks]

Start = Callable[[Target], Stack]


@pytest.fixture(scope="module")
def start(
    built: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Return a function that returns the replicas of a target: all attacks on it share them."""
    with ExitStack() as running:
        started: dict[str, Stack] = {}

        def start(target: Target) -> Stack:
            if target.name not in started:
                running.close()
                started.clear()
                folder = tmp_path_factory.mktemp(target.name)
                stack = running.enter_context(target.running(built, folder))
                started[target.name] = stack
            return started[target.name]

        yield start


@pytest.mark.parametrize(
    ("target", "attack"), EACH, ids=[attack.title for _, attack in EACH]
)
def test_what_comes_back(start: Start, target: Target, attack: Attack) -> None:
    attacked = start(target)
    outcomes = attack.run(attacked)
    if attack.run in TIMED and not outcomes.keys() <= attack.right:
        outcomes = attack.run(attacked)
    assert attack.needed <= outcomes.keys() <= attack.right, outcomes
    assert outcomes["workers ended"] <= WORKERS_ENDED
