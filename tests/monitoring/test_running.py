"""A real Prometheus that scrapes a real HAProxy, and what docs/metrics.md says of the service."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from threading import Thread

import pytest

from tests.balancing import balancing
from tests.monitoring.files import (
    documented,
    panels,
    queries,
    read_dashboard,
    read_rules,
    recorded,
)
from tests.monitoring.prometheus import Prometheus, watching
from tests.servers import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("haproxy")),
        reason="there is no prometheus, or no haproxy",
    ),
]

# Some of the values that a label may have; of any other label, one.
VALUES = {
    "route": ["/predict"],
    "status": ["200", "422", "500"],
    "reason": ["records", "body_size"],
    "client": ["shop"],
    "class": ["2xx", "4xx"],
    "result": ["done", "refused", "failed"],
    "version": ["0123456789ab"],
    "feature": ["age", "income"],
    "bin": ["00: below 18", "01: above 18", "missing"],
}
# They are what PromQL itself knows, and no metric.
BUILT_IN = {"ALERTS", "up"}
NAME = re.compile(r"\b(?:service|model|haproxy|job)[\w:]*\b")
SUFFIX = re.compile(r"_(?:bucket|sum|count)$")
# What only a regression has, and what is only there while requests fail or wait.
NOTHING_NOW = {"Alerts"}


class Service(BaseHTTPRequestHandler):
    """Exposes every metric of the documentation; counters grow with the time."""

    start = time.monotonic()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(expose(time.monotonic() - self.start).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def expose(seconds: float) -> str:
    """Return every metric that is documented, after so many seconds."""
    lines = []
    for name, (kind, labels) in documented().items():
        lines.append(f"# TYPE {name} {kind}")
        count = 1.0 if kind == "gauge" else 1000 * seconds
        each = [VALUES.get(label, ["one"]) for label in labels]
        for values in product(*each):
            pairs = dict(zip(labels, values, strict=True))
            if kind != "histogram":
                lines.append(sample(name, pairs, count))
                continue
            for edge in ("0.1", "1", "+Inf"):
                lines.append(
                    sample(f"{name}_bucket", pairs | {"le": edge}, count)
                )
            lines.append(sample(f"{name}_sum", pairs, count))
            lines.append(sample(f"{name}_count", pairs, count))
    return "\n".join(lines) + "\n"


def sample(name: str, labels: dict[str, str], value: float) -> str:
    pairs = [f"{label}={json.dumps(text)}" for label, text in labels.items()]
    return f"{name}{{{','.join(pairs)}}} {value}"


@pytest.fixture(scope="module")
def prometheus(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Prometheus]:
    """One that scrapes a HAProxy, and a service that exposes what is documented."""
    folder = tmp_path_factory.mktemp("prometheus")
    service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=service.serve_forever, daemon=True).start()
    with balancing(folder, free_port(), free_port()) as balancer:
        targets = {
            "service": service.server_address[1],
            "balancer": balancer.metrics,
        }
        with watching(folder, targets) as running:
            # Two scrapes make a rate, and rules follow it.
            running.wait_for("job:service_requests:rate5m > 0")
            running.wait_for("job:model_missing:share15m")
            running.wait_for("job:balancer_failures:ratio5m or vector(1)")
            yield running
    service.shutdown()
    service.server_close()


def names_in(expression: str) -> set[str]:
    """Return the metrics that a query asks for; labels follow a brace or a word in parentheses."""
    without_labels = re.sub(r"\{[^}]*\}|\"[^\"]*\"", " ", expression)
    without_labels = re.sub(
        r"\b(?:by|on|group_left|ignoring) \([^)]*\)", " ", without_labels
    )
    return set(NAME.findall(without_labels))


def test_every_target_is_scraped(prometheus: Prometheus) -> None:
    assert {one["metric"]["job"] for one in prometheus.query("up == 1")} == {
        "service",
        "balancer",
        "prometheus",
    }


def test_every_name_is_exposed_or_recorded(prometheus: Prometheus) -> None:
    """By HAProxy itself, after what the configuration drops; by the service as documented."""
    scraped = prometheus.get("label/__name__/values")
    haproxy = {name for name in scraped if name.startswith("haproxy_")}
    known = haproxy | documented().keys() | recorded() | BUILT_IN
    expressions = [rule["expr"] for rule in read_rules()]
    expressions += [expression for _, expression in queries()]
    asked = set()
    for expression in expressions:
        for name in names_in(expression):
            asked.add(name if name in known else SUFFIX.sub("", name))
    assert asked <= known
    # And what is kept of HAProxy's is asked for.
    assert haproxy - asked <= {
        "haproxy_frontend_http_requests_total",
        "haproxy_frontend_current_sessions",
        "haproxy_server_current_sessions",
    }


def test_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    rules = [
        rule
        for group in prometheus.get("rules")["groups"]
        for rule in group["rules"]
    ]
    assert len(rules) == len(read_rules())
    for rule in rules:
        assert rule["health"] == "ok", rule


@pytest.mark.parametrize(("title", "expression"), list(queries()))
def test_every_query_finds_something(
    prometheus: Prometheus, title: str, expression: str
) -> None:
    found = prometheus.query(expression)
    assert found or title in NOTHING_NOW
    for series in found:
        assert "NaN" not in series["value"], series


def test_the_alert_of_a_replica_that_is_not_there_fires(
    prometheus: Prometheus,
) -> None:
    """HAProxy's only replica is a port where nobody listens."""
    prometheus.wait_for(
        'ALERTS{alertname="NoReplicaReady",job="balancer",alertstate="firing"}'
    )


def test_the_dashboard_can_be_moved_to_another_grafana() -> None:
    dashboard = read_dashboard()
    assert dashboard["uid"] == "model-service"
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            if "rate(" in target["expr"]:
                assert "[$__rate_interval]" in target["expr"]


def test_each_panel_says_what_it_is() -> None:
    ids = [panel["id"] for panel in read_dashboard()["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels():
        assert panel["title"]
        assert len(panel["description"].split()) > 5, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        rows = range(place["y"], place["y"] + place["h"])
        cells = set(product(columns, rows))
        assert not cells & taken, panel["title"]
        assert max(columns) < 24
        taken |= cells
