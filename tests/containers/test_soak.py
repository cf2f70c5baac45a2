"""Two minutes of mixed traffic through nginx: what is too much is refused, and nothing grows."""

from pathlib import Path

from tests.containers.soak import (
    ORDERLY,
    SECONDS_OF_THE_TEST,
    TOO_MANY,
    containers,
    soak,
)


def test_nothing_fails_and_nothing_grows(built: str, tmp_path: Path) -> None:
    with containers(tmp_path, built) as (port, measure):
        done = soak(port, SECONDS_OF_THE_TEST, measure)
    print(done.describe())  # noqa: T201 - pytest shows it when it fails
    assert not done.failures()
    assert not done.growing()
    assert done.outcomes["good", "200"] > SECONDS_OF_THE_TEST
    assert done.outcomes["explained", "200"] > SECONDS_OF_THE_TEST / 10
    for refused in ORDERLY:
        assert done.outcomes[TOO_MANY, refused]
