"""What uWSGI imports before it forks."""

import subprocess
import sys

import pytest

from tests.models import ROOT

pytestmark = pytest.mark.slow

SCRIPT = """
import gc, sys
import python.production.preload
print(gc.get_freeze_count())
print(*sys.modules)
"""


def test_preload_imports_the_service_and_freezes_it() -> None:
    script = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    frozen_objects, modules = script.stdout.splitlines()
    assert int(frozen_objects) > 10_000
    assert {
        "flask",
        "sklearn.base",
        "python.app",
        "python.model.sklearn",
    } <= set(modules.split())


def test_uwsgi_imports_this_one_module_before_it_forks() -> None:
    lines = (ROOT / "uwsgi.ini").read_text().splitlines()
    shared = [line for line in lines if line.startswith("shared-import")]
    assert shared == ["shared-import = python.production.preload"]
