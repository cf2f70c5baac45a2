"""The page in a browser: what people see, type, hear and press."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from itertools import product
from pathlib import Path
from shutil import which
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from lightgbm import LGBMClassifier
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Route,
    sync_playwright,
)
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, SVR

from python.api.document import read_scripts
from python.api.openapi import Terms, encode_document
from python.api.page import FILES
from python.app import create_app
from python.model.artifact import Artifact
from python.model.saving.artifacts import Wishes, make_artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.api.test_auth import listening
from tests.artifacts import content, load
from tests.serving import served

CHROMIUM = which("chromium") or which("chromium-browser") or ""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium"),
]

ROWS = 400
WIDE = 300
ANSWER_MILLISECONDS = 20_000
WAIT_MILLISECONDS = (
    700  # longer than a change and what is said of a late answer take
)
PROBABILITY = r"([\d.]+)\u202f%"
POINTS_TOLERANCE = 0.05001
SUPERSCRIPTS = str.maketrans(
    "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079",
    "-0123456789",
)
LOADED = ".answer .sentence strong"
SOMEBODY = {"income": 40000, "age": 33, "member": True}

PRESS_AT_ONCE = """
new MutationObserver((_, observer) => {
  const button = document.querySelector('.field[data-feature="age"] button');
  const link = document.querySelector('a[href="#calls"]');
  if (!button || !link) return;
  observer.disconnect();
  button.click();
  link.click();
}).observe(document, { childList: true, subtree: true });
"""
TYPE_AT_ONCE = """
new MutationObserver((_, observer) => {
  const age = document.querySelector('.field[data-feature="age"] input[type=text]');
  if (!age) return;
  observer.disconnect();
  age.value = "77";
  age.dispatchEvent(new Event("input"));
}).observe(document, { childList: true, subtree: true });
"""
"""Types as soon as there is something to type into, before the browser draws it."""


def people() -> tuple[pd.DataFrame, pd.Series]:
    choose = np.random.default_rng(0)
    data = pd.DataFrame(
        {
            "income": choose.lognormal(10, 0.5, ROWS).round(0),
            "age": choose.integers(18, 90, ROWS),
            "member": choose.random(ROWS) > 0.4,
            "housing": pd.Categorical(
                choose.choice(["own", "rent", "free"], ROWS)
            ),
            "joined": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(choose.integers(0, 900, ROWS), unit="D"),
        }
    )
    data.loc[choose.random(ROWS) < 0.1, "income"] = np.nan
    score = data["income"].fillna(20000) / 20000 + (data["age"] > 45)
    return data, score - data["member"] * 0.4


def two_classes() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data.drop(columns=["housing", "joined"]).fillna({"income": 0})
    labels = np.where(score > 1.5, "yes", "no")
    forest = RandomForestClassifier(20, max_depth=5, random_state=0)
    return forest.fit(inputs, labels), inputs, labels


def three_classes() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data.drop(columns=["housing", "joined"]).fillna({"income": 0})
    labels = np.select([score < 1.2, score < 2], ["low", "mid"], "top")
    forest = RandomForestClassifier(20, max_depth=5, random_state=0)
    return forest.fit(inputs, labels), inputs, labels


def odds() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data.drop(columns="joined")
    labels = np.where(score > 1.5, "accepted", "declined")
    booster = LGBMClassifier(n_estimators=20, num_leaves=8, verbose=-1)
    return booster.fit(inputs, labels), inputs, labels


def number() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data[["age", "income"]].fillna(0)
    forest = RandomForestRegressor(20, max_depth=5, random_state=0)
    return forest.fit(inputs, score * 100), inputs, score * 100


def scaled(factor: float) -> tuple[Any, pd.DataFrame, Any]:
    """A regression whose numbers are of any size."""
    data, score = people()
    inputs = data[["age", "income"]].fillna(0)
    target = score * factor
    return LinearRegression().fit(inputs, target), inputs, target


def labels() -> tuple[Any, pd.DataFrame, Any]:
    """Classes that are texts, without probabilities."""
    data, _ = people()
    inputs = data[["age", "income"]].fillna(0)
    ages = [inputs["age"] < 40, inputs["age"] < 65]
    names = np.select(ages, ["young", "between"], "old")
    machine = make_pipeline(StandardScaler(), SVC()).fit(inputs, names)
    return machine, inputs, names


def groups() -> tuple[Any, pd.DataFrame, Any]:
    data, _ = people()
    inputs = data[["age", "income"]].fillna(0)
    means = make_pipeline(StandardScaler(), KMeans(3, random_state=0))
    return means.fit(inputs), inputs, None


def two_numbers() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data[["age", "income"]].fillna(0)
    target = np.column_stack([score, 2 * score])
    forest = RandomForestRegressor(5, max_depth=4, random_state=0)
    return forest.fit(inputs, target), inputs, target


def certain() -> tuple[Any, pd.DataFrame, Any]:
    """A probability of 1 to which the effects add up but for their last digits."""
    data, _ = people()
    inputs = data.drop(columns=["housing", "joined"]).fillna({"income": 0})
    inputs["age"] = inputs["age"] * 1.0
    names = np.where(inputs["age"] > 45, "yes", "no")
    forest = RandomForestClassifier(30, max_depth=6, random_state=0)
    return forest.fit(inputs, names), inputs, names


def odd_ones() -> tuple[Any, pd.DataFrame, Any]:
    data, _ = people()
    inputs = data[["age", "income"]].fillna(0)
    forest = IsolationForest(n_estimators=10, random_state=0)
    return forest.fit(inputs), inputs, None


def long() -> tuple[Any, pd.DataFrame, Any]:
    data, score = people()
    inputs = data[["age", "income"]].fillna(0)
    labels = np.where(score > 1.5, "a name " + "of a class " * 12, "other")
    forest = RandomForestClassifier(10, max_depth=3, random_state=0)
    return forest.fit(inputs, labels), inputs, labels


def wide() -> tuple[Any, pd.DataFrame, Any]:
    choose = np.random.default_rng(0)
    values = choose.normal(size=(120, WIDE)).round(3)
    groups = ("lab", "vital", "history")
    names = [
        f"{group}_{n}" for group in groups for n in range(WIDE // len(groups))
    ]
    inputs = pd.DataFrame(values, columns=names)
    labels = np.where(inputs["lab_1"] > inputs["vital_3"], "sick", "well")
    booster = LGBMClassifier(n_estimators=5, num_leaves=8, verbose=-1)
    return booster.fit(inputs, labels), inputs, labels


def read_dates(inputs: pd.DataFrame) -> pd.DataFrame:
    days = (inputs["joined"] - pd.Timestamp("2020-01-01")).dt.days
    numbers = {"days": days, "length": inputs["job"].str.len()}
    return pd.DataFrame(numbers).fillna(-1)


def dated() -> tuple[Any, pd.DataFrame, Any]:
    data, _ = people()
    choose = np.random.default_rng(2)
    jobs = choose.choice(["nurse", "bus driver"], ROWS)
    inputs = pd.DataFrame({"joined": data["joined"], "job": jobs})
    steps = make_pipeline(FunctionTransformer(read_dates), LinearRegression())
    target = read_dates(inputs).sum(axis=1)
    return steps.fit(inputs, target), inputs, target


MODELS: dict[str, Callable[[], tuple[Any, pd.DataFrame, Any]]] = {
    "dated": dated,
    "two": two_classes,
    "three": three_classes,
    "odds": odds,
    "number": number,
    "labels": labels,
    "groups": groups,
    "two_numbers": two_numbers,
    "certain": certain,
    "odd_ones": odd_ones,
    "long": long,
    "tiny": partial(scaled, 1e-11),
    "millions": partial(scaled, 1e7),
    "huge": partial(scaled, 1e21),
    "wide": wide,
}


@cache
def fitted(name: str) -> tuple[Any, pd.DataFrame, Any]:
    return MODELS[name]()


@cache
def saved(name: str) -> SklearnModel:
    """The model of that name, with all that `save_model` writes."""
    estimator, inputs, labels = fitted(name)
    wishes = Wishes(labels, None, {}, n_samples=50, n_examples=0)
    content, _ = make_artifact(estimator, inputs, wishes)
    model = SklearnModel.load(Artifact.of(content))
    model.prepare_explanations()
    return model


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


Open = Callable[..., Page]
"""Opens the page of a model and waits for its first answer; the rest are options of the browser."""


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Makes pages, in which nothing may fail and nothing may come from elsewhere."""
    faults: list[str] = []
    with ExitStack() as stack:

        def open_page(
            model: str | SklearnModel,
            path: str = "/",
            settings: Settings | None = None,
            wait: str = LOADED,
            **options: Any,
        ) -> Page:
            loaded = saved(model) if isinstance(model, str) else model
            app = create_app(settings or Settings(), loaded)
            port = stack.enter_context(listening(app))
            context = browser.new_context(
                accept_downloads=True, reduced_motion="reduce", **options
            )
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(ANSWER_MILLISECONDS)
            host = f"http://127.0.0.1:{port}"
            page.on("console", lambda message: note(message, faults))
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda sent: note_host(sent, host, faults))
            page.goto(host + path)
            page.wait_for_selector(wait)
            return page

        yield open_page
    assert faults == []


