"""Real servers, started in processes of their own and reached over sockets."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from tests.discretion import check_log, note_sent
from tests.models import ROOT

# As a user's shell has it, also where make runs the tests.
ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("MAKE", "MFLAGS"))
}
SECONDS_TO_START = 60
SECONDS_BETWEEN_REQUESTS = 0.05
SECONDS_TO_END = 10
SECONDS_FOR_A_PROGRAM = 120
SETTINGS = (
    "service.py",
    "python",
    "model_code",
    "variables.env",
    "uwsgi.ini",
    "Makefile",
    "requirements.txt",
    "requirements-service.txt",
)


@dataclass
class Server:
    """A server that runs, and its log."""

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
        """Return the body of the first response that has the status and the one text only.

        Requests it again and again until the body has `containing` and not `differing`.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        last = ""
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                response_status, body = self.get(path)
            except (OSError, HTTPException) as error:
                # HTTPException: the server was starting anew while it responded.
                last = str(error)
            else:
                last = f"{response_status} {body}"
                fits = containing in body and differing not in body
                if response_status == status and fits:
                    return body
            time.sleep(SECONDS_BETWEEN_REQUESTS)
        raise AssertionError(f"{last}\n{self.log.read_text()}")

    def wait_for_workers(self, n_workers: int) -> None:
        """Wait until uWSGI has started so many: it may respond before the last one is there."""
        deadline = time.monotonic() + SECONDS_TO_START
        while self.count_workers() < n_workers:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(SECONDS_BETWEEN_REQUESTS)
        assert self.count_workers() == n_workers

    def count_workers(self) -> int:
        """Return how many workers uWSGI has started so far."""
        return self.log.read_text().count("spawned uWSGI worker")


def fetch(url: str, body: bytes | None = None) -> tuple[int, str]:
    note_sent(url, body)
    request = urllib.request.Request(
        url, body, {"Content-Type": "application/json"}
    )
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
                source,
                folder / name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )
        else:
            shutil.copy(source, folder / name)
    return folder


@contextmanager
def running(app: Flask) -> Iterator[str]:
    """Serve the app on a socket; yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Run a server that the handler makes; yield its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def started(
    command: list[str], folder: Path, **environ: Any
) -> Iterator[Server]:
    """Run the server that the command starts in the folder, and end all its processes.

    `environ` are settings besides those of the shell; None removes one.
    """
    port = free_port()
    log = folder / "server.log"
    log.write_bytes(b"")
    # Several processes write to it, each at its end.
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=server_environ(port, environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(process, port, log)
    finally:
        end(process)
        check_log(log.read_text(errors="replace"))


def server_environ(port: int, changes: Mapping[str, Any]) -> dict[str, str]:
    environ = ENVIRON | {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": "1",
        "THREADS": "1",
    }
    for name, value in changes.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = str(value)
    return environ


def end(process: subprocess.Popen[bytes]) -> None:
    """End the process and all that it started: politely, then by force."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                continue


def run_command(
    command: str, server: Server
) -> subprocess.CompletedProcess[str]:
    """Run a command of the documentation in a shell, against this server; it must succeed."""
    url = f"http://localhost:{server.port}"
    return subprocess.run(
        command.replace("http://localhost:5000", url),
        shell=True,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=True,
    )


def run_program(command: list[str], folder: Path) -> str:
    """Return what a program of the documentation prints, run in a folder; it must succeed."""
    run = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_FOR_A_PROGRAM,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


DEVELOPMENT = [sys.executable, "service.py"]
UWSGI = [str(Path(sys.executable).with_name("uwsgi")), "--ini", "uwsgi.ini"]
