"""The deployment as whoever operates it sees it: `swap`, `rollback` and `models` for all replicas.

`serve` serves without containers, `place` copies a new model to where containers take it.

`make` starts it where the containers are started, or where uWSGI runs without any. It needs nothing
but Python.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, NoReturn

from python.production.shelf import Shelf, read_digest

PROJECT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = ("python", "-m", "python.production")
LOCAL = "uWSGI"
# Production serves the models in this folder, and nothing else of the project can be read there.
MODELS = "models"
MEBIBYTE = 1024 * 1024
SHOWN_DIGITS = 12
LOOPBACK = ("", "127.0.0.1", "::1", "localhost")
UNPROTECTED = (
    "HOST is {}: whoever sends a request slowly holds a worker. Let nginx on this machine receive "
    "the requests, and uWSGI listen on 127.0.0.1 (docs/production.md)"
)


class DeploymentError(Exception):
    """The deployment is left as it is, for the reason in the text."""


class Replica(NamedTuple):
    """A running replica, and the beginning of a command that runs in it."""

    name: str
    command: Sequence[str]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run a verb of `python.production` to its end."""
        return subprocess.run(  # noqa: S603
            [*self.command, *arguments],
            cwd=PROJECT,
            env={"MODEL_FOLDER": MODELS, **read_environ()},
            stdout=subprocess.PIPE,
            check=False,
        )

    def swap(self, path: Path, sha256: str) -> bool:
        """Let the replica serve a model from the shelf; return whether it does."""
        file = f"{path.parent.name}/{path.name}"
        if self.run("swap", file, sha256).returncode != 0:
            return False
        # The code in a file can end the process that loads it, with any status.
        return self.read_version() == read_digest(path)

    def read_version(self) -> str:
        """Return the SHA-256 of the model that is served."""
        return self.run("version").stdout.decode().strip()


def read_environ() -> dict[str, str]:
    """Return the variables of `variables.env`, of Compose's `.env` and of the environment.

    Of several values, the last one is taken that is not empty.
    """
    environ: dict[str, str] = {}
    for file in (PROJECT / "variables.env", PROJECT / ".env"):
        lines = file.read_text().splitlines() if file.exists() else []
        for line in lines:
            name, _, value = line.partition("=")
            if value.strip() and not name.startswith("#"):
                environ[name.strip()] = value.strip()
    for name, value in os.environ.items():
        if value:
            environ[name] = value
    return environ


def find_shelf() -> Shelf:
    """Return the shelf beside the model of the settings."""
    environ = read_environ()
    folder = PROJECT / environ.get("MODEL_FOLDER", MODELS)
    return Shelf(folder / environ.get("MODEL_NAME", "model.joblib"))


def place() -> None:
    """Copy the model in the project's folder to where production takes it, unless it was copied.

    A model that was dropped there once does not come back after a swap or a rollback. The first one
    does not replace another that somebody has put there. With a `MODEL_FOLDER` of the settings,
    nothing is copied.
    """
    environ = read_environ()
    dropped = PROJECT / environ.get("MODEL_NAME", "model.joblib")
    shelf = find_shelf()
    is_elsewhere = "MODEL_FOLDER" in environ or shelf.model == dropped
    if is_elsewhere or not dropped.is_file():
        return
    shelf.folder.mkdir(parents=True, exist_ok=True)
    with shelf.locked():
        _place(shelf, dropped)


def _place(shelf: Shelf, dropped: Path) -> None:
    is_there = shelf.model.exists()
    if is_there and shelf.remembers(dropped):
        return
    if not is_there or shelf.remembers_any():
        shelf.drop(dropped)
        print(f"{dropped.name} is copied to {MODELS}/, which is served")
        return
    shelf.remember(dropped)
    if read_digest(dropped) != read_digest(shelf.model):
        print(
            f"{dropped.name} is not served: {MODELS}/ had another one before. "
            f"`make swap MODEL={dropped.name}` serves it, and so does saving it anew"
        )


def find_replicas() -> list[Replica]:
    """Return the replicas that run: containers of Compose, or else uWSGI on this machine.

    Raises DeploymentError if there is none.
    """
    replicas = []
    for container in _list_containers():
        command = ("docker", "exec", container, *PRODUCTION)
        replicas.append(Replica(container[:SHOWN_DIGITS], command))
    if not replicas:
        local = Replica(LOCAL, [sys.executable, *PRODUCTION[1:]])
        if local.run("version").returncode == 0:
            replicas.append(local)
    if not replicas:
        raise DeploymentError("no replica of the service is running")
    return replicas


def _list_containers() -> list[str]:
    """Return the containers of the service that run; none where there is no Docker."""
    compose = shlex.split(os.environ.get("PRODUCTION", ""))
    if not compose:
        return []
    listed = _read([*compose, "ps", "--quiet", "service"]).split()
    if not listed:
        return []
    form = "{{.State.Status}} {{.Id}}"
    states = _read(["docker", "inspect", "--format", form, *listed])
    running = []
    for line in states.splitlines():
        status, _, container = line.partition(" ")
        if status == "running":
            running.append(container)
    return running


def _read(command: list[str]) -> str:
    try:
        process = subprocess.run(  # noqa: S603
            command, cwd=PROJECT, capture_output=True, text=True, check=False
        )
    except OSError:  # there is no such program
        return ""
    return process.stdout


