"""A stack of containers, as a user starts it, and clients that load it while something happens to it."""

import json
import random
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from typing import Any

import joblib

from tests.discretion import check_log, note_sent
from tests.models import ROOT
from tests.servers import ENVIRON

QUIET: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
PIPED: Any = {
    "stdout": subprocess.PIPE,
    "stderr": subprocess.STDOUT,
    "text": True,
}
IMAGE = "ml-model-deployment-test"
FILES = (
    *(
        "service.py",
        "python",
        "model_code",
        "variables.env",
        "uwsgi.ini",
        "Makefile",
        "requirements.txt",
        "requirements-service.txt",
        "requirements.lock",
    ),
    *(
        "Dockerfile",
        ".dockerignore",
        "docker-compose.yml",
        "docker-compose-production.yml",
        "nginx",
        "haproxy",
        "models/README.md",
    ),
)
SECONDS_TO_START = 120
KEPT_LINES = 20_000
FEWEST_REQUESTS, MOST_REQUESTS = 100, 50_000
# Some hundreds of requests a second: more would take the processor from what is being tested.
SECONDS_BETWEEN_REQUESTS = 0.02
COMPOSE = (
    ["docker", "compose"]
    if not subprocess.call(["docker", "compose", "version"], **QUIET)
    else ["docker-compose"]
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int, path: str, body: bytes | None = None, **headers: str
) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        return _answer(connection, path, body, headers)
    finally:
        connection.close()


def _answer(
    connection: HTTPConnection,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    note_sent(path, body, headers)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET" if body is None else "POST", path, body, named)
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def docker(*arguments: str, check: bool = True) -> str:
    """What the command prints, on either stream."""
    done = subprocess.run(
        ["docker", *arguments], check=False, **PIPED, timeout=600
    )
    assert not check or done.returncode == 0, done.stdout
    return str(done.stdout).strip()


def freeze(container: str) -> None:
    """Pause a container; the kernel does not manage that every time."""
    for _ in range(10):
        docker("pause", container, check=False)
        if inspect(container, ".State.Paused"):
            return
        time.sleep(0.5)
    raise AssertionError(f"{container} cannot be paused")


def inspect(container: str, template: str) -> Any:
    return json.loads(
        docker("inspect", "--format", f"{{{{json {template}}}}}", container)
    )


@dataclass
class Load:
    """What the clients got: how many answers of each status and version, and everything that was not an answer."""

    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    bodies: set[bytes] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    @property
    def versions(self) -> set[str]:
        return {version for _, version in self.answers}

    def assert_nothing_lost(self) -> None:
        assert not self.failures
        assert {status for status, _ in self.answers} == {200}
        assert self.answers.total() > FEWEST_REQUESTS


def published_port() -> int:
    """Return a free port that the system gives to no client: it would be taken until the stack is up."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@dataclass
class Stack:
    """A copy of the project, whose containers are this test's own."""

    folder: Path
    name: str
    port: int = field(default_factory=published_port)
    file: str = "docker-compose-production.yml"
    image: str = IMAGE
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # pytest keeps its folders to itself, but the container's user reads the model.
        self.folder.chmod(0o755)
        for name in FILES:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            (self.folder / name).parent.mkdir(exist_ok=True)
            copy(source, self.folder / name)
        self.environ |= {
            "COMPOSE_PROJECT_NAME": self.name,
            "HTTP_PORT": str(self.port),
            "PORT": str(self.port),
            "IMAGE": self.image,
        }

    @property
    def model(self) -> Path:
        """Where the containers take the model."""
        if self.file == "docker-compose.yml":
            return self.folder / "model.joblib"
        return self.folder / "models" / "model.joblib"

    def put(self, content: Any) -> None:
        """A new model in its place, at once as a careful user has it."""
        self.model.parent.mkdir(exist_ok=True)
        new = self.model.with_name("next.joblib")
        joblib.dump(content, new)
        new.replace(self.model)

    def configure(self, **settings: object) -> None:
        lines = [
            line
            for line in (self.folder / "variables.env")
            .read_text()
            .splitlines()
            if line.split("=")[0] not in settings
        ]
        lines += [f"{name}={value}" for name, value in settings.items()]
        (self.folder / "variables.env").write_text("\n".join(lines) + "\n")

    def run(
        self, *command: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """The command, run in the folder."""
        environ = ENVIRON | self.environ
        done = subprocess.run(
            command,
            check=False,
            cwd=self.folder,
            env=environ,
            **PIPED,
            timeout=900,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def compose(self, *arguments: str, check: bool = True) -> str:
        return self.run(
            *COMPOSE, "--file", self.file, *arguments, check=check
        ).stdout

    def up(self, replicas: int = 2) -> None:
        """Start, and wait until it is ready."""
        self.compose(
            "up", "--detach", "--no-build", "--scale", f"service={replicas}"
        )
        self.wait()
        self.settle(replicas)

    def settle(self, replicas: int) -> None:
        """Wait until so many replicas are healthy, and there are no others."""
        self.until(
            lambda: (
                [self.health(one) for one in self.replicas()]
                == ["healthy"] * replicas
            )
        )

    def wait(self, path: str = "/ready", status: int = 200) -> None:
        self.until(lambda: self.status(path) == status)

    def until(
        self,
        condition: Any,
        seconds: float = SECONDS_TO_START,
        # To ask the engine takes a tenth of a second of a processor.
        pause: float = 0.5,
    ) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.logs()
            time.sleep(pause)

    def status(self, path: str) -> int | None:
        try:
            return self.ask(path).status
        except (OSError, HTTPException):
            return None

    def ask(
        self, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        return ask(self.port, path, body, **headers)

    def replicas(self, service: str = "service") -> list[str]:
        labels = [
            f"label=com.docker.compose.project={self.name}",
            f"label=com.docker.compose.service={service}",
        ]
        return docker(
            "ps",
            "--all",
            "--quiet",
            *(word for label in labels for word in ("--filter", label)),
        ).split()

    def health(self, container: str) -> str:
        return str(inspect(container, ".State.Health").get("Status"))

    def logs(self, service: str = "") -> str:
        return self.compose(
            "logs",
            "--no-color",
            "--tail",
            str(KEPT_LINES),
            *([service] if service else []),
        )

    def versions(self) -> set[str]:
        return {
            self.ask("/health").headers["X-Model-Version"] for _ in range(40)
        }

    def down(self) -> None:
        log = self.logs()
        self.compose("down", "--volumes", "--timeout", "1", check=False)
        check_log(log)

    @contextmanager
    def load(
        self, body: bytes, path: str = "/predict", clients: int = 6
    ) -> Iterator[Load]:
        """Clients that ask one request after the other on connections that are kept, until the block ends."""
        load, stop = Load(), threading.Event()
        threads = [
            threading.Thread(
                target=self._client, args=(path, body, load, stop)
            )
            for _ in range(clients)
        ]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.5)
            yield load
            self.until(
                lambda: (
                    load.answers.total() > FEWEST_REQUESTS or load.failures
                ),
                30,
            )
            time.sleep(0.5)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _client(
        self, path: str, body: bytes, load: Load, stop: threading.Event
    ) -> None:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not stop.is_set() and load.answers.total() < MOST_REQUESTS:
            try:
                answer = _answer(connection, path, body, {})
                load.answers[
                    answer.status, answer.headers.get("X-Model-Version", "")
                ] += 1
                load.bodies.add(answer.body)
            except (OSError, HTTPException) as error:
                load.failures.append(repr(error))
                connection.close()
            time.sleep(SECONDS_BETWEEN_REQUESTS)
        connection.close()
