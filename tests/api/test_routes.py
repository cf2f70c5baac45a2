"""Paths and methods."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.problems import problem
from tests.serving import Client

ROOT = Path(__file__).parent.parent.parent


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


def test_a_path_that_is_not_there_leads_to_those_that_are(
    client: Client,
) -> None:
    document = problem(client().get("/v1/models/model:predict"), 404)
    assert document["detail"] == (
        "there is no such path, there are: GET /health, GET /ready, GET /service-info, "
        "GET /info, GET /features, POST /predict, POST /preprocess, GET /openapi.json, GET /docs, "
        "GET /, GET /page/model"
    )


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("GET", "/predict", "POST"),
        ("POST", "/info", "GET"),
        ("PUT", "/ready", "GET"),
    ],
)
def test_a_method_that_is_not_allowed_leads_to_the_one_that_is(
    method: str, path: str, taken: str, client: Client
) -> None:
    document = problem(client().open(path, method=method), 405)
    assert (
        document["detail"]
        == f"the method is not allowed, this path takes {taken}"
    )


FIRST_REQUEST = """
import sys
from concurrent.futures import Future
from python.app import create_app
from python.settings import Settings

app = create_app(Settings(), Future())
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/health"}
environ |= {"HTTP_HOST": "localhost", "wsgi.url_scheme": "http"}
before = set(sys.modules)
app(environ, lambda status, headers: None)
print(sorted(set(sys.modules) - before), end="")
"""


def test_the_first_request_imports_nothing() -> None:
    """Each worker has a first one, which takes no longer than the others."""
    program = [sys.executable, "-c", FIRST_REQUEST]
    found = subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.endswith("[]")
