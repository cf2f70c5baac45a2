"""Write docs/start-table.md: the time from exec to the first answer, and the memory of all processes, for one forest."""

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
BARE = "bare Python, one process"
HEAD = """| Server | Seconds from exec to the first answer | MiB of all processes |
| --- | --: | --: |"""


def bare(workload: Workload) -> float:
    """Seconds until Python has imported what the file needs, loaded it and predicted once."""
    command = [sys.executable, "-m", "benchmarks.in_process", str(workload.folder)]
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        next(iter(process.stdout or ()))
        return time.perf_counter() - start


def served(name: str, workload: Workload) -> tuple[float, float]:
    """Seconds until a server answers, and its MiB after some requests, while no other server runs."""
    contender = CONTENDERS[name](workload)
    if contender is None:
        raise LookupError(f"{name} does not serve {workload.name}")
    start = time.perf_counter()
    with running(contender, workload.folder / name) as server:
        took = time.perf_counter() - start
        server.settle()
        server.load(1)
        return took, server.memory()


def spread(values: list[float], digits: int) -> str:
    """Median, least and most."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main() -> None:
    """Everyone in turn, some rounds of it."""
    prepare()
    seconds: dict[str, list[float]] = {BARE: []}
    memory: dict[str, list[float]] = {}
    with TemporaryDirectory() as folder:
        forest = next(
            workload
            for workload in workloads(Path(folder))
            if workload.name == "1 record, forest"
        )
        for _ in range(ROUNDS):
            seconds[BARE].append(bare(forest))
            for name in CONTENDERS:
                took, mebibytes = served(name, forest)
                seconds.setdefault(name, []).append(took)
                memory.setdefault(name, []).append(mebibytes)
    lines = [
        f"| {name} | {spread(took, 2)} | {spread(memory[name], 0) if name in memory else ''} |"
        for name, took in seconds.items()
    ]
    table = "\n".join([HEAD, *lines])
    print(table)
    (ROOT / "docs" / "start-table.md").write_text(table + "\n")


if __name__ == "__main__":
    main()
