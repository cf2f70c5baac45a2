"""Requests a second, and what they cost: the service under uwsgi.ini between its ceiling and its floor, and beside a peer.

`make bench-quick` asks the service and a Flask view that returns a constant under the same uWSGI, and calls the model in process.
`make bench` asks as well a service as one writes it by hand with FastAPI, in a virtual environment of its own. Needs wrk.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import Request, urlopen

import joblib
import numpy as np
import pandas as pd

from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).parent.parent
PEERS = Path(__file__).parent / "peers"
PROCESSES, CONNECTIONS = 2, 8
# wrk's own thread takes part of a processor; each server has the same.
LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}"); wrk.body = file:read("*a"); file:close()
"""


@dataclass
class Figures:
    """What one contender reached in each round: requests a second, and processor milliseconds for each."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    errors: int = 0


@dataclass(frozen=True)
class Server:
    """A running server, and the address to ask."""

    url: str
    process: subprocess.Popen[bytes]

    def ask(self, body: bytes) -> Any:
        with urlopen(Request(self.url, body, {"Content-Type": "application/json"}), timeout=60) as response:  # noqa: S310
            return json.load(response)

    def processor_seconds(self) -> float:
        """Spent by the process and those it started, so far."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:  # their process group
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], folder: Path, url: str, environ: dict[str, str]) -> Iterator[Server]:
    """A server in a process group of its own, once it answers, until the block ends."""
    with (folder / f"{url.split(':')[2].split('/', maxsplit=1)[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield Server(url, process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def contenders(folder: Path, workload: Workload, peers: bool, stack: ExitStack) -> dict[str, Server]:
    """The servers, each of which has answered as the model does."""
    uwsgi = [str(Path(sys.executable).with_name("uwsgi")), "--ini", str(ROOT / "uwsgi.ini")]
    environ = {"WORKERS": str(PROCESSES), "PYTHONPATH": str(ROOT), "MODEL_FOLDER": str(folder), "OMP_NUM_THREADS": "1"}
    service = environ | {"PORT": "5101"}
    constant = environ | {"PORT": "5102", "PYTHONPATH": str(PEERS), "CONSTANT": str(folder / "answer.json")}
    (folder / "constant.ini").write_text(
        (ROOT / "uwsgi.ini").read_text().replace("service:application", "constant:application")
    )
    started = {
        "service": (uwsgi, f"http://127.0.0.1:5101/predict{workload.query}", service),
        "constant view": ([*uwsgi[:2], str(folder / "constant.ini")], "http://127.0.0.1:5102/predict", constant),
    }
    if peers:
        python = environment("fastapi", ["fastapi", "uvicorn[standard]", "scikit-learn", "pandas", "joblib", "shap"])
        options = [
            "--workers",
            str(PROCESSES),
            "--host",
            "127.0.0.1",
            "--port",
            "5103",
            "--log-level",
            "warning",
            "--no-access-log",
        ]
        command = [str(python), "-m", "uvicorn", "fastapi_service:app", *options]
        peer = environ | {"PYTHONPATH": str(PEERS), "MODEL": str(folder / "model.joblib")}
        started["FastAPI"] = (command, f"http://127.0.0.1:5103/predict{workload.query}", peer)
    servers = {name: stack.enter_context(running(command, folder, url, env)) for name, (command, url, env) in started.items()}
    for name, server in servers.items():
        answer = _first_answer(server, workload.body)
        if name != "constant view":
            workload.check(answer)
    return servers


def environment(name: str, packages: list[str]) -> Path:
    """The Python of a virtual environment with the packages, made if it is not there."""
    folder = ROOT / ".venv" / f"bench-{name}"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", *packages], check=True)
        (folder / "done").touch()
    return folder / "bin" / "python"


def load(server: Server, folder: Path, body: bytes, seconds: int, figures: Figures) -> None:
    """One round of wrk; its figures are added."""
    (folder / "body.json").write_bytes(body)
    (folder / "post.lua").write_text(LUA.format(body=folder / "body.json"))
    before = server.processor_seconds()
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(folder / "post.lua"), server.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = int(re.findall(r"(\d+) requests in", said)[0])
    figures.rates.append(float(re.findall(r"Requests/sec: *([\d.]+)", said)[0]))
    figures.costs.append((server.processor_seconds() - before) / max(requests, 1) * 1e3)
    figures.errors += sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))


def in_process(workload: Workload, seconds: float) -> float:
    """Calls of the model a second, without any service, in one process."""
    columns = pd.DataFrame(workload.records) if workload.named else np.array([list(r.values()) for r in workload.records])
    ask: Callable[[Any], Any] = workload.content["model"].predict_proba
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        ask(columns)
        calls += 1
    return calls / (time.perf_counter() - start)


def measure(workload: Workload, rounds: int, seconds: int, peers: bool) -> dict[str, Figures]:
    """Every contender's figures, in rounds that alternate."""
    figures = {"in process, two of them": Figures()}
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        joblib.dump(workload.content, folder / "model.joblib")
        (folder / "answer.json").write_bytes(workload.answer)
        servers = contenders(folder, workload, peers, stack)
        time.sleep(2)  # the service hastens its model
        for _ in range(rounds):
            for contender, server in servers.items():
                load(server, folder, workload.body, seconds, figures.setdefault(contender, Figures()))
            if not workload.query.endswith("explain=1"):
                figures["in process, two of them"].rates.append(PROCESSES * in_process(workload, 1))
    return {name: found for name, found in figures.items() if found.rates}


def table(name: str, figures: dict[str, Figures]) -> list[str]:
    """The rows of a Markdown table for one workload."""
    own = median(figures["service"].rates)
    rows = []
    for contender, found in figures.items():
        spread = f"{median(found.rates):,.0f} ({min(found.rates):,.0f} to {max(found.rates):,.0f})"
        cost = f"{median(found.costs):.2f}" if found.costs else ""
        errors = str(found.errors) if found.errors else ""
        rows.append(f"| {name} | {contender} | {spread} | {cost} | {own / median(found.rates):.2f} | {errors} |")
    return rows


def _first_answer(server: Server, body: bytes) -> Any:
    end = time.monotonic() + 60
    while True:
        try:
            return server.ask(body)
        except OSError:
            if time.monotonic() > end or server.process.poll() is not None:
                raise
            time.sleep(0.2)


def main(quick: bool) -> None:
    """Print the table, and write it for the docs unless it was a quick look."""
    lines = [
        "| Workload | Server | Requests a second | CPU ms each | The service is times as fast | Errors |",
        "| --- " * 6 + "|",
    ]
    print("\n".join(lines))
    for workload in [one for one in WORKLOADS if one.quick or not quick]:
        rows = table(workload.name, measure(workload, 3 if quick else 5, 2 if quick else 4, not quick))
        print("\n".join(rows), flush=True)
        lines += rows
    if not quick:
        (ROOT / "docs" / "speed-table.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main("--quick" in sys.argv)
