"""Take the pictures of docs/page.md, and measure how soon the page can be used.

The pictures are of the page of two examples, as Chromium shows it.
It needs a Chromium that is installed, and playwright and Pillow of requirements-dev.txt.
"""

import runpy
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import partial
from pathlib import Path
from shutil import which
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    sync_playwright,
)
from werkzeug.serving import make_server

from python.app import create_app
from python.model import load_model, save_model
from python.model.base import Model
from python.settings import Settings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COLOURS = 256
WIDE = (1200, 900)
PHONE = (360, 760)
ANSWER = ".answer .sentence strong"
MANY_FEATURES = 300
LOADS = 9
SECONDS_FOR_AN_ANSWER = 1.5
# In a new profile, Chromium first loads a start page of its own, of 60 files.
SECONDS_FOR_A_PROFILE = 1.5
# A page can be used once its fields are drawn, and its script has nothing left to do.
WATCH = """
const watch = (name, selector) => new MutationObserver((_, observer) => {
  if (!document.querySelector(selector)) return;
  observer.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window[name] = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
watch("usable", ".field :is(input, select)");
watch("answered", ".answer .sentence strong");
"""


class Picture(NamedTuple):
    """A picture to take: of which example, in which size and colours, after which actions."""

    name: str
    example: str
    size: tuple[int, int]
    scheme: Any
    act: Callable[[Page], None]


def type_into(page: Page, feature: str, value: str) -> None:
    """Type a value, and wait for its answer."""
    before = page.locator(".answer .tables").inner_html()
    page.fill(f'.field[data-feature="{feature}"] input[type=text]', value)
    page.wait_for_function(
        "before => document.querySelector('.answer .tables').innerHTML != before",
        arg=before,
    )


def show_answer(page: Page) -> None:
    """Show the answer to the example."""
    page.wait_for_selector(ANSWER)


def compare(page: Page) -> None:
    """Keep an answer, change a number, and open its slider."""
    page.select_option('.field[data-feature="housing"] select', '"own"')
    page.wait_for_selector('.waterfall tr:has-text("housing own")')
    page.get_by_role("button", name="Keep this answer").click()
    type_into(page, "age", "60")
    page.get_by_role("button", name="What if age").click()
    page.wait_for_selector(".curve")


def make_fault(page: Page) -> None:
    """Type what is no number."""
    page.fill('.field[data-feature="age"] input[type=text]', "old")
    page.get_by_role("button", name="age: expected").click()


PICTURES = [
    Picture("page", "build_lgbm_binary", WIDE, "light", show_answer),
    Picture("page-classes", "build_rf_multiclass", WIDE, "dark", show_answer),
    Picture("page-compared", "build_lgbm_binary", WIDE, "light", compare),
    Picture("page-fault", "build_lgbm_binary", PHONE, "dark", make_fault),
]


def load_example(name: str) -> Model:
    """Return the model that an example script writes, ready to explain."""
    script = ROOT / "python" / "example" / f"{name}.py"
    with TemporaryDirectory() as folder, chdir(folder):
        runpy.run_path(str(script))
        model = load_model(Path("model.joblib"), "SKLEARN_MODEL")
    model.prepare_explanations()
    return model


@contextmanager
def serve(model: Model, name: str) -> Iterator[str]:
    """Serve a model, and yield the address of its page."""
    app = create_app(Settings(model_name=name), model)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()


def take(browser: Browser, picture: Picture) -> None:
    """Take a picture, with few colours: that makes it a third as large."""
    width, height = picture.size
    model = load_example(picture.example)
    with serve(model, "model.joblib") as address:
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme=picture.scheme,
        )
        page.goto(address)
        page.wait_for_selector(ANSWER)
        picture.act(page)
        path = DOCS / f"{picture.name}.png"
        page.screenshot(path=path, full_page=width != PHONE[0])
        page.close()
    image = Image.open(path).convert("RGB")
    few = image.quantize(
        COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    few.save(path, optimize=True)


def load_wide() -> Model:
    """Return a model of many features, in three groups, ready to explain."""
    choose = np.random.default_rng(0)
    values = choose.normal(size=(500, MANY_FEATURES)).round(3)
    groups = ("history", "lab", "vital")
    names = [f"{groups[n % 3]}_{n}" for n in range(MANY_FEATURES)]
    data = pd.DataFrame(values, columns=names)
    target = data["lab_1"] > data["vital_2"]
    estimator = LGBMClassifier(n_estimators=50, verbose=-1).fit(data, target)
    with TemporaryDirectory() as folder, chdir(folder):
        save_model(estimator, data, y=target)
        model = load_model(Path("model.joblib"), "SKLEARN_MODEL")
    model.prepare_explanations()
    return model


def open_tab(context: BrowserContext) -> Page:
    """Open a tab that takes nothing of the page from a cache."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    return page


def open_profile(browser: Browser) -> Page:
    """Open a tab of a new profile, once the browser has nothing left to do for it."""
    page = browser.new_page()
    time.sleep(SECONDS_FOR_A_PROFILE)
    return page


def measure(open_page: Callable[[], Page], model: Model) -> dict[str, float]:
    """Return the milliseconds from the address until the page can be used, and has an answer."""
    times: dict[str, list[float]] = {"usable": [], "answered": []}
    with serve(model, "model.joblib") as address:
        for _ in range(LOADS):
            page = open_page()
            page.add_init_script(WATCH)
            page.goto(address, wait_until="commit")
            # To ask the page meanwhile would take it 30 milliseconds.
            time.sleep(SECONDS_FOR_AN_ANSWER)
            for name, values in times.items():
                values.append(page.evaluate(name))
            page.close()
    return {name: round(median(values)) for name, values in times.items()}


def main() -> None:
    """Take all pictures, and print the times: nothing of the page is in a cache."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox"]
        )
        for picture in PICTURES:
            take(browser, picture)
        context = browser.new_context()
        context.new_page()  # a profile whose last tab is closed begins anew
        models = {
            3: load_example(PICTURES[0].example),
            MANY_FEATURES: load_wide(),
        }
        opened: dict[str, Callable[[], Page]] = {
            "a new tab": partial(open_tab, context),
            "a new profile": partial(open_profile, browser),
            "a new profile, while that is opened": browser.new_page,
        }
        for n_features, model in models.items():
            for where, open_page in opened.items():
                times = measure(open_page, model)
                print(f"{n_features} features, ms in {where}:", times)
        browser.close()


if __name__ == "__main__":
    main()
