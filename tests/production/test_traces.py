"""The program of docs/operations.md that sends a span for each request, under uWSGI."""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.models import ROOT
from tests.pages import blocks_of
from tests.production.replicas import save_example
from tests.servers import UWSGI, started

pytestmark = pytest.mark.slow

# It takes part in no other test, so it is in no environment of theirs.
PACKAGES = ROOT / "build" / "traces"
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
SECRET = b"s3cret"
REQUESTS = 20
SECONDS_TO_SEND = 30


@pytest.fixture(scope="module")
def packages() -> Path:
    """The packages that the page installs."""
    (install,) = [
        line
        for block in blocks_of("docs/operations.md")
        for line in block.text.splitlines()
        if "opentelemetry" in line and "pip install" in line
    ]
    names = install.partition("pip install ")[2].split()
    if not (PACKAGES / "opentelemetry" / "instrumentation" / "wsgi").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        run = subprocess.run(
            [*pip, "--target", str(PACKAGES), *names], check=False
        )
        if run.returncode != 0:
            pytest.skip("the packages cannot be had")
    return PACKAGES


@pytest.fixture
def received() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a collector (OTLP over HTTP), and what it has received."""
    bodies: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], bodies
    server.shutdown()
    server.server_close()


def predict(port: int, trace: bytes) -> int:
    """Return the status of a prediction that is part of a trace."""
    traceparent = f"00-{trace.hex()}-{secrets.token_hex(8)}-01"
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    path = f"/predict?proba=1&unknown={SECRET.decode()}"
    connection.request("POST", path, RECORD, {"traceparent": traceparent})
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_each_worker_sends_a_span_of_the_trace_that_a_request_brings(
    folder: Path, packages: Path, received: tuple[int, list[bytes]]
) -> None:
    (program,) = [
        block.text
        for block in blocks_of("docs/operations.md")
        if block.kind == "python"
    ]
    (folder / "traced.py").write_text(program)
    save_example(folder, "build_rf_binary")
    port, bodies = received
    environ = {
        "WORKERS": 2,
        "PYTHONPATH": packages,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": 200,
    }
    command = [*UWSGI, "--module", "traced:application"]
    traces = [secrets.token_bytes(16) for _ in range(REQUESTS)]
    with started(command, folder, **environ) as server:
        server.wait()
        for trace in traces:
            # The path takes no such parameter, and the span is there all the same.
            assert predict(server.port, trace) == 400
        wait_for(bodies, traces)
    sent = b"".join(bodies)
    assert SECRET not in sent
    assert b"/predict" in sent


def wait_for(bodies: list[bytes], traces: list[bytes]) -> None:
    """Wait until the collector has each of the traces."""
    deadline = time.monotonic() + SECONDS_TO_SEND
    missing = set(traces)
    while missing and time.monotonic() < deadline:
        time.sleep(0.1)
        sent = b"".join(bodies)
        missing = {trace for trace in missing if trace not in sent}
    assert not missing