def note(message: ConsoleMessage, faults: list[str]) -> None:
    # A browser reports each refusal of a record so.
    is_refusal = re.search(r"status of (422|401|400|404)", message.text)
    if message.type in ("error", "warning") and not is_refusal:
        faults.append(message.text)


def note_host(request: Request, host: str, faults: list[str]) -> None:
    if not request.url.startswith((host, "data:", "blob:")):
        faults.append(request.url)


def control(page: Page, feature: str) -> Locator:
    return page.locator(
        f'.field[data-feature="{feature}"] .field-body :is(input, select)'
    )


def says(page: Page) -> str:
    text: str = page.locator(".answer .sentence").first.inner_text()
    return text


def wait_for_answer(page: Page, change: Callable[[], Any]) -> None:
    """Make a change, and wait until the answer is another one."""
    before = page.locator(".answer .tables").inner_html()
    change()
    page.wait_for_function(
        "before => document.querySelector('.answer .tables').innerHTML != before",
        arg=before,
    )


def effects(page: Page) -> dict[str, float]:
    rows = page.locator(".waterfall tr[data-feature]")
    return dict(
        rows.evaluate_all(
            "rows => rows.map(row => [row.dataset.feature, Number(row.dataset.value)])"
        )
    )


def number_of(row: Locator) -> float:
    """The number of a row of a table, with all its digits."""
    return float(row.get_attribute("data-value") or "nan")


def end(page: Page, kind: str) -> float:
    return number_of(page.locator(f".waterfall tr.{kind}"))


def record_in(page: Page) -> dict[str, Any]:
    """The record in the request to copy."""
    code = page.locator("#call").inner_text()
    record: dict[str, Any] = json.loads(code.split("-d '", 1)[1][:-1])
    return record


def columns(name: str, record: dict[str, Any]) -> pd.DataFrame:
    """The record as the estimator was fitted with it."""
    _, inputs, _ = fitted(name)
    row = pd.DataFrame([record], columns=list(inputs))
    return row.astype(inputs.dtypes.to_dict())


@pytest.mark.parametrize("name", ["two", "three", "odds"])
def test_the_numbers_are_those_of_the_estimator(
    name: str, open_page: Open
) -> None:
    page = open_page(name)
    estimator, _, _ = fitted(name)
    age = control(page, "age")
    for value in ("25", "44", "71"):
        if age.input_value() != value:
            wait_for_answer(page, lambda value=value: age.fill(value))  # type: ignore[misc]
        row = columns(name, record_in(page))
        assert row["age"].item() == int(value)
        (probabilities,) = estimator.predict_proba(row)
        position = int(probabilities.argmax())
        label = estimator.classes_[position]
        assert estimator.predict(row)[0] == label
        expected = probabilities[position]
        said = re.match(
            rf"The model says {label}, {PROBABILITY}\.", says(page)
        )
        assert said is not None, says(page)
        assert abs(float(said[1]) - expected * 100) <= POINTS_TOLERANCE
        total = end(page, "start") + sum(effects(page).values())
        assert total == pytest.approx(end(page, "result"), abs=1e-12)
        if name == "odds":
            total = 1 / (1 + np.exp(-total))
        assert total == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["two", "odds", "number", "wide"])
def test_what_is_shown_as_arithmetic_is_right(
    name: str, open_page: Open
) -> None:
    page = open_page(name)
    text = page.locator(".arithmetic").inner_text().split(" (")[0]
    text = text.replace("\u2212", "-").replace(",", "").replace(" ", "")
    sign = "=" if "=" in text else "\u2248"
    left, right = text.split(sign)
    terms = [float(term) for term in re.findall(r"[-+]?[\d.]+", left)]
    digits = len(right.split(".")[1])
    slack = 0 if sign == "=" else len(terms)
    assert abs(sum(terms) - float(right)) <= (slack + 0.01) * 10**-digits
    assert float(right) == pytest.approx(end(page, "result"), abs=10**-digits)


def read_number(text: str) -> float:
    """A number as a person reads it, `3.2 x 10` to a power."""
    text = re.sub(r"[,(\s]", "", text).replace("\u2212", "-")
    number, _, power = text.replace(")", "").partition("\u00d710")
    return float(number) * 10.0 ** int(power.translate(SUPERSCRIPTS) or 0)


@pytest.mark.parametrize("name", ["tiny", "millions", "huge"])
def test_numbers_of_any_size_are_read(name: str, open_page: Open) -> None:
    page = open_page(name, viewport={"width": 360, "height": 800})
    estimator, _, _ = fitted(name)
    (expected,) = estimator.predict(columns(name, record_in(page)))
    said = page.locator(LOADED).inner_text()
    said = said.removeprefix("The model says ").removesuffix(".")
    # All digits before the point are there.
    slack = 0.5 if name == "millions" else abs(expected) * 1e-5
    assert read_number(said) == pytest.approx(expected, abs=slack)
    total = page.locator(".waterfall .result .number").inner_text()
    assert read_number(total) == pytest.approx(expected, rel=1e-3)
    sum_ = page.locator(".arithmetic").inner_text().split("=")[1]
    assert read_number(sum_) == pytest.approx(expected, rel=1e-3)
    width = "document.documentElement.scrollWidth"
    assert page.evaluate(width) == 360


