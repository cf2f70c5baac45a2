"""Development: what `python service.py` runs, with a reloader and what to do next."""

import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus

from werkzeug.serving import (
    WSGIRequestHandler,
    is_running_from_reloader,
    run_simple,
)

from python.api.curl import curl_command
from python.api.problems import NO_HTTP, PROBLEM_TYPE
from python.api.responses import ENCODER
from python.app import create_app, warn_of_names
from python.loading import load_in_background
from python.metrics.server import MetricsServer
from python.model import FAMILIES
from python.model.base import Model
from python.settings import Settings, read_environ

REFUSALS = {
    HTTPStatus.BAD_REQUEST: NO_HTTP,
    HTTPStatus.REQUEST_URI_TOO_LONG: "the URI is longer than the 65536 bytes that are taken",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "there are more than 100 headers, or one is longer than 65536 bytes"
    ),
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: "the version of HTTP is not supported",
}
SECONDS_WITHOUT_A_BYTE = 4  # as uWSGI waits
DISCARD_SECONDS = 1
DISCARDED_AT_ONCE_BYTES = 64 * 1024
MAX_DISCARDED_BYTES = 16 * 1024 * 1024


def develop() -> None:
    """Serve until interrupted, with the settings of `variables.env` too; raise SettingsError.

    The service responds while the model is loading.
    With `debug`, a change of the code or of the model file starts the service anew.
    """
    settings = Settings.read(FAMILIES)
    model: Future[Model] = Future()
    app = create_app(settings, model)
    warn_of_names(read_environ())
    model.add_done_callback(partial(print_next_steps, settings))
    # The reloader's first process only watches the files; its second one serves.
    if is_running_from_reloader() or not settings.debug:
        load_in_background(settings, model)
        if settings.metrics_port:
            serve_metrics(settings, app.extensions["metrics"])
    run_simple(
        settings.host,
        settings.port,
        app,
        request_handler=Handler,
        threaded=True,
        use_reloader=settings.debug,
        extra_files=[str(settings.model_path)],
    )


def serve_metrics(settings: Settings, expose: Callable[[], bytes]) -> None:
    """Serve the metrics on their port, until the process ends."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    address = (settings.host, settings.metrics_port)
    listener = socket.create_server(address, family=family)
    MetricsServer(listener, expose).open()


class Handler(WSGIRequestHandler):
    """Werkzeug's, but what it refuses before the app sees it leaves as a problem document too.

    It waits for no client for ever.
    """

    timeout = SECONDS_WITHOUT_A_BYTE

    def log_request(
        self, code: int | str = "-", size: int | str = "-"
    ) -> None:
        """Write nothing: the service has a line for each request, without its query."""

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Respond with a problem; the texts may repeat what was sent, and are left out."""
        del message, explain
        status = HTTPStatus(code)
        detail = REFUSALS.get(status, status.description)
        members = {"title": status.phrase, "status": code, "detail": detail}
        body = ENCODER.encode(members)
        # Without a version that is understood, a response of HTTP/0.9 would have no headers.
        self.request_version = "HTTP/1.1"
        self.send_response(status, status.phrase)
        self.send_header("Content-Type", PROBLEM_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.discard_rest()

    def discard_rest(self) -> None:
        """Read what else is sent: to close before would take the response back (RFC 9112, 9.6)."""
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(DISCARD_SECONDS)
        n_bytes = 0
        with suppress(OSError):
            while n_bytes < MAX_DISCARDED_BYTES:
                discarded = self.connection.recv(DISCARDED_AT_ONCE_BYTES)
                if not discarded:
                    return
                n_bytes += len(discarded)


def print_next_steps(settings: Settings, future: Future[Model]) -> None:
    """Print where to see the model, how to call it and how to replace it, if there is one."""
    if future.exception() is not None:
        return
    lines = ["", "The model is ready."]
    if settings.page:
        lines.append(f"  In a browser: {root_of(settings)}/")
    # The command has a line of its own, so that a double click selects what can be pasted.
    lines += ["  In another terminal:", curl(settings, future.result())]
    name = settings.model_path.name
    lines.append(
        f"  A model of your own: save it in place of {name}, and start again "
        "(docs/your-model.md).\n"
    )
    # All goes out in one piece, because other threads write to the log.
    print("\n".join(lines), flush=True)


def curl(settings: Settings, model: Model) -> str:
    """Return a shell command that requests the prediction of a record from the service.

    It requests probabilities and an explanation as well where the model offers them.
    """
    flags = []
    if model.offers_probabilities:
        flags.append("proba")
    if model.offers_explanations:
        flags.append("explain")
    return curl_command(
        model, root_of(settings), flags, needs_key=settings.needs_key
    )


def root_of(settings: Settings) -> str:
    """Return the URL of the service on this machine."""
    return f"http://localhost:{settings.port}{settings.url_prefix}"
