"""The commands of a replica: `python -m python.production` with `serve`, `swap` or `ready`.

`version` and `export` print the SHA-256, and the content, of the model file that is served.

uWSGI runs under a supervisor and serves a copy of the model file, the live one.
A swap copies the file anew, as the candidate, and puts it in the place of the live one
once it has been loaded and has predicted.
"""

import fcntl
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NoReturn

import msgspec

from python.errors import ArtifactError
from python.keys import Keys
from python.model import FAMILIES
from python.production.shelf import Shelf, read_digest
from python.settings import PROJECT, Settings, SettingsError

# A container can write here, and nothing else uses it. Without one, RUN_FOLDER names another.
RUN_FOLDER = PROJECT / os.environ.get("RUN_FOLDER", "/run/service")
SWAP_LIMIT_SECONDS = 900
POLL_SECONDS = 0.2
READY_TIMEOUT_SECONDS = (
    4  # The health check of the Dockerfile may take 5 seconds.
)


class Worker(msgspec.Struct):
    """A process of uWSGI that serves requests; `accepting` is 1 once it has loaded its model."""

    pid: int
    accepting: int


class Statistics(msgspec.Struct):
    """The part of uWSGI's statistics that is used here; `pid` is that of its first process."""

    pid: int
    workers: list[Worker]


def serve() -> NoReturn:
    """Become the supervisor of a uWSGI that serves a copy of the model file.

    The supervisor inherits a socket that is bound, but does not take connections yet.
    Raises SettingsError, ArtifactError if the file cannot be copied, and OSError if the address
    cannot be used.
    """
    settings = Settings.from_environ(os.environ, FAMILIES)
    # Faulty ones are said once, and not by each worker.
    Keys(settings, RUN_FOLDER / "keys")
    live = copy_approved(settings)
    environ = {
        **os.environ,
        **uwsgi_settings(settings, live),
        **bind_all(settings),
    }
    begin_anew()
    supervisor = [sys.executable, "-m", "python.production.supervisor"]
    uwsgi = [
        str(Path(sys.executable).with_name("uwsgi")),
        "--ini",
        "uwsgi.ini",
    ]
    os.chdir(PROJECT)
    os.execve(sys.executable, [*supervisor, *uwsgi], environ)  # noqa: S606


def swap(file: str = "", sha256: str = "") -> None:
    """Replace the model in every worker, one after the other, by the model file as it is now.

    `file`, in the folder of the model, is served in its place. `sha256` takes the place of
    `MODEL_SHA256`.
    Raises ArtifactError if the file does not load or predict; then the old model is served on.
    Raises TimeoutError if the workers have not been replaced after `SWAP_LIMIT_SECONDS`.
    """
    settings = Settings.from_environ(os.environ, FAMILIES)
    source = settings.model_path
    if file:
        source = source.parent / file
    if sha256:
        settings = msgspec.structs.replace(settings, model_sha256=sha256)
    from python.metrics.swaps import count_swap

    with swap_lock(), count_swap(RUN_FOLDER / "metrics"):
        candidate = load_candidate(settings, source)
        replace_workers(candidate, place_of_copy(settings, "live"))


def ready() -> None:
    """Return if the service is ready, or too busy to respond; exit with a sentence otherwise.

    The service takes connections only once it is ready. A request that hangs is not a fault of
    the replica: uWSGI ends it after `REQUEST_TIMEOUT`.
    """
    settings = Settings.from_environ(os.environ, FAMILIES)
    connection = HTTPConnection(
        "127.0.0.1", settings.port, timeout=READY_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        if response.status != HTTPStatus.OK:
            sys.exit(response.read().decode())
    except TimeoutError:
        return
    except (OSError, HTTPException) as error:
        sys.exit(f"not ready: {error}")


def version() -> None:
    """Print the SHA-256 of the model that is served; raise OSError if there is none."""
    settings = Settings.from_environ(os.environ, FAMILIES)
    read_statistics()
    sys.stdout.write(read_digest(place_of_copy(settings, "live")) + "\n")


def export() -> None:
    """Write the model that is served to the standard output; raise OSError if there is none."""
    settings = Settings.from_environ(os.environ, FAMILIES)
    sys.stdout.buffer.write(place_of_copy(settings, "live").read_bytes())


def place_of_copy(settings: Settings, folder: str) -> Path:
    """Return the path of a copy of the model file, in a folder of `RUN_FOLDER`.

    The copy keeps a relative name such as `v2/model.joblib`, unless it would lead out of the
    folder; then only the last part of the name is kept.
    """
    name = Path(settings.model_name)
    if name.is_absolute() or ".." in name.parts:
        return RUN_FOLDER / folder / name.name
    return RUN_FOLDER / folder / name


def uwsgi_settings(settings: Settings, live: Path) -> dict[str, str]:
    """Return what uwsgi.ini reads from the environment, for the live copy of the model."""
    folder = RUN_FOLDER / "live"
    workers = settings.workers or count_processors()
    return {
        "MODEL_FOLDER": str(folder),
        "MODEL_NAME": str(live.relative_to(folder)),
        # The copy has been compared with it; a swap may have been told another one.
        "MODEL_SHA256": "",
        "SERVICE_STATISTICS": str(RUN_FOLDER / "uwsgi.stats"),
        "SERVICE_VERDICTS": str(RUN_FOLDER / "verdicts"),
        "SERVICE_KEYS": str(RUN_FOLDER / "keys"),
        "SERVICE_METRICS": str(RUN_FOLDER / "metrics"),
        "WORKERS": str(workers),
        "THREADS": str(settings.threads),
        "REQUEST_TIMEOUT": str(settings.request_timeout),
        "URL_PREFIX": settings.url_prefix,
    }


def copy_approved(settings: Settings) -> Path:
    """Copy the model file as the live one; with `MODEL_SHA256`, another one that has it.

    After a swap, the file in its place may have another SHA-256 than the settings that a container
    was made with; then the one before is on the shelf.
    Raises ArtifactError if no file can be copied that is approved.
    """
    live = copy_model(settings, settings.model_path, "live")
    expected = settings.model_sha256.lower()
    digest = read_digest(live)
    if not expected or digest == expected:
        return live
    approved = Shelf(settings.model_path).path(expected)
    if approved.exists():
        copy_model(settings, approved, "live")
        digest = read_digest(live)
    if digest != expected:
        live.unlink()
        raise ArtifactError(
            f"{settings.model_name} is not the file that MODEL_SHA256 names: "
            f"its SHA-256 is {digest}"
        )
    return live


def copy_model(settings: Settings, source: Path, folder: str) -> Path:
    """Copy a model file to a folder of `RUN_FOLDER`; raise ArtifactError if that fails."""
    copy = place_of_copy(settings, folder)
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, copy)
    except OSError as error:
        reason = error.strerror or error
        raise ArtifactError(
            f"{settings.model_name} cannot be copied: {reason}"
        ) from error
    return copy


