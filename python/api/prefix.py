"""The prefix of a gateway that passes on the whole path, such as `/models/churn/predict`."""

from collections.abc import Iterable
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

# With its method, and its body if it has one.
REDIRECT = HTTPStatus.PERMANENT_REDIRECT


def answer_under(app: Flask, prefix: str) -> None:
    """Let each route respond under the prefix, and name the prefix wherever a response has a path.

    The routes respond without it, too: a gateway may have taken it away, and the probes of the
    containers do not know it. The prefix alone leads to `/` behind it, from where the page finds
    its files.
    """
    if not prefix:
        return
    wsgi_app = app.wsgi_app
    folder = f"{prefix}/"

    def under_prefix(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == prefix:
            return redirect(environ, folder, start_response)
        environ["SCRIPT_NAME"] = prefix
        if path.startswith(folder):
            environ["PATH_INFO"] = path.removeprefix(prefix)
        return wsgi_app(environ, start_response)

    app.wsgi_app = under_prefix  # type: ignore[method-assign]


def redirect(
    environ: WSGIEnvironment, location: str, start_response: StartResponse
) -> Iterable[bytes]:
    """Lead to a path of this host, with the query that was sent."""
    query = environ.get("QUERY_STRING", "")
    if query:
        location += f"?{query}"
    status = f"{REDIRECT.value} {REDIRECT.phrase}"
    start_response(status, [("Location", location), ("Content-Length", "0")])
    return []
