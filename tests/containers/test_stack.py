"""The production stack while it changes: swapped, scaled, killed, restarted, overloaded."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from tests.containers.stack import Stack, docker, inspect
from tests.models import build

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
OTHER = {"build_rf_binary": "build_linear_binary", "build_linear_binary": "build_rf_binary"}


def test_a_new_model_replaces_the_old_one(stack: Stack) -> None:
    [old] = stack.versions()
    with stack.load(RECORD, "/predict?proba=1") as load:
        stack.put(build("build_linear_binary").content)
        assert stack.run("make", "swap").returncode == 0
    load.assert_nothing_lost()
    [new] = stack.versions()
    assert load.versions == {old, new}
    assert len(load.bodies) == 2


def test_a_replica_started_later_has_the_new_model(stack: Stack) -> None:
    [version] = stack.versions()
    with stack.load(RECORD) as load:
        stack.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "service=3")
        stack.settle(3)
    load.assert_nothing_lost()
    assert load.versions == stack.versions() == {version}


def test_fewer_replicas_lose_nothing(stack: Stack) -> None:
    with stack.load(RECORD) as load:
        stack.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "service=1")
        stack.settle(1)
        time.sleep(2)
    load.assert_nothing_lost()


def test_from_one_replica_to_three_and_back(stack: Stack) -> None:
    with stack.load(RECORD) as load:
        for replicas in (3, 1):
            stack.compose("up", "--detach", "--no-build", "--no-recreate", "--scale", f"service={replicas}")
            stack.settle(replicas)
            time.sleep(2)
    load.assert_nothing_lost()


def test_one_replica_alone_swaps_without_losing_a_request(stack: Stack) -> None:
    before = stack.versions()
    with stack.load(RECORD) as load:
        stack.put(build("build_rf_binary").content)
        assert stack.run("make", "swap").returncode == 0
    load.assert_nothing_lost()
    assert load.versions == before | stack.versions()
    assert len(load.versions) == 2


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"half of a mod", "swap failed: model.joblib is truncated, damaged or something else: joblib cannot load it"),
        (b"", "swap failed: model.joblib is truncated, damaged or something else: joblib cannot load it"),
    ],
)
def test_a_broken_model_leaves_the_old_one(stack: Stack, broken: bytes, said: str) -> None:
    stack.up(2)
    [version] = stack.versions()
    good = (stack.folder / "model.joblib").read_bytes()
    with stack.load(RECORD) as load:
        (stack.folder / "model.joblib").write_bytes(broken)
        swap = stack.run("make", "swap", check=False)
    (stack.folder / "model.joblib").write_bytes(good)
    assert swap.returncode != 0
    assert said in swap.stdout
    assert said in stack.logs("service")
    assert "Traceback" not in swap.stdout
    load.assert_nothing_lost()
    assert load.versions == stack.versions() == {version}


def test_a_killed_replica_is_not_missed(stack: Stack) -> None:
    stack.up(2)
    one, _ = stack.replicas()
    with stack.load(RECORD) as load:
        docker("kill", "--signal", "KILL", one)
        time.sleep(4)
        docker("start", one)
        stack.settle(2)
    load.assert_nothing_lost()


def test_replicas_are_restarted_one_after_the_other(stack: Stack) -> None:
    stack.up(2)
    with stack.load(RECORD) as load:
        for replica in stack.replicas():
            docker("restart", replica)
            stack.settle(2)
    load.assert_nothing_lost()


def test_a_thousand_clients_at_once_are_answered(stack: Stack) -> None:
    stack.up(2)

    def ask(_: int) -> int | str:
        try:
            answer = stack.ask("/predict", RECORD)
        except (OSError, HTTPException) as error:
            return repr(error)
        if answer.status == 503:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "1"
        return answer.status

    for clients, statuses in ((1000, {200, 503}), (1500, {200, 503})):
        with ThreadPoolExecutor(clients) as pool:
            seen = Counter(pool.map(ask, range(clients)))
        assert set(seen) <= statuses, seen
        assert seen[200] >= 500


def test_the_whole_stack_stops_with_every_accepted_request_answered(stack: Stack) -> None:
    stack.up(2)
    body = json.dumps([json.loads(RECORD)] * 300).encode()
    with ThreadPoolExecutor(16) as pool:
        asking = [pool.submit(stack.ask, "/predict?explain=1&proba=1", body) for _ in range(16)]
        time.sleep(0.2)
        start = time.monotonic()
        stack.compose("stop")
        seconds = time.monotonic() - start
        assert [one.result().status for one in asking] == [200] * 16
    assert seconds < 20  # nginx and then the service, each within its ten
    assert {inspect(one, ".State.ExitCode") for one in [*stack.replicas(), *stack.replicas("nginx")]} == {0}
