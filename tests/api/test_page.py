"""`/`: the page for people, without a browser, and what it says to programs."""

import gzip
import hashlib
import re
import shlex
import subprocess
from base64 import b64decode, b64encode
from collections import Counter
from concurrent.futures import Future
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from python.api.document import IMPORT, read_scripts
from python.api.page import FILES, PATHS
from python.app import create_app
from python.model.artifact import Artifact
from python.model.base import Model
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests import artifacts
from tests.api.test_auth import listening
from tests.artifacts import client_of
from tests.laws import strict
from tests.models import EXAMPLE_NAMES
from tests.problems import problem
from tests.serving import Client, served

# What Chromium and Firefox send for an address that is typed.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
}
KEY = {"X-API-Key": "s3cret"}
NAMES = sorted(path.name for path in FILES.iterdir())
SCRIPTS = sorted(FILES.glob("*.js"))
WORDS = (FILES / "words.js").read_text()
POLICY = {
    "default-src 'none'",
    "connect-src 'self'",
    "img-src data:",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
WEIGHT_BYTES = 80_000


def directives(response: Any) -> set[str]:
    return set(response.headers["Content-Security-Policy"].split("; "))


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html", "text/html"),
        (BROWSER["Accept"], "text/html"),
        ("image/png", "application/json"),
    ],
)
def test_people_get_the_page_and_programs_get_json(
    accept: str | None, mimetype: str, client: Client
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = client().get("/", headers=headers)
    assert response.status_code == 200
    assert response.mimetype == mimetype
    assert "Accept" in response.headers["Vary"]
    assert response.headers["Link"] == '</openapi.json>; rel="service-desc"'


@pytest.mark.parametrize("name", ["build_rf_binary", "several outputs"])
def test_a_program_learns_what_there_is(name: str, client: Client) -> None:
    content = strict(client(name).get("/").data)
    model = served(name)
    assert content["model"]["features"] == model.schema.names
    assert content["model"]["class_names"] == model.class_names
    assert content["paths"] == PATHS


def test_every_route_is_named_to_programs(client: Client) -> None:
    named = {path.split()[1] for path in PATHS} | {"/"}
    rules = client().application.url_map.iter_rules()
    routes = {rule.rule for rule in rules}
    files = {"/page/model", "/docs/<name>"}
    assert routes - files == named


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
@pytest.mark.parametrize("key", ["", "s3cret"])
def test_the_curl_line_works_now(name: str, key: str, client: Client) -> None:
    service = client(name, api_key=key)
    with listening(service.application) as port:
        content = service.get(
            "/", headers=KEY, base_url=f"http://127.0.0.1:{port}"
        )
        command = strict(content.data)["curl"]
        assert "s3cret" not in command
        ran = subprocess.run(
            ["bash", "-c", f"{command} --silent --fail-with-body"],
            env={"API_KEY": key, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=True,
        )
    response = strict(ran.stdout)
    assert len(response["prediction"]) == 1
    assert "explanation" in response


@pytest.mark.parametrize(
    ("sent", "scheme"), [("https", "https"), ("javascript", "http")]
)
def test_the_curl_line_has_the_scheme_that_a_proxy_takes(
    sent: str, scheme: str, client: Client
) -> None:
    headers = {"X-Forwarded-Proto": sent, "Host": "models.example"}
    content = strict(client().get("/", headers=headers).data)
    url = shlex.split(content["curl"])[-1]
    assert url.startswith(f"{scheme}://models.example/predict")


class Parts(HTMLParser):
    """What a browser finds in the document: scripts, styles, data, and whatever it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.within: dict[str, list[str]] = {"script": [], "style": []}
        self.data: list[str] = []
        self.links: list[str] = []
        self.inside: list[str] | None = None
        self.feed(html)

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        is_data = ("type", "application/json") in attrs
        self.inside = self.data if is_data else self.within.get(tag)
        if tag != "a":
            self.links += [
                value or "" for name, value in attrs if name in ("src", "href")
            ]

    def handle_data(self, data: str) -> None:
        if self.inside is not None and data.strip():
            self.inside.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            self.inside = None


def digest(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_policy_lets_in_the_scripts_and_the_style_of_the_page_alone(
    client: Client,
) -> None:
    response = client().get("/", headers=BROWSER)
    parts = Parts(response.text).within
    # One data event for each: nothing within is taken for its end.
    later, first = map(digest, parts["script"])
    (style,) = map(digest, parts["style"])
    assert directives(response) == POLICY | {
        f"script-src 'sha256-{first}' 'sha256-{later}'",
        f"style-src 'sha256-{style}'",
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.mimetype == "text/html"


def test_a_browser_that_has_the_page_gets_it_no_second_time(
    client: Client,
) -> None:
    tag = client().get("/", headers=BROWSER).headers["ETag"]
    again = client().get("/", headers={**BROWSER, "If-None-Match": tag})
    assert again.status_code == 304
    assert again.data == b""


def test_the_page_is_one_light_document(client: Client) -> None:
    service = client()
    packed = {**BROWSER, "Accept-Encoding": "gzip, deflate, br, zstd"}
    response = service.get("/", headers=packed)
    assert response.headers["Content-Encoding"] == "gzip"
    plain = service.get("/", headers=BROWSER)
    assert gzip.decompress(response.data) == plain.data
    assert len(response.data) < WEIGHT_BYTES
    inside, icon = Parts(plain.text).links
    assert inside == "#end"
    kind, _, content = icon.partition(",")
    assert kind == "data:image/png;base64"
    assert b64decode(content) == (FILES / "icon.png").read_bytes()


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "main.js", "..%2Fapp.py", "%2e%2e", "model.py", "%00.js"],
)
def test_there_is_no_file_to_be_had(name: str, client: Client) -> None:
    problem(client().get(f"/page/{name}"), 404)


def test_the_scripts_have_each_module_once_behind_what_it_imports() -> None:
    script = "".join(read_scripts(FILES))
    places = {}
    for path in SCRIPTS:
        comment = path.read_text().split("*/", 1)[0]
        assert script.count(comment) == 1
        places[path.name] = script.index(comment)
    for path in SCRIPTS:
        for imported in IMPORT.findall(path.read_text()):
            assert places[imported] < places[path.name]
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


def test_no_part_of_the_page_ends_the_element_that_it_is_in() -> None:
    parts = [*read_scripts(FILES), (FILES / "style.css").read_text()]
    for text in parts:
        assert not re.search(r"</(script|style)|<!--", text, re.IGNORECASE)
        # What older browsers cannot read, which would be all of the script.
        assert "(?<" not in text


def test_the_form_waits_for_no_script_but_its_own() -> None:
    first, later = read_scripts(FILES)
    for name in ("answers", "explanation", "comparison", "whatif", "batch"):
        comment = (FILES / f"{name}.js").read_text().split("*/", 1)[0]
        assert comment in later
        assert comment not in first


def test_no_two_modules_have_the_same_name_for_two_things() -> None:
    script = "".join(read_scripts(FILES))
    kinds = r"^(?:async )?(?:class|const|function|let) (\w+)"
    counts = Counter(re.findall(kinds, script, re.MULTILINE))
    assert [name for name, count in counts.items() if count > 1] == []


def test_no_file_names_another_host() -> None:
    for name in NAMES:
        # In bytes, as a picture is no text.
        content = (FILES / name).read_bytes()
        others = content.replace(b"http://www.w3.org/", b"")
        assert not re.findall(rb"https?://|//\w+\.\w+/", others), name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_word_is_in_one_place(path: Path) -> None:
    if path.name == "words.js":
        return
    code = re.sub(
        r"/\*.*?\*/|(?<!:)//.*", "", path.read_text(), flags=re.DOTALL
    )
    # In the requests to copy there are other languages.
    code = code.split("function curl", 1)[0]
    texts = re.findall(r'"([^"\n]*)"|`([^`]*)`', code)
    for text in map("".join, texts):
        plain = re.sub(r"\$\{[^}]*\}", "", text)
        assert not re.search(r"[A-Z]?[a-z]+,? [a-z]+ [a-z]", plain), text
        assert not re.fullmatch(r"[A-Z][a-z]+( [a-z]+)*[.!?]?", plain) or (
            plain in HEADERS
        ), text


HEADERS = {"Accept", "None", "True", "False"}
"""Of HTTP, and of Python."""


def test_every_word_that_is_said_is_there_and_every_other_one_is_not() -> None:
    code = WORDS.split("\n};", 1)[1]
    for path in SCRIPTS:
        if path.name != "words.js":
            code += path.read_text()
    there = set(re.findall(r"^  (\w+):", WORDS, flags=re.MULTILINE))
    said = set(re.findall(r"words\.(?!js)(\w+)", code))
    said |= set(re.findall(r"\bsay(?:With)?\(\s*[\"`](\w+)", code))
    assert said - there == set()
    chosen = {name for name in there if f'"{name}"' in code}
    with_unit = {f"{name}In" for name in chosen} & there
    assert there - said - chosen - with_unit == {"locale"} - said


def test_switched_off_there_is_json_alone(client: Client) -> None:
    service = client(page=False)
    response = service.get("/", headers=BROWSER)
    assert response.mimetype == "application/json"
    problem(service.get("/page/model"), 404)


def test_the_shell_of_the_page_needs_no_key(client: Client) -> None:
    service = client(api_key="s3cret")
    assert service.get("/", headers=BROWSER).status_code == 200
    problem(service.get("/page/model", headers=BROWSER), 401)


def test_what_is_of_the_model_needs_the_key(client: Client) -> None:
    service = client(api_key="s3cret")
    for path in ("/", "/page/model"):
        problem(service.get(path), 401)
        assert service.get(path, headers=KEY).status_code == 200
    problem(service.get("/page/model", headers=BROWSER), 401)


@pytest.mark.parametrize("path", ["/", "/page/model"])
def test_switched_off_everything_needs_the_key(
    path: str, client: Client
) -> None:
    service = client(api_key="s3cret", page=False)
    problem(service.get(path, headers=BROWSER), 401)


@pytest.mark.parametrize("name", ["build_rf_multiclass", "several outputs"])
def test_the_page_learns_what_it_needs_of_the_model(
    name: str, client: Client
) -> None:
    service = client(name)
    content = strict(service.get("/page/model").data)
    model = served(name)
    assert content["about"]["example"] == model.example()
    assert content["about"]["max_content_length"] == 16 * 1024 * 1024
    assert strict(service.get("/info").data).items() <= content.items()


@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_the_model_comes_with_the_page(name: str, client: Client) -> None:
    service = client(name)
    page = Parts(service.get("/", headers=BROWSER).text)
    (data,) = page.data
    assert strict(data) == strict(service.get("/page/model").data)


def test_what_stays_of_a_model_is_encoded_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its example alone takes 20 milliseconds for 300 features, and `/` needs no key."""
    service = client("build_rf_multiclass")
    page = service.get("/", headers=BROWSER)

    def fail(*_: object) -> None:
        raise AssertionError("it is computed a second time")

    for name in ("example", "features"):
        monkeypatch.setattr(SklearnModel, name, fail)
    assert service.get("/", headers=BROWSER).data == page.data
    for path in ("/page/model", "/info", "/features"):
        assert service.get(path).status_code == 200


def test_where_a_key_is_needed_no_model_comes_with_the_page(
    client: Client,
) -> None:
    page = client(api_key="s3cret").get("/", headers=BROWSER)
    assert Parts(page.text).data == []


def test_as_long_as_there_is_no_model_the_page_comes_without() -> None:
    loading: Future[Model] = Future()
    service = create_app(Settings(), loading).test_client()
    page = service.get("/", headers=BROWSER)
    assert page.status_code == 200
    assert Parts(page.text).data == []
    loading.set_result(served("build_rf_binary"))
    assert len(Parts(service.get("/", headers=BROWSER).text).data) == 1


def test_no_name_in_a_model_ends_the_data() -> None:
    name = "</script><script>alert(1)"
    classes = ["</script>", "<!--<script>", "\u2028"]
    data = pd.DataFrame({name: [0.0, 1.0, 2.0]})
    content = {
        "model": DecisionTreeClassifier().fit(data, classes),
        "metadata": {"features": [{"name": name, "type": "numeric"}]},
    }
    model = SklearnModel.load(Artifact.of(content))
    service = create_app(Settings(), model).test_client()
    page = Parts(service.get("/", headers=BROWSER).text)
    (found,) = page.data
    given = strict(found)
    assert given == strict(service.get("/page/model").data)
    assert given["model"]["class_names"] == sorted(classes)
    assert len(page.within["script"]) == 2


def test_labels_are_in_the_order_of_the_class_names(client: Client) -> None:
    content = strict(client("build_rf_multiclass").get("/page/model").data)
    assert content["about"]["labels"] == [0, 1, 2]
    assert served("build_rf_multiclass").class_names == [
        "low",
        "middle",
        "high",
    ]


def test_the_profile_of_the_training_data_is_there(client: Client) -> None:
    content = strict(client("build_lgbm_binary").get("/page/model").data)
    profile = content["about"]["profile"]
    assert list(profile) == ["income", "age", "housing"]
    low, high = profile["age"]["range"]
    assert (low, high) == (18.0, 89.0)


def test_the_page_gets_of_a_profile_what_it_draws() -> None:
    """What is counted for `/metrics` is more than half of it, and a browser would wait for it."""
    drawn = {"range": [0, 1], "quantiles": [0, 0.5, 1]}
    profile = {"x": {**drawn, "edges": [0, 1]}, "y": "written by hand"}
    service = client_of(artifacts.content(profile=profile))
    sent = strict(service.get("/page/model").data)
    assert sent["about"]["profile"] == {"x": drawn}
