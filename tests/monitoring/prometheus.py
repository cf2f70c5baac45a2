"""Our Prometheus as it is configured, but with targets of this machine, and faster."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml  # type: ignore[import-untyped]

from tests.monitoring.files import MONITORING, RULES
from tests.servers import end, fetch, free_port

SECONDS_TO_WAIT = 120
# promtool tests for how long something must be wrong; here it fires at once.
SHORTENED_FOR = "1s"


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus that runs."""

    port: int

    def ready(self) -> bool:
        return fetch(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200

    def get(self, path: str) -> Any:
        """Return the data of a response, which must be one of success."""
        status, text = fetch(f"http://127.0.0.1:{self.port}/api/v1/{path}")
        assert status == 200, text
        return json.loads(text)["data"]

    def query(self, expression: str) -> list[Any]:
        found: list[Any] = self.get(f"query?query={quote(expression)}")[
            "result"
        ]
        return found

    def by_feature(self, expression: str) -> dict[str, float]:
        """Return the value of each series by its feature, which is empty if it has none."""
        return {
            series["metric"].get("feature", ""): float(series["value"][1])
            for series in self.query(expression)
        }

    def wait_for(self, expression: str) -> None:
        """Wait until the query finds something."""
        wait_until(lambda: bool(self.query(expression)), expression)


@contextmanager
def watching(folder: Path, targets: dict[str, int]) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes the port of each job in `targets`, and itself."""
    port = free_port()
    write_configuration(folder, targets | {"prometheus": port})
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/prometheus",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        running = Prometheus(port)
        # Until it has read its storage, it responds with 503.
        wait_until(running.ready, "Prometheus is not ready")
        for job in targets:
            running.wait_for(f'up{{job="{job}"}} == 1')
        yield running
    finally:
        end(process)


def write_configuration(folder: Path, targets: dict[str, int]) -> None:
    """Write ours with these targets, a scrape each second, and alerts that fire at once."""
    for path in RULES:
        rules = yaml.safe_load(path.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = SHORTENED_FOR
        (folder / path.name).write_text(yaml.safe_dump(rules))
    content = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    content["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    jobs = [
        job for job in content["scrape_configs"] if job["job_name"] in targets
    ]
    for job in jobs:
        job.pop("dns_sd_configs", None)
        port = targets[job["job_name"]]
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    content["scrape_configs"] = jobs
    (folder / "prometheus.yml").write_text(yaml.safe_dump(content))


def wait_until(holds: Callable[[], bool], what: str = "") -> None:
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except OSError:  # it is starting
            pass
        time.sleep(0.2)
    raise AssertionError(what or "it does not become so")
