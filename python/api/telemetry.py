"""Telemetry: an id for every request, in its answer and on its log lines."""

import logging
import re
import uuid

from flask import Flask, Response, g, has_request_context, request

ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def request_id() -> str:
    """The id that the client or a proxy sent as X-Request-ID, or a new one."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if ID.fullmatch(sent) else uuid.uuid4().hex
    return str(g.request_id)


def identify_requests(app: Flask) -> None:
    """Put the id of each request into its answer."""

    @app.after_request
    def identify(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        return response


def configure_logging(level: str) -> None:
    """Log to standard error from `level` on, each line with the id of the request it belongs to."""
    handler = logging.StreamHandler()
    handler.addFilter(_add_request_id)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id() if has_request_context() else "-"
    return True
