"""The prefix of a gateway: paths with it, and what a response says of paths."""

import re
import shlex
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from python.app import create_app
from python.model import FAMILIES
from python.settings import Settings, SettingsError
from tests.laws import strict
from tests.problems import problem
from tests.serving import Client, last_line, served

PREFIX = "/models/churn"
RECORD = {"feature1": 1, "feature2": 1, "feature3": 2}
LINK = f'<{PREFIX}/openapi.json>; rel="service-desc"'


def test_each_route_responds_with_the_prefix_and_without(
    client: Client,
) -> None:
    service = client(url_prefix=PREFIX)
    app = create_app(Settings(), served("build_rf_binary"))
    paths = [
        rule.rule for rule in app.url_map.iter_rules() if not rule.arguments
    ]
    assert len(paths) > 8
    for path in paths:
        method = service.post if path.startswith("/pre") else service.get
        body: Any = {"json": RECORD} if path.startswith("/pre") else {}
        for prefix in (PREFIX, ""):
            assert (
                method(prefix + path, buffered=True, **body).status_code == 200
            ), path


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (f"{PREFIX}/info", "/info"),
        ("/info", "/info"),
        (f"{PREFIX}/page/model", "/page/model"),
        (f"{PREFIX}{PREFIX}/info", ""),
        (f"{PREFIX}x/info", ""),
        ("/models/info", ""),
    ],
)
def test_an_exchange_has_the_route_without_the_prefix(
    path: str,
    route: str,
    client: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    status = client(url_prefix=PREFIX).get(path).status_code
    assert status == (200 if route else 404)
    assert last_line(caplog).route == route


def test_the_prefix_alone_leads_to_the_page_with_the_query(
    client: Client,
) -> None:
    service = client(url_prefix=PREFIX, api_key="s3cret")
    response = service.get(f"{PREFIX}?a=1&b=%0d", base_url="http://gate.way")
    assert response.status_code == 308
    assert response.headers["Location"] == f"{PREFIX}/?a=1&b=%0d"
    assert "X-Request-ID" in response.headers
    assert service.post(PREFIX).status_code == 308


@pytest.mark.parametrize("start", ["/", "/docs"])
def test_what_a_page_loads_is_under_the_prefix(
    start: str, client: Client
) -> None:
    service = client(url_prefix=PREFIX)
    url = f"http://localhost{PREFIX}{start}"
    html = service.get(
        url, headers={"Accept": "text/html"}, buffered=True
    ).text
    named = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', html)
    # What the script of the page gets.
    named += re.findall(r'getJson\("([^"]+)"', html)
    assert len(named) > 2
    for name in named:
        path = urlsplit(urljoin(url, name)).path
        assert path.startswith(f"{PREFIX}/")
        assert service.get(path, buffered=True).status_code == 200


def test_a_program_is_told_paths_with_the_prefix(client: Client) -> None:
    service = client(url_prefix=PREFIX)
    for asked in ("/", f"{PREFIX}/"):
        response = service.get(asked, base_url="https://gate.way:8443")
        content = strict(response.data)
        url = shlex.split(content["curl"])[-1].partition("?")[0]
        assert url == f"https://gate.way:8443{PREFIX}/predict"
        assert f"POST {PREFIX}/predict" in content["paths"]
        assert response.headers["Link"] == LINK


def test_who_is_lost_is_led_to_the_description_under_the_prefix(
    client: Client,
) -> None:
    service = client(url_prefix=PREFIX)
    lost = service.get(f"{PREFIX}/nowhere")
    problem(lost, 404, f"GET {PREFIX}/health")
    for response in (lost, service.get(f"{PREFIX}/predict")):
        assert response.headers["Link"] == LINK


def test_the_description_says_where_its_paths_are(client: Client) -> None:
    service = client(url_prefix=PREFIX)
    document = strict(service.get(f"{PREFIX}/openapi.json").data)
    assert document["servers"] == [{"url": PREFIX}]
    assert "/predict" in document["paths"]
    assert "servers" not in strict(client().get("/openapi.json").data)


def test_the_paths_that_need_no_key_need_none_under_the_prefix(
    client: Client,
) -> None:
    service = client(url_prefix=PREFIX, api_key="s3cret")
    for path in ("/health", "/ready", "/docs"):
        assert service.get(PREFIX + path, buffered=True).status_code == 200
    for path in ("/info", f"/health{PREFIX}", "/health/..", "/nowhere"):
        problem(service.get(PREFIX + path), 401)


@pytest.mark.parametrize("prefix", ["/a", "/models/churn-2", "/~me/v1.2_/x"])
def test_a_prefix_is_a_path(prefix: str) -> None:
    settings = Settings.from_environ({"URL_PREFIX": f" {prefix} "}, FAMILIES)
    assert settings.url_prefix == prefix


@pytest.mark.parametrize(
    "prefix",
    [
        "/",
        "models",
        "/models/",
        "//models",
        "/models//churn",
        "/models/../churn",
        "/..",
        "/./x",
        "/a b",
        "/a%20b",
        "/a?b",
        "/a#b",
        "/a\\b",
        '/a"b',
        "/a;b",
        "/größe",
        "https://gate.way/models",
    ],
)
def test_what_is_no_path_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError, match="URL_PREFIX: expected a path"):
        Settings.from_environ({"URL_PREFIX": prefix}, FAMILIES)