@pytest.mark.parametrize("script", range(2))
def test_no_name_of_the_scripts_is_the_browsers(
    script: int, browser: Browser
) -> None:
    kinds = r"^(?:async )?(?:class|const|function|let) (\w+)"
    names = re.findall(kinds, read_scripts(FILES)[script], re.MULTILINE)
    assert "words" in names or "Answers" in names
    page = browser.new_page()
    taken = page.evaluate(
        "names => names.filter(name => name in window)", names
    )
    page.close()
    assert taken == []


def test_what_is_typed_before_the_answers_are_there_is_answered(
    open_page: Open,
) -> None:
    page = open_page("number")
    page.add_init_script(TYPE_AT_ONCE)
    page.reload()
    page.wait_for_selector(LOADED)
    assert control(page, "age").input_value() == "77"
    assert record_in(page)["age"] == 77


def test_what_is_pressed_before_the_answers_are_there_is_done(
    open_page: Open,
) -> None:
    page = open_page("number")
    page.add_init_script(PRESS_AT_ONCE)
    page.reload()
    page.wait_for_selector(".curve")
    page.wait_for_selector("#calls [aria-selected=true]:has-text('Python')")
    page.wait_for_function("scrollY > 0")


def test_sentence_and_waterfall_follow_a_change(open_page: Open) -> None:
    page = open_page("two")
    wait_for_answer(page, lambda: control(page, "age").fill("25"))
    young = says(page)
    wait_for_answer(page, lambda: control(page, "age").fill("80"))
    old = says(page)
    assert young != old
    up = re.search(r"raised most by (\w+) ", old)
    down = re.search(r"lowered most by (\w+) ", old)
    by_effect = effects(page)
    largest = max(by_effect, key=by_effect.__getitem__)
    least = min(by_effect, key=by_effect.__getitem__)
    assert (up and up[1]) == (largest if by_effect[largest] > 0 else None)
    assert (down and down[1]) == (least if by_effect[least] < 0 else None)
    assert list(by_effect) == sorted(
        by_effect, key=lambda feature: -abs(by_effect[feature])
    )
    assert "caus" not in old


def test_an_outlier_is_said_in_whole_sentences(open_page: Open) -> None:
    page = open_page("odd_ones")
    assert page.locator("h1").inner_text().startswith("This model tells out")
    page.locator(".meaning summary").click()
    assert "below 0 it is an outlier" in page.inner_text(".meaning")
    names = {"age", "income"}
    wait_for_answer(page, lambda: control(page, "age").fill("900"))
    lowered = [name for name in names if effects(page)[name] < 0]
    raised = [name for name in names if effects(page)[name] > 0]
    assert lowered
    words = "and lowered most" if raised else "and it was lowered most"
    assert words in says(page)


def test_what_is_long_stays_in_its_card(open_page: Open) -> None:
    page = open_page("long", viewport={"width": 360, "height": 800})
    card = page.locator(".answer").bounding_box()
    select = page.get_by_label("Explain").bounding_box()
    assert card
    assert select
    right = card["x"] + card["width"]
    assert select["x"] + select["width"] <= right


def test_bars_are_decoration_and_signs_stand_beside_colours(
    open_page: Open,
) -> None:
    page = open_page("two")
    rows = page.locator(".waterfall tr[data-feature]")
    for row in rows.all():
        value = number_of(row)
        text = row.locator(".number").inner_text()
        assert ("\u25b2" in text and "+" in text) == (value > 0)
        assert ("\u25bc" in text and "\u2212" in text) == (value < 0)
        hidden = row.locator("td").last.get_attribute("aria-hidden")
        assert hidden == "true"


def test_a_fault_stands_at_its_field(open_page: Open) -> None:
    page = open_page("odds")
    age = control(page, "age")
    age.fill("12.5")
    page.wait_for_selector("[aria-invalid]")
    assert age.get_attribute("aria-invalid") == "true"
    described = [
        page.locator(f"#{name}").inner_text()
        for name in (age.get_attribute("aria-describedby") or "").split()
    ]
    assert "expected a whole number, got 12.5" in described
    assert "still the answer to the record before" in (
        page.locator(".answer > .note").inner_text()
    )
    page.get_by_role("button", name="age: expected").click()
    assert age.evaluate("element => element === document.activeElement")
    age.fill("12")
    page.wait_for_selector("[aria-invalid]", state="detached")


def test_an_answer_that_is_late_leaves_the_one_before_marked(
    open_page: Open,
) -> None:
    page = open_page("two")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/predict?*", hold)
    before = says(page)
    control(page, "age").fill("20")
    stale = page.locator(".answer.stale")
    stale.get_by_text("this is the answer to the record before").wait_for()
    assert says(page) == before
    # Neither a choice nor another change makes it look new.
    page.get_by_label("Explain").select_option("yes")
    control(page, "age").fill("21")
    page.wait_for_timeout(WAIT_MILLISECONDS)
    assert stale.count() == 1
    for route in held:
        route.continue_()
    page.wait_for_selector(".answer:not(.stale)")
    assert record_in(page)["age"] == 21
    assert page.locator(".answer > [role=status]").inner_text() == ""


def test_a_class_that_is_chosen_does_not_hide_that_an_answer_is_old(
    open_page: Open,
) -> None:
    page = open_page("two")
    control(page, "age").fill("x")
    stale = page.locator(".answer.stale")
    stale.get_by_text("still the answer to the record before").wait_for()
    page.get_by_label("Explain").select_option("yes")
    assert stale.count() == 1
    assert "record before" in stale.inner_text()


HOLD_IDLE = """
window.held = [];
window.requestIdleCallback = (call) => held.push(call);
"""
NO_IDLE = "delete window.requestIdleCallback"
FIELDS = "[...document.querySelectorAll('.field')].map((field) => field.dataset.feature)"
FIRST_GROUP = [f"lab_{n}" for n in range(25)]
GROUPS = "document.querySelectorAll('.group')"
N_GROUPS = 12


def reload_with(page: Page, script: str, wait: str) -> None:
    """Load the page again, with a script that runs before its own."""
    page.add_init_script(script)
    page.reload()
    page.wait_for_selector(wait)


def test_the_first_fields_of_many_are_there_before_the_others(
    open_page: Open,
) -> None:
    page = open_page("wide")
    reload_with(page, HOLD_IDLE, LOADED)
    groups = page.locator(".group")
    assert page.evaluate(FIELDS) == FIRST_GROUP[:5]
    assert groups.count() == 1
    page.evaluate("held.forEach((call) => call())")
    assert page.evaluate(FIELDS) == FIRST_GROUP
    assert groups.count() == N_GROUPS


