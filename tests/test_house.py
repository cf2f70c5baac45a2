"""The shape of the house: where imports point, how dense a room may be, what is documented."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from python.app import create_app
from python.settings import Settings
from tests.models import ROOT
from tests.readability import find_rooms, measure
from tests.serving import served

MODULES = sorted([ROOT / "service.py", *(ROOT / "python").rglob("*.py")])
MAY_IMPORT = {
    "python": set(),
    "python.settings": set(),
    "python.errors": set(),
    "python.keys": {"python.settings"},
    "python.model": {"python.errors", "python.model"},
    "python.api": {"python.errors", "python.model", "python.api"},
    "python.metrics": {"python.errors", "python.model", "python.metrics"},
    # `save_model` alone.
    "python.example": {"python.model"},
    "python.loading": {
        "python.errors",
        "python.settings",
        "python.model",
        "python.api",
    },
    # `save_model` starts it as a process, so that the model room need not know the door.
    "python.proving": {
        "python.errors",
        "python.settings",
        "python.model",
        "python.api",
        "python.loading",
    },
    "python.checking": {
        "python.errors",
        "python.settings",
        "python.model",
        "python.api",
        "python.loading",
        "python.development",
        "python.checking",
    },
    # A command is no part of the room it is named after: it calls the hallway.
    "python.model.__main__": {
        "python.model",
        "python.settings",
        "python.checking",
    },
    "python.score": {
        "python.errors",
        "python.settings",
        "python.model",
        "python.loading",
        "python.score",
    },
    "python.app": {
        "python",
        "python.errors",
        "python.settings",
        "python.model",
        "python.api",
        "python.keys",
        "python.loading",
        "python.metrics",
    },
    "python.development": {
        "python.settings",
        "python.api",
        "python.model",
        "python.app",
        "python.loading",
        "python.metrics",
    },
    "python.production.supervisor": {
        "python.production.status",
        "python.metrics",
    },
    "python.production.status": {"python.production.shelf"},
    "python.production.preload": {
        "python.app",
        "python.model",
        "python.production.ending",
    },
    "python.production.ending": set(),
    "python.production.shelf": set(),
    "python.production.packages": set(),
    "python.production.deployment": {"python.production.shelf"},
    "python.production": {
        "python.errors",
        "python.settings",
        "python.keys",
        "python.model",
        "python.loading",
        "python.metrics",
        "python.production.shelf",
    },
    "service": {
        "python.app",
        "python.development",
        "python.errors",
        "python.settings",
        "python.production.supervisor",
    },
}
ROOMS = find_rooms(ROOT / "python")
# Flask's tutorial and svcs, which read well, have 112 and 103 tokens, and nest 3 blocks.
FUNCTION_TOKENS_P90 = 120
NESTING_LIMIT_BLOCKS = 3
ARGUMENTS_LIMIT = 5
# A notebook's one line: whatever it may be told besides model and data has a name there.
OPEN_TO_ALL_WISHES = "save_model"
WEB = {"flask", "werkzeug"}
SCIENCE = {
    "sklearn",
    "pandas",
    "scipy",
    "shap",
    "lightgbm",
    "xgboost",
    "catboost",
    "joblib",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    )


def room_of(module: str) -> str:
    if module in MAY_IMPORT:
        return module
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "python" else parts[0]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module
            yield node.module


def own_imports(path: Path) -> set[str]:
    return {
        module
        for module in imports(path)
        if module.split(".")[0] in ("python", "tests", "service")
    }


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    assert {room_of(module) for module in own_imports(path)} <= MAY_IMPORT[
        room_of(name_of(path))
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_each_room_knows_its_own_world(path: Path) -> None:
    foreign = {
        "python.model": WEB,
        "python.api": SCIENCE,
        "python.metrics": WEB | SCIENCE,
        "python.errors": WEB | SCIENCE,
        "python.settings": WEB | SCIENCE,
    }
    used = {module.split(".")[0] for module in imports(path)}
    assert not used & foreign.get(room_of(name_of(path)), set())


def test_what_serves_metrics_beside_uwsgi_imports_the_standard_library_alone() -> (
    None
):
    """The supervisor would keep what it imports in memory, and start later."""
    found = set()
    for name in ("server", "exposition", "cells", "families", "folder"):
        found |= set(imports(ROOT / "python" / "metrics" / f"{name}.py"))
    found |= set(imports(ROOT / "python" / "metrics" / "processes.py"))
    own = {module for module in found if module.startswith("python.")}
    assert own <= {
        f"python.metrics.{name}"
        for name in ("cells", "exposition", "families", "folder", "processes")
    }
    roots = {module.split(".")[0] for module in found}
    assert roots - {"python"} <= sys.stdlib_module_names


def test_one_module_imports_shap() -> None:
    assert [
        name_of(path) for path in MODULES if "shap" in set(imports(path))
    ] == ["python.model.explain.tree_shap"]


def test_one_module_imports_skops() -> None:
    assert [
        name_of(path) for path in MODULES if "skops.io" in set(imports(path))
    ] == ["python.model.skops"]


def test_one_module_imports_pyarrow() -> None:
    """It is optional; a look whether it is there is no use of it."""
    assert [
        name_of(path)
        for path in MODULES
        if "pyarrow.parquet" in set(imports(path))
    ] == ["python.score.parquet"]


def test_one_module_imports_dask() -> None:
    assert [
        name_of(path)
        for path in MODULES
        if "dask.distributed" in set(imports(path))
    ] == ["python.score.cluster"]


def test_there_is_no_cycle() -> None:
    graph = {name_of(path): own_imports(path) for path in MODULES}

    def reaches(module: str, seen: frozenset[str]) -> None:
        assert module not in seen, (
            f"{module} imports itself by way of {sorted(seen)}"
        )
        for imported in graph.get(module, set()) - {"python"}:
            reaches(imported, seen | {module})

    for module in graph:
        reaches(module, frozenset())


@pytest.mark.parametrize("room", ROOMS)
def test_nine_of_ten_functions_are_short(room: str) -> None:
    assert measure(ROOMS[room]).function_tokens(90) < FUNCTION_TOKENS_P90


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_has_many_arguments(room: str) -> None:
    for function in measure(ROOMS[room]).functions:
        if function.name != OPEN_TO_ALL_WISHES:
            assert function.arguments <= ARGUMENTS_LIMIT, function.name


@pytest.mark.parametrize("room", ROOMS)
def test_no_function_nests_deeply(room: str) -> None:
    assert measure(ROOMS[room]).deepest_nesting <= NESTING_LIMIT_BLOCKS


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_described(path: Path) -> None:
    tree = ast.parse(path.read_text())
    nested = inner_functions(tree)
    assert ast.get_docstring(tree), f"{path}: module"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            is_public = not node.name.startswith("_") and node not in nested
            assert not is_public or ast.get_docstring(node), (
                f"{path}: {node.name}"
            )


def inner_functions(tree: ast.Module) -> set[ast.AST]:
    """Return the functions that are defined inside another function."""
    inner: set[ast.AST] = set()
    for outer in ast.walk(tree):
        if isinstance(outer, ast.FunctionDef):
            for node in ast.walk(outer):
                if isinstance(node, ast.FunctionDef) and node is not outer:
                    inner.add(node)
    return inner


def test_every_route_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    app = create_app(Settings(), served("build_rf_binary"))
    assert {
        rule.rule
        for rule in app.url_map.iter_rules()
        if f"`{rule.rule}`" not in page
    } == set()


def test_every_setting_is_in_the_documentation() -> None:
    assert "variables.env" in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.slow
def test_every_module_is_in_the_documentation(tmp_path: Path) -> None:
    autosummary = [
        sys.executable,
        "-m",
        "sphinx.ext.autosummary.generate",
        "docs/code.rst",
    ]
    options = ["--templates=docs/_templates", f"--output-dir={tmp_path}"]
    subprocess.run([*autosummary, *options], cwd=ROOT, check=True)
    pages = {page.name.removesuffix(".rst") for page in tmp_path.iterdir()}
    assert pages == {
        name_of(path)
        for path in MODULES
        if room_of(name_of(path)) not in ("python.example", "service")
    }


def test_every_file_that_the_documentation_names_exists() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "".join(page.read_text() for page in pages)
    named = set(re.findall(r"`((?:python|benchmarks|nginx)/[\w./]+)`", text))
    assert "python/example" in named
    written_by_the_reader = {"python/model/booster.py"}
    assert {
        path for path in named if not (ROOT / path).exists()
    } == written_by_the_reader


def test_the_tree_of_the_rooms_is_as_it_is_drawn() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    tree = page.split("```text\n", 1)[1].split("\n```", 1)[0]
    named = set(re.findall(r"\b(\w+\.py)\b", tree))
    modules = {path.name for path in MODULES}
    assert named <= modules
    for room in ("", "api", "metrics", "model", "production", "score"):
        folder = ROOT / "python" / room
        inside = {path.name for path in folder.glob("*.py")}
        assert inside - named <= {"__init__.py"}, room


def test_every_requirement_is_bounded() -> None:
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            assert line.startswith(("#", "-r")) or re.fullmatch(
                r"[\w-]+(~=[\d.]+|>=[\d.]+,<[\d.]+)(; .*)?", line
            ), f"{path.name}: {line}"
