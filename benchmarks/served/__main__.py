"""Serve every artifact and write docs/served-table.md: `python -m benchmarks.served FOLDER`.

The folder holds the environments `heavy` and `old`, which `make served` makes.
The exit status is 1 if an artifact is answered wrongly with status 200, or cannot be made.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.served.registry import CORE, HEAVY, PROJECT
from benchmarks.served.serving import NOT_MADE, WRONG, Row
from benchmarks.served.table import to_markdown

TABLE = PROJECT / "docs" / "served-table.md"
PACKAGES = ["scikit-learn", "pandas", "numpy"]
VERSIONS = """
import platform
from importlib.metadata import version
named = [f"{name} {version(name)}" for name in %r]
print(", ".join([f"Python {platform.python_version()}", *named]))
"""
FAILURES = {WRONG, NOT_MADE}


def main(folder: Path) -> int:
    """Run both environments, write the table, and return the exit status."""
    old_python = str(folder / "old" / "bin" / "python")
    pythons = {
        CORE: sys.executable,
        HEAVY: str(folder / "heavy" / "bin" / "python"),
    }
    environ = {
        **os.environ,
        "SERVED_OLD_PYTHON": old_python,
        "OMP_NUM_THREADS": "1",
    }
    results = folder / "rows"
    shutil.rmtree(results, ignore_errors=True)
    for environment, python in pythons.items():
        command = [
            python,
            "-m",
            "benchmarks.served.run",
            environment,
            str(results),
        ]
        subprocess.run(command, cwd=PROJECT, env=environ, check=True)
    rows = read_rows(results)
    versions = [
        f"Groups in the project's environment: {versions_of(sys.executable)}.",
        f"Groups marked † in one of their own: {versions_of(pythons[HEAVY])}.",
    ]
    TABLE.write_text(to_markdown(rows, versions))
    failed = [row for row in rows if row.outcome in FAILURES]
    for row in failed:
        print(
            f"{row.outcome}: {row.group}: {row.name}: {row.loaded}; {row.answers}"
        )
    return 1 if failed else 0


def read_rows(results: Path) -> list[Row]:
    """Return the rows of all artifacts, in the order of the groups."""
    paths = sorted(results.glob("*/row.json"))
    return [Row(**json.loads(path.read_text())) for path in paths]


def versions_of(python: str) -> str:
    """Return the versions of Python and of the main packages in an environment."""
    command = [python, "-c", VERSIONS % PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
