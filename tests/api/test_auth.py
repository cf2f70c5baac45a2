"""The API key."""

import pytest

from tests.problems import problem
from tests.serving import Client


@pytest.mark.parametrize(
    "header",
    [
        {"Authorization": "Bearer s3cret"},
        {"Authorization": "bearer  s3cret"},
        {"X-API-Key": "s3cret"},
    ],
)
def test_the_right_key_lets_in(header: dict[str, str], client: Client) -> None:
    assert (
        client(api_key="s3cret").get("/info", headers=header).status_code
        == 200
    )


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic s3cret"},
        {"X-API-Key": ""},
        {"X-API-Key": "é"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/info", "/features", "/service-info", "/nowhere"]
)
def test_another_key_does_not(
    header: dict[str, str], path: str, client: Client
) -> None:
    response = client(api_key="s3cret").get(path, headers=header)
    problem(response, 401, "an API key is needed")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "s3cret" not in response.text


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_need_none(path: str, client: Client) -> None:
    assert client(api_key="s3cret").get(path).status_code == 200
