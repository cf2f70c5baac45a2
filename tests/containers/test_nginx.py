"""What nginx adds to an answer, takes from a request, and says itself."""

import gzip
import json
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.containers.stack import Stack, ask, published_port
from tests.discretion import note_raw
from tests.models import build

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
# Four digits without the point would be found by chance in the hexadecimal digits of an id.
VALUE = 4711.25
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "nginx",
}


def raw(stack: Stack, request: bytes) -> tuple[bytes, bytes]:
    with socket.create_connection(
        ("127.0.0.1", stack.port), timeout=30
    ) as connection:
        note_raw(request)
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return head, body


def test_every_answer_has_the_security_headers_and_one_request_id(
    stack: Stack,
) -> None:
    for path in ("/health", "/nowhere"):
        headers = stack.ask(path).headers
        assert SECURITY.items() <= dict(headers.items()).items()
        assert len(headers.get_all("X-Request-ID", [])) == 1


def test_a_page_keeps_the_policy_that_it_came_with(stack: Stack) -> None:
    for path in ("/", "/docs"):
        headers = stack.ask(path, Accept="text/html").headers
        (policy,) = headers.get_all("Content-Security-Policy", [])
        assert policy.startswith("default-src 'none'; script-src 's")
        assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
        assert headers.get_all("Referrer-Policy") == ["no-referrer"]


def test_a_request_id_is_passed_on_or_made(stack: Stack) -> None:
    assert (
        stack.ask("/health", X_Request_ID="mine-1").headers["X-Request-ID"]
        == "mine-1"
    )
    for bad in ("", "a b", "x" * 200, '"quoted"'):
        made = stack.ask("/health", X_Request_ID=bad).headers["X-Request-ID"]
        assert len(made) == 32
        assert made != bad


def test_a_trace_is_passed_on_or_made(stack: Stack) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    sent = f"00-{trace}-00f067aa0ba902b7-01"
    for path in ("/health", "/nowhere", "/predict"):
        answer = stack.ask(path, traceparent=sent)
        assert answer.headers.get_all("X-Trace-ID") == [trace]
    assert answer.json["trace_id"] == trace
    for bad in ("", "00-1-2-3", sent.upper(), sent * 300, f"{sent}-more"):
        answer = stack.ask("/nowhere", traceparent=bad)
        (made,) = answer.headers.get_all("X-Trace-ID", [])
        assert made != trace
        assert len(made) == 32
        assert answer.json["trace_id"] == made
    # nginx itself refuses it.
    refused = stack.ask("/predict", b" " * 17_000_000, traceparent=sent)
    assert (refused.status, refused.json["trace_id"]) == (413, trace)


def test_json_is_compressed_for_those_who_ask(stack: Stack) -> None:
    body = json.dumps([json.loads(RECORD)] * 200).encode()
    plain = stack.ask("/predict?proba=1", body)
    packed = stack.ask("/predict?proba=1", body, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.body) == plain.body
    assert (
        "Content-Encoding"
        not in stack.ask("/health", Accept_Encoding="gzip").headers
    )


def test_connections_are_kept(stack: Stack) -> None:
    with socket.create_connection(
        ("127.0.0.1", stack.port), timeout=10
    ) as connection:
        for _ in range(3):
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            assert b"Connection: keep-alive" in answer


def test_a_chunked_body_arrives_with_its_length(stack: Stack) -> None:
    head, body = raw(
        stack,
        b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(RECORD), RECORD),
    )
    assert b" 200 OK" in head
    assert json.loads(body) == {"prediction": [1]}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            413,
        ),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
            431,
        ),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: braille\r\n\r\n",
            501,
        ),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        # Only nginx itself may go where its problems are.
        (
            b"GET /=problem/413 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            404,
        ),
        # A second error on the way to the document of the first.
        (
            b"GET /=problem/400 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            404,
        ),
        (
            b"TRACE / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            405,
        ),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else value,
)
def test_errors_of_nginx_are_problems(
    stack: Stack, request_: bytes, status: int
) -> None:
    head, body = raw(stack, request_)
    assert head.split()[1] == str(status).encode()
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["status"] == status
    assert b"nginx/" not in head
    leads_on = b'\r\nLink: </openapi.json>; rel="service-desc"' in head
    assert leads_on == (status in (404, 405))


def test_who_is_lost_is_led_to_the_document_once(stack: Stack) -> None:
    """The service says where it is described, and nginx does not say so again."""
    for path, status in (("/nowhere", 404), ("/predict", 405)):
        response = stack.ask(path)
        assert response.status == status
        links = response.headers.get_all("Link")
        assert links == ['</openapi.json>; rel="service-desc"']
    assert stack.ask("/health").headers.get_all("Link") is None