@pytest.mark.parametrize("name", ["lab_12", "vital_7"])
def test_a_fault_leads_to_a_field_that_is_not_there_yet(
    name: str, open_page: Open
) -> None:
    record = saved("wide").example() | {name: "x"}
    link = "/#record=" + quote(json.dumps(record))
    page = open_page("wide", link, wait=".faults li")
    reload_with(page, HOLD_IDLE, ".faults li")
    assert name not in page.evaluate(FIELDS)
    page.get_by_role("button", name=f"{name}: expected a number").click()
    field = control(page, name)
    assert field.evaluate("element => element === document.activeElement")


def test_a_page_that_is_loaded_again_is_where_it_was(open_page: Open) -> None:
    page = open_page("wide", viewport={"width": 360, "height": 760})
    page.evaluate("scrollTo(0, 700)")
    page.reload()
    page.wait_for_selector(LOADED)
    assert page.evaluate("scrollY") == 700


def test_the_search_finds_features_of_groups_that_are_not_there_yet(
    open_page: Open,
) -> None:
    page = open_page("wide")
    reload_with(page, HOLD_IDLE, LOADED)
    page.get_by_role("searchbox").fill("vital_7")
    assert control(page, "vital_7").is_visible()


@pytest.mark.parametrize(
    ("script", "width"), [(NO_IDLE, 1200), (HOLD_IDLE, 360)]
)
def test_all_fields_come_also_in_safari_and_at_once_on_a_phone(
    open_page: Open, script: str, width: int
) -> None:
    viewport = {"width": width, "height": 760}
    page = open_page("wide", viewport=viewport)
    reload_with(page, script, LOADED)
    page.wait_for_function(f"{GROUPS}.length === {N_GROUPS}")
    assert page.evaluate(FIELDS) == FIRST_GROUP


def test_a_fault_opens_the_group_that_it_is_in(open_page: Open) -> None:
    record = saved("wide").example() | {"vital_7": "x"}
    link = "/#record=" + quote(json.dumps(record))
    page = open_page("wide", link, wait=".faults li")
    field = control(page, "vital_7")
    assert field.count() == 0
    page.get_by_role("button", name="vital_7: expected a number").click()
    assert field.is_visible()
    assert field.evaluate("element => element === document.activeElement")
    assert field.input_value() == "x"
    assert field.get_attribute("aria-invalid") == "true"
    wait_for_answer(page, lambda: field.fill("2.5"))
    assert record_in(page)["vital_7"] == 2.5
    page.wait_for_selector("[aria-invalid]", state="detached")


def test_an_unknown_value_is_a_choice_of_its_own(open_page: Open) -> None:
    page = open_page("odds")
    unknown = page.get_by_label("income is unknown")
    wait_for_answer(page, unknown.check)
    assert record_in(page)["income"] is None
    note = page.locator('.field[data-feature="income"] .note')
    assert note.inner_text() == "The model takes it as missing"
    row = page.locator('.waterfall tr[data-feature="income"]')
    assert "unknown" in row.inner_text()
    estimator, _, _ = fitted("odds")
    probabilities = estimator.predict_proba(columns("odds", record_in(page)))
    shown = re.search(PROBABILITY, says(page))
    assert shown is not None
    expected = probabilities.max() * 100
    assert abs(float(shown[1]) - expected) <= POINTS_TOLERANCE


def test_the_default_that_stands_in_is_shown(open_page: Open) -> None:
    page = open_page(served("build_rf_binary"))
    wait_for_answer(page, page.get_by_label("feature2 is unknown").check)
    note = page.locator('.field[data-feature="feature2"] .note')
    assert note.inner_text() == "Counts as \u22121"
    before = effects(page)
    page.get_by_label("feature2 is unknown").uncheck()
    wait_for_answer(page, lambda: control(page, "feature2").fill("3"))
    control(page, "feature2").fill("-1")
    page.wait_for_function(
        "() => document.querySelector('.waterfall').innerText.includes('feature2 \u22121')"
    )
    assert effects(page) == before


def test_the_class_is_switched(open_page: Open) -> None:
    page = open_page("three")
    estimator, _, _ = fitted("three")
    probabilities = estimator.predict_proba(columns("three", record_in(page)))
    for position, name in enumerate(estimator.classes_):
        page.get_by_label("Explain").select_option(name)
        caption = page.locator(".waterfall caption").inner_text()
        assert caption == f"How the answer for {name} comes about"
        expected = probabilities[0, position]
        assert end(page, "result") == pytest.approx(expected, abs=1e-9)
        total = end(page, "start") + sum(effects(page).values())
        assert total == pytest.approx(expected, abs=1e-9)


def test_log_odds_are_named_and_probabilities_stand_at_both_ends_only(
    open_page: Open,
) -> None:
    page = open_page("odds")
    assert (
        "Effect, in log-odds" in page.locator(".waterfall thead").inner_text()
    )
    for kind in ("start", "result"):
        shown = re.search(
            PROBABILITY, page.locator(f".waterfall tr.{kind}").inner_text()
        )
        assert shown is not None
        expected = 100 / (1 + np.exp(-end(page, kind)))
        assert abs(float(shown[1]) - expected) <= POINTS_TOLERANCE
    for row in page.locator(".waterfall tr[data-feature]").all_inner_texts():
        assert "%" not in row


def test_a_kept_answer_is_compared_feature_by_feature(open_page: Open) -> None:
    page = open_page("two")
    page.get_by_label("Explain").select_option("yes")
    first, kept = end(page, "result"), effects(page)
    page.get_by_role("button", name="Keep this answer").click()
    assert "Nothing has changed" in page.locator(".compared").inner_text()
    wait_for_answer(page, lambda: control(page, "age").fill("80"))
    now = effects(page)
    rows = page.locator(".comparison tr[data-feature]").evaluate_all(
        "rows => rows.map(row => [row.dataset.feature, Number(row.dataset.value)])"
    )
    differences = {name: now[name] - kept[name] for name in now}
    moved = {name: value for name, value in differences.items() if value}
    assert dict(rows) == pytest.approx(moved)
    total = number_of(page.locator(".comparison .result"))
    assert total == pytest.approx(end(page, "result") - first)
    assert "80" in page.locator(".comparison .changed").inner_text()
    wait_for_answer(page, page.get_by_role("button", name="Back to").click)
    assert end(page, "result") == first


@pytest.mark.parametrize(
    ("estimator", "n_samples", "start", "choice"),
    [
        (
            RandomForestRegressor(5, max_depth=3, random_state=0),
            0,
            "the average of the data that the model was fitted with",
            "the data that the model was fitted with",
        ),
        (
            LinearRegression(),
            0,
            "the average of the data that the model was fitted with",
            "the data that the model was fitted with",
        ),
        (
            SVR(),
            0,
            "the answer to the average record of the data that the model was fitted with",
            "the average record of the data that the model was fitted with",
        ),
        (
            SVR(),
            20,
            "the average of the samples in its file",
            "the samples in the model\u2019s file",
        ),
    ],
    ids=["trees", "linear", "mean record", "samples"],
)
def test_the_sentence_says_what_the_answer_is_compared_with(
    estimator: Any,
    n_samples: int,
    start: str,
    choice: str,
    open_page: Open,
) -> None:
    """Of a linear model without samples the page spoke of the samples in its file."""
    data, score = people()
    inputs = data[["age", "income"]].fillna(0)
    model = make_pipeline(StandardScaler(), clone(estimator))
    model.fit(inputs, score)
    wishes = Wishes(score, None, {}, n_samples=n_samples, n_examples=0)
    content, _ = make_artifact(model, inputs, wishes)
    served = SklearnModel.load(Artifact.of(content))
    served.prepare_explanations()
    page = open_page(served)
    assert f", {start};" in says(page)
    page.locator(".background summary").click()
    chosen = page.get_by_label("Compared with").locator("option:checked")
    assert chosen.inner_text() == choice
    page.locator("summary", has_text="What do these numbers mean?").click()
    page.get_by_text(f"The start is {start}.").wait_for()


