"""The documentation as a whole: which test runs which block, its links, its lines, its contents."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

from tests.models import ROOT
from tests.pages import DOCS, blocks_of, name_of, pages, prose_of

PAGES = pages()
# Which test runs, or compares, the blocks of a language on a page.
RUN_BY = {
    "README.md": {
        "bash": "test_readme.py",
        "json": "test_readme.py",
        "python": "test_readme.py",
        "text": "test_readme.py",
    },
    "docs/api.md": {
        "bash": "test_readme.py",
        "json": "test_readme.py",
        "text": "test_readme.py",
    },
    "docs/calling.md": {
        "bash": "test_calling.py",
        "java": "test_calling.py",
        "javascript": "test_calling.py",
        "json": "test_calling.py",
        "python": "test_calling.py",
        "text": "test_calling.py",
    },
    "docs/families.md": {"python": "test_docs_code.py"},
    "docs/inputs.md": {
        "bash": "test_docs_code.py",
        "javascript": "test_docs_code.py",
        "python": "test_docs_code.py",
    },
    "docs/model-file.md": {"python": "test_docs_code.py"},
    "docs/openapi.md": {"python": "test_docs_code.py"},
    "docs/operations.md": {
        "bash": "test_readme.py",
        "python": "production/test_traces.py",
        "text": "test_readme.py",
    },
    "docs/outputs.md": {"python": "test_docs_code.py"},
    "docs/quickstart.md": {
        "bash": "test_readme.py",
        "json": "test_readme.py",
        "python": "test_docs_code.py",
        "text": "test_readme.py",
    },
    "docs/reading-explanations.md": {
        "json": "test_reading.py",
        "text": "test_reading.py",
    },
    "docs/production.md": {"nginx": "production/test_alone.py"},
    "docs/security.md": {"text": "containers/test_firewall.py"},
    "docs/trust.md": {
        "python": "test_docs_code.py",
        "text": "test_docs_code.py",
    },
    "docs/your-model.md": {
        "bash": "test_your_model.py",
        "python": "test_your_model.py",
        "text": "test_your_model.py",
    },
}
# What no test runs as it stands on the page, and why. Of each command in a console, the target of
# make, the module or the file is looked up all the same.
NOT_RUN = {
    ("CONTRIBUTING.md", "text"): "the tree of folders, no program",
    ("CONTRIBUTING.md", "console"): "the tests would run themselves",
    (
        "docs/families.md",
        "console",
    ): "test_docs_code.py loads that family itself",
    (
        "docs/openapi.md",
        "console",
    ): "installs packages; test_openapi_by_machine.py calls the same two",
    (
        "docs/operations.md",
        "console",
    ): "containers, swaps and uWSGI: tests/production and tests/containers run the same commands",
    (
        "docs/outputs.md",
        "json",
    ): "numbers that stand for any model; test_outputs.py checks the forms",
    (
        "docs/production.md",
        "console",
    ): "needs containers: tests/containers runs them on its own stacks",
    (
        "docs/quickstart.md",
        "console",
    ): "installs packages; test_readme.py runs each example and `make serve`",
    (
        "docs/score.md",
        "console",
    ): "names files that are not there; tests/score runs the command",
    (
        "docs/score.md",
        "text",
    ): "one fault of many; tests/score checks the sentences",
    (
        "docs/served.md",
        "python",
    ): "part of a module of benchmarks/served, which test_served.py reads",
    (
        "docs/served.md",
        "sh",
    ): "needs two more environments and several minutes",
    ("docs/trust.md", "console"): "installs a package",
    ("docs/your-model.md", "console"): "tests/checking runs `make check`",
}
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
INCLUDED = re.compile(
    r"^```\{(?:image|include|literalinclude)\} (\S+)", re.MULTILINE
)
COMMAND = re.compile(r"\bmake ([a-z][a-z-]*)")
MODULE = re.compile(r"python -m (python(?:\.\w+)*|benchmarks(?:\.\w+)*)")
CODE = re.compile(r"`[^`]*`")
MARKER = re.compile(r"^\s*(?:[*-]|\d+\.) ")
SECOND_SENTENCE = re.compile(r"[^.\d][.!?][)*]* [A-Z*\[]")
LINES_OF_TWO_SCREENS = 80


def targets() -> set[str]:
    """Return the targets of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def test_each_block_is_run_or_says_why_not() -> None:
    found = {
        (name_of(page), block.kind)
        for page in PAGES
        for block in blocks_of(name_of(page))
    }
    run = {(page, kind) for page, kinds in RUN_BY.items() for kind in kinds}
    assert not run & NOT_RUN.keys()
    assert run | NOT_RUN.keys() == found


def test_the_tests_that_are_named_read_these_pages() -> None:
    for page, kinds in RUN_BY.items():
        for test in kinds.values():
            text = (ROOT / "tests" / test).read_text()
            assert Path(page).name in text, (page, test)


def test_what_is_not_run_names_tests_that_exist() -> None:
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for reason in NOT_RUN.values():
        assert set(re.findall(r"test_\w+\.py", reason)) <= tests
        for folder in re.findall(r"tests/\w+", reason):
            assert (ROOT / folder).is_dir()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_commands_exist(page: Path) -> None:
    text = page.read_text()
    code = "\n".join(CODE.findall(prose_of(page)))
    for block in blocks_of(name_of(page)):
        if block.kind in ("bash", "console", "sh"):
            code += f"\n{block.text}"
    assert set(COMMAND.findall(code)) <= targets()
    for module in set(MODULE.findall(text)):
        assert importlib.util.find_spec(module), module


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_lead_to_files(page: Path) -> None:
    text = page.read_text()
    for target in LINK.findall(prose_of(page)) + INCLUDED.findall(text):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_line_has_one_sentence(page: Path) -> None:
    for line in prose_of(page).splitlines():
        is_row = line.lstrip().startswith("|")
        words = MARKER.sub("", CODE.sub("x", line))
        assert is_row or not SECOND_SENTENCE.search(words), line


def test_a_long_page_has_contents_beside_it() -> None:
    settings = (DOCS / "conf.py").read_text()
    theme = next(
        node.value.value
        for node in ast.parse(settings).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and node.targets[0].id == "html_theme"  # type: ignore[attr-defined]
    )
    # furo shows the headings of a page in a column on the right.
    assert theme == "furo"
    for page in PAGES:
        text = prose_of(page)
        assert "hide-toc" not in text
        if len(text.splitlines()) > LINES_OF_TWO_SCREENS:
            headings = re.findall(r"^##+ ", text, re.MULTILINE)
            assert len(headings) > 2, page


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_long_page_of_the_forge_begins_with_its_contents(page: Path) -> None:
    text = prose_of(page)
    is_in_docs = page.parent == DOCS
    if is_in_docs or len(text.splitlines()) <= LINES_OF_TWO_SCREENS:
        return
    headings = re.findall(r"^##+ (.*)", text, re.MULTILINE)
    linked = re.findall(r"\[([^]]*)\]\(#([\w-]+)\)", text)
    assert len(linked) > 3
    for title, anchor in linked:
        assert title in headings
        assert anchor == re.sub(r"[^\w -]", "", title.lower()).replace(
            " ", "-"
        )


def test_no_page_names_a_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(?:home|root|tmp/wt|work)/", page.read_text())
