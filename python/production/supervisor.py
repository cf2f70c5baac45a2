"""The parent of uWSGI in a container, which alone opens and closes the socket for connections.

It opens the socket when the first worker has its model, and closes it on a signal to stop.
uWSGI itself would take connections until a worker is free to notice that it has to stop, and
those connections would be lost. It would also wait forever for a request that hangs, and for a
worker that it signalled right before the worker could listen to signals. And after the clock was
set back by an hour, it would look after nothing for an hour.
"""

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from python.metrics.exposition import expose_folder
from python.metrics.server import MetricsServer
from python.production.status import Status

BACKLOG_CONNECTIONS = 1024
STOP = (signal.SIGTERM, signal.SIGINT)
READY = (
    signal.SIGRTMIN
)  # Real-time signals are queued, so that no worker's is lost.
SIGNALS = {signal.SIGCHLD, signal.SIGHUP, READY, *STOP}
REPEAT_SECONDS = 0.5
CLOCK_SECONDS = 1.0
CLOCK_WAS_SET_BACK = signal.SIGUSR2  # as in uwsgi.ini


def supervise(
    command: list[str],
    listener: socket.socket,
    grace_seconds: float,
    status_server: Status | None = None,
) -> int:
    """Run uWSGI until it ends, and return its exit status: 128 plus the signal if it was killed.

    On SIGHUP, new workers take the place of the old ones, one after the other.
    On SIGTERM or SIGINT, connections are refused at once, and the workers have `grace_seconds`
    to finish their requests. If no worker has its model yet, uWSGI is killed at once. The status
    server, if there is one, is opened and told to stop at the same moments.
    """
    # Blocked signals are queued until the supervisor waits for them, so that none is lost.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    # uWSGI inherits this until it listens itself: while it starts workers, the signal is lost.
    signal.signal(CLOCK_WAS_SET_BACK, signal.SIG_IGN)
    uwsgi = start(command)
    workers: set[int] = set()
    while True:
        received = wait_for_signal(uwsgi, is_ready=bool(workers))
        if received.si_signo in STOP:
            break
        if received.si_signo == READY:
            take_requests(listener, status_server)
            if not workers:
                notify_systemd()
            # The clock may have been set back while the worker loaded the model.
            os.kill(uwsgi, CLOCK_WAS_SET_BACK)
            workers.add(received.si_pid)
            continue
        if received.si_signo == signal.SIGHUP:
            # uWSGI itself listens to it by the time that a worker is ready.
            if workers:
                os.kill(uwsgi, signal.SIGHUP)
            continue
        status = exit_status(uwsgi)
        if status is not None:
            return status
    if not workers:
        return stop(uwsgi, workers, deadline=time.monotonic())
    if status_server is not None:
        status_server.is_stopping = True
    listener.shutdown(socket.SHUT_RDWR)
    os.kill(uwsgi, signal.SIGTERM)
    deadline = time.monotonic() + grace_seconds
    return stop(uwsgi, workers, deadline)


def take_requests(
    listener: socket.socket, status_server: Status | None
) -> None:
    """Accept connections, and say so; this may be done again."""
    listener.listen(BACKLOG_CONNECTIONS)
    if status_server is not None:
        status_server.open()


def start(command: list[str]) -> int:
    """Start uWSGI in a process group of its own, with no signal blocked; return its number."""
    environ = {**os.environ, "SERVICE_SUPERVISOR": str(os.getpid())}
    environ.pop("NOTIFY_SOCKET", None)  # it is for the supervisor alone
    return os.posix_spawn(
        command[0], command, environ, setpgroup=0, setsigmask=()
    )


def wait_for_signal(uwsgi: int, *, is_ready: bool) -> signal.struct_siginfo:
    """Return the next signal; tell uWSGI that is ready if the clock is set back meanwhile."""
    latest = time.time()
    while True:
        received = signal.sigtimedwait(SIGNALS, CLOCK_SECONDS)
        now = time.time()
        if is_ready and now < latest:
            os.kill(uwsgi, CLOCK_WAS_SET_BACK)
        if received is not None:
            return received
        latest = now


def notify_systemd() -> None:
    """Say that the service is ready to systemd, if that has started it (sd_notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with (
        suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifier,
    ):
        # An address that begins with "@" is one of Linux's abstract ones.
        notifier.connect(address.replace("@", "\0", 1))
        notifier.send(b"READY=1")


def announce_ready() -> None:
    """Signal to the supervisor, if there is one, that this worker has its model."""
    supervisor = os.environ.get("SERVICE_SUPERVISOR")
    if supervisor:
        os.kill(int(supervisor), READY)


def stop(
    uwsgi: int,
    workers: set[int],
    deadline: float,
) -> int:
    """Wait until uWSGI has ended, and return its exit status; kill it after the deadline.

    `workers` are the processes that are signalled to end, again and again: a worker may have
    missed uWSGI's own signal. Those that become ready in the meantime are signalled as well.
    """
    remaining = set(workers)
    while True:
        status = exit_status(uwsgi)
        if status is not None:
            return status
        if time.monotonic() >= deadline:
            os.killpg(uwsgi, signal.SIGKILL)
        received = signal.sigtimedwait(SIGNALS, REPEAT_SECONDS)
        if received is None:
            for worker in remaining:
                hang_up(worker, uwsgi)
        elif received.si_signo == READY:
            remaining.add(received.si_pid)


def hang_up(worker: int, group: int) -> None:
    """Signal a worker of a process group to end after its request."""
    with suppress(ProcessLookupError):
        # The number of a worker that has ended may be that of another process by now.
        if os.getpgid(worker) == group:
            os.kill(worker, signal.SIGHUP)


def exit_status(process: int) -> int | None:
    """Return a child's exit status, 128 plus the signal if it was killed; None if it runs."""
    ended, wait_status = os.waitpid(process, os.WNOHANG)
    if not ended:
        return None
    code = os.waitstatus_to_exitcode(wait_status)
    if code < 0:
        return 128 - code
    return code


def make_status() -> Status | None:
    """Return the status server of the environment; None where nobody balances replicas."""
    port = os.environ.get("SERVICE_STATUS_PORT")
    if not port:
        return None
    workers = int(os.environ["WORKERS"])
    threads = int(os.environ["THREADS"])
    # One worker is left for predictions.
    capacities = {
        "predictions": workers * threads,
        "explanations": max(1, workers - 1) * threads,
    }
    model = Path(os.environ["MODEL_FOLDER"], os.environ["MODEL_NAME"])
    prefix = os.environ.get("URL_PREFIX", "")
    return Status(int(port), capacities, model, prefix)


def open_metrics() -> None:
    """Serve metrics from now until the process ends, if there is a socket for them."""
    inherited = os.environ.pop("SERVICE_METRICS_LISTENER", "")
    if not inherited:
        return
    bound = socket.socket(fileno=int(inherited))
    bound.set_inheritable(False)
    folder = Path(os.environ["SERVICE_METRICS"])
    statistics = Path(os.environ["SERVICE_STATISTICS"])
    # The signals are for the thread that waits for them, and not for this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    MetricsServer(bound, expose_folder(folder, statistics)).open()


if __name__ == "__main__":
    inherited = socket.socket(fileno=int(os.environ["SERVICE_LISTENER"]))
    request_seconds = float(os.environ["REQUEST_TIMEOUT"])
    open_metrics()
    sys.exit(
        supervise(
            sys.argv[1:],
            inherited,
            grace_seconds=request_seconds + 1,
            status_server=make_status(),
        )
    )