def test_the_background_may_be_the_kept_record(open_page: Open) -> None:
    page = open_page("two")
    page.get_by_label("Explain").select_option("yes")
    kept = end(page, "result")
    page.get_by_role("button", name="Keep this answer").click()
    wait_for_answer(page, lambda: control(page, "age").fill("80"))
    page.locator(".background summary").click()
    select = page.get_by_label("Compared with")
    wait_for_answer(page, lambda: select.select_option("kept"))
    assert end(page, "start") == pytest.approx(kept, abs=1e-9)
    moved = {
        name for name, value in effects(page).items() if abs(value) > 1e-9
    }
    assert moved == {"age"}


def test_the_background_may_be_rows_of_ones_own(open_page: Open) -> None:
    page = open_page("two")
    estimator, inputs, _ = fitted("two")
    page.locator(".background summary").click()
    page.get_by_label("Compared with").select_option("rows")
    area = page.get_by_label("Rows as a list")
    use = page.get_by_role("button", name="Compare with these")
    area.fill('[{"age": 3, "member": true}]')
    use.click()
    page.get_by_text("Row 1: income missing").first.wait_for()
    area.fill(inputs.head(9).to_csv(index=False))
    page.wait_for_selector(".waterfall", state="detached")
    use.click()
    page.wait_for_selector(".waterfall")
    page.get_by_label("Explain").select_option("yes")
    expected = estimator.predict_proba(inputs.head(9))[:, 1].mean()
    assert end(page, "start") == pytest.approx(expected, abs=1e-9)


def test_a_slider_draws_the_answer_over_the_training_range(
    open_page: Open,
) -> None:
    page = open_page("two")
    page.get_by_role("button", name="What if age were another?").click()
    slider = page.get_by_role("slider")
    _, inputs, _ = fitted("two")
    low, high = inputs["age"].min(), inputs["age"].max()
    ends = page.locator(".what-if .ends").inner_text()
    assert ends.split() == [str(low), str(high)]
    page.wait_for_selector(".curve")
    estimator, _, _ = fitted("two")
    record = record_in(page)
    answers = []
    for age in np.unique(np.rint(np.linspace(low, high, 41))):
        row = columns("two", record | {"age": int(age)})
        answers.append(estimator.predict_proba(row)[0])
    name = re.search(r"says (\w+),", says(page))[1]  # type: ignore[index]
    curve = np.array(answers)[:, list(estimator.classes_).index(name)] * 100
    said = page.locator(".what-if .note").inner_text()
    least, most = map(float, re.findall(PROBABILITY, said))
    assert abs(least - curve.min()) <= POINTS_TOLERANCE
    assert abs(most - curve.max()) <= POINTS_TOLERANCE
    assert page.locator(".what-if .data").count() == 32
    slider.focus()
    wait_for_answer(page, lambda: slider.press("End"))
    assert control(page, "age").input_value() == str(high)
    wait_for_answer(page, lambda: slider.press("Home"))
    assert control(page, "age").input_value() == str(low)


def test_the_ends_of_a_slider_are_inside_of_the_training_data(
    open_page: Open,
) -> None:
    """They were rounded past the range, to six digits."""
    page = open_page("wide")
    _, inputs, _ = fitted("wide")
    for name in ("lab_0", "lab_1"):
        page.get_by_role(
            "button", name=f"What if {name} were another?"
        ).click()
        slider = page.locator(f'.field[data-feature="{name}"]').get_by_role(
            "slider"
        )
        for key, value in (
            ("Home", inputs[name].min()),
            ("End", inputs[name].max()),
        ):
            slider.press(key)
            assert float(control(page, name).input_value()) == value
            note = page.locator(f'.field[data-feature="{name}"] > .note')
            assert note.inner_text() == ""


def read_runs(said: str) -> list[tuple[str, float, float]]:
    number = r"([\u2212\d.]+?)"
    pattern = rf"(\w+) from {number} to {number}(?=,|\.? )"
    runs = re.findall(pattern, said + " ")
    return [(label, float(start), float(stop)) for label, start, stop in runs]


@pytest.mark.parametrize("name", ["labels", "groups"])
def test_a_slider_draws_labels_as_steps(name: str, open_page: Open) -> None:
    """What is no number was drawn as one: NaN to NaN."""
    page = open_page(name)
    page.get_by_role("button", name="What if age were another?").click()
    page.wait_for_selector(".curve")
    estimator, inputs, _ = fitted(name)
    record = record_in(page)
    said = page.locator(".what-if .note").inner_text()
    runs = read_runs(said.split(": ", 1)[1])
    assert len(runs) > 1
    low, high = inputs["age"].min(), inputs["age"].max()
    assert (runs[0][1], runs[-1][2]) == (low, high)
    for label, start, stop in runs:
        for age in (start, stop):
            row = columns(name, record | {"age": int(age)})
            assert str(estimator.predict(row)[0]) == label
    points = page.locator(".curve").get_attribute("points") or ""
    assert "NaN" not in points
    assert len({point.split(",")[1] for point in points.split()}) == len(
        {label for label, *_ in runs}
    )


def test_the_score_of_an_outlier_is_drawn(open_page: Open) -> None:
    page = open_page("odd_ones")
    page.get_by_role("button", name="What if age were another?").click()
    page.wait_for_selector(".curve")
    estimator, inputs, _ = fitted("odd_ones")
    record = record_in(page)
    low, high = inputs["age"].min(), inputs["age"].max()
    scores = [
        estimator.decision_function(
            columns("odd_ones", record | {"age": int(age)})
        )[0]
        for age in np.unique(np.rint(np.linspace(low, high, 41)))
    ]
    said = page.locator(".what-if .note").inner_text().replace("\u2212", "-")
    least, most = re.findall(r": ([-\d.]+) to ([-\d.]+)\. ", said)[0]
    assert float(least) == pytest.approx(min(scores), rel=1e-5)
    assert float(most) == pytest.approx(max(scores), rel=1e-5)


