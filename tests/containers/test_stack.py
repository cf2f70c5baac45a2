"""The production stack while it changes: swapped, scaled, killed, restarted, overloaded."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import joblib
import pytest

from tests.containers.stack import Stack, docker
from tests.models import build

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
SLOW = json.dumps([json.loads(RECORD)] * 200).encode()


def test_a_new_model_replaces_the_old_one(stack: Stack) -> None:
    [old] = stack.versions()
    with stack.load(RECORD, "/predict?proba=1") as load:
        stack.put(build("build_linear_binary").content)
        assert stack.run("make", "swap").returncode == 0
    load.assert_nothing_lost()
    [new] = stack.versions()
    assert load.versions == {old, new}
    assert len(load.bodies) == 2


def test_a_model_from_anywhere_and_back(stack: Stack, tmp_path: Path) -> None:
    [old] = stack.versions()
    new_file = tmp_path / "new.joblib"
    joblib.dump(build("build_rf_multiclass").content, new_file)
    bad_file = tmp_path / "bad.joblib"
    bad_file.write_bytes(b"not a pickle")
    with stack.load(RECORD) as load:
        swapped = stack.run("make", "swap", f"MODEL={new_file}")
        assert swapped.returncode == 0
        [new] = stack.versions()
        assert new != old
        refused = stack.run("make", "swap", f"MODEL={bad_file}", check=False)
        assert refused.returncode != 0
        assert stack.versions() == {new}
        for replica in stack.replicas():
            docker("restart", replica)
            stack.settle(len(stack.replicas()))
        assert stack.versions() == {new}
        assert stack.run("make", "rollback").returncode == 0
        assert stack.versions() == {old}
        listed = stack.run("make", "models").stdout
    load.assert_nothing_lost()
    assert old in listed
    assert new in listed


def test_a_replica_started_later_has_the_new_model(stack: Stack) -> None:
    [version] = stack.versions()
    with stack.load(RECORD) as load:
        stack.compose(
            "up",
            "--detach",
            "--no-build",
            "--no-recreate",
            "--scale",
            "service=3",
        )
        stack.settle(3)
    load.assert_nothing_lost()
    assert load.versions == stack.versions() == {version}


def test_fewer_replicas_lose_nothing(stack: Stack) -> None:
    with stack.load(RECORD) as load:
        stack.compose(
            "up",
            "--detach",
            "--no-build",
            "--no-recreate",
            "--scale",
            "service=1",
        )
        stack.settle(1)
        time.sleep(2)
    load.assert_nothing_lost()


def test_from_one_replica_to_three_and_back(stack: Stack) -> None:
    with stack.load(RECORD) as load:
        for replicas in (3, 1):
            stack.compose(
                "up",
                "--detach",
                "--no-build",
                "--no-recreate",
                "--scale",
                f"service={replicas}",
            )
            stack.settle(replicas)
            time.sleep(2)
    load.assert_nothing_lost()


def test_one_replica_alone_swaps_without_losing_a_request(
    stack: Stack,
) -> None:
    stack.put(build("build_linear_binary").content)
    stack.up(1)
    stack.run("make", "swap")
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
        (
            b"half of a mod",
            "swap failed: model.joblib is truncated, damaged or something else: joblib cannot load it",
        ),
        (
            b"",
            "swap failed: model.joblib is truncated, damaged or something else: joblib cannot load it",
        ),
    ],
)
def test_a_broken_model_leaves_the_old_one(
    stack: Stack, broken: bytes, said: str
) -> None:
    stack.up(2)
    [version] = stack.versions()
    good = stack.model.read_bytes()
    with stack.load(RECORD) as load:
        stack.model.write_bytes(broken)
        swap = stack.run("make", "swap", check=False)
    stack.model.write_bytes(good)
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


def test_a_thousand_clients_at_once_are_answered_and_those_too_many_told(
    built: str, tmp_path: Path
) -> None:
    """All of them have one address, which may have any number of requests here."""
    stack = Stack(tmp_path, "mmd-many", image=built)
    stack.put(build("build_rf_binary").content)
    stack.configure(CLIENT_REQUESTS=0)
    try:
        stack.up(2)
        for clients in (900, 1500):
            received = send_at_once(stack, clients)
            if clients == 900:
                assert received == {200: clients}
            else:
                assert set(received) == {200, 503}
                assert received[200] >= 1000
    finally:
        stack.down()


def send_at_once(stack: Stack, clients: int) -> Counter[int]:
    """Count the statuses of so many requests, each on a connection of its own."""
    connections = [
        HTTPConnection("127.0.0.1", stack.port, timeout=120)
        for _ in range(clients)
    ]
    for connection in connections:
        connection.connect()
    for connection in connections:
        connection.request("POST", "/predict", SLOW)
    received: Counter[int] = Counter()
    for connection in connections:
        answer = connection.getresponse()
        received[answer.status] += 1
        answer.read()
        if answer.status == 503:
            problem = "application/problem+json"
            assert answer.headers["Content-Type"] == problem
            assert answer.headers["Retry-After"] == "1"
        connection.close()
    return received


def test_one_client_may_send_so_many_requests_in_a_second(
    stack: Stack,
) -> None:
    """Behind a trusted proxy, a client is the address that the proxy names."""
    stack.up(2)
    stack.configure(
        CLIENT_RATE=5,
        TRUSTED_PROXIES="10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
    )
    stack.compose("up", "--detach", "--no-build", "--no-deps", "nginx")
    try:
        stack.wait()
        one = [
            stack.ask("/info", X_Forwarded_For="203.0.113.1")
            for _ in range(20)
        ]
        other = stack.ask("/info", X_Forwarded_For="203.0.113.2")
        probes = {
            stack.ask("/ready", X_Forwarded_For="203.0.113.1").status
            for _ in range(20)
        }
    finally:
        stack.configure(CLIENT_RATE=0, TRUSTED_PROXIES="")
        stack.compose("up", "--detach", "--no-build", "--no-deps", "nginx")
        stack.wait()
    assert {answer.status for answer in one} == {200, 429}
    refused = one[-1]
    assert refused.json["title"] == "Too Many Requests"
    assert refused.headers["Retry-After"] == "1"
    assert other.status == 200
    assert probes == {200}


def test_more_uploads_than_memory_leave_the_others_alone(stack: Stack) -> None:
    """Each is of a legal size; together they are a quarter more than nginx has room for."""
    stack.up(2)
    body = RECORD + b" " * (15 * 1024 * 1024)
    connections = [
        HTTPConnection("127.0.0.1", stack.port, timeout=120) for _ in range(45)
    ]

    def upload(connection: HTTPConnection) -> int | str:
        try:
            connection.putrequest("POST", "/predict?secret=s3cret")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            for start in range(0, len(body), 2**20):
                connection.send(body[start : start + 2**20])
                time.sleep(0.1)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, HTTPException) as error:
            return repr(error)
        finally:
            connection.close()

    with stack.load(RECORD, clients=2) as load, ThreadPoolExecutor(45) as pool:
        seen = Counter(pool.map(upload, connections))
    load.assert_nothing_lost()
    assert seen.keys() <= {400, 503}, seen
    assert seen[503] > 0
    connection = HTTPConnection("127.0.0.1", stack.port, timeout=120)
    # The query parameter is unknown.
    assert upload(connection) == 400
    assert "s3cret" not in stack.logs()


def test_a_stopped_replica_does_not_keep_the_others_from_the_new_model(
    stack: Stack,
) -> None:
    stack.up(2)
    one, _ = stack.replicas()
    before = stack.versions()
    docker("stop", one)
    stack.put(build("build_rf_multiclass").content)
    assert stack.run("make", "swap").returncode == 0
    after = stack.versions()
    assert len(after) == 1
    assert after != before
    docker("start", one)
    stack.settle(2)
    assert stack.versions() == after
    stack.put(build("build_rf_binary").content)
    stack.run("make", "swap")
