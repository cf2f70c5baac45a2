"""What a replica says of itself beside its workers, and therefore also while all of them are busy.

HAProxy is the client, on a port of its own in the containers' network. Each connection brings one
line: a request of HTTP, or a word of HAProxy's agent checks
(https://docs.haproxy.org/3.0/configuration.html#5.2-agent-check).

| Line | Response |
| --- | --- |
| `GET /health` | 200 and `up`, as the service itself has it |
| `GET /ready` | 200 and `ready`, since nothing listens before that |
| `GET /takes-requests` | 200; 404 once the replica is stopping, so that it gets no more of them |
| `predictions` | `maxconn:` and how many requests the workers handle at once |
| `explanations` | `maxconn:` and how many of these may be explanations |
"""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Lock, Thread

from python.production.shelf import read_digest

LINE_BYTES = 65536
MAX_HEADERS = 256
VERSION_DIGITS = 12
SECONDS_TO_SEND = 2
PROBES = {"/health": "up", "/ready": "ready"}


class Status(ThreadingTCPServer):
    """A server that a thread runs once it is opened, until the process ends."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        capacities: Mapping[str, int],
        model: Path,
        prefix: str = "",
    ) -> None:
        """Bind the port, and take no connections yet.

        `capacities` are numbers of requests by the words of agent checks; `model` is the file that
        is served. A path may have the `prefix`.
        """
        super().__init__(("", port), Handler, bind_and_activate=False)
        self.server_bind()
        self.is_stopping = False
        self._is_open = False
        self._capacities = capacities
        self._model = model
        self._prefix = prefix
        self._digests: dict[tuple[int, int], str] = {}
        self._reading = Lock()

    def open(self) -> None:
        """Take connections from now on."""
        if self._is_open:
            return
        self._is_open = True
        self.server_activate()
        Thread(target=self.serve_forever, name="status", daemon=True).start()

    def respond(self, line: str) -> bytes:
        """Return what a connection gets for its line."""
        words = line.split()
        if len(words) == 1:
            capacity = self._capacities.get(words[0], 0)
            return f"maxconn:{max(1, capacity)}\n".encode()
        path = self._read_path(words[1]) if words else ""
        if path in PROBES:
            version = f"X-Model-Version: {self._read_version()}"
            return make_response(HTTPStatus.OK, PROBES[path], version)
        # Without the version: to read a large file takes longer than HAProxy waits for a check.
        if path == "/takes-requests" and not self.is_stopping:
            return make_response(HTTPStatus.OK, "yes")
        return make_response(HTTPStatus.NOT_FOUND, "no")

    def _read_path(self, target: str) -> str:
        """Return the path that is asked for, without the query and the prefix."""
        path, _, _ = target.partition("?")
        return path.removeprefix(self._prefix)

    def _read_version(self) -> str:
        """Return the version of the model file, whose digest is read once."""
        with self._reading:
            stat = self._model.stat()
            key = (stat.st_ino, stat.st_mtime_ns)
            if key not in self._digests:
                self._digests = {key: read_digest(self._model)}
            return self._digests[key][:VERSION_DIGITS]


def make_response(status: HTTPStatus, content: str, *headers: str) -> bytes:
    """Return a response of HTTP with a text."""
    lines = [
        f"HTTP/1.0 {status.value} {status.phrase}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(content)}",
        *headers,
        "Connection: close",
    ]
    head = "\r\n".join(lines)
    return f"{head}\r\n\r\n{content}".encode()


class Handler(StreamRequestHandler):
    """Reads a request without a body, and responds."""

    server: Status
    timeout = SECONDS_TO_SEND

    def handle(self) -> None:
        """Respond to one line, once the headers that follow it have been read."""
        try:
            line = self.rfile.readline(LINE_BYTES).decode("latin1")
            if len(line.split()) > 1:
                self._skip_headers()
            response = self.server.respond(line)
            if line.startswith("HEAD "):
                response = response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            self.wfile.write(response)
        except OSError:  # HAProxy has gone, or the file is being replaced
            return

    def _skip_headers(self) -> None:
        # What is left unread would reset the connection when it is closed.
        for _ in range(MAX_HEADERS):
            if not self.rfile.readline(LINE_BYTES).strip():
                return
