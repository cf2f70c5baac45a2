"""The packages of the image: a lock with hashes, and what is installed where it does not match."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from python.production import packages
from tests.models import ROOT

LOCK = (ROOT / packages.LOCK).read_text()
ENTRY = re.compile(
    r"^([\w.-]+)==(\S+)(?: ; (.+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)
WITHOUT_HASHES = "requirements.lock is not of these requirements"

Calls = list[list[str]]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the requirements and their lock, in which the command is run."""
    for name in (*packages.REQUIREMENTS, packages.LOCK):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The arguments of pip, which is not run."""
    called: Calls = []

    def run(command: list[str], **_: object) -> None:
        called.append(command)

    monkeypatch.setattr(subprocess, "run", run)
    return called


def test_the_lock_is_of_the_requirements() -> None:
    """If this fails, the requirements have changed: `make lock` writes the lock anew."""
    assert packages.is_current(ROOT)


def test_each_package_has_a_version_and_hashes_and_nothing_says_where_from() -> (
    None
):
    names = {match[1] for match in ENTRY.finditer(LOCK)}
    rest = ENTRY.sub("", LOCK)
    assert all(line.lstrip().startswith("#") for line in rest.splitlines())
    assert not re.search(r"https?:|file:|index|find-links", LOCK)
    for file in packages.REQUIREMENTS:
        for line in (ROOT / file).read_text().splitlines():
            if line and not line.startswith("#"):
                assert re.split("[~>=]", line)[0] in names


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_each_python_gets_one_version_of_each_package(python: str) -> None:
    requirements = pytest.importorskip("packaging.requirements")
    environment = {
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    names = []
    for name, version, marker, _ in ENTRY.findall(LOCK):
        text = f"{name}=={version}" + (f" ; {marker}" if marker else "")
        requirement = requirements.Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(
            environment
        ):
            names.append(name)
    assert len(names) == len(set(names))
    assert {"numpy", "scikit-learn", "flask", "pyuwsgi", "shap"} <= set(names)


def test_the_image_installs_the_lock_with_hashes(
    copy: Path, calls: Calls, capsys: pytest.CaptureFixture[str]
) -> None:
    packages.main("install")
    ((*_, option, _, lock),) = calls
    assert (option, lock) == ("--require-hashes", packages.LOCK)
    assert WITHOUT_HASHES not in capsys.readouterr().out
    # Comments are no requirements.
    requirements = copy / "requirements.txt"
    requirements.write_text("# mine\n\n" + requirements.read_text())
    assert packages.is_current(copy)


def add(folder: Path) -> None:
    with (folder / "requirements.txt").open("a") as requirements:
        requirements.write("catboost~=1.2\n")


def remove(folder: Path) -> None:
    (folder / packages.LOCK).unlink()


@pytest.mark.parametrize("change", [add, remove])
def test_it_says_so_where_the_lock_is_of_other_requirements(
    change: Callable[[Path], None],
    copy: Path,
    calls: Calls,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(copy)
    packages.main("install")
    assert WITHOUT_HASHES in capsys.readouterr().out
    (command,) = calls
    assert "--require-hashes" not in command
    assert set(packages.REQUIREMENTS) <= set(command)


def test_a_new_lock_belongs_to_the_requirements(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def compile_lock(command: list[str], **_: object) -> None:
        commands.append(command)
        (copy / packages.LOCK).write_text("blinker==1.9.0\n")

    monkeypatch.setattr(subprocess, "run", compile_lock)
    add(copy)
    packages.main("lock", "--upgrade")
    assert packages.is_current(copy)
    assert (copy / packages.LOCK).read_text().endswith("\nblinker==1.9.0\n")
    assert {"--upgrade", "--generate-hashes"} <= set(commands[0])


def test_a_failure_of_uv_leaves_the_lock(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(SystemExit) as exited:
        packages.main("lock")
    assert exited.value.code == 2
    assert (copy / packages.LOCK).read_text() == LOCK


@pytest.mark.slow
def test_another_hash_is_not_installed(copy: Path) -> None:
    for name in packages.REQUIREMENTS:
        (copy / name).write_text("")
    lock = "blinker==1.9.0 --hash=sha256:" + "0" * 64 + "\n"
    digest = packages.DIGEST.format(packages.digest_of(copy))
    (copy / packages.LOCK).write_text(digest + lock)
    script = copy / "packages.py"
    shutil.copy(ROOT / "python" / "production" / "packages.py", script)
    subprocess.run(
        [sys.executable, "-m", "venv", copy / "venv"], check=True, timeout=120
    )
    installed = subprocess.run(
        [copy / "venv" / "bin" / "python", script, "install"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode != 0
    assert not list(copy.glob("venv/lib/*/site-packages/blinker"))


def test_the_image_can_be_based_on_a_digest_and_has_the_lock() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert "${PYTHON_IMAGE}" in bases
    assert not [base for base in bases if ":" in base]
    assert "ARG PYTHON_IMAGE=python:3.13-slim\n" in dockerfile
    assert "RUN python packages.py install" in dockerfile
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert f"!{packages.LOCK}" in ignored


TOOLS = ROOT / "build" / "tools" / "bin" / "cyclonedx-py"


@pytest.mark.slow
@pytest.mark.skipif(not TOOLS.exists(), reason="`make lock` has not been run")
def test_the_bill_of_materials_has_the_packages_of_the_image() -> None:
    subprocess.run(["make", "sbom"], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads((ROOT / "build" / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    versions = {}
    for component in bill["components"]:
        assert component["name"] not in versions
        versions[component["name"]] = component["version"]
    assert "colorama" not in versions
    assert f"\nnumpy=={versions['numpy']} ; " in LOCK
    assert f"\nflask=={versions['flask']} " in LOCK


def test_advisories_are_looked_for_every_week() -> None:
    path = ROOT / ".github" / "workflows" / "advisories.yml"
    workflow = yaml.safe_load(path.read_text())
    # YAML 1.1 reads `on` as true.
    assert workflow[True]["schedule"]
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert "make audit" in [step.get("run") for step in job["steps"]]
