"""What goes wrong: models that do not load, settings that cannot be used, workers that hang."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acting import DIES, acting
from tests.containers.stack import Answer, Stack, docker, freeze, inspect


def record(seconds: float = 0) -> bytes:
    return json.dumps(
        {"feature1": 100 + seconds, "feature2": 0, "feature3": 0}
    ).encode()


def alone(stack: Stack, **settings: object) -> str:
    """The one replica of a stack with the settings, once it is healthy."""
    stack.configure(**settings)
    stack.up(1)
    [replica] = stack.replicas()
    return replica


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status


def test_a_worker_that_hangs_is_replaced_and_its_client_is_told(
    fresh: Stack,
) -> None:
    fresh.configure(REQUEST_TIMEOUT=3, WORKERS=1)
    fresh.up(2)
    start = time.monotonic()
    answer = fresh.ask(
        "/predict", record(300), X_Request_ID="the-one-that-hangs"
    )
    assert 2 < time.monotonic() - start < 10
    assert_problem(answer, 502)
    assert (
        answer.json["request_id"]
        == answer.headers["X-Request-ID"]
        == "the-one-that-hangs"
    )
    # It did not go on to hang the other replica.
    assert fresh.logs("service").count("HARAKIRI ON WORKER") == 1
    fresh.settle(2)
    assert fresh.ask("/predict", record()).status == 200


def test_a_request_that_ends_its_worker_is_sent_twice(
    fresh: Stack,
) -> None:
    fresh.put(acting(DIES))
    fresh.configure(WORKERS=1)
    fresh.up(2)
    assert_problem(fresh.ask("/predict", record(566)), 502)
    fresh.until(
        lambda: fresh.logs("service").count("killed by signal 9") == 2, 10
    )
    fresh.settle(2)
    assert fresh.ask("/predict", record()).json == {"prediction": [100.0]}
    assert fresh.logs("service").count("killed by signal 9") == 2


def test_a_killed_replica_leaves_what_it_was_at_to_the_others(
    fresh: Stack,
) -> None:
    fresh.configure(WORKERS=2)
    fresh.up(2)
    with ThreadPoolExecutor(4) as pool:
        asking = [
            pool.submit(fresh.ask, "/predict", record(4)) for _ in range(4)
        ]
        time.sleep(1)
        docker("kill", "--signal", "KILL", fresh.replicas()[0])
        assert [one.result().status for one in asking] == [200] * 4


def test_a_replica_that_has_only_just_started_stops_at_once(
    fresh: Stack,
) -> None:
    replica = alone(fresh)
    docker("stop", replica)
    for seconds in (0, 0.5):
        docker("start", replica)
        time.sleep(seconds)
        start = time.monotonic()
        docker("stop", replica)
        assert time.monotonic() - start < 5


def test_who_is_told_that_the_service_is_ready_gets_predictions_at_once(
    fresh: Stack,
) -> None:
    alone(fresh)
    # Which backend learns of a replica first differs from start to start.
    for service in ("service", "balancer") * 3:
        [container] = fresh.replicas(service)
        docker("restart", "--time", "1", container)
        fresh.until(lambda: fresh.status("/ready") == 200, pause=0.005)
        assert fresh.ask("/predict", record()).status == 200
        # The model cannot be explained, or is being prepared; a replica says so.
        answer = fresh.ask("/predict?explain=1", record())
        assert answer.headers["X-Model-Version"]


def test_a_replica_that_is_busy_is_healthy(fresh: Stack) -> None:
    replica = alone(fresh, WORKERS=1)
    with ThreadPoolExecutor(1) as pool:
        # Three checks and their pauses take less.
        asking = pool.submit(fresh.ask, "/predict", record(25))
        while not asking.done():
            assert fresh.health(replica) == "healthy"
            time.sleep(1)
    assert asking.result().status == 200


def test_a_service_that_does_not_answer_at_all_is_left_out(
    fresh: Stack,
) -> None:
    replica = alone(fresh, REQUEST_TIMEOUT=10)
    freeze(replica)
    try:
        start = time.monotonic()
        # Sent again after it has been left out, the request finds no replica.
        assert_problem(fresh.ask("/predict", record()), 503)
        assert time.monotonic() - start < 8
        start = time.monotonic()
        assert_problem(fresh.ask("/ready"), 503)
        assert time.monotonic() - start < 1
    finally:
        docker("unpause", replica)
    fresh.until(lambda: fresh.ask("/predict", record()).status == 200, 10)


def test_sigterm_lets_the_accepted_requests_finish(fresh: Stack) -> None:
    replica = alone(fresh, WORKERS=2)
    with ThreadPoolExecutor(2) as pool:
        asking = [
            pool.submit(fresh.ask, "/predict", record(3)) for _ in range(2)
        ]
        time.sleep(1)
        start = time.monotonic()
        docker("kill", "--signal", "TERM", replica)
        assert [one.result().json for one in asking] == [
            {"prediction": [103.0]}
        ] * 2
        fresh.until(lambda: inspect(replica, ".State.Status") == "exited", 10)
        assert time.monotonic() - start < 10
    assert inspect(replica, ".State.ExitCode") == 0
    assert_problem(fresh.ask("/predict", record()), 503)
    assert fresh.ask("/ready").headers["Retry-After"] == "1"


def test_a_replica_whose_workers_are_all_busy_stops_without_losing_a_request(
    fresh: Stack,
) -> None:
    fresh.configure(WORKERS=2, REQUEST_TIMEOUT=20)
    fresh.up(2)
    one, _ = fresh.replicas()
    with ThreadPoolExecutor(4) as pool:
        busy = [
            pool.submit(fresh.ask, "/predict", record(4)) for _ in range(4)
        ]
        time.sleep(0.5)
        with fresh.load(record()) as load:
            docker("stop", one)
            time.sleep(2)
        assert [each.result().status for each in busy] == [200] * 4
    load.assert_nothing_lost()
    assert inspect(one, ".State.ExitCode") == 0


def test_the_whole_stack_stops_with_every_accepted_request_answered(
    fresh: Stack,
) -> None:
    fresh.configure(WORKERS=2)
    fresh.up(2)
    with ThreadPoolExecutor(10) as pool:
        asking = [
            pool.submit(fresh.ask, "/predict", record(2)) for _ in range(10)
        ]
        time.sleep(0.5)
        start = time.monotonic()
        fresh.compose("stop")
        seconds = time.monotonic() - start
        assert [one.result().status for one in asking] == [200] * 10
    assert 3 < seconds < 20  # nginx and then the service, each within its ten
    assert {
        inspect(one, ".State.ExitCode")
        for one in [*fresh.replicas(), *fresh.replicas("nginx")]
    } == {0}


def list_container(name: str) -> str:
    return docker("ps", "--all", "--filter", f"id={name}")


@pytest.mark.parametrize("how", ["model", "settings"])
def test_what_cannot_be_served_exits_with_a_sentence_and_compose_shows_it(
    fresh: Stack, how: str
) -> None:
    if how == "model":
        fresh.model.write_bytes(b"not a model")
        said = "model.joblib is truncated, damaged or something else: joblib cannot load it"
    else:
        fresh.configure(MAX_EXPLAIN_ROWS="many")
        said = "MAX_EXPLAIN_ROWS: expected a whole number of 1 or more"
    fresh.compose("up", "--detach", "--no-build", "--scale", "service=1")
    [replica] = fresh.replicas()
    fresh.until(lambda: inspect(replica, ".RestartCount") >= 2)
    assert said in fresh.logs("service")
    assert "Traceback" not in fresh.logs("service")
    # At once, as the next attempt begins with a status of 0.
    fresh.until(
        lambda: re.search(r"Restarting \([1-9]", list_container(replica))
    )
    assert_problem(fresh.ask("/predict", record()), 503)