def test_a_csv_is_dropped_and_its_answers_downloaded(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page("two")
    estimator, inputs, _ = fitted("two")
    text = inputs.head(250).to_csv(index=False)
    transfer = page.evaluate_handle(
        """text => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], "people.csv", {type: "text/csv"}));
            return transfer;
        }""",
        text,
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    page.get_by_text("250 answers for people.csv. The first 100").wait_for()
    assert page.locator(".scroll tbody tr").count() == 100
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all answers").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "answers-people.csv"
    answers = pd.read_csv(path)
    expected = estimator.predict_proba(inputs.head(250))
    assert np.allclose(answers["proba_yes"], expected[:, 1])
    assert (answers["prediction"] == estimator.predict(inputs.head(250))).all()


def test_the_faults_of_a_file_are_listed(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page("two")
    path = tmp_path / "wrong.csv"
    path.write_text("income,age,member\n1,x,true\n1,2,maybe\n")
    page.get_by_label("choose a file").set_input_files(path)
    page.get_by_text("wrong.csv was not predicted").wait_for()
    assert page.locator(".batch-result li").count() == 2
    said = page.locator(".batch-result").inner_text()
    assert "Row 1 is the header." in said
    assert 'Row 2, column 2: expected a whole number, got "x"' in said


def test_only_the_keyboard_is_needed(open_page: Open) -> None:
    page = open_page("two")

    def tab_to(name: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            text = page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
            )
            if text.startswith(name):
                return
        raise AssertionError(name)

    tab_to("age")
    page.keyboard.press("Control+a")
    wait_for_answer(page, lambda: page.keyboard.type("33"))
    assert record_in(page)["age"] == 33
    tab_to("member")
    wait_for_answer(page, lambda: page.keyboard.press("n"))
    assert record_in(page)["member"] is False
    tab_to("Keep this answer")
    page.keyboard.press("Enter")
    assert "Nothing has changed" in page.locator(".compared").inner_text()
    focused = page.evaluate("document.activeElement.tagName")
    assert focused == "BUTTON"
    tab_to("curl")
    page.keyboard.press("ArrowRight")
    assert page.locator("#call").inner_text().startswith("import json")
    ring = page.evaluate(
        "getComputedStyle(document.activeElement).outlineWidth"
    )
    assert ring == "2px"


PASTED = [
    '{"income": 51000, "age": 61, "member": false}',
    '[{"income": 51001, "age": 61, "member": false}]',
    '{"_data": {"income": 51002, "age": 61, "member": false}}',
    "51003,61,false",
    "age,member,income\n61,false,51004",
    "income\tage\tmember\n51005\t61\tFALSE",
]


def test_a_record_is_pasted(open_page: Open) -> None:
    page = open_page("two")
    page.get_by_text("Paste a record").click()
    for number, text in enumerate(PASTED):
        page.get_by_label("A record as JSON").fill(text)
        page.get_by_role("button", name="Fill the form").click()
        income = 51000 + number
        page.wait_for_function(
            "income => document.querySelector('#call').innerText.includes(income)",
            arg=str(income),
        )
        pasted = {"income": income, "age": 61, "member": False}
        assert record_in(page) == pasted


def test_what_is_pasted_and_no_feature_is_not_dropped(open_page: Open) -> None:
    page = open_page("two")
    page.get_by_text("Paste a record").click()
    area = page.get_by_label("A record as JSON")
    area.fill('{"incme": 1, "income": 2, "age": 3, "member": true}')
    page.get_by_role("button", name="Fill the form").click()
    page.get_by_text('did you mean "income"').wait_for()
    page.get_by_role("button", name="Leave out").click()
    page.wait_for_function(
        "() => document.querySelector('.faults').innerText == ''"
    )
    assert record_in(page) == {"income": 2, "age": 3, "member": True}


def test_a_large_number_keeps_its_digits(open_page: Open) -> None:
    page = open_page("two")
    wait_for_answer(
        page, lambda: control(page, "age").fill("9007199254740993")
    )
    assert record_in(page)["age"] == 9007199254740993
    assert "Outside the training data" in page.inner_text(".fields")


def test_a_date_is_chosen_and_a_text_typed(open_page: Open) -> None:
    page = open_page("dated")
    estimator, _, _ = fitted("dated")
    joined = control(page, "joined")
    assert joined.get_attribute("type") == "date"
    wait_for_answer(page, lambda: joined.fill("2021-03-04"))
    wait_for_answer(page, lambda: control(page, "job").fill('a "vet"'))
    record = record_in(page)
    assert record == {"joined": "2021-03-04", "job": 'a "vet"'}
    (expected,) = estimator.predict(columns("dated", record))
    assert end(page, "result") == pytest.approx(expected)
    control(page, "job").fill("")
    page.wait_for_function(
        "() => document.querySelector('.waterfall').innerText.includes('an empty text')"
    )


def test_a_link_holds_the_record_and_no_request_does(open_page: Open) -> None:
    fragment = "#record=%7B%22income%22%3A40000%2C%22age%22%3A77%2C%22member%22%3Atrue%7D"
    page = open_page("two", "/" + fragment)
    assert record_in(page) == {"income": 40000, "age": 77, "member": True}
    wait_for_answer(page, lambda: control(page, "age").fill("20"))
    page.get_by_role("button", name="Copy a link").click()
    linked = page.evaluate("decodeURIComponent(location.hash)")
    assert json.loads(linked.split("=", 1)[1])["age"] == 20


def test_the_way_back_to_a_link_loses_nothing(open_page: Open) -> None:
    page = open_page("two", "/#record=" + quote(json.dumps(SOMEBODY)))
    assert record_in(page) == SOMEBODY
    wait_for_answer(page, lambda: control(page, "age").fill("80"))
    page.get_by_role("link", name="Why this answer?").click()
    wait_for_answer(page, lambda: control(page, "age").fill("44"))
    page.go_back()
    page.wait_for_function("() => location.hash.includes('44')")
    assert control(page, "age").input_value() == "44"
    page.reload()
    page.wait_for_selector(LOADED)
    assert record_in(page) == SOMEBODY | {"age": 44}


def test_a_link_that_is_opened_in_the_same_tab_is_shown(
    open_page: Open,
) -> None:
    page = open_page("two")
    fragment = "#record=" + quote(json.dumps(SOMEBODY))
    wait_for_answer(
        page, lambda: page.evaluate("hash => (location.hash = hash)", fragment)
    )
    assert record_in(page) == SOMEBODY
    page.evaluate("() => (location.hash = '#record=%7Bbroken')")
    page.get_by_text("The link holds no record that can be read").wait_for()
    assert record_in(page) == SOMEBODY


def test_what_rounding_left_raised_and_lowered_nothing(
    open_page: Open,
) -> None:
    page = open_page("three")
    page.get_by_role("button", name="Keep this answer").click()
    wait_for_answer(page, lambda: control(page, "age").fill("80"))
    page.locator(".background summary").click()
    select = page.get_by_label("Compared with")
    wait_for_answer(page, lambda: select.select_option("kept"))
    shown = page.locator(
        ".waterfall tr[data-feature] .number"
    ).all_inner_texts()
    assert sum("0.0" in text for text in shown) >= 2
    assert "(0.0" not in says(page)
    assert "nothing" in says(page)


def test_a_sum_that_is_all_but_one_is_one(open_page: Open) -> None:
    page = open_page("certain")
    page.get_by_label("Explain").select_option("yes")
    wait_for_answer(page, lambda: control(page, "age").fill("89"))
    result = page.locator(".waterfall tr.result .number").inner_text()
    sentence = says(page)
    assert re.search(rf"says yes, {PROBABILITY}", sentence)
    assert f"says yes, {result}" in sentence


def test_labels_are_compared_as_labels(open_page: Open) -> None:
    """Where nothing is explained: they went from NaN to NaN."""
    _, inputs, names = fitted("labels")
    machine = SVC().fit(inputs, names)
    wishes = Wishes(names, None, {}, n_samples=0, n_examples=0)
    content, _ = make_artifact(machine, inputs, wishes)
    served = SklearnModel.load(Artifact.of(content))
    served.prepare_explanations()
    page = open_page(served)
    record = record_in(page)
    before = machine.predict(inputs.head(0).reindex([0]).assign(**record))[0]
    page.get_by_role("button", name="Keep this answer").click()
    income = next(
        int(value)
        for value in inputs["income"]
        if machine.predict(
            inputs.head(0).reindex([0]).assign(**record | {"income": value})
        )[0]
        != before
    )
    control(page, "income").fill(str(income))
    after = machine.predict(
        inputs.head(0).reindex([0]).assign(**record | {"income": income})
    )[0]
    page.get_by_text(f"The answer went from {before} to {after}.").wait_for()


LINES = """cell => {
  const range = document.createRange();
  range.selectNodeContents(cell);
  return new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
}"""


def test_what_changed_is_read_on_a_phone(open_page: Open) -> None:
    """The words were broken after each second letter."""
    page = open_page("odds", viewport={"width": 360, "height": 800})
    page.get_by_role("button", name="Keep this answer").click()
    control(page, "age").fill("77")
    page.get_by_label("income is unknown").check()
    page.locator(".comparison td", has_text="unknown").wait_for()
    words = page.locator(".comparison tbody th, .comparison strong").all()
    shown = {word.inner_text(): word.evaluate(LINES) for word in words}
    assert shown.keys() >= {"age", "income", "77", "unknown"}
    assert set(shown.values()) == {1}
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_several_outputs_are_named(open_page: Open) -> None:
    page = open_page("two_numbers")
    heading = page.get_by_role("heading", level=1).inner_text()
    assert heading.startswith("This model predicts several things at once")
    assert says(page).startswith("Output 1: The model says")
    page.get_by_label("Which output").select_option("1")
    assert says(page).startswith("Output 2: The model says")


def test_other_features_stay_open(open_page: Open) -> None:
    page = open_page("wide")
    page.get_by_role("button", name="Show", exact=True).click()
    rows = page.locator(".waterfall tr[data-feature]")
    assert rows.count() == WIDE
    wait_for_answer(page, lambda: control(page, "lab_1").fill("2"))
    assert rows.count() == WIDE
    page.get_by_role("button", name="Hide", exact=True).click()
    assert page.locator(".waterfall tr[data-feature]:visible").count() == 8


def test_a_small_limit_is_said(open_page: Open, tmp_path: Path) -> None:
    page = open_page("two", settings=Settings(max_content_length=300_000))
    path = tmp_path / "large.csv"
    path.write_text("income,age,member\n" + "1,2,true\n" * 40_000)
    page.set_input_files("input[type=file]", path)
    page.get_by_text("larger than the 0.29 MB that").wait_for()


def test_a_list_that_is_pasted_is_shown_as_it_is(open_page: Open) -> None:
    page = open_page("two")
    page.locator(".paste summary").click()
    page.get_by_label("A record as JSON").fill('{"age": [1]}')
    page.get_by_role("button", name="Fill the form").click()
    page.wait_for_selector(".field .fault:not([hidden])")
    assert '"age": [1]' in page.locator("#call").inner_text()


def test_a_link_that_was_cut_says_so(open_page: Open) -> None:
    page = open_page("two", "/#record=%7B%22income%22%3A40000%2C%22ag")
    remark = page.get_by_text("The link holds no record")
    remark.wait_for()
    assert record_in(page) == pytest.approx(saved("two").example())
    page.get_by_role("button", name="Example").click()
    assert page.get_by_text("The link holds no record").count() == 0


def test_a_model_that_was_replaced_does_not_answer_for_the_one_before(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("two")
    before = says(page)
    monkeypatch.setattr(saved("two"), "version", "another")
    control(page, "age").fill("20")
    page.locator(".faults").get_by_text("another model").wait_for()
    page.wait_for_selector(".answer.stale")
    assert says(page) == before
    page.get_by_role("button", name="Show the new model").click()
    page.wait_for_selector(".answer:not(.stale) .sentence strong")
    assert record_in(page)["age"] == 20
    assert page.locator(".faults").inner_text() == ""


@pytest.mark.parametrize("key", ["", "s3cret"])
def test_the_request_to_copy_works(key: str, open_page: Open) -> None:
    page = open_page(
        "odds",
        settings=Settings(api_key=key),
        wait="#key" if key else LOADED,
    )
    if key:
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.wait_for_selector(LOADED)
    page.get_by_label("income is unknown").check()
    page.get_by_role("tab", name="Python").click()
    page.wait_for_function(
        "() => document.querySelector('#call').innerText.includes('None')"
    )
    run_the_calls(page, key)


def test_the_request_to_copy_brings_the_background(open_page: Open) -> None:
    page = open_page("two")
    page.locator(".background summary").click()
    page.get_by_label("Compared with").select_option("rows")
    rows = "income,age,member\n20000,30,true\n45000,61,false\n"
    page.get_by_label("Rows as a list").fill(rows)
    page.get_by_role("button", name="Compare with these").click()
    page.get_by_text("the average of the rows you gave").first.wait_for()
    base = end(page, "start")
    for printed in run_the_calls(page):
        assert "_samples" in page.locator("#call").inner_text()
        (said,) = re.findall(r"base_value\W+([\d.]+)", printed)
        assert min(abs(float(said) - base), abs(1 - float(said) - base)) < 1e-9


def run_the_calls(page: Page, key: str = "") -> list[str]:
    """Run the request to copy in each language, and return what each prints."""
    commands = {"Python": [sys.executable, "-c"], "curl": ["bash", "-c"]}
    node = which("node")
    if node:
        commands["JavaScript"] = [node, "--input-type=module", "-e"]
    printed = []
    for language, command in commands.items():
        page.get_by_role("tab", name=language).click()
        code = page.locator("#call").inner_text()
        assert "s3cret" not in code
        ran = subprocess.run(
            [*command, code],
            env={"API_KEY": key, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "explained_output" in ran.stdout
        printed.append(ran.stdout)
    return printed


def test_a_key_that_is_not_given_is_asked_for_again(open_page: Open) -> None:
    page = open_page("two", settings=Settings(api_key="s3cret"), wait="#key")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.fill("#key", "s3cret")
    page.keyboard.press("Enter")
    page.wait_for_selector(LOADED)


def test_the_key_is_asked_for_and_kept_for_the_tab(open_page: Open) -> None:
    page = open_page("two", settings=Settings(api_key="s3cret"), wait="#key")
    assert "income" not in page.locator("body").inner_html()
    for wrong in ("wrong", "schl\u00fcssel"):
        page.fill("#key", wrong)
        page.keyboard.press("Enter")
        page.get_by_text("This key was refused").wait_for()
    page.fill("#key", "s3cret")
    page.keyboard.press("Enter")
    page.wait_for_selector(LOADED)
    page.reload()
    page.wait_for_selector(LOADED)
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Forget the key").click()
    page.wait_for_selector("#key")


def test_many_features_are_grouped_and_found(open_page: Open) -> None:
    page = open_page("wide")
    page.wait_for_function(f"{GROUPS}.length === {N_GROUPS}")
    first = page.locator(".group summary").first.inner_text()
    assert first == "lab_0 to lab_24 25 features"
    control(page, "lab_24").wait_for()
    assert page.locator(".field").count() == 25
    assert page.locator(".field:visible").count() == 25
    # The other groups have no fields yet, and yet the record has all features.
    assert len(record_in(page)) == WIDE
    assert record_in(page) == pytest.approx(saved("wide").example())
    page.locator(".group summary").last.click()
    control(page, "history_99").wait_for()
    assert page.locator(".field").count() == 50
    shown = control(page, "history_99").input_value()
    assert float(shown) == record_in(page)["history_99"]
    page.get_by_label("Find a feature").fill("VITAL 42")
    page.get_by_text("1 of 300 features").wait_for()
    assert control(page, "vital_42").is_visible()
    assert page.locator(".field:visible").count() == 1
    assert page.locator(".field").count() == 75
    rows = page.locator(".waterfall tr[data-feature]:visible")
    assert rows.count() == 8
    assert page.locator(".waterfall tr[data-feature]").count() == 8
    page.get_by_role("button", name="Show", exact=True).click()
    assert rows.count() == WIDE
    page.get_by_role("button", name="Hide", exact=True).click()
    assert rows.count() == 8


@pytest.mark.parametrize(
    "name",
    [
        "several outputs",
        "several labels",
        "neighbours",
        "poisson",
        "linear margin",
        "lightgbm of three",
    ],
)
def test_the_page_of_each_kind_of_model(name: str, open_page: Open) -> None:
    page = open_page(served(name))
    assert re.match(r"(Output 1: )?The model says ", says(page))
    assert "undefined" not in page.inner_text("body")
    assert "NaN" not in page.inner_text("body")
    if page.locator(".waterfall").count():
        total = end(page, "start") + sum(effects(page).values())
        assert total == pytest.approx(end(page, "result"), abs=1e-9)


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCENES: dict[str, Callable[[Page], None]] = {}


def scene(act: Callable[[Page], None]) -> Callable[[Page], None]:
    SCENES[act.__name__] = act
    return act


@scene
def everything_open(page: Page) -> None:
    for summary in page.locator("summary").all():
        summary.click()
    page.get_by_role("button", name="What if age were another?").click()
    page.wait_for_selector(".curve")
    page.get_by_role("button", name="Keep this answer").click()
    wait_for_answer(page, lambda: control(page, "age").fill("70"))
    page.wait_for_selector(".comparison")


@scene
def a_fault(page: Page) -> None:
    control(page, "age").fill("old")
    page.wait_for_selector("[aria-invalid]")


@pytest.mark.parametrize("act", SCENES)
def test_nothing_is_a_barrier(act: str, open_page: Open) -> None:
    page = open_page("odds")
    SCENES[act](page)
    for scheme, width in product(SCHEMES, (1280, 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        result = Axe().run(page)
        report = f"{scheme}, {width}: {result.generate_report()}"
        assert result.violations_count == 0, report
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow == 0


def test_the_page_prints_the_case_without_its_controls(
    open_page: Open,
) -> None:
    page = open_page("two")
    page.emulate_media(media="print")
    assert page.locator(".waterfall").is_visible()
    assert page.locator(".sentence").first.is_visible()
    for control_of_page in ("#calls", "#batch", "nav", ".tools"):
        assert not page.locator(control_of_page).first.is_visible()


QUESTIONS = {
    "What do I send?": "#record",
    "What does the number mean?": "#meaning",
    "Why this answer?": "#answer",
    "How do I call it from Python?": "#calls",
    "Is it up?": "body",
}
ANSWERS = {
    "What do I send?": "These are the features that the model takes",
    "What does the number mean?": "The answer is a probability",
    "Why this answer?": "raised most by",
    "How do I call it from Python?": "urlopen(request)",
    "Is it up?": "ready",
}


def stands_in_view(place: Locator) -> bool:
    """Whether the beginning of a part of the page is on the screen."""
    inside: bool = place.evaluate(
        "part => { const { top } = part.getBoundingClientRect();"
        " return top >= 0 && top < innerHeight; }"
    )
    return inside


@pytest.mark.parametrize("width", [1280, 360])
def test_five_questions_are_answered_in_one_click_each(
    width: int, open_page: Open
) -> None:
    size = {"width": width, "height": 760}
    page = open_page("two", viewport=size)
    links = page.locator("nav a")
    for question in QUESTIONS:
        assert stands_in_view(links.get_by_text(question)), question
    for question, place in QUESTIONS.items():
        page.evaluate("scrollTo(0, 0)")
        links.get_by_text(question).click()
        answer = page.locator(place)
        answer.get_by_text(ANSWERS[question]).first.wait_for()
        assert stands_in_view(answer), question


class Labels:
    """An estimator that has neither probabilities nor anything to explain."""

    def predict(self, X: pd.DataFrame) -> list[str]:
        return ["yes"] * len(X)


def test_the_number_has_a_meaning_without_an_explanation(
    open_page: Open,
) -> None:
    model = load(content(model=Labels()))
    model.prepare_explanations()
    page = open_page(model)
    assert "There is no explanation" in page.locator(".answer").inner_text()
    page.get_by_role("link", name="What does the number mean?").click()
    page.get_by_text("The answer is the ").wait_for()


@pytest.mark.parametrize("key", ["", "s3cret"])
def test_the_reference_lists_the_operations_and_sends_a_request(
    key: str, open_page: Open
) -> None:
    operations = ".opblock-summary-path"
    page = open_page(
        "odds",
        "/docs",
        Settings(api_key=key),
        wait="#key input" if key else operations,
    )
    if key:
        page.fill("#key input", key)
        page.keyboard.press("Enter")
        page.wait_for_selector(operations)
    listed = page.locator(operations).evaluate_all(
        "paths => paths.map(path => path.dataset.path)"
    )
    terms = Terms("", reject_unknown=True, needs_key=False)
    document = json.loads(encode_document(saved("odds"), terms))
    assert sorted(listed) == sorted(document["paths"])
    predict = page.locator(".opblock", has_text="Predict one record")
    predict.locator(".opblock-summary-control").click()
    predict.get_by_role("button", name="Try it out").click()
    predict.get_by_role("button", name="Execute").click()
    response = predict.locator(".live-responses-table .response").first
    assert response.locator("td").first.inner_text() == "200"
    (example,) = fitted("odds")[0].predict(
        columns("odds", saved("odds").example())
    )
    assert example in response.inner_text()
