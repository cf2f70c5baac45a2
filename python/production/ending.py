"""How a worker of uWSGI ends: between two requests, so that none that it has accepted is lost.

By itself, uWSGI ends a worker of one thread at once unless it is in a request. It is in none, for
uWSGI, between accepting a connection and reading from it, and that one is lost.
A worker of several threads that waits for its turn to accept a connection would not end at all
(`gracefully_kill`, https://github.com/unbit/uwsgi/blob/2.0.30/core/uwsgi.c).
"""

import ctypes
import os
import signal
import threading
import time
from importlib.util import find_spec

END = {signal.SIGHUP}
WAKE = signal.SIGWINCH
N_WAKES = 10
WAKE_SECONDS = 0.1


def end_between_requests() -> None:
    """Let this process, a worker that was just forked, end after what it has accepted.

    It does so on SIGHUP, within a second or two if it is in no request.
    """
    serving = threading.get_ident()
    # The threads that the model starts inherit this.
    signal.pthread_sigmask(signal.SIG_BLOCK, END)
    threading.Thread(target=_end, args=(serving,), daemon=True).start()


def _end(serving: int) -> None:
    """Wait for the signal to end, and end the worker whose requests that thread serves."""
    signal.sigwait(END)
    _load_uwsgi().goodbye_cruel_world()  # it accepts no more
    for _ in range(N_WAKES):
        # The thread may be about to wait for a connection, and would miss a single signal.
        signal.pthread_kill(serving, WAKE)
        time.sleep(WAKE_SECONDS)
    while _is_busy():
        time.sleep(WAKE_SECONDS)
    # It waits for its turn to accept a connection, which other workers may never give it.
    os._exit(0)


def _is_busy() -> bool:
    """Return whether this worker is in a request."""
    import uwsgi

    worker = uwsgi.workers()[uwsgi.worker_id() - 1]
    return bool(worker["status"] == b"busy")


def _load_uwsgi() -> ctypes.CDLL:
    """Return the functions of uWSGI, which a package or the program itself has."""
    package = find_spec("pyuwsgi")
    return ctypes.CDLL(package.origin if package else None)
