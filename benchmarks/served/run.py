"""Serve the artifacts of one environment: `python -m benchmarks.served.run core FOLDER`.

Each artifact is fitted in one process and served in another, forked from this one, so that
none of them sees what another has imported or set.
"""

import argparse
import json
import multiprocessing
import shutil
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.served import groups
from benchmarks.served.registry import Case, Group
from benchmarks.served.serving import BROKEN, NOT_MADE, Row, serve, write_row

TIMEOUT_SECONDS = 300

fork = multiprocessing.get_context("fork")


def run(case: Case, folder: Path) -> None:
    """Fit, write and serve an artifact; its row is in `row.json` afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    row = Row(case.group, case.name)
    if not in_process(make, case, folder):
        error = folder / "error.txt"
        reason = error.read_text() if error.exists() else "its process ended"
        write_row(folder, Row(case.group, case.name, NOT_MADE, reason))
        return
    in_process(serve, folder, row)
    if not (folder / "row.json").exists():
        reason = f"the process ended, or took over {TIMEOUT_SECONDS} seconds"
        write_row(folder, Row(case.group, case.name, BROKEN, reason))


def make(case: Case, folder: Path) -> None:
    """Fit and write an artifact, or the reason why that is impossible."""
    try:
        case.write(folder)
    except Exception as error:
        traceback.print_exc()
        (folder / "error.txt").write_text(f"{type(error).__name__}: {error}")
        raise SystemExit(1) from error


def in_process(function: Callable[..., None], *arguments: Any) -> bool:
    """Call a function in a process of its own; return whether it succeeded."""
    process = fork.Process(target=quietly, args=(function, *arguments))
    process.start()
    process.join(TIMEOUT_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode == 0


def quietly(function: Callable[..., None], *arguments: Any) -> None:
    """Call a function without warnings, which tell nothing about the answers."""
    warnings.simplefilter("ignore")
    function(*arguments)


def main() -> None:
    """Serve each artifact of the environment, in the order of the groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment")
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--only", default="", help="part of a group's or artifact's name"
    )
    arguments = parser.parse_args()
    groups.load()
    for number, case in enumerate(Group.cases):
        title = f"{case.group}: {case.name}"
        chosen = arguments.only.lower() in title.lower()
        if case.environment == arguments.environment and chosen:
            folder = arguments.folder / f"{number:03}"
            run(case, folder)
            row = json.loads((folder / "row.json").read_text())
            print(f"{row['outcome']}: {title}", flush=True)


if __name__ == "__main__":
    main()
