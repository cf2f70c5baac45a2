"""Bodies that nobody has read: they are read and thrown away behind their response.

A server that closes a connection while bytes of the client are unread resets it, and the reset
overtakes the response: the client, or the proxy, sees a broken connection and no 404 (RFC 9112,
section 9.6).
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from werkzeug.wsgi import ClosingIterator, get_content_length

KEY = "service.body_is_read"  # in the WSGI environ
CHUNK_BYTES = 65536
DISCARD_SECONDS = 5

# Annotations of a function that is made for each request are evaluated for each request.
Body: TypeAlias = Iterable[bytes]


def discard_unread_bodies(app: Flask, max_content_length: int) -> None:
    """Read what a request brought and no view has read, until `DISCARD_SECONDS` have passed.

    The response is sent before: some clients send no body until they have one.
    A chunk that has begun is waited for, so that a client that drips is waited for longer, unless a
    proxy has the whole body.
    A body of up to twice `max_content_length` bytes is read to its end, so that one that is a
    little too large gets its 413. A view that reads the body puts `KEY` into the environ.
    """
    wsgi_app = app.wsgi_app
    max_bytes = 2 * max_content_length

    def discarding(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Body:
        response = wsgi_app(environ, start_response)
        n_bytes = 0 if KEY in environ else _count(environ, max_bytes)
        if not n_bytes:
            return response
        return ClosingIterator(response, partial(_discard, environ, n_bytes))

    app.wsgi_app = discarding  # type: ignore[method-assign]


def _count(environ: WSGIEnvironment, max_bytes: int) -> int:
    """Return how many bytes of the body are to be read at most."""
    # Without a length, only a server that decodes chunks knows where the body ends.
    if environ.get("wsgi.input_terminated", False):
        return max_bytes
    return min(get_content_length(environ) or 0, max_bytes)


def _discard(environ: WSGIEnvironment, n_bytes: int) -> None:
    read: Callable[[int], bytes] = environ["wsgi.input"].read
    remaining = n_bytes
    deadline = time.monotonic() + DISCARD_SECONDS
    while remaining and time.monotonic() < deadline:
        try:
            chunk = read(min(remaining, CHUNK_BYTES))
        except OSError:  # the client is too slow, or gone
            return
        if not chunk:
            return
        remaining -= len(chunk)
