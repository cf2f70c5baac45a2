"""The limits for headers of nginx, HAProxy and uWSGI, each derived from the one before it."""

import re

from python.production.status import Status
from tests.models import ROOT

NGINX = (ROOT / "nginx" / "nginx.conf").read_text()
SERVICE = (ROOT / "nginx" / "service.conf").read_text()
HAPROXY = (ROOT / "haproxy" / "haproxy.cfg").read_text()
UWSGI = (ROOT / "uwsgi.ini").read_text()
KIBIBYTE = 1024
# nginx sends the length of a body, and HAProxy may add one header.
ADDED_WITHOUT_A_LINE = 2
# PEP 3333 has about so many variables that are no headers; uWSGI keeps a name and a value of each.
VARIABLES_WITHOUT_A_HEADER = 24
# What nginx repeats of the headers, besides what it got: the host, the id, and an address.
LONGEST_REPETITION_BYTES = 8 * KIBIBYTE + 512


def number(pattern: str, text: str) -> int:
    """The number in the one line that matches."""
    (digits,) = re.findall(pattern, text, re.MULTILINE)
    return int(digits)


def headers_of_nginx() -> int:
    """The most headers that come out of nginx."""
    taken = number(r"^ *max_headers (\d+);", NGINX)
    added = len(re.findall(r"^proxy_set_header ", SERVICE, re.MULTILINE))
    return taken + added + ADDED_WITHOUT_A_LINE


def bytes_of_nginx() -> int:
    """The most bytes of headers that come out of nginx."""
    pattern = r"^ *large_client_header_buffers (\d+) (\d+)k;"
    ((buffers, kibibytes),) = re.findall(pattern, NGINX, re.MULTILINE)
    taken = int(buffers) * int(kibibytes) * KIBIBYTE
    return taken + KIBIBYTE + LONGEST_REPETITION_BYTES


def test_haproxy_takes_what_nginx_lets_through() -> None:
    assert number(r"^ *tune.http.maxhdr (\d+)", HAPROXY) >= headers_of_nginx()
    assert number(r"^ *tune.bufsize (\d+)", HAPROXY) > bytes_of_nginx()


def test_uwsgi_takes_what_haproxy_lets_through() -> None:
    headers = number(r"^ *tune.http.maxhdr (\d+)", HAPROXY)
    variables = headers + VARIABLES_WITHOUT_A_HEADER
    assert number(r"^max-vars = (\d+)", UWSGI) >= 2 * variables
    buffer_bytes = number(r"^buffer-size = (\d+)", UWSGI)
    assert buffer_bytes >= number(r"^ *tune.bufsize (\d+)", HAPROXY) - 1


def test_probes_leave_room_for_the_checks() -> None:
    """The supervisor's port queues so many connections, of probes and of checks."""
    probes = number(r"replica \d+ service:5001 maxconn (\d+)$", HAPROXY)
    assert 2 * probes < Status.request_queue_size


def test_each_error_of_nginx_has_a_document() -> None:
    listed = re.findall(r"^error_page .* ([/@]\S+);", SERVICE, re.MULTILINE)
    for place in listed:
        start = "location = " if place.startswith("/") else "location "
        assert f"{start}{place} {{" in SERVICE, place
    statuses = re.findall(r"return (\d+) '.*?\"status\":(\d+)", SERVICE)
    assert statuses
    for status, said in statuses:
        assert status == said
