"""A renewed certificate: nginx takes it on SIGHUP, and loses no request."""

import os
import shutil
import signal
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.fronting import Front, fronting
from tests.servers import answering

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, ("nginx", "envsubst", "openssl"))),
        reason="there is no nginx, no envsubst or no openssl",
    ),
]

CLIENTS = 4


class Slow(BaseHTTPRequestHandler):
    """Responds after a while, so that requests are under way all the time."""

    def do_GET(self) -> None:
        time.sleep(0.2)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def make_certificate(folder: Path, name: str) -> bytes:
    """Put a new certificate and its key in their place; return the certificate."""
    command = ["openssl", "req", "-x509", "-nodes", "-days", "1"]
    command += ["-newkey", "rsa:2048", "-subj", f"/CN={name}"]
    command += ["-keyout", str(folder / "key.new")]
    command += ["-out", str(folder / "certificate.new")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "key.new").replace(folder / "key.pem")
    path = (folder / "certificate.new").replace(folder / "certificate.pem")
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def ask(front: Front) -> tuple[int, bytes]:
    """Return the status of a request on a new connection, and the certificate of the server."""
    context = ssl._create_unverified_context()
    connection = HTTPSConnection(
        "127.0.0.1", front.tls_port, timeout=30, context=context
    )
    try:
        connection.request("GET", "/info")
        assert isinstance(connection.sock, ssl.SSLSocket)
        certificate = connection.sock.getpeercert(binary_form=True)
        assert certificate is not None
        return connection.getresponse().status, certificate
    finally:
        connection.close()


def wait(front: Front) -> None:
    for _ in range(100):
        try:
            ask(front)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError


@contextmanager
def asking(front: Front) -> Iterator[Counter[tuple[int, bytes]]]:
    """Let clients ask all the time; an exception of one would end its count, and is counted."""
    outcomes: Counter[tuple[int, bytes]] = Counter()
    stop = Event()

    def ask_on() -> None:
        while not stop.is_set():
            try:
                outcomes[ask(front)] += 1
            except OSError as error:
                outcomes[0, repr(error).encode()] += 1

    threads = [Thread(target=ask_on) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield outcomes
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def seen(outcomes: Counter[tuple[int, bytes]], certificate: bytes) -> int:
    return outcomes[200, certificate]


def wait_until_seen(
    outcomes: Counter[tuple[int, bytes]], certificate: bytes
) -> None:
    for _ in range(300):
        if seen(outcomes, certificate) > 2 * CLIENTS:
            return
        time.sleep(0.1)
    raise TimeoutError


@pytest.fixture
def upstream() -> Iterator[int]:
    with answering(Slow) as port:
        yield port


def test_a_renewed_certificate_is_taken_and_no_request_is_lost(
    tmp_path: Path, upstream: int
) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    old = make_certificate(certificates, "old")
    with fronting(tmp_path, upstream, certificates=certificates) as front:
        wait(front)
        with asking(front) as outcomes:
            wait_until_seen(outcomes, old)
            new = make_certificate(certificates, "new")
            os.kill(front.process, signal.SIGHUP)
            wait_until_seen(outcomes, new)
            # Files that do not belong together: what was good is served on.
            (certificates / "key.pem").write_text("no key")
            os.kill(front.process, signal.SIGHUP)
            time.sleep(1)
            before = seen(outcomes, new)
            while seen(outcomes, new) < before + 2 * CLIENTS:
                time.sleep(0.1)
    assert outcomes.keys() == {(200, old), (200, new)}
