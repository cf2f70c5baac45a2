"""Paths and methods."""

import pytest

from tests.problems import problem
from tests.serving import Client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/predict"),
        ("POST", "/info"),
        ("DELETE", "/health"),
        ("PUT", "/preprocess"),
    ],
)
def test_a_method_that_is_not_allowed(
    method: str, path: str, client: Client
) -> None:
    response = client().open(path, method=method)
    problem(response, 405)
    assert "OPTIONS" in response.headers["Allow"]


def test_a_path_that_is_not_there(client: Client) -> None:
    problem(client().get("/predictions"), 404)