def test_headers_are_taken_or_refused_and_never_a_bad_gateway(
    stack: Stack,
) -> None:
    for size, status in ((7000, b"200"), (9000, b"431")):
        headers = b"".join(
            b"X-%d: %s\r\n" % (number, b"x" * size) for number in range(3)
        )
        head, _ = raw(
            stack,
            b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + headers
            + b"\r\n",
        )
        assert head.split()[1] == status


def test_a_body_as_large_as_the_service_takes_is_let_through(
    stack: Stack,
) -> None:
    limit = 16 * 1024 * 1024
    assert (
        stack.ask("/predict", RECORD + b" " * (limit - len(RECORD))).status
        == 200
    )
    refused = stack.ask("/predict", RECORD + b" " * (limit - len(RECORD) + 1))
    assert refused.status == 413
    assert (
        refused.json["detail"]
        == f"the body is larger than the {limit} bytes that are taken"
    )


def test_a_slow_client_is_let_go(stack: Stack) -> None:
    start = time.monotonic()
    head, _ = raw(
        stack,
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    )
    assert 9 < time.monotonic() - start < 25
    assert not head


def test_the_log_is_json_and_holds_neither_query_nor_body(
    stack: Stack,
) -> None:
    stack.ask(
        "/predict?proba=1&secret=s3cret",
        json.dumps({"feature1": VALUE}).encode(),
        X_Request_ID="logged-one",
    )
    raw(
        stack,
        b"POST /predict?secret=s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
    )
    time.sleep(0.5)
    [line] = [
        line
        for line in stack.logs("nginx").splitlines()
        if "logged-one" in line
    ]
    entry = json.loads(line.partition("|")[2])
    assert {"time", "address", "upstream_seconds"} <= entry.keys()
    assert isinstance(entry["milliseconds"], int)
    [of_service] = [
        json.loads(line.partition("|")[2])
        for line in stack.logs("service").splitlines()
        if "logged-one" in line
    ]
    for name in entry.keys() & of_service.keys() - {"time", "milliseconds"}:
        assert entry[name] == of_service[name]
    assert re.fullmatch(r"[0-9.]{7,}", entry["replica"])
    assert (entry["path"], entry["method"], entry["status"]) == (
        "/predict",
        "POST",
        400,
    )
    assert entry["model_version"] in stack.versions()
    assert "s3cret" not in stack.logs()
    assert str(VALUE) not in stack.logs()


def test_tls_needs_the_marks_taken_off_and_nothing_else(
    built: str, tmp_path: Path
) -> None:
    stack = Stack(tmp_path, "mmd-tls", image=f"{built}-tls")
    secure = published_port()
    stack.environ |= {
        "HTTPS_PORT": str(secure),
        "CERTIFICATES": str(tmp_path / "certificates"),
    }
    compose, nginx = (
        stack.folder / "docker-compose-production.yml",
        stack.folder / "nginx" / "nginx.conf",
    )
    assert compose.read_text().count("# TLS: ") == 2
    compose.write_text(compose.read_text().replace("# TLS: ", ""))
    before, mark, block = nginx.read_text().partition("# TLS.")
    server, end, rest = block.partition("    # }\n")
    nginx.write_text(
        before
        + mark
        + (server + end)
        .replace("\n    # ", "\n    ")
        .replace("    # }", "    }")
        + rest
    )
    certificates = stack.folder / "certificates"
    certificates.mkdir(mode=0o755)
    subject = [
        "-subj",
        "/CN=localhost",
        "-days",
        "1",
        "-nodes",
        "-newkey",
        "rsa:2048",
    ]
    files = [
        "-keyout",
        str(certificates / "key.pem"),
        "-out",
        str(certificates / "certificate.pem"),
    ]
    subprocess.run(
        ["openssl", "req", "-x509", *subject, *files],
        check=True,
        capture_output=True,
    )
    (certificates / "key.pem").chmod(0o644)
    stack.put(build("build_rf_binary").content)
    for name in ("", "-balancer"):
        stack.run("docker", "tag", built + name, stack.image + name)
    try:
        stack.compose("build", "nginx")
        stack.up(1)
        curl = [
            "curl",
            "--silent",
            "--cacert",
            str(certificates / "certificate.pem"),
            "--data",
            RECORD.decode(),
        ]
        answer = stack.run(*curl, f"https://localhost:{secure}/predict").stdout
        assert answer == '{"prediction":[1]}'
        assert ask(stack.port, "/health").body == b"up"
    finally:
        stack.down()
