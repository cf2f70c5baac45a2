"""The parent of uWSGI in a container: it alone opens the socket, when a worker has its model, and closes it, when told to stop.

uWSGI itself goes on taking connections until a worker is free to notice that it shall stop, and those would be lost. It also
waits without end: for a request that hangs, and for a worker that was told to end right before it could listen.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

BACKLOG = 1024
STOP = (signal.SIGTERM, signal.SIGINT)
READY = signal.SIGRTMIN  # queued, so that each worker's counts
SIGNALS = {signal.SIGCHLD, READY, *STOP}
SECONDS_TO_TELL_AGAIN = 0.5


def supervise(command: list[str], listener: socket.socket, seconds: float) -> int:
    """The exit status of the command, run until it ends: 128 and the signal's number if it was killed.

    Told to stop, it refuses connections at once, and gives the workers `seconds` to finish; none, if none has its model.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    environ = {**os.environ, "SERVICE_SUPERVISOR": str(os.getpid())}
    child = os.posix_spawn(command[0], command, environ, setpgroup=0, setsigmask=())
    workers: set[int] = set()
    while (told := signal.sigwaitinfo(SIGNALS)).si_signo not in STOP:
        if told.si_signo == READY:
            listener.listen(BACKLOG)
            workers.add(told.si_pid)
        elif (status := _status(child)) is not None:
            return status
    if workers:
        listener.shutdown(socket.SHUT_RDWR)
        os.kill(child, signal.SIGTERM)
    return _ended(child, workers, time.monotonic() + (seconds if workers else 0))


def announce() -> None:
    """Tell the supervisor, if there is one, that this worker has its model."""
    if number := os.environ.get("SERVICE_SUPERVISOR"):
        os.kill(int(number), READY)


def _ended(child: int, workers: set[int], end: float) -> int:
    while (status := _status(child)) is None:
        if time.monotonic() >= end:
            os.killpg(child, signal.SIGKILL)
        told = signal.sigtimedwait(SIGNALS, SECONDS_TO_TELL_AGAIN)
        if told and told.si_signo == READY:
            workers.add(told.si_pid)
        elif not told:
            _tell(workers, child)
    return status


def _tell(workers: Iterable[int], group: int) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):
            if os.getpgid(worker) == group:  # the number of one that is gone may be another's
                os.kill(worker, signal.SIGHUP)


def _status(child: int) -> int | None:
    ended, status = os.waitpid(child, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status)
    return None if not ended else code if code >= 0 else 128 - code


if __name__ == "__main__":
    inherited = socket.socket(fileno=int(os.environ["SERVICE_LISTENER"]))
    sys.exit(supervise(sys.argv[1:], inherited, float(os.environ["REQUEST_TIMEOUT"]) + 1))