def swap(file: str = "", sha256: str = "") -> None:
    """Serve a model file, or the one in its place, from every replica; else change nothing.

    `sha256` is what the file must have; a replica with `MODEL_SHA256` needs to be told.
    Raises DeploymentError if a replica refuses the file. Then all serve what they did, and so does
    a restart.
    """
    if not file:
        place()
    shelf = find_shelf()
    replicas = find_replicas()
    path = Path(file) if file else shelf.model
    if not path.is_file():
        raise DeploymentError(f"there is no file {path}")
    if sha256 and read_digest(path) != sha256.lower():
        raise DeploymentError(f"the SHA-256 of {path} is {read_digest(path)}")
    with shelf.locked():
        served = _keep_served(shelf, replicas[0])
        is_new = not shelf.path(read_digest(path)).exists()
        digest = shelf.put(path)
        if not _swap_all(shelf, replicas, digest, sha256):
            _restore(shelf, replicas, served)
            if is_new:
                shelf.path(digest).unlink()
            raise DeploymentError(
                f"{path} was refused; {served[:SHOWN_DIGITS]} is served as before"
            )
        shelf.place(digest)
        # Somebody may have put another file into the place, and restarted.
        history = [*shelf.read_history(), served, digest]
        shelf.write_history(_without_repetitions(history))
    _say_served(digest, sha256)


def rollback(sha256: str = "") -> None:
    """Serve the model that was served before from every replica; arguments as for `swap`."""
    shelf = find_shelf()
    replicas = find_replicas()
    with shelf.locked():
        served = _keep_served(shelf, replicas[0])
        history = shelf.read_history()
        while history and history[-1] == served:
            history.pop()
        if not history or not shelf.path(history[-1]).exists():
            raise DeploymentError("no model was served before this one")
        digest = history[-1]
        if not _swap_all(shelf, replicas, digest, sha256):
            _restore(shelf, replicas, served)
            raise DeploymentError(
                f"{digest[:SHOWN_DIGITS]} was refused; "
                f"{served[:SHOWN_DIGITS]} is served as before"
            )
        shelf.place(digest)
        shelf.write_history(history)
    _say_served(digest, sha256)


def models() -> None:
    """Print the models that are kept, with their time and size, and who serves which."""
    shelf = find_shelf()
    served: dict[str, list[str]] = {}
    for replica in find_replicas():
        served.setdefault(replica.read_version(), []).append(replica.name)
    next_one = read_digest(shelf.model) if shelf.model.exists() else ""
    paths = shelf.list_models() if shelf.folder.exists() else []
    if next_one and shelf.path(next_one) not in paths:
        paths.insert(0, shelf.model)
    for path in paths:
        digest = read_digest(path)
        stat = path.stat()
        time = datetime.fromtimestamp(stat.st_mtime).astimezone()
        line = f"{digest}  {time:%Y-%m-%d %H:%M}  {stat.st_size / MEBIBYTE:.1f} MiB"
        if digest in served:
            line += f"  served by {', '.join(served[digest])}"
        if digest == next_one:
            line += "  (a restart takes it)"
        print(line)


def _keep_served(shelf: Shelf, replica: Replica) -> str:
    """Put the model that a replica serves on the shelf, if it is not there; return its SHA-256."""
    digest = replica.read_version()
    if not shelf.path(digest).exists():
        copy = shelf.folder / ".served"
        copy.write_bytes(replica.run("export").stdout)
        shelf.put(copy)
        copy.unlink()
    return digest


def _swap_all(
    shelf: Shelf, replicas: list[Replica], digest: str, sha256: str
) -> bool:
    """Return whether every replica serves the model; stop at the first one that does not."""
    path = shelf.path(digest)
    return all(replica.swap(path, sha256) for replica in replicas)


def _restore(shelf: Shelf, replicas: list[Replica], digest: str) -> None:
    """Let every replica, and a restart, serve the model that was served."""
    shelf.place(digest)
    for replica in replicas:
        if replica.read_version() != digest:
            replica.swap(shelf.path(digest), digest)


def _without_repetitions(digests: list[str]) -> list[str]:
    """Return the SHA-256 without those that follow themselves."""
    once = digests[:1]
    for digest in digests[1:]:
        if digest != once[-1]:
            once.append(digest)
    return once


def _say_served(digest: str, sha256: str) -> None:
    print(f"{digest} is served")
    pinned = read_environ().get("MODEL_SHA256", "")
    if sha256 and pinned and pinned != digest:
        print(
            f"set MODEL_SHA256={digest} in variables.env: until then, a restart takes {pinned}"
        )


def serve() -> NoReturn:
    """Serve from this machine, without containers, with the settings of `variables.env`.

    Nothing in front logs the requests, so that uWSGI does.
    """
    place()
    environ = {"MODEL_FOLDER": MODELS, **read_environ()}
    host = environ.get("HOST", "")
    if host not in LOOPBACK:
        print(UNPROTECTED.format(host), file=sys.stderr)
    os.chdir(PROJECT)
    command = [sys.executable, *PRODUCTION[1:], "serve"]
    os.execve(sys.executable, command, environ)  # noqa: S606


VERBS: dict[str, Callable[..., None]] = {
    "serve": serve,
    "swap": swap,
    "rollback": rollback,
    "models": models,
    "place": place,
}


def main(verb: str, arguments: list[str]) -> int:
    """Run a verb; return 0, or 1 after a sentence about what went wrong."""
    try:
        VERBS[verb](*arguments)
    except (DeploymentError, OSError) as error:
        print(f"{verb} failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], [word for word in sys.argv[2:] if word]))
