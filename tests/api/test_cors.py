"""CORS: what the pages of other addresses may send and read."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from python.api import cors
from python.app import create_app
from python.model import FAMILIES
from python.settings import Settings, SettingsError
from tests.models import ROOT
from tests.problems import problem
from tests.serving import Client, load_odd

SHOP = "https://shop.example"
ORIGINS = f"{SHOP}, http://localhost:3000"
RECORD = {"feature1": 1, "feature2": 1, "feature3": 2}
EXPOSED = "X-Request-ID, X-Trace-ID, X-Model-Version, Retry-After, Link"


def headers_of(response: TestResponse) -> dict[str, str]:
    return {
        name: value
        for name, value in response.headers
        if name.startswith("Access-Control-")
    }


def ask_before(client: Client, origin: str, **settings: Any) -> TestResponse:
    return client(**settings).options(
        "/predict",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-api-key",
        },
    )


def test_a_preflight_is_answered_before_the_key_is_asked(
    client: Client,
) -> None:
    response = ask_before(client, SHOP, cors_origins=ORIGINS, api_key="s3cret")
    assert response.status_code == 204
    assert response.data == b""
    assert headers_of(response) == {
        "Access-Control-Allow-Origin": SHOP,
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
        "Access-Control-Allow-Headers": (
            "Accept, Authorization, Content-Type, "
            "X-API-Key, X-Request-ID, traceparent"
        ),
        "Access-Control-Expose-Headers": EXPOSED,
        "Access-Control-Max-Age": "7200",
    }
    assert response.headers.getlist("Vary") == ["Origin"]
    assert "X-Request-ID" in response.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://shop.example.evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "null",
        "*",
        "",
    ],
)
def test_the_pages_of_another_origin_may_do_nothing(
    origin: str, client: Client
) -> None:
    before = ask_before(client, origin, cors_origins=ORIGINS)
    assert before.status_code == 204
    service = client(cors_origins=ORIGINS)
    response = service.get("/info", headers={"Origin": origin})
    for each in (before, response):
        assert headers_of(each) == {}
        assert each.headers.getlist("Vary") == ["Origin"]


def failing(client: Client) -> TestResponse:
    del client
    settings = Settings(cors_origins=SHOP, unknown_features="ignore")
    app = create_app(settings, load_odd())

    @app.get("/fails")
    def fails() -> str:
        raise RuntimeError

    return app.test_client().get("/fails", headers={"Origin": SHOP})


def send(path: str, **settings: Any) -> Callable[[Client], TestResponse]:
    def sent(client: Client) -> TestResponse:
        service = client(cors_origins=ORIGINS, **settings)
        body = json.dumps(RECORD)
        return service.post(path, data=body, headers={"Origin": SHOP})

    return sent


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (send("/predict"), 200),
        (send("/predict", api_key="s3cret"), 401),
        (send("/nowhere"), 404),
        (send("/info"), 405),
        (send("/predict", max_content_length=3), 413),
        (failing, 500),
    ],
)
def test_each_response_may_be_read_by_the_pages_of_an_origin(
    ask: Callable[[Client], TestResponse], status: int, client: Client
) -> None:
    response = ask(client)
    assert response.status_code == status
    assert headers_of(response) == {
        "Access-Control-Allow-Origin": SHOP,
        "Access-Control-Expose-Headers": EXPOSED,
    }
    assert "Origin" in response.headers.getlist("Vary")


def test_any_origin_may_be_allowed(client: Client) -> None:
    before = ask_before(client, SHOP, cors_origins="*", api_key="s3cret")
    assert before.status_code == 204
    assert headers_of(before)["Access-Control-Allow-Methods"]
    service = client(cors_origins="*")
    for headers in ({"Origin": "null"}, {"Origin": SHOP}, {}):
        response = service.get("/info", headers=headers)
        assert headers_of(response)["Access-Control-Allow-Origin"] == "*"
        assert "Vary" not in response.headers


def test_a_response_varies_also_for_who_names_no_origin(
    client: Client,
) -> None:
    """Else a cache would give it to the page of an origin, which could not read it."""
    response = client(cors_origins=ORIGINS).get("/")
    assert headers_of(response) == {}
    assert set(response.headers.getlist("Vary")) == {"Accept", "Origin"}


def test_unset_nothing_changes(client: Client) -> None:
    before = ask_before(client, SHOP, api_key="s3cret")
    problem(before, 401)
    response = client().get("/info", headers={"Origin": SHOP})
    for each in (before, response):
        assert headers_of(each) == {}
        assert "Vary" not in each.headers
    assert client().options("/predict").status_code == 200


def test_an_options_that_asks_nothing_is_no_preflight(client: Client) -> None:
    service = client(cors_origins="*", api_key="s3cret")
    problem(service.options("/predict", headers={"Origin": SHOP}), 401)


@pytest.mark.parametrize(
    "origins",
    [
        "*",
        "https://shop.example",
        "HTTPS://Shop.Example:8443,http://localhost:3000",
        "http://[::1]:3000 , capacitor://localhost",
        "http://a.example:443, https://b.example:80,https://c.example:4430",
    ],
)
def test_origins_that_a_browser_may_send(origins: str) -> None:
    settings = Settings.from_environ({"CORS_ORIGINS": origins}, FAMILIES)
    assert settings.cors_origins == origins
    for origin in cors.read_origins(settings.cors_origins):
        assert origin == origin.strip().lower()


@pytest.mark.parametrize(
    "origins",
    [
        "shop.example",
        "https://shop.example/",
        "https://shop.example/path",
        "https://*.example",
        "null",
        "*, https://shop.example",
        "https://a.example https://b.example",
        "https://a.example,,https://b.example",
        "https://a.example,",
        'https://a.example";',
        "https://a.example\nhttps://b.example",
        "https://shop.example:443",
        "http://a.example:80",
        "http://a.example, HTTPS://[::1]:443 , https://b.example",
    ],
)
def test_what_no_browser_sends_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError, match=r"CORS_ORIGINS: expected \*, or"):
        Settings.from_environ({"CORS_ORIGINS": origins}, FAMILIES)


def test_nginx_exposes_the_same_headers() -> None:
    name, exposed = cors.EXPOSED
    settings = (ROOT / "nginx" / "nginx.conf").read_text()
    assert f'default "{exposed}";' in settings
    assert f"add_header {name} " in settings
