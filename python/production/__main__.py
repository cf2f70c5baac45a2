"""Production: uWSGI under its supervisor, with a copy of the model file, which a new file replaces once it has proven itself.

A container runs `python -m python.production` and one of `serve`, `swap` and `ready`.
"""

import fcntl
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NoReturn

from python.errors import ArtifactError
from python.model import FAMILIES, load_model
from python.settings import PROJECT, Settings, SettingsError

RUN = Path("/run/service")  # writable, and this service's alone
SECONDS_TO_SWAP = 900


def serve() -> NoReturn:
    """Become the supervisor of uWSGI, with a copy of the model file, and a socket that takes no connections yet."""
    settings = Settings.from_environ(os.environ, FAMILIES)
    live = _copy(settings, "live")
    environ = {
        "SERVICE_LISTENER": str(_bound(settings).detach()),
        "MODEL_FOLDER": str(RUN / "live"),
        "MODEL_NAME": str(live.relative_to(RUN / "live")),
        "SERVICE_STATISTICS": str(RUN / "uwsgi.stats"),
        "WORKERS": str(settings.workers or _processors()),
        "THREADS": str(settings.threads),
        "REQUEST_TIMEOUT": str(settings.request_timeout),
    }
    uwsgi = Path(sys.executable).with_name("uwsgi")
    os.chdir(PROJECT)
    command = [
        sys.executable,
        "-m",
        "python.production.supervisor",
        str(uwsgi),
        "--ini",
        "uwsgi.ini",
    ]
    os.execve(sys.executable, command, {**os.environ, **environ})  # noqa: S606


def swap() -> None:
    """Serve the model file as it is now from each worker, one after the other; only if it loads and predicts.

    Raises ArtifactError if it does not, and the old one is served on.
    """
    settings = Settings.from_environ(os.environ, FAMILIES)
    with _alone():
        candidate, live = _place(settings, "candidate"), _place(settings, "live")
        try:
            load_model(_copy(settings, "candidate"), settings.model_type, settings.model_sha256)
        except BaseException:
            candidate.unlink(missing_ok=True)  # it would take memory
            raise
        _await_workers(
            lambda _: True
        )  # uWSGI passes over those that have not loaded the old one yet
        before = {worker["pid"] for worker in _status()["workers"]}
        # uWSGI watches the time of the file, in whole seconds.
        later = max(time.time(), live.stat().st_mtime + 1)
        os.utime(candidate, (later, later))
        candidate.replace(live)
        _await_workers(lambda worker: worker["pid"] not in before)


def ready() -> None:
    """End with 0 if the service answers that it is ready, or is too busy to say so; with 1 otherwise.

    It takes connections only once it is ready, and a request that hangs is uWSGI's to end.
    """
    settings = Settings.from_environ(os.environ, FAMILIES)
    connection = HTTPConnection("127.0.0.1", settings.port, timeout=4)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        sys.exit(None if answer.status == 200 else answer.read().decode())
    except TimeoutError:
        return
    except (OSError, HTTPException) as error:
        sys.exit(f"not ready: {error}")


def _place(settings: Settings, folder: str) -> Path:
    name = Path(settings.model_name)
    return RUN / folder / (name.name if name.is_absolute() or ".." in name.parts else name)


def _copy(settings: Settings, folder: str) -> Path:
    copy = _place(settings, folder)
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(settings.model_path, copy)
    except OSError as error:
        raise ArtifactError(
            f"{settings.model_name} cannot be copied: {error.strerror or error}"
        ) from error
    return copy


def _bound(settings: Settings) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM
    )[0]
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.set_inheritable(True)
    return listener


def _processors() -> int:
    import joblib  # it knows of affinity and of a container's limits; the health check does without

    return int(joblib.cpu_count())


@contextmanager
def _alone() -> Iterator[None]:
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _status() -> Any:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(RUN / "uwsgi.stats"))
        with connection.makefile("rb") as file:
            return json.load(file)


def _await_workers(changed: Callable[[Any], bool]) -> None:
    end = time.monotonic() + SECONDS_TO_SWAP
    while not all(worker["accepting"] and changed(worker) for worker in _status()["workers"]):
        if time.monotonic() > end:
            raise TimeoutError(
                f"the workers have not been replaced after {SECONDS_TO_SWAP} seconds"
            )
        time.sleep(0.2)


def main(verb: str) -> None:
    """Do what the verb says; what cannot be done ends with one sentence, and another status than 0."""
    try:
        {"serve": serve, "swap": swap, "ready": ready}[verb]()
    except (ArtifactError, SettingsError, OSError) as error:
        sys.exit(_told(f"{verb} failed: {error}"))


def _told(sentence: str) -> str:
    """The sentence, written to uWSGI's log as well where another process than uWSGI's own says it."""
    with suppress(OSError), Path(f"/proc/{_status()['pid']}/fd/2").open("a") as log:
        log.write(f"{sentence}\n")
    return sentence


if __name__ == "__main__":
    main(sys.argv[1])
