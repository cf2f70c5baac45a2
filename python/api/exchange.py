"""Exchanges: what is known of a request and its response, for those who are told once it is over.

Logs and metrics are told. A response has the ids of its request, and the model's version.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from time import perf_counter
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, has_request_context, request

from python.model.base import Predictions

log = logging.getLogger(__name__)

METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
)
USABLE_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")
# W3C Trace Context, section 3.2: version, trace, parent and flags. A version after 00 may have more
# at its end; "ff" is none, and neither is an id of nothing but zeros.
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    r"-[0-9a-f]{2}(?:(?<!^00.{53})-.*)?"
)
ID_BYTES = 16
KEY = "service.exchange"  # in the WSGI environ

# Annotations of a function that is made for each request are evaluated for each request.
Write: TypeAlias = Callable[[bytes], object]
Headers: TypeAlias = list[tuple[str, str]]


class Exchange:
    """A request and its response, as far as they are known.

    `request_id` and `trace_id` are there from the start; who follows exchanges finds the rest, too.
    `client` is the name of the API key that was sent, `error` what became a problem document.
    Seconds are those that the model took for its predictions, and for explaining them.
    """

    __slots__ = (
        "client",
        "environ",
        "error",
        "explain_seconds",
        "model_version",
        "predict_seconds",
        "predictions",
        "request_id",
        "route",
        "seconds",
        "status",
        "trace_id",
    )

    def __init__(self, environ: WSGIEnvironment) -> None:
        """Take the request as WSGI has it (PEP 3333), and read or make its ids."""
        trace = TRACEPARENT.fullmatch(environ.get("HTTP_TRACEPARENT", ""))
        sent_id = environ.get("HTTP_X_REQUEST_ID", "")
        self.environ = environ
        self.trace_id: str = trace[1] if trace else os.urandom(ID_BYTES).hex()
        self.request_id: str = (
            sent_id if USABLE_ID.fullmatch(sent_id) else self.trace_id
        )
        self.route = ""
        """The rule of the route, such as `/docs/<name>`; empty where there is no such path."""
        self.status = 0
        self.client = ""
        self.model_version: str | None = None
        self.predictions: Predictions | None = None
        self.error: Exception | None = None
        self.seconds = 0.0
        self.predict_seconds = 0.0
        self.explain_seconds = 0.0

    @property
    def method(self) -> str:
        """The method of the request; "other" for one that a client has made up."""
        method: str = self.environ.get("REQUEST_METHOD", "")
        return method if method in METHODS else "other"

    @property
    def n_records(self) -> int:
        """How many records have been predicted."""
        return 0 if self.predictions is None else len(self.predictions.records)

    def close(self) -> None:
        """Let go of the request: each holds the other, and both would stay a while."""
        del self.environ[KEY]
        self.predictions = None
        self.error = None


Follow: TypeAlias = Callable[[Exchange], None]


def current_exchange() -> Exchange | None:
    """Return the exchange that is being handled; None outside of one."""
    if not has_request_context():
        return None
    exchange: Exchange | None = request.environ.get(KEY)
    return exchange


def follow_exchanges(
    app: Flask,
    model_version: Callable[[], str | None],
    followers: Sequence[Follow],
) -> None:
    """Tell each follower of each exchange once it is over, before its response is sent.

    The response has `X-Request-ID`, which is the one that was sent if it is short and plain, and
    `X-Trace-ID`, which is the one in the `traceparent` that was sent (W3C Trace Context), or a new
    one. It has `X-Model-Version` once there is a model.
    """
    # As WSGI (PEP 3333) this takes 10 microseconds, with before_request and after_request 30.
    wsgi_app = app.wsgi_app

    @cache
    def find_route() -> Callable[[str], str]:
        return make_route_finder(app)

    def followed(
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        started = perf_counter()
        exchange = environ[KEY] = Exchange(environ)
        # uWSGI has an empty line before the request in its method, and with two of them no method.
        method = environ.get("REQUEST_METHOD", "")
        if not method.isalpha():
            environ["REQUEST_METHOD"] = method.strip()

        def start_followed(
            status: str,
            headers: Headers,
            *exc_info: Any,
        ) -> Write:
            exchange.status = int(status[:3])
            headers = [
                *headers,
                ("X-Request-ID", exchange.request_id),
                ("X-Trace-ID", exchange.trace_id),
            ]
            version = exchange.model_version = model_version()
            if version is not None:
                headers.append(("X-Model-Version", version))
            return start_response(status, headers, *exc_info)

        response = wsgi_app(environ, start_followed)
        exchange.seconds = perf_counter() - started
        exchange.route = find_route()(environ.get("PATH_INFO", ""))
        tell(followers, exchange)
        exchange.close()
        return response

    app.wsgi_app = followed  # type: ignore[method-assign]


def tell(followers: Sequence[Follow], exchange: Exchange) -> None:
    """Tell each follower of an exchange; one that fails takes nobody's response away."""
    for follow in followers:
        try:
            follow(exchange)
        except Exception:
            log.exception("an exchange could not be followed")


def make_route_finder(app: Flask) -> Callable[[str], str]:
    """Return a function from a path to the rule of its route, which is empty if there is none.

    The routes of the app are those of now. Each ends with its only variable part, if it has one.
    """
    rules = set()
    folders = {}
    for rule in app.url_map.iter_rules():
        if rule.arguments:
            folders[rule.rule.partition("<")[0]] = rule.rule
        else:
            rules.add(rule.rule)

    def find_route(path: str) -> str:
        if path in rules:
            return path
        folder, slash, _ = path.rpartition("/")
        return folders.get(folder + slash, "")

    return find_route
