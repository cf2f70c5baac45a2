"""How a worker of uWSGI ends: between two requests, so that none that it has accepted is lost.

uWSGI does not count a request before it reads from the connection. By itself it ends a worker of
one thread at once where none is counted, and so loses one that was only accepted.
A worker of several threads that waits for its turn to accept a connection would not end before it
is given one (`gracefully_kill`, https://github.com/unbit/uwsgi/blob/2.0.30/core/uwsgi.c).
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

END = {signal.SIGHUP}
# uWSGI's own handler of it does nothing, so that it only interrupts a wait.
WAKE = signal.SIGWINCH
N_WAKES = 10
WAKE_SECONDS = 0.1
FREE = (b"idle", b"pause")


def end_between_requests() -> None:
    """Let this process, if it is a worker that was just forked, end after what it has accepted.

    It does so on SIGHUP, within a second or two if it is in no request, and at the latest when the
    mercy of uWSGI ends (`worker-reload-mercy`). That is also how long a worker of several threads
    may take while a client has opened a connection and sends nothing.
    Where nothing can wait for the signal, uWSGI ends the worker as it would by itself.
    """
    import uwsgi

    if not uwsgi.worker_id():
        return
    functions = _load_uwsgi()
    stop_accepting = functions.goodbye_cruel_world
    ending = threading.Thread(
        target=_end, args=(threading.get_ident(), stop_accepting), daemon=True
    )
    # The threads that the model starts inherit this, as the one that ends the worker does.
    signal.pthread_sigmask(signal.SIG_BLOCK, END)
    try:
        ending.start()
    except RuntimeError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, END)
        raise


def _end(serving: int, stop_accepting: Callable[[], object]) -> None:
    """Wait for the signal to end, and end the worker of which that thread serves requests."""
    signal.sigwait(END)
    # From here on it accepts nothing, but for what it may be accepting now.
    stop_accepting()
    for _ in range(N_WAKES):
        # In a request, a signal would break off the response that is being written. Hardly any
        # begins before the signal is given: it would need the interpreter, which runs this.
        _wait_until_free()
        # The thread may be about to wait for a connection, and would miss a single signal.
        signal.pthread_kill(serving, WAKE)
        time.sleep(WAKE_SECONDS)
    _wait_until_free()
    # It waits for its turn to accept a connection, which other workers may never give it.
    os._exit(0)


def _wait_until_free() -> None:
    while _is_busy():
        time.sleep(WAKE_SECONDS)


def _is_busy() -> bool:
    """Return whether uWSGI counts a request of this worker."""
    import uwsgi

    worker = uwsgi.workers()[uwsgi.worker_id() - 1]
    return worker["status"] not in FREE


def _load_uwsgi() -> ctypes.CDLL:
    """Return the functions of uWSGI, which a package or the program itself has."""
    package = sys.modules.get("pyuwsgi")
    return ctypes.CDLL(package.__file__ if package else None)
