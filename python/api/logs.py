"""The log: a line for each request, and for what is worth knowing, as JSON or for a terminal.

No line has what was sent or predicted, or a key.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from logging import DEBUG, ERROR, INFO, LogRecord
from types import TracebackType
from typing import TextIO, TypeAlias

import msgspec
from click import unstyle

from python.api.exchange import Exchange, current_exchange

PROBES = ("/health", "/ready")
# IPv4, or IPv6 with a zone.
ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}(?:%\w{1,15})?")
TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"

log = logging.getLogger(__name__)

ExceptionInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
)


class RequestLine(msgspec.Struct, gc=False):
    """What a line says of a request; nginx's lines have the same names for the same things."""

    time: str
    level: str
    request_id: str
    trace_id: str
    client: str
    address: str
    method: str
    route: str
    status: int
    milliseconds: float
    model_milliseconds: float
    records: int
    model_version: str

    def __str__(self) -> str:
        """Return the same for people, in short."""
        route = self.route or "(no such path)"
        return (
            f"{self.method} {route} {self.status} in {self.milliseconds:.1f} ms, "
            f"records: {self.records}"
        )


class MessageLine(msgspec.Struct, gc=False):
    """What a line says of anything else."""

    time: str
    level: str
    request_id: str
    trace_id: str
    logger: str
    message: str


def log_to_standard_output(level: str) -> None:
    """Log from `level` on: a line of JSON each, or plain text where a terminal shows it.

    If the process has configured its log before, that stays as it is. If its standard output is
    closed, the lines go to the standard error.
    """
    output: TextIO | None = sys.stdout
    is_terminal = output is not None and output.isatty()
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        TextFormatter(TEXT_FORMAT) if is_terminal else JsonFormatter()
    )
    logging.basicConfig(level=level, handlers=[handler])


def log_exchange(exchange: Exchange) -> None:
    """Log a request that is over: as an error if the service failed, else as information.

    A probe that succeeds is logged at DEBUG: some come every second.
    """
    level = INFO
    if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        level = ERROR
    elif exchange.route in PROBES and exchange.status == HTTPStatus.OK:
        level = DEBUG
    if log.isEnabledFor(level):
        # What logging itself would find out besides, such as the line of the code, takes longer.
        record = LogRecord(log.name, level, "", 0, "", (), None)
        record.msg = make_line(exchange, record)
        log.handle(record)


class PrivateFormatter(logging.Formatter):
    """A formatter that leaves out the messages of exceptions: they may repeat what was sent."""

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - logging calls it so
        """Return the type of an exception, and where it was raised."""
        kind, _, trace = ei
        if kind is None:
            return ""
        where = "".join(traceback.format_tb(trace))
        return f"{kind.__name__} at\n{where}"


class TextFormatter(PrivateFormatter):
    """Makes lines for people."""

    def format(self, record: LogRecord) -> str:
        """Return a line that begins with the time, the level, and the id of the request."""
        if isinstance(record.msg, RequestLine):
            record.request_id = record.msg.request_id
        else:
            exchange = current_exchange()
            record.request_id = exchange.request_id if exchange else "-"
        return super().format(record)


class JsonFormatter(PrivateFormatter):
    """Makes lines for programs."""

    def format(self, record: LogRecord) -> str:
        """Return a line of JSON."""
        if isinstance(record.msg, RequestLine):
            return ENCODER.encode(record.msg).decode()
        return ENCODER.encode(self.message_line(record)).decode()

    def message_line(self, record: LogRecord) -> MessageLine:
        """Return what a line says of a record that somebody has logged."""
        # Werkzeug colours what it says to a developer.
        message = unstyle(record.getMessage())
        if record.exc_info:
            message += f"\n{self.formatException(record.exc_info)}"
        exchange = current_exchange()
        return MessageLine(
            time=find_time(record),
            level=record.levelname,
            request_id="" if exchange is None else exchange.request_id,
            trace_id="" if exchange is None else exchange.trace_id,
            logger=record.name,
            message=message,
        )


def make_line(exchange: Exchange, record: LogRecord) -> RequestLine:
    """Return what a line says of a request; it keeps nothing else of it in memory."""
    model_seconds = exchange.predict_seconds + exchange.explain_seconds
    return RequestLine(
        time=find_time(record),
        level=record.levelname,
        request_id=exchange.request_id,
        trace_id=exchange.trace_id,
        client=exchange.client,
        address=find_address(exchange.environ),
        method=exchange.method,
        route=exchange.route,
        status=exchange.status,
        milliseconds=round(exchange.seconds * 1e3, 3),
        model_milliseconds=round(model_seconds * 1e3, 3),
        records=exchange.n_records,
        model_version=exchange.model_version or "",
    )


def find_time(record: LogRecord) -> str:
    """Return when a record was made, in UTC, as ISO 8601 has it."""
    time = datetime.fromtimestamp(record.created, UTC)
    return time.isoformat(timespec="milliseconds")


def find_address(environ: Mapping[str, object]) -> str:
    """Return the address of the client, as the last proxy has it, if there is one.

    Without a proxy a client can send the header itself, and so another address than its own.
    """
    forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    address = forwarded.rpartition(",")[2].strip()
    if ADDRESS.fullmatch(address):
        return address
    return str(environ.get("REMOTE_ADDR", ""))


ENCODER = msgspec.json.Encoder()
