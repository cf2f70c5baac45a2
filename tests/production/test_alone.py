"""uWSGI without containers: what is sent to it as it stands, its signals, its log, systemd, nginx."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import joblib
import pytest

from tests.acting import SLEEPS, acting
from tests.models import ROOT
from tests.production.replicas import RECORD, model_version, save_example
from tests.production.test_deployment import RUN, SERVE, load
from tests.servers import UWSGI, Server, free_port, started
from tests.test_serving import raw

pytestmark = pytest.mark.slow

UNIT = ROOT / "systemd" / "model.service"
PAGE = ROOT / "docs" / "production.md"
NGINX = """
user root;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/responses;
{server}
}}
"""
SLOW_ACCEPT = Path(__file__).with_name("accept.c")
SECONDS_TO_RELOAD = 60
REPLACED = "chain reloading complete"


def worker_pids(log: Path) -> list[int]:
    """Return the processes of the workers that have been started, in their order."""
    pattern = r"(?:spawned|Respawned) uWSGI worker \d+ \((?:new )?pid: (\d+)"
    return [int(pid) for pid in re.findall(pattern, log.read_text())]


def replace_workers(server: Server) -> None:
    """Signal that new workers are to take the place of the old ones, and wait until they have."""
    before = server.log.read_text().count(REPLACED)
    os.kill(server.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + SECONDS_TO_RELOAD
    while server.log.read_text().count(REPLACED) == before:
        assert server.process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("command", [SERVE, UWSGI], ids=["serve", "uwsgi"])
def test_sighup_replaces_the_workers_and_loses_no_request(
    command: list[str], folder: Path
) -> None:
    save_example(folder, "build_rf_binary")
    with started(command, folder, WORKERS=2, **RUN) as server:
        server.wait()
        while server.log.read_text().count("WSGI app 0") < 2:
            time.sleep(0.1)
        with load(server) as statuses:
            replace_workers(server)
        assert set(statuses) == {200}
        assert len(set(worker_pids(server.log))) == 4
        assert server.post("/predict", RECORD)[0] == 200
        server.process.terminate()
        assert server.process.wait(20) == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_workers_that_wait_for_requests_are_replaced_at_once(
    folder: Path, threads: int
) -> None:
    """A request would be waited for, which may take longer than the test waits."""
    save_example(folder, "build_rf_binary")
    settings = {"WORKERS": 2, "THREADS": threads}
    settings["REQUEST_TIMEOUT"] = 5 * SECONDS_TO_RELOAD
    with started(SERVE, folder, **settings, **RUN) as server:
        server.wait()
        while server.log.read_text().count("WSGI app 0") < 2:
            time.sleep(0.1)
        replace_workers(server)
        assert len(set(worker_pids(server.log))) == 4
        assert server.post("/predict", RECORD)[0] == 200


@pytest.mark.parametrize("threads", [1, 2])
def test_a_response_that_is_being_written_is_written_to_its_end(
    folder: Path, threads: int
) -> None:
    save_example(folder, "build_rf_binary")
    large = b"GET /docs/swagger-ui-bundle.js HTTP/1.0\r\n\r\n"
    # Else the kernel takes all of the response from the worker.
    command = [*UWSGI, "--socket-sndbuf", "65536"]
    with (
        started(command, folder, THREADS=threads) as server,
        ExitStack() as opened,
    ):
        server.wait()
        clients = []
        for _ in range(threads):
            client = opened.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(20)
            client.connect(("127.0.0.1", server.port))
            client.sendall(large)
            clients.append((client, client.recv(1024)))
        os.kill(server.process.pid, signal.SIGHUP)
        time.sleep(2)
        assert "The work of process" in server.log.read_text()
        for client, start in clients:
            rest = b"".join(iter(partial(client.recv, 65536), b""))
            head, body = (start + rest).split(b"\r\n\r\n", 1)
            (length,) = re.findall(rb"(?i)content-length: (\d+)", head)
            assert len(body) == int(length) > 1_000_000


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_worker_responds_to_what_it_has_accepted_before_it_ends(
    folder: Path, threads: int
) -> None:
    """uWSGI takes a worker for idle that has accepted a connection and read nothing from it."""
    library = folder / "accept.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", "-o", library, SLOW_ACCEPT],
        check=True,
    )
    save_example(folder, "build_rf_binary")
    settings = {"WORKERS": 2, "THREADS": threads, "LD_PRELOAD": library}
    with started(SERVE, folder, **settings, **RUN) as server:
        server.wait()
        while server.log.read_text().count("WSGI app 0") < 2:
            time.sleep(0.1)
        with load(server) as statuses:
            replace_workers(server)
        assert set(statuses) == {200}
        server.process.terminate()
        assert server.process.wait(20) == 0


def test_an_empty_line_before_a_request_is_passed_over(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    with started(UWSGI, folder) as server:
        server.wait()
        rest = b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
        predict = b"POST /predict" + rest % (len(RECORD), RECORD)
        for empty in (b"", b"\r\n", b"\n"):
            answer = raw(server, empty + predict)
            assert b" 200 " in answer.splitlines()[0]
            assert b'{"prediction":[1]}' in answer
        answer = raw(server, b"\r\n\r\n" + predict)
        assert b" 400 " in answer.splitlines()[0]
        assert b"application/problem+json" in answer
        assert "Traceback" not in server.log.read_text()


def test_a_line_for_each_request_without_its_query_and_body(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    paths = {
        b"/service-info?secret=1": ["/service-info", 200],
        b"/forged%0a2026%1b[31m": ["", 404],
        b"/raw\x1b[31m": ["", 404],
    }
    with started(SERVE, folder, **RUN) as server:
        server.wait()
        for path in paths:
            raw(
                server,
                b"GET " + path + b" HTTP/1.1\r\nX-Request-ID: id-1\r\n\r\n",
            )
        server.post("/predict?proba=1", RECORD)
        raw(server, b'G\x1bET / HTTP/1.1\r\nX-Request-ID: "\x1b\r\n\r\n')
        time.sleep(0.5)
        text = server.log.read_text()
    lines = request_lines(text)
    logged = [[line["route"], line["status"]] for line in lines]
    assert logged == [*paths.values(), ["/predict", 200], ["/", 405]]
    assert lines[0]["request_id"] == "id-1"
    assert lines[0]["address"] == "127.0.0.1"
    assert lines[3]["records"] == 1
    assert 0 < lines[3]["model_milliseconds"] < lines[3]["milliseconds"]
    assert lines[4]["method"] == "other"
    for unsaid in ("secret", "proba", "feature1", "forged", "\x1b"):
        assert unsaid not in text


def test_the_line_about_a_request_that_hangs_has_no_query(
    folder: Path,
) -> None:
    joblib.dump(acting(SLEEPS), folder / "model.joblib")
    hanging = b'{"feature1": 200, "feature2": 7654.25, "feature3": 1}'
    with started(UWSGI, folder, REQUEST_TIMEOUT=2) as server:
        server.wait()
        with pytest.raises((OSError, HTTPException)):
            server.post("/predict?explain=0&proba=0", hanging)
        server.wait()
        text = server.log.read_text()
    assert "POST /predict since" in text
    assert "proba" not in text


def request_lines(log: str) -> list[dict[str, Any]]:
    """Return the lines of requests, without those that it took until the service was ready."""
    requests = []
    for line in log.splitlines():
        if '"route"' in line:
            requests.append(json.loads(line))
    return requests


def test_systemd_hears_that_the_service_is_ready(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    address = str(folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(60)
        with started(SERVE, folder, NOTIFY_SOCKET=address, **RUN) as server:
            assert systemd.recv(100) == b"READY=1"
            assert server.get("/ready") == (200, "ready")
            systemd.settimeout(1)
            with pytest.raises(TimeoutError):
                systemd.recv(100)


def test_an_address_that_others_reach_is_warned_of(folder: Path) -> None:
    save_example(folder, "build_rf_binary")
    for host, warned in {"127.0.0.1": False, "0.0.0.0": True}.items():
        with started(SERVE, folder, HOST=host, **RUN) as server:
            server.wait()
            said = "sends a request slowly" in server.log.read_text()
            assert said is warned


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd"
)
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert "/srv/model/.venv/bin/python" in text
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/srv/model", str(tmp_path)))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_commands_of_the_unit_start_and_reload(folder: Path) -> None:
    """With the folders of the test, as systemd calls them: without a shell, one after the other."""
    commands = dict(
        re.findall(r"^(Exec\w+)=\S+ (.+)$", UNIT.read_text(), re.MULTILINE)
    )
    python = SERVE[0]
    save_example(folder, "build_rf_binary")
    start = [python, *commands["ExecStart"].split()]
    with started(start, folder, **RUN) as server:
        server.wait()
        first = model_version(server)
        save_example(folder, "build_linear_binary")
        reload = [python, *commands["ExecReload"].split()]
        environ = os.environ | RUN | {"PORT": str(server.port)}
        subprocess.run(reload, cwd=folder, env=environ, check=True)
        second = model_version(server)
        assert second != first
        (folder / "model.joblib").write_bytes(b"damaged")
        refused = subprocess.run(
            reload, cwd=folder, env=environ, check=False, capture_output=True
        )
        assert refused.returncode != 0
        assert model_version(server) == second


@contextmanager
def behind_nginx(server: Server, folder: Path) -> Iterator[int]:
    """Run nginx with the block of the page in front of a server, and yield its port."""
    (block,) = re.findall(
        r"^```nginx\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    port = free_port()
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};")
    block = block.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, server=block))
    nginx = subprocess.Popen(["nginx", "-c", str(configuration)])
    try:
        yield port
    finally:
        nginx.terminate()
        nginx.wait(10)


def drip(port: int, start: bytes) -> socket.socket:
    """Return a connection over which the start of a request has been sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(start)
    return connection


@pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx")
def test_with_the_nginx_of_the_page_bodies_that_drip_hold_nobody(
    folder: Path,
) -> None:
    save_example(folder, "build_rf_binary")
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\n"
    starts = (head, head + b"Content-Length: 1000\r\n\r\n{")
    with started(UWSGI, folder, WORKERS=2) as server:
        server.wait()
        with behind_nginx(server, folder) as port:
            proxied = Server(server.process, port, server.log)
            proxied.wait()
            slow = [drip(port, start) for start in starts for _ in range(4)]
            for _ in range(5):
                for connection in slow:
                    connection.sendall(b"x")
                started_at = time.monotonic()
                assert proxied.post("/predict", RECORD)[0] == 200
                assert time.monotonic() - started_at < 2
                time.sleep(0.2)
            for connection in slow:
                connection.close()
