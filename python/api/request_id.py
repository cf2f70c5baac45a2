"""Telemetry: which request an answer and a log line belong to, and which model gave the answer."""

import logging
import os
import re
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from flask import Flask, has_request_context, request

from python.model.base import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
KEY = "service.request_id"
FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def request_id() -> str:
    """The id of the request being answered; a hyphen where none has come in from outside."""
    return str(request.environ.get(KEY, "-"))


def identify_answers(app: Flask) -> None:
    """Put into each answer the id of its request, and the version of the model that spoke, once there is one.

    The id is the one that the client or a proxy sent as X-Request-ID, or a new one. This is WSGI's own way (PEP 3333), since
    Flask's costs as much as the trees of a forest.
    """
    future: Future[Model] = app.config["MODEL"]
    answer = app.wsgi_app
    version: list[tuple[str, str]] = []

    def identified(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        environ[KEY] = sent if ID.fullmatch(sent) else os.urandom(16).hex()

        def start(
            status: str, headers: list[tuple[str, str]], *error: Any
        ) -> "Callable[[bytes], object]":
            if not version and future.done() and future.exception() is None:
                version[:] = [("X-Model-Version", future.result().version)]
            return start_response(
                status, [*headers, ("X-Request-ID", environ[KEY]), *version], *error
            )

        return answer(environ, start)

    app.wsgi_app = identified  # type: ignore[method-assign]


def configure_logging(level: str) -> None:
    """Log to standard error from `level` on, each line with the id of the request it belongs to."""
    handler = logging.StreamHandler()
    handler.addFilter(_add_request_id)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id() if has_request_context() else "-"
    return True
