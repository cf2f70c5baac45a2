"""Servers in processes of their own: started, asked, loaded with wrk, weighed, and killed with all that they started."""

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
from typing import Any
from urllib.request import Request, urlopen

CONNECTIONS = 8
SECONDS_TO_START = 120
Answer = tuple[list[list[float]], list[list[float]] | None]
LUA = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open("{body}"); wrk.body = file:read("*a"); file:close()
"""
# How many answers wrk read, how many of them were refusals, and what else failed.
COUNTED = (
    *(r"(\d+) requests in", r"Non-2xx or 3xx responses: (\d+)"),
    *(r"connect (\d+)", r"read (\d+)", r"write (\d+)", r"timeout (\d+)"),
)


@dataclass(frozen=True)
class Contender:
    """How a server is started, where and what it is asked, and how its answer is read: probabilities, and an explanation."""

    command: list[str]
    environ: dict[str, str]
    url: str
    body: Any
    read: Callable[[Any], Answer]


@dataclass(frozen=True)
class Server:
    """A running server."""

    contender: Contender
    process: subprocess.Popen[bytes]
    folder: Path

    def ask(self) -> Any:
        body = json.dumps(self.contender.body).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(self.contender.url, body, headers)  # noqa: S310
        with urlopen(request, timeout=SECONDS_TO_START) as response:  # noqa: S310
            return json.load(response)

    def load(self, seconds: int) -> tuple[int, float, int]:
        """The requests of some seconds of wrk, how many a second that are, and how many of them failed."""
        (self.folder / "body.json").write_text(json.dumps(self.contender.body))
        (self.folder / "post.lua").write_text(
            LUA.format(body=self.folder / "body.json")
        )
        # wrk's one thread takes its part of the processors from each server alike.
        options = [
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "10s",
            "-s",
            str(self.folder / "post.lua"),
        ]
        command = ["wrk", *options, self.contender.url]
        said = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout
        requests, *failed = [
            int(number) for pattern in COUNTED for number in re.findall(pattern, said)
        ]
        (rate,) = re.findall(r"Requests/sec: *([\d.]+)", said)
        return requests, float(rate), sum(failed)

    def settle(self) -> None:
        """Wait until it idles: the service proves its compiled model in the background."""
        before, end = -1.0, time.monotonic() + SECONDS_TO_START
        while (
            spent := self.processor_seconds()
        ) - before > 0.02 and time.monotonic() < end:
            before = spent
            time.sleep(0.5)

    def processor_seconds(self) -> float:
        """What all its processes have spent so far."""
        stats = processes()
        ticks = sum(sum(map(int, stats[pid][11:13])) for pid in self.pids(stats))
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """MiB of all its processes; what several share is counted once."""
        rolled = [
            Path(f"/proc/{pid}/smaps_rollup").read_text()
            for pid in self.pids(processes())
        ]
        return (
            sum(
                int(kilobytes)
                for text in rolled
                for kilobytes in re.findall(r"^Pss: *(\d+)", text, re.MULTILINE)
            )
            / 1024
        )

    def pids(self, stats: dict[int, list[str]]) -> list[int]:
        """Its process and all that descend from it, parents first; some are in sessions of their own."""
        found = [self.process.pid]
        for parent in found:
            found += [pid for pid, fields in stats.items() if int(fields[1]) == parent]
        return found

    def kill(self) -> None:
        # Parents first, so that none starts a killed child again.
        for pid in self.pids(processes()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def processes() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat from the state on, of all that run."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            found[int(stat.parent.name)] = stat.read_text().rpartition(")")[2].split()
    return {pid: fields for pid, fields in found.items() if fields[0] != "Z"}


@contextmanager
def running(contender: Contender, folder: Path) -> Iterator[Server]:
    """A server, once it answers, until the block ends; the folder is for what it leaves."""
    folder.mkdir(exist_ok=True)
    # Threads of BLAS would only get into the way of the other process.
    own = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(folder),
        "OMP_NUM_THREADS": "1",
    }  # the caller's settings are not measured
    environ = own | contender.environ
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            contender.command, cwd=folder, env=environ, stdout=log, stderr=log
        )
    server = Server(contender, process, folder)
    try:
        _await(server)
        yield server
    finally:
        server.kill()


def _await(server: Server) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            server.ask()
        except OSError as error:
            if time.monotonic() > end or server.process.poll() is not None:
                raise RuntimeError((server.folder / "log").read_text()) from error
            time.sleep(0.01)
        else:
            return
