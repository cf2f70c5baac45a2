"""The page at /docs: it comes from the service alone, and says nothing of the model by itself."""

import re

import pytest

from python.api.swagger import PATHS
from tests.problems import problem
from tests.serving import Client


def test_the_page_is_made_of_the_service_s_own_files(client: Client) -> None:
    service = client()
    page = service.get("/docs", buffered=True)
    assert page.mimetype == "text/html"
    named = re.findall(r'(?:href|src)="([^"]*)"', page.text)
    assert sorted(f"/{name}" for name in named) == sorted(
        set(PATHS) - {"/docs"}
    )
    for path in PATHS:
        assert service.get(path, buffered=True).status_code == 200
    script = service.get("/docs/start.js", buffered=True).text
    assert '"openapi.json"' in script
    assert "validatorUrl: null" in script
    assert "//" not in (page.text + script).replace("// ", "")


def test_its_policy_allows_no_other_host_and_no_script_in_the_page(
    client: Client,
) -> None:
    page = client().get("/docs", buffered=True)
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert set(re.findall(r"'[\w-]+'|\w+:", policy)) == {
        "'none'",
        "'self'",
        "data:",
    }
    assert re.findall(r"<script>|<style>| on\w+=| style=", page.text) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_which_has_no_key_gets_the_page(
    path: str, client: Client
) -> None:
    service = client(api_key="s3cret")
    assert service.get(path, buffered=True).status_code == 200
    problem(service.get("/openapi.json"), 401)


@pytest.mark.parametrize(
    "name", ["swagger-ui.js", "index.html", "..%2fapp.py", "%2e%2e"]
)
def test_no_other_file_is_given_away(name: str, client: Client) -> None:
    problem(client().get(f"/docs/{name}"), 404)
    problem(client(api_key="s3cret").get(f"/docs/{name}"), 401)
