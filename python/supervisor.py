"""Process 1 of a replica: it alone opens uWSGI's socket, when a worker has its model, and closes it, when it shall stop.

uWSGI itself goes on taking connections until a worker is free to notice that it shall stop, and those would be lost.
"""

import os
import signal
import socket
import sys

BACKLOG = 1024
STOP = (signal.SIGTERM, signal.SIGINT)
READY = signal.SIGRTMIN  # queued, so that each worker's counts
SIGNALS = {signal.SIGCHLD, READY, *STOP}


def supervise(command: list[str], listener: socket.socket) -> int:
    """The exit status of the command, run until it ends: 128 and the signal's number if it was killed.

    Told to stop, it refuses connections at once, and tells the command; but if no worker was ready yet, it is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    environ = {**os.environ, "SUPERVISOR": str(os.getpid())}
    child = os.posix_spawn(command[0], command, environ, setpgroup=0, setsigmask=())
    listening = stopping = False
    while True:
        told = signal.sigwaitinfo(SIGNALS)
        if told.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
        elif told.si_signo == READY and stopping:
            os.kill(told.si_pid, signal.SIGKILL)  # it loaded while uWSGI told the others to end, and would never hear of it
        elif told.si_signo == READY:
            listener.listen(BACKLOG)
            listening = True
        elif not listening:
            os.killpg(child, signal.SIGKILL)
        else:
            if not stopping:
                listener.shutdown(socket.SHUT_RDWR)
            stopping = True
            os.kill(child, told.si_signo)


def announce() -> None:
    """Tell the supervisor, if there is one, that this worker has its model."""
    if number := os.environ.get("SUPERVISOR"):
        os.kill(int(number), READY)


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[1:], socket.socket(fileno=int(os.environ["LISTENER"]))))
