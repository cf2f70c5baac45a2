"""The server of `/metrics` on a port of its own, for Prometheus.

One thread serves all connections, so that none of them holds another one. A client that is slow is
cut off, and of too many the one that has waited longest.
"""

import errno
import selectors
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from threading import Thread

from python.metrics.exposition import CONTENT_TYPE

MAX_CONNECTIONS = 64
MAX_HEAD_BYTES = 16 * 1024
MAX_SECONDS = 10
CHUNK_BYTES = 65536
SECONDS_BETWEEN_LOOKS = 1
SECONDS_WITHOUT_FILES = 0.1
BACKLOG_CONNECTIONS = 128
END_OF_HEAD = b"\r\n\r\n"


class Connection:
    """A client that is sending its request, or receiving its response."""

    def __init__(self, client: socket.socket) -> None:
        """Take a socket that does not block."""
        self.client = client
        self.deadline = time.monotonic() + MAX_SECONDS
        self.head = b""
        self.response: memoryview | None = None


class MetricsServer:
    """A server that a thread runs once it is opened, until the process ends or it is closed."""

    def __init__(
        self, listener: socket.socket, expose: Callable[[], bytes]
    ) -> None:
        """Take a socket that is bound, and what returns the metrics as text."""
        self._listener = listener
        self._expose = expose
        self._connections: dict[socket.socket, Connection] = {}
        self._selector = selectors.DefaultSelector()
        self._is_closed = False

    def open(self) -> None:
        """Take connections from now on."""
        self._listener.listen(BACKLOG_CONNECTIONS)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        Thread(target=self._run, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Take no more connections, within a second."""
        self._is_closed = True

    def _run(self) -> None:
        while not self._is_closed:
            for key, _ in self._selector.select(SECONDS_BETWEEN_LOOKS):
                if key.data is None:
                    self._accept()
                else:
                    self._go_on(key.data)
            self._drop_late()
        for client in list(self._connections):
            self._drop(client)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError as error:
            # Without a file for it, the connection stays to be accepted: at once, and in vain.
            if error.errno in (errno.EMFILE, errno.ENFILE):
                time.sleep(SECONDS_WITHOUT_FILES)
            return
        if len(self._connections) >= MAX_CONNECTIONS:
            self._drop(next(iter(self._connections)))
        client.setblocking(False)
        self._connections[client] = Connection(client)
        self._selector.register(client, selectors.EVENT_READ, client)

    def _go_on(self, client: socket.socket) -> None:
        connection = self._connections.get(client)
        if connection is None:  # it was dropped for another one
            return
        try:
            if connection.response is None:
                is_over = self._receive(connection)
            else:
                is_over = send(connection)
        except BlockingIOError:
            return
        except OSError:  # the client has gone
            is_over = True
        if is_over:
            self._drop(client)

    def _receive(self, connection: Connection) -> bool:
        """Receive a part of the request; return whether the client has sent enough."""
        received = connection.client.recv(CHUNK_BYTES)
        connection.head += received
        if not received or len(connection.head) > MAX_HEAD_BYTES:
            return True
        if END_OF_HEAD in connection.head:
            response = self._respond(connection.head)
            connection.response = memoryview(response)
            client = connection.client
            self._selector.modify(client, selectors.EVENT_WRITE, client)
        return False

    def _respond(self, head: bytes) -> bytes:
        """Return the response to a request."""
        words = head.split(b"\r\n", 1)[0].decode("latin1").split()
        if len(words) != 3 or words[0] not in ("GET", "HEAD"):
            return write(HTTPStatus.METHOD_NOT_ALLOWED, b"GET /metrics\n")
        if words[1].partition("?")[0] != "/metrics":
            return write(HTTPStatus.NOT_FOUND, b"see /metrics\n")
        response = self._respond_with_metrics()
        if words[0] == "HEAD":
            return response.partition(END_OF_HEAD)[0] + END_OF_HEAD
        return response

    def _respond_with_metrics(self) -> bytes:
        try:
            return write(HTTPStatus.OK, self._expose(), CONTENT_TYPE)
        except Exception as error:
            # The thread goes on, whatever is in the folder.
            name = type(error).__name__
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            return write(status, f"{name}\n".encode())

    def _drop_late(self) -> None:
        now = time.monotonic()
        for client, connection in list(self._connections.items()):
            if connection.deadline < now:
                self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        del self._connections[client]
        self._selector.unregister(client)
        client.close()


def send(connection: Connection) -> bool:
    """Send a part of the response; return whether it was the last one."""
    rest = connection.response or memoryview(b"")
    n_bytes = connection.client.send(rest[: 4 * CHUNK_BYTES])
    connection.response = rest[n_bytes:]
    return n_bytes == len(rest)


def write(
    status: HTTPStatus,
    content: bytes,
    content_type: str = "text/plain; charset=utf-8",
) -> bytes:
    """Return a response of HTTP."""
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + END_OF_HEAD + content
