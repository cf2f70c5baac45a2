"""The limits of nginx for a client, in front of a server that takes its time."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.balancing import Balancer, balancing
from tests.fronting import fronting, nginx
from tests.models import ROOT
from tests.servers import answering, free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("nginx") and shutil.which("envsubst")),
        reason="there is no nginx, or no envsubst",
    ),
]

Request: TypeAlias = tuple[str, str, bytes | None]
"""A method, a path and a body."""

AT_ONCE = 6
SECONDS_TO_RESPOND = 1
PROBES: list[Request] = [
    ("GET", "/health", None),
    ("HEAD", "/ready", None),
    ("GET", "/ready?x=1", None),
]
NO_PROBES: list[Request] = [
    ("POST", "/health", b""),
    ("POST", "/ready", b"{}"),
    ("GET", "/health", b"{}"),
    ("GET", "/%68ealth", None),
    ("GET", "/./ready", None),
    ("GET", "/healthy", None),
    ("GET", "/nowhere?/health", None),
]


class Slow(BaseHTTPRequestHandler):
    """Responds to everything, but not at once."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(SECONDS_TO_RESPOND)
        self.send_response(200)
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815 - the base class wants these names
    do_POST = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def upstream() -> Iterator[int]:
    with answering(Slow) as port:
        yield port


def status_of(port: int, request: Request, address: str = "") -> int:
    """Send a request, as soon as the port takes connections, and return the status.

    The address is the one that a proxy in front of nginx says.
    """
    headers = {"X-Forwarded-For": address} if address else {}
    for _ in range(100):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request(*request, headers)
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError


def send_at_once(port: int, request: Request) -> set[int]:
    """Return the statuses of equal requests that are sent together."""
    with ThreadPoolExecutor(AT_ONCE) as clients:
        return set(
            clients.map(status_of, [port] * AT_ONCE, [request] * AT_ONCE)
        )


@pytest.mark.parametrize(
    "limit",
    [{"CLIENT_REQUESTS": "1"}, {"CLIENT_RATE": "1", "CLIENT_REQUESTS": "0"}],
)
def test_no_limit_counts_probes_and_each_counts_all_else(
    tmp_path: Path, upstream: int, limit: dict[str, str]
) -> None:
    with nginx(tmp_path, upstream, **limit) as port:
        status_of(port, ("GET", "/health", None))
        for request in PROBES:
            assert send_at_once(port, request) == {200}, request
        for request in NO_PROBES:
            assert send_at_once(port, request) == {200, 429}, request
    (name,) = (name for name, value in limit.items() if value == "1")
    for line in (tmp_path / "access.log").read_text().splitlines():
        said = json.loads(line)
        assert said["limit"] == (name if said["status"] == 429 else "")


def test_no_limit_holds_where_it_is_0(tmp_path: Path, upstream: int) -> None:
    limits = {"CLIENT_REQUESTS": "0", "CLIENT_RATE": "0"}
    with nginx(tmp_path, upstream, **limits) as port:
        status_of(port, ("GET", "/health", None))
        for request in (*PROBES, NO_PROBES[0]):
            assert send_at_once(port, request) == {200}, request


def send_from(port: int, addresses: list[str]) -> set[int]:
    """Return the statuses of requests that are sent together, each from an address."""
    count = len(addresses)
    requests: list[Request] = [("GET", "/info", None)] * count
    with ThreadPoolExecutor(count) as clients:
        return set(clients.map(status_of, [port] * count, requests, addresses))


def test_the_addresses_of_a_network_are_one_client(
    tmp_path: Path, upstream: int
) -> None:
    """A client of IPv6 chooses the second half of its address itself."""
    limits = {"CLIENT_REQUESTS": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    one_network = [f"2001:db8:0:7::{number}" for number in range(AT_ONCE)]
    networks = [f"2001:db8:0:{number}::7" for number in range(AT_ONCE)]
    machines = [f"192.0.2.{number}" for number in range(AT_ONCE)]
    with nginx(tmp_path, upstream, **limits) as port:
        status_of(port, ("GET", "/health", None))
        assert send_from(port, one_network) == {200, 429}
        assert send_from(port, networks) == {200}
        assert send_from(port, machines) == {200}


def test_haproxy_takes_the_same_for_probes() -> None:
    haproxy = (ROOT / "haproxy" / "haproxy.cfg").read_text()
    (conditions,) = re.findall(r"use_backend probes if (.*)", haproxy)
    assert conditions == "is_probe is_read !has_body"
    paths = '/health /ready "${URL_PREFIX}/health" "${URL_PREFIX}/ready"'
    assert f"acl is_probe path {paths}\n" in haproxy
    assert "acl is_read method GET HEAD\n" in haproxy


def read_counted(balancer: Balancer) -> int:
    (count,) = re.findall(
        r"^haproxy_process_recv_logs_total (\d+)",
        balancer.read_metrics(),
        re.MULTILINE,
    )
    return int(count)


@pytest.mark.skipif(
    shutil.which("haproxy") is None, reason="there is no HAProxy"
)
def test_each_refusal_is_counted_and_says_its_limit(
    tmp_path: Path, upstream: int
) -> None:
    environ = {
        "CLIENT_RATE": "1",
        "CLIENT_REQUESTS": "0",
        "MAX_CONTENT_LENGTH": "1000",
    }
    with (
        balancing(tmp_path, free_port(), free_port()) as balancer,
        fronting(tmp_path, upstream, environ=environ) as front,
    ):
        status_of(front.port, ("GET", "/health", None))
        assert read_counted(balancer) == 0
        assert send_at_once(front.port, ("GET", "/info", None)) == {200, 429}
        assert status_of(front.port, ("POST", "/predict", b" " * 1001)) == 413
        long = ("GET", "/" + "x" * 10_000, None)
        assert status_of(front.port, long) == 414
        lines = read_lines(front.log, last_status=414)
        counted = read_counted(balancer)
    expected = {413: "MAX_CONTENT_LENGTH", 414: "headers", 429: "CLIENT_RATE"}
    refused = 0
    for line in lines:
        assert line["limit"] == expected.get(line["status"], "")
        refused += line["status"] in expected
    assert counted == refused > 3


def read_lines(log: Path, last_status: int) -> list[dict[str, Any]]:
    """The lines of nginx, which writes each after its response, once the last one is there."""
    deadline = time.monotonic() + 10
    while True:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        if lines[-1]["status"] == last_status or time.monotonic() > deadline:
            return lines
        time.sleep(0.05)


def test_without_haproxy_nginx_responds_all_the_same(
    tmp_path: Path, upstream: int
) -> None:
    limit = {"CLIENT_REQUESTS": "1"}
    with fronting(tmp_path, upstream, environ=limit) as front:
        status_of(front.port, ("GET", "/health", None))
        assert send_at_once(front.port, ("GET", "/info", None)) == {200, 429}
