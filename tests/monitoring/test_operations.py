"""What docs/operations.md says in numbers: its picture, and how far the log reaches back."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import yaml  # type: ignore[import-untyped]

from python.production.supervisor import BACKLOG_CONNECTIONS
from python.settings import Settings
from tests.fronting import fronting
from tests.models import ROOT
from tests.servers import fetch

PAGE = (ROOT / "docs" / "operations.md").read_text()
PICTURE = (ROOT / "docs" / "operations-bounds.svg").read_text()
NGINX = (ROOT / "nginx" / "nginx.conf").read_text()
SERVICE = (ROOT / "nginx" / "service.conf").read_text()
START = (ROOT / "nginx" / "start").read_text()
HAPROXY = (ROOT / "haproxy" / "haproxy.cfg").read_text()
UWSGI = (ROOT / "uwsgi.ini").read_text()
SUPERVISOR = (ROOT / "python" / "production" / "supervisor.py").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose-production.yml").read_text())
SETTINGS = Settings()
TIMEOUT = SETTINGS.request_timeout
MEBIBYTE = 1024 * 1024


def value(pattern: str, text: str) -> str:
    """Return what the pattern finds, which must be the same everywhere in the text."""
    (found,) = set(re.findall(pattern, text, re.MULTILINE))
    assert isinstance(found, str)
    return found


def number(pattern: str, text: str) -> str:
    """Return a number as the picture writes it."""
    return f"{int(value(pattern, text)):,}"


def limits(name: str) -> str:
    """Return the processors and the memory of a container."""
    bounds = COMPOSE["services"][name]["deploy"]["resources"]["limits"]
    plural = "s" if bounds["cpus"] != "1" else ""
    memory = bounds["memory"].replace("M", " MiB").replace("G", " GiB")
    return f"{bounds['cpus']} CPU{plural}, {memory}"


def tmpfs(name: str, place: str) -> int:
    """Return the mebibytes of a folder in memory."""
    for volume in COMPOSE["services"][name]["volumes"]:
        if volume["target"] == place:
            size: int = volume["tmpfs"]["size"]
            return size // MEBIBYTE
    raise KeyError(place)


def client_lines() -> list[str]:
    times = {
        value(rf"^ *{name} (\d+)s;", NGINX)
        for name in ("client_header_timeout", "client_body_timeout")
    }
    times.add(value(r"^ *send_timeout (\d+)s;", NGINX))
    (seconds,) = times
    kept = value(r"^ *keepalive_timeout (\d+)s;", NGINX)
    headers = number(r"^ *max_headers (\d+);", NGINX)
    pattern = r"^ *large_client_header_buffers (\d+ \d+)k;"
    count, size = value(pattern, NGINX).split()
    return [
        f"{seconds} s without a byte of headers, body or response, {kept} s between requests",
        f"{headers} headers, {count} buffers of {size} KiB; a body of {SETTINGS.max_content_length:,} bytes",
        f"{SETTINGS.client_requests} requests of one client at once",
    ]


def nginx_lines() -> list[str]:
    connections = number(r"^ *worker_connections (\d+);", NGINX)
    connect = value(r"^proxy_connect_timeout (\d+)s;", SERVICE)
    assert 'READ_TIMEOUT="$((timeout * 2))"' in START
    assert "timeout - 1" in START
    for name in ("send", "read"):
        assert f"proxy_{name}_timeout ${{READ_TIMEOUT}}s;" in SERVICE
    delay = int(value(r"inspect-delay (\d+)ms", HAPROXY)) / 1000
    return [
        f"{connections} connections, for clients and HAProxy",
        f"{tmpfs('nginx', '/tmp')} MiB of bodies in memory, {limits('nginx')}",
        "429 · 413 · 431 · 503 · 504",
        f"{connect} s to connect; {2 * TIMEOUT} s to send, and to wait for the response",
        f"once more after {delay} s, if its replica has ended before {TIMEOUT - 1} s",
    ]


def haproxy_lines() -> list[str]:
    queues = re.findall(
        r"^backend (\w+) .*?queue ge (\d+)", HAPROXY, re.MULTILINE | re.DOTALL
    )
    waiting = dict(queues)
    predictions = int(waiting["predictions"])
    explanations = int(waiting["explanations"])
    most = number(r"^    maxconn (\d{4,})", HAPROXY)
    connect = value(r"^ *timeout connect (\w+)ms", HAPROXY)
    retries = value(r"^ *retries (\d+)", HAPROXY)
    replicas = value(r"server-template replica (\d+)", HAPROXY)
    every = value(r" inter (\d+)s fastinter", HAPROXY)
    check = value(r"timeout check (\d+)ms", HAPROXY)
    failures = value(r" fall (\d+) ", HAPROXY)
    probes = value(r"service:5001 maxconn (\d+)$", HAPROXY)
    return [
        f"{predictions:,} predictions and {explanations} explanations may wait",
        f"{most} connections, {limits('balancer')}",
        "502 · 503",
        f"{connect} ms to connect, {retries} retries; {replicas} replicas, each as many as it has workers",
        f"a check every {every} s, for {check} ms: {failures} failures, and it is left out",
        f"{probes} probes at once, which wait for no worker",
    ]


def replica_lines() -> list[str]:
    shared = tmpfs("service", "/dev/shm")
    run = tmpfs("service", "/run/service") // 1024
    common = COMPOSE["x-common"]
    files = common["ulimits"]["nofile"]["hard"]
    variables = number(r"^max-vars = (\d+)", UWSGI)
    header_bytes = number(r"^buffer-size = (\d+)", UWSGI)
    assert f"REQUEST_TIMEOUT:-{TIMEOUT}" in value(r"^(harakiri = .*)", UWSGI)
    assert "grace_seconds=request_seconds + 1" in SUPERVISOR
    return [
        f"{shared} MiB in /dev/shm, {run} GiB in /run/service",
        f"{common['pids_limit']} processes, {files:,} files, {limits('service')}",
        f"stops within {TIMEOUT + 1} s",
        f"{BACKLOG_CONNECTIONS:,} connections, {variables} variables, {header_bytes} bytes of headers",
        f"{TIMEOUT} s, then the worker is ended (harakiri)",
        f"{SETTINGS.max_explain_rows:,} rows to explain, in {SETTINGS.max_explain_seconds} s",
        f"{SETTINGS.max_content_length:,} values: records x features",
    ]


def test_every_figure_of_the_picture_is_that_of_the_configuration() -> None:
    drawn = re.findall(r'<text class="limit"[^>]*>([^<]*)</text>', PICTURE)
    expected = client_lines() + nginx_lines() + haproxy_lines()
    expected += replica_lines()
    assert sorted(drawn) == sorted(expected)


def test_the_picture_is_drawn_for_light_and_dark() -> None:
    style = PICTURE.split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    for name in ("paper", "box", "worker", "name", "limit", "note"):
        assert f".{name}" in light
        assert f".{name}" in dark


class Predicting(BaseHTTPRequestHandler):
    """Responds as the service does, as far as nginx's lines show it."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("X-Model-Version", "0123456789ab")
        self.send_header("X-Replica", "172.18.0.3")
        self.end_headers()
        self.wfile.write(b'{"prediction":[0]}')

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def nginx_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The line that the nginx of the image writes for a prediction."""
    if not (shutil.which("nginx") and shutil.which("envsubst")):
        pytest.skip("there is no nginx, or no envsubst")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Predicting)
    Thread(target=server.serve_forever, daemon=True).start()
    folder = tmp_path_factory.mktemp("line")
    with fronting(folder, server.server_address[1]) as front:
        for _ in range(100):
            try:
                fetch(f"http://127.0.0.1:{front.port}/predict", b"{}")
                break
            except OSError:
                time.sleep(0.1)
        lines: list[str] = []
        while not lines:
            lines = front.log.read_text().splitlines()
        yield lines[0]
    server.shutdown()
    server.server_close()


def docker_bytes(line: str) -> int:
    """Return the bytes that Docker's json-file driver writes for a line."""
    kept = {
        "log": f"{line}\n",
        "stream": "stdout",
        "time": "2026-11-27T02:16:24.123456789Z",
    }
    return len(json.dumps(kept, separators=(",", ":"))) + 1


def hours(text: str) -> float:
    count, unit = text.split()
    seconds = {"hours": 3600, "minutes": 60, "seconds": 1}[unit]
    return float(count) * seconds / 3600


def test_the_log_reaches_back_as_far_as_the_page_says(nginx_line: str) -> None:
    options = COMPOSE["x-common"]["logging"]["options"]
    assert options == {"max-size": "10m", "max-file": "5"}
    total = 5 * 10 * 1000 * 1000
    said = int(value(r"line of nginx takes about (\d+) bytes", PAGE))
    measured = docker_bytes(nginx_line)
    assert 0.8 * said < measured < 1.2 * said, measured
    rows = re.findall(r"^\| ([\d,]+) \| (\d+ \w+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for rate, reach in rows:
        exact = total / said / int(rate.replace(",", "")) / 3600
        assert hours(reach) == pytest.approx(exact, rel=0.1)


def test_a_line_of_nginx_is_json(nginx_line: str) -> None:
    assert json.loads(nginx_line)["status"] == 200
