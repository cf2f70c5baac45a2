"""Microseconds for the ids of a request and for its line of the log, written to a file."""

import sys
from collections.abc import Callable
from logging import INFO, LogRecord
from tempfile import TemporaryFile
from timeit import repeat
from wsgiref.types import WSGIEnvironment

from python.api.exchange import Exchange
from python.api.logs import (
    JsonFormatter,
    log_exchange,
    log_to_standard_output,
    make_line,
)

N_LINES = 20_000
ROUNDS = 5
ENVIRON: WSGIEnvironment = {
    "REQUEST_METHOD": "POST",
    "REMOTE_ADDR": "192.0.2.1",
    "HTTP_X_REQUEST_ID": "0af7651916cd43dd8448eb211c80319c",
    "HTTP_TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


def main() -> None:
    """Print what the parts of a line cost."""
    terminal = sys.stdout
    exchange = Exchange(ENVIRON)
    record = LogRecord("", INFO, "", 0, "", (), None)
    record.msg = make_line(exchange, record)
    formatter = JsonFormatter()
    with TemporaryFile("w") as sys.stdout:
        log_to_standard_output("INFO")
        costs = {
            "the ids": measure(lambda: Exchange(ENVIRON)),
            "the JSON of a line": measure(lambda: formatter.format(record)),
            "a line in all": measure(lambda: log_exchange(exchange)),
        }
    sys.stdout = terminal
    for part, microseconds in costs.items():
        print(f"{part}: {microseconds:.1f} microseconds")


def measure(call: Callable[[], object]) -> float:
    """Return the microseconds of a call, in the fastest of the rounds."""
    fastest = min(repeat(call, number=N_LINES, repeat=ROUNDS))
    return fastest / N_LINES * 1e6


if __name__ == "__main__":
    main()
