"""Servers in processes of their own: started, called, loaded with wrk, measured and killed."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias
from urllib.request import Request, urlopen

from benchmarks.workloads import Numbers

CONNECTIONS = 8
START_SECONDS = 120
RETRY_SECONDS = 0.01
IDLE_CHECK_SECONDS = 0.5
IDLE_PROCESSOR_SECONDS = 0.02  # between two checks

LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}"); wrk.body = file:read("*a"); file:close()
"""
REQUESTS = r"(\d+) requests in"
RATE = r"Requests/sec: *([\d.]+)"
# Refusals, and whatever else may fail. wrk leaves out what did not happen.
FAILURES = (
    r"Non-2xx or 3xx responses: (\d+)",
    r"connect (\d+)",
    r"read (\d+)",
    r"write (\d+)",
    r"timeout (\d+)",
)

Answer: TypeAlias = tuple[Numbers, Numbers | None]
"""Probabilities, and an explanation if there is one."""

Stats: TypeAlias = dict[int, list[str]]
"""The fields of /proc/PID/stat, from the state on, by the process."""
STATE = 0
PARENT = 1
TICKS = slice(11, 13)  # in user mode, and in the kernel


@dataclass(frozen=True)
class Contender:
    """How to start a server, where to send which body, and how to read what comes back."""

    command: list[str]
    environ: dict[str, str]
    url: str
    body: Any
    read: Callable[[Any], Answer]


class Load(NamedTuple):
    """What wrk reports."""

    requests: int
    rate: float
    """Requests per second."""
    failed: int


@dataclass(frozen=True)
class Server:
    """A running server."""

    contender: Contender
    process: subprocess.Popen[bytes]
    folder: Path

    def call(self) -> Any:
        """Return the content of a response, decoded from JSON."""
        body = json.dumps(self.contender.body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self.contender.url, body, headers)  # noqa: S310
        with urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310
            return json.load(response)

    def load(self, seconds: int) -> Load:
        """Return what wrk reports after it has sent as many requests as it can."""
        body = self.folder / "body.json"
        script = self.folder / "post.lua"
        body.write_text(json.dumps(self.contender.body))
        script.write_text(LUA.format(body=body))
        # wrk's one thread takes its part of the processors from each server alike.
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
        command += ["--timeout", "10s", "-s", str(script), self.contender.url]
        finished = subprocess.run(
            command, capture_output=True, text=True, check=True
        )
        report = finished.stdout
        (requests,) = re.findall(REQUESTS, report)
        (rate,) = re.findall(RATE, report)
        failed = 0
        for pattern in FAILURES:
            failed += sum(map(int, re.findall(pattern, report)))
        return Load(int(requests), float(rate), failed)

    def settle(self) -> None:
        """Wait until it idles: the service makes and proves a compiled copy in the background."""
        end = time.monotonic() + START_SECONDS
        before = -1.0
        spent = self.processor_seconds()
        while (
            spent - before > IDLE_PROCESSOR_SECONDS and time.monotonic() < end
        ):
            time.sleep(IDLE_CHECK_SECONDS)
            before = spent
            spent = self.processor_seconds()

    def processor_seconds(self) -> float:
        """Return the time that all its processes have spent so far."""
        stats = read_stats()
        ticks = 0
        for pid in self.pids(stats):
            ticks += sum(map(int, stats[pid][TICKS]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the MiB of all its processes; what several share is counted once."""
        kilobytes = 0
        for pid in self.pids(read_stats()):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            sizes = re.findall(r"^Pss: *(\d+)", rollup, re.MULTILINE)
            kilobytes += sum(map(int, sizes))
        return kilobytes / 1024

    def pids(self, stats: Stats) -> list[int]:
        """Return its process and all that descend from it, parents first.

        Some are in sessions of their own, so that its process group is not enough.
        """
        family = [self.process.pid]
        for parent in family:
            for pid, fields in stats.items():
                if int(fields[PARENT]) == parent:
                    family.append(pid)
        return family

    def kill(self) -> None:
        """Kill all its processes."""
        # Parents first, so that none starts a killed child again.
        for pid in self.pids(read_stats()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def read_stats() -> Stats:
    """Return the fields of all processes that run."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            # The name before the state is in parentheses, and may hold anything.
            fields = path.read_text().rpartition(")")[2].split()
            if fields[STATE] != "Z":
                stats[int(path.parent.name)] = fields
    return stats


@contextmanager
def running(contender: Contender, folder: Path) -> Iterator[Server]:
    """Run a server until the block ends, which begins with its first response.

    The folder is for the files that it leaves.
    """
    folder.mkdir(exist_ok=True)
    # Nothing else of this environment: its settings are not measured.
    # The threads of BLAS would only get into the way of the other process.
    own = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
    }
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            contender.command,
            cwd=folder,
            env=own | contender.environ,
            stdout=log,
            stderr=log,
        )
    server = Server(contender, process, folder)
    try:
        _wait_for_response(server)
        yield server
    finally:
        server.kill()


def _wait_for_response(server: Server) -> None:
    """Raise RuntimeError with the server's log if it ends, or sends no response in time."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.call()
        except OSError as error:
            has_ended = server.process.poll() is not None
            if has_ended or time.monotonic() > end:
                raise RuntimeError(
                    (server.folder / "log").read_text()
                ) from error
            time.sleep(RETRY_SECONDS)
        else:
            return
