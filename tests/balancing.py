"""The HAProxy of the image, as a process of this machine."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.models import ROOT
from tests.servers import SECONDS_TO_END, fetch, free_port

SECONDS_TO_START = 20


@dataclass(frozen=True)
class Balancer:
    """Where it listens: for requests, for those that are sent again, and for Prometheus."""

    port: int
    again: int
    metrics: int
    process: int

    def read_metrics(self) -> str:
        """Return what it exposes, servers that are not there included."""
        status, text = fetch(f"http://127.0.0.1:{self.metrics}/metrics")
        assert status == 200
        return text


@contextmanager
def balancing(
    folder: Path, replica: int, status: int, **environ: str
) -> Iterator[Balancer]:
    """Run it in front of one replica, by the port of its workers and that of its supervisor.

    Its file is the one of the image, with ports of this machine in place of names of containers.
    """
    port, again, metrics = free_port(), free_port(), free_port()
    replaced = {
        "unix@/run/balancer/http.sock mode 660": f"127.0.0.1:{port}",
        "unix@/run/balancer/again.sock mode 660": f"127.0.0.1:{again}",
        "/run/balancer/refusals.sock": f"{folder}/refusals.sock",
        "/etc/haproxy/service/": f"{ROOT}/haproxy/",
        "replica 32 service:5000": f"replica 1 127.0.0.1:{replica}",
        "replica 32 service:5001": f"replica 1 127.0.0.1:{status}",
        "port 5001": f"port {status}",
        "bind :8405": f"bind 127.0.0.1:{metrics}",
        "127.0.0.1:8082": f"127.0.0.1:{free_port()}",
        "abns@explanations": f"abns@explanations{port}",
        "init-addr none": "init-addr last,libc,none",
    }
    text = (ROOT / "haproxy" / "haproxy.cfg").read_text()
    for old, new in replaced.items():
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "haproxy.cfg"
    path.write_text(text)
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(path)],
            env=os.environ | {"EXPLAIN_AT_ONCE": "1"} | environ,
            stdout=log,
            stderr=log,
        )
    try:
        balancer = Balancer(port, again, metrics, process.pid)
        wait(balancer, folder / "haproxy.log")
        yield balancer
    finally:
        process.terminate()
        process.wait(SECONDS_TO_END)


def wait(balancer: Balancer, log: Path) -> None:
    """Wait until it responds."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            balancer.read_metrics()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())
