"""CORS in a browser: a page of another origin calls the service with a key."""

from collections.abc import Iterator
from shutil import which
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, Response, sync_playwright

from python.app import create_app
from python.settings import Settings
from tests.servers import running
from tests.serving import served

CHROMIUM = which("chromium") or which("chromium-browser") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
]
CALL = """async ([url, key]) => {
  try {
    const response = await fetch(`${url}/predict?proba=1`, {
      method: "POST",
      headers: { "X-API-Key": key, "Content-Type": "application/json" },
      body: JSON.stringify({ feature1: 1, feature2: 1, feature3: 2 }),
    });
    const version = response.headers.get("X-Model-Version");
    const id = response.headers.get("X-Request-ID");
    return { status: response.status, body: await response.json(), version, id };
  } catch (error) {
    return { refused: error.name };
  }
}"""


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Page, str]]:
    """A page of its own origin, in a browser, and the origin."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "<title>shop</title>")
    with running(app) as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(origin)
        yield page, origin
        browser.close()


def call(page: Page, key: str, **settings: Any) -> dict[str, Any]:
    app = create_app(
        Settings(api_keys="shop=s3cret", **settings), served("build_rf_binary")
    )
    with running(app) as url:
        called: dict[str, Any] = page.evaluate(CALL, [url, key])
    return called


@pytest.mark.parametrize("prefix", ["", "/models/churn"])
def test_a_page_of_an_allowed_origin_calls_with_its_key(
    prefix: str, shop: tuple[Page, str]
) -> None:
    page, origin = shop
    called = call(page, "s3cret", cors_origins=origin, url_prefix=prefix)
    assert called["status"] == 200
    assert set(called["body"]["prediction"][0]) == {"0", "1"}
    assert called["id"]


def test_it_reads_why_it_is_refused(shop: tuple[Page, str]) -> None:
    page, origin = shop
    called = call(page, "guess", cors_origins=origin)
    assert called["status"] == 401
    assert "the one that was sent is another" in called["body"]["detail"]


@pytest.mark.parametrize("origins", ["", "https://shop.example"])
def test_a_page_of_another_origin_is_refused_by_the_browser(
    origins: str, shop: tuple[Page, str]
) -> None:
    page, _ = shop
    assert call(page, "s3cret", cors_origins=origins) == {
        "refused": "TypeError"
    }


def test_the_pages_of_the_service_work_under_the_prefix(
    shop: tuple[Page, str],
) -> None:
    browser = shop[0].context.browser
    assert browser
    page = browser.new_page()
    failed = []

    def note(response: Response) -> None:
        if response.status >= 400:
            failed.append(response.url)

    page.on("response", note)
    settings = Settings(url_prefix="/models/churn")
    app = create_app(settings, served("build_rf_binary"))
    with running(app) as url:
        page.goto(f"{url}/models/churn")
        page.wait_for_selector(".answer .sentence strong")
        assert f"{url}/models/churn/predict" in page.inner_text("#call")
        page.goto(f"{url}/models/churn/docs")
        page.click("text=Predict one record or several.")
        page.click(".try-out__btn")
        page.click(".execute")
        page.wait_for_selector(".responses-table.live-responses-table")
        shown = page.inner_text(".request-url pre")
        assert f"{url}/models/churn/predict" in shown
        page.close()
    assert [url for url in failed if "/models/churn" in url] == []
