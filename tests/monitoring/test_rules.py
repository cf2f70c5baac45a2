"""The rules of Prometheus: each alert fires when it has to, and keeps silent when all is well."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from tests.models import ROOT
from tests.monitoring.files import MONITORING, RULES, alerts
from tests.monitoring.series import (
    ALMOST,
    ALSO,
    HEALTHY,
    MINUTES,
    WRONG,
    Series,
)

pytestmark = pytest.mark.skipif(
    not shutil.which("promtool"), reason="there is no promtool"
)

FIRED = 'group by (alertname) (ALERTS{alertstate="firing"})'
ASKED_MINUTES = MINUTES - 10
CASES = [
    (name, number)
    for name, each in WRONG.items()
    for number in range(len(each))
]


def promtool(*arguments: str) -> None:
    """Run a command of promtool, which must succeed."""
    run = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def assert_fires(folder: Path, names: set[str], changed: Series) -> None:
    """Assert that these alerts fire, and no others, where some series are not as in health."""
    series = []
    for name, values in (HEALTHY | changed).items():
        series.append({"series": name, "values": values})
    samples = []
    for name in names:
        labels = f'{{alertname="{name}"}}'
        samples.append({"labels": labels, "value": 1})
    test = {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": FIRED,
                "eval_time": f"{ASKED_MINUTES}m",
                "exp_samples": samples,
            }
        ],
    }
    content = {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": "1m",
        "tests": [test],
    }
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump(content))
    promtool("test", "rules", str(path))


def test_promtool_finds_no_fault() -> None:
    promtool("check", "config", str(MONITORING / "prometheus.yml"))
    promtool("check", "rules", *(str(path) for path in RULES))


def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    assert_fires(tmp_path, set(), {})


def test_each_alert_is_tried() -> None:
    assert alerts().keys() == WRONG.keys()


@pytest.mark.parametrize(("name", "number"), CASES)
def test_it_fires(tmp_path: Path, name: str, number: int) -> None:
    names = {name} | ALSO.get(name, set())
    if name == "QueueFull" and number == 2:
        names = {name}
    assert_fires(tmp_path, names, WRONG[name][number])


@pytest.mark.parametrize("case", ALMOST)
def test_it_keeps_silent(tmp_path: Path, case: str) -> None:
    assert_fires(tmp_path, set(), ALMOST[case])


@pytest.mark.parametrize("name", alerts())
def test_it_says_what_to_do(name: str) -> None:
    """In the alert itself, and at more length where it leads."""
    alert = alerts()[name]
    assert alert["labels"]["severity"] in ("page", "ticket")
    notes = alert["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    assert len(notes["description"].split()) > 15
    page, _, anchor = notes["runbook_url"].partition("#")
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    assert anchor == words
    headings = re.findall(r"^#+ (.*)", (ROOT / page).read_text(), re.MULTILINE)
    assert words in [title.lower().replace(" ", "-") for title in headings]
