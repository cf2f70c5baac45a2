"""CORS: which pages of other addresses may call the service from a browser (Fetch standard).

A browser asks before it sends a key or JSON: its preflight has no key, and is answered here.
No response allows credentials such as cookies: the service takes none.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

ANY = "*"
# The longest that Chromium remembers a preflight; Firefox would for a day.
MAX_AGE_SECONDS = 7200
NO_CONTENT = f"{HTTPStatus.NO_CONTENT.value} {HTTPStatus.NO_CONTENT.phrase}"

# Annotations of a function that is made for each request are evaluated for each request.
Write: TypeAlias = Callable[[bytes], object]
Headers: TypeAlias = list[tuple[str, str]]

PREFLIGHT: Headers = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
    (
        "Access-Control-Allow-Headers",
        "Accept, Authorization, Content-Type, X-API-Key, X-Request-ID, traceparent",
    ),
    ("Access-Control-Max-Age", str(MAX_AGE_SECONDS)),
]
# nginx.conf has the same, for what nginx says itself.
EXPOSED = (
    "Access-Control-Expose-Headers",
    "X-Request-ID, X-Trace-ID, X-Model-Version, Retry-After, Link",
)
# What a cache keeps for one origin is not for another.
VARY = ("Vary", "Origin")


def allow_origins(app: Flask, cors_origins: str) -> None:
    """Let the pages of these origins read each response, errors included.

    The origins have commas between them, and `*` stands for all. Without any, nothing changes.
    """
    origins = read_origins(cors_origins)
    if not origins:
        return
    wsgi_app = app.wsgi_app
    headers_by_origin = {origin: list_headers(origin) for origin in origins}
    others = headers_by_origin.get(ANY, [VARY])

    def allowing(
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "")
        allowed = headers_by_origin.get(origin, others)
        if is_preflight(environ):
            permitted = PREFLIGHT if len(allowed) > 1 else []
            start_response(NO_CONTENT, [*allowed, *permitted])
            return []

        def start_allowed(
            status: str, headers: Headers, *exc_info: Any
        ) -> Write:
            return start_response(status, [*headers, *allowed], *exc_info)

        return wsgi_app(environ, start_allowed)

    app.wsgi_app = allowing  # type: ignore[method-assign]


def read_origins(cors_origins: str) -> set[str]:
    """Return the origins as a browser writes them."""
    origins = {origin.strip().lower() for origin in cors_origins.split(",")}
    return origins - {""}


def list_headers(origin: str) -> Headers:
    """Return what each response to the pages of an origin has."""
    allowed = ("Access-Control-Allow-Origin", origin)
    if origin == ANY:
        return [allowed, EXPOSED]
    return [allowed, EXPOSED, VARY]


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Return whether a browser asks what a page may send (Fetch standard, section 3.3.2)."""
    return (
        environ.get("REQUEST_METHOD") == "OPTIONS"
        and "HTTP_ORIGIN" in environ
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    )