def load_candidate(settings: Settings, source: Path) -> Path:
    """Copy a model file, load the copy, which makes it predict, and return the copy's path.

    Raises ArtifactError if any of that fails, and removes the copy.
    """
    # A health check needs none of what a model brings with it.
    from python.loading import load_checked

    try:
        candidate = copy_model(settings, source, "candidate")
        load_checked(candidate, settings)
    except BaseException:
        # The folder is in memory, which a refused file would go on taking.
        place_of_copy(settings, "candidate").unlink(missing_ok=True)
        raise
    return candidate


def replace_workers(candidate: Path, live: Path) -> None:
    """Let every worker serve the candidate in the place of the live model.

    Raises TimeoutError if they have not been replaced after `SWAP_LIMIT_SECONDS`.
    """
    # uWSGI passes over workers that are still loading the old model, so they finish first.
    wait_for_workers()
    old_workers = {worker.pid for worker in read_statistics().workers}
    replace_live(candidate, live)
    wait_for_workers(old_workers)


def replace_live(candidate: Path, live: Path) -> None:
    """Put the candidate in the place of the live model, so that uWSGI replaces its workers."""
    # uWSGI notices a new modification time, which it reads in whole seconds.
    modified = max(time.time(), live.stat().st_mtime + 1)
    os.utime(candidate, (modified, modified))
    candidate.replace(live)


def bind_all(settings: Settings) -> dict[str, str]:
    """Return the sockets for requests and for metrics, as the supervisor reads them."""
    listener = bind(settings.host, settings.port)
    inherited = {"SERVICE_LISTENER": str(listener.detach())}
    if settings.metrics_port:
        metrics = bind(settings.host, settings.metrics_port)
        inherited["SERVICE_METRICS_LISTENER"] = str(metrics.detach())
    return inherited


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address, for another process."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, address = addresses[0]
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.set_inheritable(True)
    return listener


def begin_anew() -> None:
    """Begin without what an earlier uWSGI has counted and proven.

    It may have proven it with other settings, and with other versions of its packages.
    """
    from python.metrics.swaps import let_be_counted

    shutil.rmtree(RUN_FOLDER / "verdicts", ignore_errors=True)
    shutil.rmtree(RUN_FOLDER / "metrics", ignore_errors=True)
    let_be_counted(RUN_FOLDER / "metrics")


def count_processors() -> int:
    """Return how many processors this container may use."""
    # joblib knows about affinity and about a container's limits. It brings NumPy with it,
    # which the health check does without.
    import joblib

    return int(joblib.cpu_count())


@contextmanager
def swap_lock() -> Iterator[None]:
    """Wait until no other swap is running in this container, and keep others out."""
    with (RUN_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_statistics() -> Statistics:
    """Return the statistics of the running uWSGI; raise OSError if there is none."""
    from python.metrics.processes import read_document

    document = read_document(RUN_FOLDER / "uwsgi.stats")
    return msgspec.json.decode(document, type=Statistics)


def wait_for_workers(replaced: Collection[int] = ()) -> None:
    """Return once all workers take requests, and none of them is one of the replaced processes.

    Raises TimeoutError if that is not so after `SWAP_LIMIT_SECONDS`.
    """
    deadline = time.monotonic() + SWAP_LIMIT_SECONDS
    while True:
        workers = read_statistics().workers
        if all(
            worker.accepting and worker.pid not in replaced
            for worker in workers
        ):
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"the workers have not been replaced after {SWAP_LIMIT_SECONDS} seconds"
            )
        time.sleep(POLL_SECONDS)


def write_to_log(sentence: str) -> None:
    """Write a line to the log of the running uWSGI, which is the container's; if there is one.

    What a command prints is seen only by whoever runs it, with `docker exec` for example.
    """
    with suppress(OSError):
        uwsgi = read_statistics().pid
        standard_error = Path(f"/proc/{uwsgi}/fd/2")
        with standard_error.open("a") as log:
            log.write(f"{sentence}\n")


def main(verb: str, *arguments: str) -> None:
    """Run the command; if it fails, print one sentence, log it, and exit with 1."""
    commands: dict[str, Callable[..., None]] = {
        "serve": serve,
        "swap": swap,
        "ready": ready,
        "version": version,
        "export": export,
    }
    try:
        commands[verb](*arguments)
    except (ArtifactError, SettingsError, OSError) as error:
        sentence = f"{verb} failed: {error}"
        write_to_log(sentence)
        sys.exit(sentence)


if __name__ == "__main__":
    main(*sys.argv[1:])
