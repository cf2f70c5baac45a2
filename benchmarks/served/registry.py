"""The registry: groups of artifacts, and the environment in which each group runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.served.writing import Fitted, write

PROJECT = Path(__file__).parent.parent.parent
NOTEBOOKS = Path(__file__).parent / "notebooks"
CORE = "core"
"""The environment of the project itself."""
HEAVY = "heavy"
"""The environment of `requirements.txt` in this folder, with everything else."""


@dataclass(frozen=True)
class Case:
    """An artifact to serve: `write` puts its file, and the estimator's answers, in a folder."""

    group: str
    name: str
    environment: str
    write: Callable[[Path], None]


@dataclass(frozen=True)
class Group:
    """A named group of artifacts, in the order in which they are declared."""

    cases: ClassVar[list[Case]] = []  # of all groups

    name: str
    environment: str = CORE

    def artifact(self, name: str) -> Callable[[Callable[[], Fitted]], None]:
        """Return a decorator that registers a function that fits an artifact."""

        def register(fit: Callable[[], Fitted]) -> None:
            self._add(name, lambda folder: write(folder, fit()))

        return register

    def script(self, name: str, notebook: str, *arguments: str) -> None:
        """Register an artifact that a script of `notebooks/` writes in a process of its own.

        The process runs the script as `__main__`, as a notebook or a training job would be.
        """
        self._add(
            name,
            lambda folder: _run(sys.executable, notebook, folder, arguments),
        )

    def old_script(self, name: str, notebook: str, *arguments: str) -> None:
        """Register an artifact that a script writes with the older scikit-learn."""
        self._add(
            name,
            lambda folder: _run(_old_python(), notebook, folder, arguments),
        )

    def _add(self, name: str, write_to: Callable[[Path], None]) -> None:
        title = f"{self.name} †" if self.environment == HEAVY else self.name
        self.cases.append(Case(title, name, self.environment, write_to))


def _old_python() -> str:
    return os.environ["SERVED_OLD_PYTHON"]


def _run(
    python: str, notebook: str, folder: Path, arguments: tuple[str, ...]
) -> None:
    subprocess.run(
        [python, str(NOTEBOOKS / notebook), str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=True,
    )
