"""Requests per second, and what they cost: the service between its ceiling and its floor.

`make bench-quick` measures the service under uwsgi.ini, a view of Flask that returns a constant
under the same uWSGI, and the model called in process.
`make bench` measures its peers as well, each in a virtual environment of its own, and writes the
table and the picture of docs/speed.md.
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
from typing import NamedTuple

from benchmarks.contenders import CONTENDERS, PROCESSES, environment, prepare
from benchmarks.servers import CONNECTIONS, Server, running
from benchmarks.workloads import ROOT, Workload, workloads

DOCS = ROOT / "docs"
FLOOR = "model in process"
HEAD = """| Workload | Server | Requests a second | CPU ms each | The service is times as fast | Errors |
| --- | --- | --: | --: | --: | --: |"""
OWN_PACKAGES = ("scikit-learn", "numpy", "flask", "pyuwsgi")
PEER_PACKAGES = ("fastapi", "mlflow", "bentoml")


class Plan(NamedTuple):
    """Which contenders are measured, and for how long."""

    names: tuple[str, ...]
    rounds: int
    seconds: int
    """The length of a round."""


QUICK = Plan(("service", "constant view"), rounds=3, seconds=1)
FULL = Plan(tuple(CONTENDERS), rounds=5, seconds=3)


@dataclass
class Figures:
    """What one contender reached in each round."""

    rates: list[float] = field(default_factory=list)
    """Requests per second."""
    costs: list[float] = field(default_factory=list)
    """Milliseconds of a processor for a request; none for the model in process."""
    errors: int = 0

    def add_round(self, server: Server, seconds: int) -> None:
        """Load the server, and add what it reached."""
        before = server.processor_seconds()
        load = server.load(seconds)
        spent = server.processor_seconds() - before
        self.rates.append(load.rate)
        self.costs.append(spent / max(load.requests, 1) * 1e3)
        self.errors += load.failed


@dataclass(frozen=True)
class InProcess:
    """The model itself, called in as many processes as a server has."""

    processes: list[subprocess.Popen[str]]

    def measure_rate(self, seconds: float) -> float:
        """Return the calls per second of all processes together."""
        for process in self.processes:
            print(seconds, file=process.stdin, flush=True)
        return sum(float(_read_line(process)) for process in self.processes)


@contextmanager
def in_process(workload: Workload) -> Iterator[InProcess]:
    """Run the processes until the block ends, which begins after their first calls."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.in_process",
        str(workload.folder),
    ]
    environ = os.environ | {"OMP_NUM_THREADS": "1"}
    with ExitStack() as stack:
        processes = []
        for _ in range(int(PROCESSES)):
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environ,
            )
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        for process in processes:
            _read_line(process)
        yield InProcess(processes)


def measure(workload: Workload, plan: Plan) -> dict[str, Figures]:
    """Return the figures of the servers and of the floor, in rounds that alternate.

    Raises ValueError if a server does not answer what the model predicts, before or after.
    """
    with ExitStack() as stack:
        servers = {}
        for name in plan.names:
            contender = CONTENDERS[name](workload)
            if contender is not None:
                context = running(contender, workload.folder / name)
                servers[name] = stack.enter_context(context)
        floor = stack.enter_context(in_process(workload))
        for server in servers.values():
            server.settle()
        figures = {name: Figures() for name in [*servers, FLOOR]}
        _check(workload, servers)
        for _ in range(plan.rounds):
            for name, server in servers.items():
                figures[name].add_round(server, plan.seconds)
            figures[FLOOR].rates.append(floor.measure_rate(plan.seconds / 2))
        _check(workload, servers)
    return figures


def _check(workload: Workload, servers: dict[str, Server]) -> None:
    for name, server in servers.items():
        if name == "constant view":
            continue
        probabilities, explanation = server.contender.read(server.call())
        workload.check(probabilities, explanation)


def rows(workload_name: str, figures: dict[str, Figures]) -> list[str]:
    """Return the rows of the table for one workload."""
    service_rate = median(figures["service"].rates)
    lines = []
    for name, reached in figures.items():
        rate = median(reached.rates)
        ratio = ""
        if rate and name != "service":
            ratio = f"{service_rate / rate:.2f}"
        cells = [
            workload_name,
            name,
            _spread(reached.rates),
            _cost(reached),
            ratio,
        ]
        lines.append(f"| {' | '.join(cells)} | {_errors(reached)} |")
    return lines


def _spread(rates: list[float]) -> str:
    middle = _number(median(rates))
    return f"{middle} ({_number(min(rates))} to {_number(max(rates))})"


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 20 else f"{rate:.1f}"


def _cost(figures: Figures) -> str:
    return f"{median(figures.costs):.2f}" if figures.costs else ""


def _errors(figures: Figures) -> str:
    """Return the number of errors, in bold if there are any; nothing for the model in process."""
    if figures.errors:
        return f"**{figures.errors}**"
    return "0" if figures.costs else ""


def conditions() -> str:
    """Return a sentence on the machine and the versions that were measured."""
    date = time.strftime("%Y-%m-%d")
    n_processors = len(os.sched_getaffinity(0))
    python = platform.python_version()
    own = [f"{name} {version(name)}" for name in OWN_PACKAGES]
    peers = [f"{name} {_peer_version(name)}" for name in PEER_PACKAGES]
    return (
        f"Measured on {date} on {n_processors} processors ({_processor()}) "
        f"with Python {python}, {', '.join([*own, *peers])}."
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def _peer_version(peer: str) -> str:
    code = f"from importlib.metadata import version; print(version({peer!r}))"
    command = [str(environment(peer) / "python"), "-c", code]
    finished = subprocess.run(
        command, check=True, capture_output=True, text=True
    )
    return finished.stdout.strip()


def _read_line(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline() if process.stdout else ""


def main(quick: bool) -> None:
    """Print the table; write it and the picture for the docs, unless it was a quick look."""
    prepare()
    plan = QUICK if quick else FULL
    print(HEAD)
    table = [HEAD]
    rates = {}
    with TemporaryDirectory() as folder:
        for workload in workloads(Path(folder)):
            if quick and not workload.quick:
                continue
            figures = measure(workload, plan)
            lines = rows(workload.name, figures)
            print("\n".join(lines), flush=True)
            table += lines
            rates[workload.name] = {
                name: reached.rates for name, reached in figures.items()
            }
    if quick:
        return
    from benchmarks.picture import draw

    text = "\n".join([*table, "", conditions()])
    (DOCS / "speed-table.md").write_text(text + "\n")
    label = (
        f"requests a second, {PROCESSES} processes, {CONNECTIONS} connections"
    )
    draw(rates, label, DOCS / "speed.png")


if __name__ == "__main__":
    main("--quick" in sys.argv)
