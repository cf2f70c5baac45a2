"""The prefix and CORS in nginx and HAProxy, each with the start script of its image."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from python.api.logs import RequestLine
from python.app import create_app
from python.production.status import Status
from python.settings import Settings
from tests.fronting import nginx
from tests.models import ROOT
from tests.production.test_clients import pytestmark, send_at_once
from tests.servers import answering, free_port, running
from tests.serving import served

__all__ = ["pytestmark"]

SHOP = "https://shop.example"
PREFIX = "/models/churn.1"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
# What a line of nginx and one of the service have both.
SHARED = {
    "time",
    "level",
    "request_id",
    "trace_id",
    "address",
    "method",
    "status",
    "milliseconds",
    "model_version",
}
EXPOSED = "X-Request-ID, X-Trace-ID, X-Model-Version, Retry-After, Link"
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
needs_haproxy = pytest.mark.skipif(
    not shutil.which("haproxy"), reason="there is no HAProxy"
)


def ask(
    port: int,
    path: str,
    method: str = "GET",
    body: bytes | None = None,
    **sent: str,
) -> HTTPResponse:
    """Return a response, whose body has been read, as soon as the port takes connections.

    What is sent besides are headers.
    """
    headers = {name: value for name, value in sent.items() if value}
    for _ in range(100):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.text = response.read().decode()  # type: ignore[attr-defined]
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return response
        finally:
            connection.close()
    raise TimeoutError


@contextmanager
def front(folder: Path, **environ: str) -> Iterator[int]:
    """Run nginx in front of the service, both with these settings, and yield its port."""
    settings = Settings.from_environ(environ, ["SKLEARN_MODEL"])
    app = create_app(settings, served("build_rf_binary"))
    with (
        running(app) as url,
        nginx(folder, int(url.rpartition(":")[2]), **environ) as port,
    ):
        yield port


def test_the_page_of_an_origin_reads_what_each_server_says(
    tmp_path: Path,
) -> None:
    origins = f"http://localhost:3000, {SHOP.upper()},{SHOP}"
    too_large = b"x" * 3000
    with front(
        tmp_path, CORS_ORIGINS=origins, MAX_CONTENT_LENGTH="2000"
    ) as port:
        for path, method, body, status in (
            ("/info", "GET", None, 200),
            ("/nowhere", "GET", None, 404),
            ("/predict", "POST", too_large, 413),  # from nginx
            ("/predict", "TRACE", None, 405),  # from nginx
        ):
            for origin, allowed in (
                (SHOP, SHOP),
                ("http://localhost:3000", "http://localhost:3000"),
                ("https://evil.example", None),
                ("", None),
            ):
                response = ask(port, path, method, body, Origin=origin)
                assert response.status == status
                assert response.headers.get_all(
                    "Access-Control-Allow-Origin"
                ) == (allowed and [allowed])
                if allowed:
                    assert response.headers.get_all(
                        "Access-Control-Expose-Headers"
                    ) == [EXPOSED]
                    assert "Origin" in response.headers.get_all("Vary", [])


def test_without_a_service_nginx_alone_lets_the_page_read_why(
    tmp_path: Path,
) -> None:
    with nginx(tmp_path, free_port(), CORS_ORIGINS="*") as port:
        response = ask(port, "/info", Origin=SHOP)
    assert response.status == 503
    assert response.headers.get_all("Access-Control-Allow-Origin") == ["*"]


@pytest.mark.parametrize(("origins", "allowed"), [(SHOP, None), ("*", "*")])
def test_a_page_cannot_read_a_refusal_of_a_line_or_of_headers(
    origins: str, allowed: str | None, tmp_path: Path
) -> None:
    """nginx has not read the origin by then; to all origins it says so all the same."""
    with nginx(tmp_path, free_port(), CORS_ORIGINS=origins) as port:
        response = ask(port, "/" + "x" * 9000, Origin=SHOP)
    assert response.status == 414
    assert response.headers["Access-Control-Allow-Origin"] == allowed


def test_nginx_says_nothing_of_origins_unless_there_are_some(
    tmp_path: Path,
) -> None:
    with front(tmp_path) as port:
        for path in ("/info", "/" + "x" * 9000):
            headers = ask(port, path, Origin=SHOP).headers
            assert not [name for name in headers if name.startswith("Access")]
            assert headers["Vary"] in (None, "Accept-Encoding")


def test_nginx_leads_to_the_description_under_the_prefix(
    tmp_path: Path,
) -> None:
    with front(tmp_path, URL_PREFIX=PREFIX) as port:
        for path, method in (
            (f"{PREFIX}/nowhere", "GET"),
            (f"{PREFIX}/predict", "TRACE"),
        ):
            response = ask(port, path, method)
            assert response.status in (404, 405)
            assert response.headers.get_all("Link") == [
                f'<{PREFIX}/openapi.json>; rel="service-desc"'
            ]
        assert f"{PREFIX}/openapi.json has" in response.text  # type: ignore[attr-defined]
        response = ask(port, f"{PREFIX}/predict", "POST", RECORD)
        assert response.text == '{"prediction":[1]}'  # type: ignore[attr-defined]
        response = ask(port, PREFIX)
        assert response.status == 308
        assert response.headers["Location"] == f"{PREFIX}/"


def test_no_limit_counts_the_probes_under_the_prefix(tmp_path: Path) -> None:
    with (
        slow_server() as upstream,
        nginx(
            tmp_path, upstream, CLIENT_REQUESTS="1", URL_PREFIX=PREFIX
        ) as port,
    ):
        ask(port, "/health")
        for path in ("/health", f"{PREFIX}/ready"):
            assert send_at_once(port, ("GET", path, None)) == {200}
        for path in (f"{PREFIX}/info", "/models/churnx1/health"):
            assert send_at_once(port, ("GET", path, None)) == {200, 429}


@contextmanager
def slow_server() -> Iterator[int]:
    from tests.production.test_clients import Slow

    with answering(Slow) as port:
        yield port


class Worker(BaseHTTPRequestHandler):
    """Responds as nobody else does."""

    def do_GET(self) -> None:
        self.send_response(418)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def haproxy(
    folder: Path, worker: int, supervisor: int, **environ: str
) -> Iterator[int]:
    """Run the HAProxy of the image with its start script for one replica, and yield its port."""
    port = free_port()
    text = (ROOT / "haproxy" / "haproxy.cfg").read_text()
    for old, new in (
        ("unix@/run/balancer/http.sock mode 660", f"127.0.0.1:{port}"),
        ("/run/balancer/refusals.sock", f"{folder}/refusals.sock"),
        ("unix@/run/balancer/again.sock mode 660", f"127.0.0.1:{free_port()}"),
        ("abns@explanations", f"abns@explanations-{port}"),
        ("/etc/haproxy/service/", f"{folder}/"),
        ("resolvers docker init-addr none check", "check"),
        (
            "server-template replica 32 service:5000",
            f"server replica 127.0.0.1:{worker}",
        ),
        (
            "server-template replica 32 service:5001",
            f"server replica 127.0.0.1:{supervisor}",
        ),
        ("port 5001", f"port {supervisor}"),
        ("127.0.0.1:8082", f"127.0.0.1:{free_port()}"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    shutil.copy(ROOT / "haproxy" / "unreached.http", folder)
    start = (ROOT / "haproxy" / "start").read_text()
    start = start.replace("/etc/haproxy/service/", f"{folder}/")
    process = subprocess.Popen(
        ["sh", "-c", start],
        env=os.environ | environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_a_trace_goes_through_nginx_or_begins_there(tmp_path: Path) -> None:
    sent = f"00-{TRACE}-00f067aa0ba902b7-01"
    large = b" " * 2000
    with front(tmp_path, MAX_CONTENT_LENGTH="1000") as port:
        # The service says the first two, nginx the third.
        for path, body in (
            ("/info", None),
            ("/no", None),
            ("/predict", large),
        ):
            method = "POST" if body else "GET"
            response = ask(port, path, method, body, traceparent=sent)
            assert response.headers.get_all("X-Trace-ID") == [TRACE]
            said = json.loads(response.text)  # type: ignore[attr-defined]
            assert said.get("trace_id", TRACE) == TRACE
            assert ("trace_id" in said) is (response.status >= 400)
        for bad in ("", "00-1-2-3", sent.upper(), sent * 100, f"{sent}-more"):
            response = ask(port, "/no", traceparent=bad)
            (made,) = response.headers.get_all("X-Trace-ID", [])
            assert made != TRACE
            assert len(made) == 32
            assert f'"trace_id":"{made}"' in response.text  # type: ignore[attr-defined]
    lines = [
        json.loads(line)
        for line in (tmp_path / "access.log").read_text().splitlines()
    ]
    assert [line["status"] for line in lines] == [200, 404, 413] + [404] * 5
    assert [line["trace_id"] for line in lines][:3] == [TRACE] * 3
    for line in lines:
        assert set(line) & set(RequestLine.__struct_fields__) == SHARED
        assert isinstance(line["milliseconds"], int)


@needs_haproxy
def test_what_haproxy_says_has_the_trace(tmp_path: Path) -> None:
    sent = f"00-{TRACE}-00f067aa0ba902b7-01"
    nobody = free_port()
    with haproxy(tmp_path, nobody, nobody) as port:
        for path in ("/info", "/health", "/predict?explain=1"):
            response = wait_for(port, path, 502, traceparent=sent)
            assert response.status == 503
            said = json.loads(response.text)  # type: ignore[attr-defined]
            assert said["trace_id"] == TRACE


@needs_haproxy
@pytest.mark.parametrize("prefix", ["", PREFIX])
def test_the_supervisor_answers_probes_with_the_prefix_and_without(
    prefix: str, tmp_path: Path
) -> None:
    model = tmp_path / "model.joblib"
    model.write_bytes(b"a model")
    supervisor = free_port()
    status = Status(supervisor, {"predictions": 1}, model, prefix)
    status.open()
    try:
        with (
            answering(Worker) as worker,
            haproxy(tmp_path, worker, supervisor, URL_PREFIX=prefix) as port,
        ):
            for path, content in (("/health", "up"), ("/ready", "ready")):
                for start in {"", prefix}:
                    response = wait_for(port, start + path, 503)
                    assert response.status == 200
                    assert response.text == content  # type: ignore[attr-defined]
            for path in ("/models/churnx1/health", f"{PREFIX}/info"):
                assert ask(port, path).status == 418
    finally:
        status.shutdown()
        status.server_close()


def wait_for(port: int, path: str, status: int, **sent: str) -> HTTPResponse:
    """Return the first response with another status, once HAProxy knows about the replica."""
    for _ in range(100):
        response = ask(port, path, "GET", None, **sent)
        if response.status != status:
            break
        time.sleep(0.1)
    return response
