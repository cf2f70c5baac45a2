"""Write docs/start-table.md: the time to the first answer, and the memory, of a forest."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.contenders import CONTENDERS, prepare
from benchmarks.servers import running
from benchmarks.workloads import ROOT, Workload, workloads

ROUNDS = 5
WORKLOAD = "1 record, forest"
BARE = "bare Python, one process"
HEAD = """| Server | Seconds from exec to the first answer | MiB of all processes |
| --- | --: | --: |"""


def bare(workload: Workload) -> float:
    """Return the seconds until Python has imported what it needs, loaded the file and predicted."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.in_process",
        str(workload.folder),
    ]
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        next(iter(process.stdout or ()))
        return time.perf_counter() - start


def served(name: str, workload: Workload) -> tuple[float, float]:
    """Return the seconds until a server answers, and its MiB after some requests.

    No other server runs meanwhile.
    """
    contender = CONTENDERS[name](workload)
    if contender is None:
        raise LookupError(f"{name} does not serve {workload.name}")
    start = time.perf_counter()
    with running(contender, workload.folder / name) as server:
        seconds = time.perf_counter() - start
        server.settle()
        server.load(1)
        return seconds, server.memory()


def spread(values: list[float], digits: int) -> str:
    """Return the median, the least and the most."""
    middle = f"{median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    """Start each contender in turn, for some rounds, then print and write the table."""
    prepare()
    seconds: dict[str, list[float]] = {
        name: [] for name in [BARE, *CONTENDERS]
    }
    memory: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    with TemporaryDirectory() as folder:
        named = {
            workload.name: workload for workload in workloads(Path(folder))
        }
        forest = named[WORKLOAD]
        for _ in range(ROUNDS):
            seconds[BARE].append(bare(forest))
            for name in CONTENDERS:
                until_answer, mebibytes = served(name, forest)
                seconds[name].append(until_answer)
                memory[name].append(mebibytes)
    lines = [HEAD]
    for name, rounds in seconds.items():
        mebibytes_spread = spread(memory[name], 0) if name in memory else ""
        lines.append(f"| {name} | {spread(rounds, 2)} | {mebibytes_spread} |")
    table = "\n".join(lines)
    print(table)
    (ROOT / "docs" / "start-table.md").write_text(table + "\n")


if __name__ == "__main__":
    main()
