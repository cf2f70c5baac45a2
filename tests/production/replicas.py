"""A replica of the service without its container: its commands, its model file and its answers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import joblib

from tests.models import build
from tests.servers import ENVIRON, Server, fetch_headers, started

RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'
# As `python -m python.production`, in a folder of the test's own.
MAIN = """
import pathlib, sys
from python.production import __main__ as production
production.RUN_FOLDER = pathlib.Path("run")
production.main(*sys.argv[1:])
"""
WORKER = "getattr(__import__('sys').modules.get('uwsgi'), 'worker_id', int)()"


class SlowToLoad:
    """Takes its seconds to be unpickled: `seconds[n]` in uWSGI's worker n, `seconds[0]` elsewhere."""

    def __init__(self, *seconds: int) -> None:
        self.seconds = seconds

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, (f"__import__('time').sleep({self.seconds}[{WORKER}])",))


class Lingering:
    """Keeps a process that has unpickled it from ending as Python does, for a minute."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (
            eval,
            ("__import__('atexit').register(__import__('time').sleep, 60)",),
        )


def save_example(folder: Path, name: str) -> None:
    """Save an example's artifact as the model file of a folder."""
    joblib.dump(build(name).content, folder / "model.joblib")


def save_slow_example(folder: Path, *seconds: int) -> None:
    """Save an example's artifact that takes these seconds to be loaded, as `SlowToLoad` does."""
    content = build("build_rf_binary").content | {"slow": SlowToLoad(*seconds)}
    joblib.dump(content, folder / "model.joblib")


def command(verb: str) -> list[str]:
    """Return the command line of `serve`, `swap` or `ready`."""
    return [sys.executable, "-c", MAIN, verb]


@contextmanager
def serving(folder: Path, **environ: object) -> Iterator[Server]:
    """Run a replica that is ready."""
    with started(command("serve"), folder, **environ) as server:
        server.wait()
        yield server


def run(
    folder: Path, verb: str, server: Server
) -> subprocess.CompletedProcess[str]:
    """Run a command beside a replica to its end."""
    return subprocess.run(
        command(verb),
        check=False,
        cwd=folder,
        env=ENVIRON | {"PORT": str(server.port)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def model_version(server: Server) -> str:
    """Return the version of the model that has responded."""
    return fetch_headers(f"http://127.0.0.1:{server.port}/health")[
        "X-Model-Version"
    ]
