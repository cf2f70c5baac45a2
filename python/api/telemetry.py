"""Telemetry: which request an answer and a log line belong to, and which model gave the answer."""

import logging
import re
import uuid
from concurrent.futures import Future

from flask import Flask, Response, g, has_request_context, request

from python.model.base import Model

ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def request_id() -> str:
    """The id that the client or a proxy sent as X-Request-ID, or a new one."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-ID", "")
        g.request_id = sent if ID.fullmatch(sent) else uuid.uuid4().hex
    return str(g.request_id)


def identify_answers(app: Flask) -> None:
    """Put into each answer the id of its request, and the version of the model that spoke, once there is one."""
    future: Future[Model] = app.config["MODEL"]

    @app.after_request
    def identify(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        if future.done() and future.exception() is None:
            response.headers["X-Model-Version"] = future.result().version
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
