"""Real servers, started in processes of their own and asked over sockets."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.models import ROOT

# As a user's shell has it, also where make runs the tests.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("MAKE", "MFLAGS"))
}
SECONDS_TO_START = 60
SETTINGS = (
    "service.py",
    "python",
    "variables.env",
    "uwsgi.ini",
    "Makefile",
    "requirements.txt",
    "requirements-service.txt",
)


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, path: str) -> tuple[int, str]:
        return fetch(f"http://127.0.0.1:{self.port}{path}")

    def post(self, path: str, body: bytes) -> tuple[int, str]:
        return fetch(f"http://127.0.0.1:{self.port}{path}", body)

    def wait(
        self,
        path: str = "/ready",
        status: int = 200,
        containing: str = "",
        differing: str = "\0",
    ) -> str:
        """Ask until the answer has the status and the one text, and has the other no more."""
        end = time.monotonic() + SECONDS_TO_START
        answer: tuple[int, str] | str = ""
        while time.monotonic() < end and self.process.poll() is None:
            try:
                answer = self.get(path)
            except (
                OSError,
                HTTPException,
            ) as error:  # HTTPException: it started anew while it answered
                answer = str(error)
            else:
                if (
                    answer[0] == status
                    and containing in answer[1]
                    and differing not in answer[1]
                ):
                    return answer[1]
            time.sleep(0.05)
        raise AssertionError(f"{answer}\n{self.log.read_text()}")


def fetch(url: str, body: bytes | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def fetch_headers(url: str) -> Message:
    with urllib.request.urlopen(url, timeout=30) as response:
        headers: Message = response.headers
    return headers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def project(folder: Path) -> Path:
    """A copy of what serves, so that a test may change it."""
    for name in SETTINGS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(source, folder / name)
    return folder


@contextmanager
def started(command: list[str], folder: Path, **environ: Any) -> Iterator[Server]:
    """The server that the command starts in the folder, ended with all its processes."""
    port = free_port()
    log = folder / "server.log"
    environment = ENVIRON | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": "1",
        "THREADS": "1",
    }
    environment |= {
        name: str(value) for name, value in environ.items() if value is not None
    }
    environment = {
        name: value
        for name, value in environment.items()
        if environ.get(name, value) is not None
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(process, port, log)
    finally:
        for number in (signal.SIGINT, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, number)
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    continue


DEVELOPMENT = [sys.executable, "service.py"]
UWSGI = [str(Path(sys.executable).with_name("uwsgi")), "--ini", "uwsgi.ini"]
