"""What Prometheus finds in the containers' network: HAProxy of the image, and each replica."""

import re

from tests.containers.stack import Stack, docker
from tests.monitoring.files import queries, read_rules

READ = "import urllib.request; print(urllib.request.urlopen('{}').read().decode())"
RECORD = b'{"feature1": 1, "feature2": 1, "feature3": 2}'


def read(stack: Stack, url: str) -> str:
    """Return what a container of the private network reads there."""
    return docker(
        "exec", stack.replicas()[0], "python", "-c", READ.format(url)
    )


def test_haproxy_exposes_each_name_that_is_asked_for(stack: Stack) -> None:
    assert stack.ask("/predict", RECORD).status == 200
    exposed = set(
        re.findall(
            r"^(haproxy_\w+)[{ ]",
            read(stack, "http://balancer:8405/metrics?no-maint"),
            re.MULTILINE,
        )
    )
    asked: set[str] = set()
    expressions = [rule["expr"] for rule in read_rules()]
    expressions += [expression for _, expression in queries()]
    for expression in expressions:
        asked |= set(re.findall(r"\bhaproxy_\w+", expression))
    assert asked
    assert asked <= exposed


def test_it_exposes_that_two_replicas_take_requests(stack: Stack) -> None:
    text = read(stack, "http://balancer:8405/metrics?no-maint")
    assert 'haproxy_backend_active_servers{proxy="predictions"} 2' in text


def test_each_replica_exposes_its_metrics(stack: Stack) -> None:
    text = read(stack, "http://service:5002/metrics")
    assert "service_workers_ready" in text


def test_nothing_of_it_is_published(stack: Stack) -> None:
    assert stack.ask("/metrics").status == 404
