"""Requests a second, and what they cost: the service under uwsgi.ini between its ceiling and its floor, and beside its peers.

`make bench-quick` asks the service and a Flask view that returns a constant under the same uWSGI, and calls the model in process.
`make bench` asks the peers as well, each in a virtual environment of its own, and writes the table and the picture of docs/speed.md.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.contenders import CONTENDERS, PROCESSES, environment, prepare
from benchmarks.servers import CONNECTIONS, Server, running
from benchmarks.workloads import ROOT, Workload, workloads

DOCS = ROOT / "docs"
QUICK = ("service", "constant view")
FLOOR = "model in process"
HEAD = """| Workload | Server | Requests a second | CPU ms each | The service is times as fast | Errors |
| --- | --- | --: | --: | --: | --: |"""


@dataclass
class Figures:
    """What one contender reached in each round: requests a second, and processor milliseconds for each."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    errors: int = 0

    def load(self, server: Server, seconds: int) -> None:
        """Add a round."""
        before = server.processor_seconds()
        requests, rate, failed = server.load(seconds)
        self.rates.append(rate)
        self.costs.append(
            (server.processor_seconds() - before) / max(requests, 1) * 1e3
        )
        self.errors += failed


@dataclass(frozen=True)
class InProcess:
    """The model itself, called in as many processes as a server has."""

    processes: list[subprocess.Popen[str]]

    def rate(self, seconds: float) -> float:
        """Calls a second of all of them together."""
        for process in self.processes:
            print(seconds, file=process.stdin, flush=True)
        return sum(float(_line(process)) for process in self.processes)


@contextmanager
def in_process(workload: Workload) -> Iterator[InProcess]:
    """The processes, once they have answered, until the block ends."""
    command = [sys.executable, "-m", "benchmarks.in_process", str(workload.folder)]
    with ExitStack() as stack:
        processes = []
        for _ in range(int(PROCESSES)):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            _line(process)
        yield InProcess(processes)


def measure(
    workload: Workload, names: tuple[str, ...], rounds: int, seconds: int
) -> dict[str, Figures]:
    """The figures of the servers and of the floor, in rounds that alternate; every server answers as the model, before and after."""
    with ExitStack() as stack:
        contenders = {
            name: contender
            for name in names
            if (contender := CONTENDERS[name](workload))
        }
        servers = {
            name: stack.enter_context(running(contender, workload.folder / name))
            for name, contender in contenders.items()
        }
        floor = stack.enter_context(in_process(workload))
        for server in servers.values():
            server.settle()
        figures = {name: Figures() for name in [*servers, FLOOR]}
        _check(workload, servers)
        for _ in range(rounds):
            for name, server in servers.items():
                figures[name].load(server, seconds)
            figures[FLOOR].rates.append(floor.rate(seconds / 2))
        _check(workload, servers)
    return figures


def rows(name: str, figures: dict[str, Figures]) -> list[str]:
    """The rows of the table for one workload."""
    own = median(figures["service"].rates)
    lines = []
    for contender, found in figures.items():
        rate = median(found.rates)
        spread = f"{_number(rate)} ({_number(min(found.rates))} to {_number(max(found.rates))})"
        cost = f"{median(found.costs):.2f}" if found.costs else ""
        ratio = f"{own / rate:.2f}" if rate and contender != "service" else ""
        errors = f"**{found.errors}**" if found.errors else "0" if found.costs else ""
        lines.append(
            f"| {name} | {contender} | {spread} | {cost} | {ratio} | {errors} |"
        )
    return lines


def conditions() -> str:
    """On what was measured, and what."""
    cpu = next(
        (
            line
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "",
    )
    processor = cpu.partition(": ")[2] or platform.machine()
    own = ", ".join(
        f"{name} {version(name)}"
        for name in ("scikit-learn", "numpy", "flask", "pyuwsgi")
    )
    peers = ", ".join(
        f"{name} {_version(name)}" for name in ("fastapi", "mlflow", "bentoml")
    )
    return (
        f"Measured on {time.strftime('%Y-%m-%d')} on {len(os.sched_getaffinity(0))} processors ({processor}) "
        f"with Python {platform.python_version()}, {own}, {peers}."
    )


def main(quick: bool) -> None:
    """Print the table; write it for the docs, with a picture, unless it was a quick look."""
    prepare()
    print(HEAD)
    table, results = [HEAD], {}
    names, rounds, seconds = (QUICK, 3, 1) if quick else (tuple(CONTENDERS), 5, 3)
    with TemporaryDirectory() as folder:
        for workload in workloads(Path(folder)):
            if quick and not workload.quick:
                continue
            results[workload.name] = measure(workload, names, rounds, seconds)
            table += rows(workload.name, results[workload.name])
            print("\n".join(table[-len(results[workload.name]) :]), flush=True)
    if not quick:
        from benchmarks.picture import draw

        (DOCS / "speed-table.md").write_text(
            "\n".join([*table, "", conditions()]) + "\n"
        )
        rates = {
            workload: {name: found.rates for name, found in figures.items()}
            for workload, figures in results.items()
        }
        draw(
            rates,
            f"requests a second, {PROCESSES} processes, {CONNECTIONS} connections",
            DOCS / "speed.png",
        )


def _check(workload: Workload, servers: dict[str, Server]) -> None:
    for name, server in servers.items():
        if name != "constant view":
            workload.check(*server.contender.read(server.ask()))


def _line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline() if process.stdout else ""


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 20 else f"{rate:.1f}"


def _version(peer: str) -> str:
    ask = f"from importlib.metadata import version; print(version({peer!r}))"
    return subprocess.run(
        [environment(peer) / "python", "-c", ask],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


if __name__ == "__main__":
    main("--quick" in sys.argv)
