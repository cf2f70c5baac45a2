"""The nginx of the image, as a process of this machine."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.discretion import check_log
from tests.models import ROOT
from tests.servers import SECONDS_TO_END, free_port

TLS_MARK = "    # TLS."


@dataclass(frozen=True)
class Front:
    """An nginx that runs: its ports, its process, and the file with its lines."""

    port: int
    tls_port: int
    process: int
    log: Path


@contextmanager
def nginx(folder: Path, upstream: int, **environ: str) -> Iterator[int]:
    """Run the nginx of the image with its start script, and yield its port."""
    with fronting(folder, upstream, environ=environ) as front:
        yield front.port


@contextmanager
def fronting(
    folder: Path,
    upstream: int,
    again: int | None = None,
    certificates: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Front]:
    """Run it in front of a port, and of another for what is sent again.

    With certificates it has TLS.
    """
    port, tls_port = free_port(), free_port()
    replaced = {
        "/tmp/": f"{folder}/run/",
        "/etc/nginx/service/": f"{folder}/",
        "/etc/nginx/certificates": str(certificates),
        "/run/balancer/refusals.sock": f"{folder}/refusals.sock",
        "unix:/run/balancer/http.sock": f"127.0.0.1:{upstream}",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "listen 8443": f"listen 127.0.0.1:{tls_port}",
        "listen 127.0.0.1:8081": f"listen 127.0.0.1:{free_port()}",
        "worker_processes 1;": "worker_processes 1; user root;",
        # Debian's nginx is older than the image's.
        "    max_headers 100;\n": "",
        "        http2 on;\n": "",
    }
    if again is not None:
        replaced["unix:/run/balancer/again.sock"] = f"127.0.0.1:{again}"
    (folder / "run").mkdir()
    for name in ("nginx.conf", "service.conf", "start"):
        text = (ROOT / "nginx" / name).read_text()
        if certificates is not None and name == "nginx.conf":
            text = with_tls(text)
        for old, new in replaced.items():
            text = text.replace(old, new)
        (folder / name).write_text(text)
    log = folder / "access.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["sh", str(folder / "start")],
            env={**os.environ, **(environ or {})},
            stdout=output,
        )
    try:
        yield Front(port, tls_port, process.pid, log)
    finally:
        process.terminate()
        process.wait(SECONDS_TO_END)
        check_log(log.read_text())


def with_tls(text: str) -> str:
    """Return nginx.conf with the marks taken off the block for TLS, as a user does it."""
    before, mark, block = text.partition(TLS_MARK)
    server, end, rest = block.partition("    # }\n")
    server = (server + end).replace("\n    # ", "\n    ")
    return before + mark + server + rest
