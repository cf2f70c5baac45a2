"""What is in `monitoring/`, as its tests read it."""

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import yaml  # type: ignore[import-untyped]

from tests.models import ROOT

MONITORING = ROOT / "monitoring"
RULES = sorted(MONITORING.glob("*.rules.yml"))
DASHBOARD = MONITORING / "grafana" / "dashboards" / "service.json"
METRIC_ROW = re.compile(
    r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|", re.MULTILINE
)
PLACEHOLDERS = {
    "$__rate_interval": "1m",
    "$job": "service",
    "$feature": "age",
}
Rule: TypeAlias = dict[str, Any]


def read_rules() -> list[Rule]:
    """Return every rule, as its file has it."""
    rules: list[Rule] = []
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            rules += group["rules"]
    return rules


def alerts() -> dict[str, Rule]:
    """Return the alerts by their names."""
    found = {}
    for rule in read_rules():
        if "alert" in rule:
            found[rule["alert"]] = rule
    return found


def recorded() -> set[str]:
    """Return the names of the series that rules record."""
    return {rule["record"] for rule in read_rules() if "record" in rule}


def read_dashboard() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return content


def panels() -> list[dict[str, Any]]:
    """Return what the dashboard shows, without the headings of its rows."""
    every = read_dashboard()["panels"]
    return [panel for panel in every if panel["type"] != "row"]


def queries() -> Iterator[tuple[str, str]]:
    """Yield the title and the query of each curve and table, with values for the variables."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], with_values(target["expr"])
    for note in read_dashboard()["annotations"]["list"]:
        yield note["name"], with_values(note["expr"])


def with_values(expression: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        expression = expression.replace(placeholder, value)
    assert "$" not in expression
    return expression


def documented() -> dict[str, tuple[str, list[str]]]:
    """Return the type and the labels of each metric that docs/metrics.md names."""
    text = (ROOT / "docs" / "metrics.md").read_text()
    found = {}
    for name, kind, labels in METRIC_ROW.findall(text):
        found[name] = (kind, re.findall(r"`(\w+)`", labels))
    return found
