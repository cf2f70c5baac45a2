"""The attack of `attack.py`, each part of it with its right outcomes."""

from collections.abc import Iterator

import pytest

from tests.containers.attack import (
    TARGETS,
    Attack,
    Target,
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
    explain_all_the_time,
    freeze_a_replica,
    probe_while_busy,
    send_long_names,
)
EACH = [(target, attack) for target in TARGETS for attack in target.attacks]


@pytest.fixture(scope="module")
def attacked(
    built: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The replicas of a target, which all attacks on it share."""
    target: Target = request.param
    folder = tmp_path_factory.mktemp(target.name)
    with target.running(built, folder) as stack:
        yield stack


@pytest.mark.parametrize(
    ("attacked", "attack"),
    EACH,
    indirect=["attacked"],
    ids=[attack.title for _, attack in EACH],
)
def test_what_comes_back(attack: Attack, attacked: Stack) -> None:
    outcomes = attack.run(attacked)
    if attack.run in TIMED and not outcomes.keys() <= attack.right:
        outcomes = attack.run(attacked)
    assert attack.needed <= outcomes.keys() <= attack.right, outcomes
    assert outcomes["workers ended"] <= WORKERS_ENDED
