"""Fixtures: a folder to serve from."""

from pathlib import Path

import pytest

from tests.servers import project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project, in which a replica may write below `run`."""
    (tmp_path / "run").mkdir()
    return project(tmp_path)
