"""The text for Prometheus, read by its own parser and looked at by its own tool."""

import math
import shutil
import subprocess
from pathlib import Path

import pytest

from python.metrics.cells import fill
from python.metrics.exposition import expose_folder, render, write_labels
from python.metrics.families import COUNTER, GAUGE, HISTOGRAM, Family
from python.metrics.folder import Slot
from tests.metrics.scrapes import Scrape
from tests.serving import Client

COUNTED = Family("a_total", COUNTER, "As.", ("x",), (("1",), ("2",)))
SHARE = Family("a_share", GAUGE, "Shares.", ("x",), (("1",),))
TIMED = Family("a_seconds", HISTOGRAM, "Times.", ("x",), (("1",),), (0.5, 2))
INFO = Family("model_info", GAUGE, "Info.", ("version",), (("old",), ("new",)))


def test_counters_are_added_up_and_gauges_are_the_largest() -> None:
    families = [COUNTED, SHARE]
    others = [SHARE, COUNTED._replace(series=(("2",), ("3",)))]
    sources = [
        fill(families, [1, 2, 0.25]),
        fill(families, [10, 20, 0.5]),
        fill(others, [0.125, 100, 1000]),
    ]
    said = Scrape(render(sources, []).decode())
    assert said.by("x", "a_total") == {"1": 11, "2": 122, "3": 1000}
    assert said.by("x", "a_share") == {"1": 0.5}
    assert said.types == {"a": "counter", "a_share": "gauge"}


def test_a_histogram_is_cumulative() -> None:
    said = Scrape(render([fill([TIMED], [1, 2, 4, 99.5])], []).decode())
    assert said.by("le", "a_seconds_bucket", x="1") == {
        "0.5": 1,
        "2": 3,
        "+Inf": 7,
    }
    assert said.get("a_seconds_sum", x="1") == 99.5
    assert said.get("a_seconds_count", x="1") == 7
    assert said.types == {"a_seconds": "histogram"}


def test_each_series_of_a_histogram_has_its_own_buckets() -> None:
    """So it is with the predicted numbers of two versions of a regression."""
    other = TIMED._replace(series=(("2",),), bounds=(7.0, 8.0))
    shorter = TIMED._replace(series=(("3",),), bounds=(0.5,))
    sources = [
        fill([TIMED, COUNTED], [1, 2, 4, 99.5, 0, 0]),
        fill([other, COUNTED], [10, 20, 40, 7, 0, 0]),
        fill([shorter], [100, 200, 3]),
        fill([TIMED], [1, 0, 0, 0.5]),
    ]
    text = render(sources, []).decode()
    assert text.count("# TYPE a_seconds ") == 1
    said = Scrape(text)
    for series, buckets in {
        "1": {"0.5": 2, "2": 4, "+Inf": 8},
        "2": {"7.0": 10, "8.0": 30, "+Inf": 70},
        "3": {"0.5": 100, "+Inf": 300},
    }.items():
        assert said.by("le", "a_seconds_bucket", x=series) == buckets
    assert said.get("a_seconds_count", x="2") == 70


@pytest.mark.parametrize(
    "value", ['"', "\\", "\n", "\\n", 'a"} 7\nb{x="', "é", "", "日本", "a,b=c"]
)
def test_any_text_may_be_the_value_of_a_label(value: str) -> None:
    family = COUNTED._replace(series=((value,), ("2",)))
    said = Scrape(render([fill([family], [3, 4])], []).decode())
    assert said.by("x", "a_total") == {value: 3, "2": 4}


def test_a_family_without_labels_has_none() -> None:
    assert write_labels((), ()) == ""


def test_model_info_is_of_versions_that_are_served() -> None:
    said = Scrape(render([fill([INFO], [1, 1])], ["new", "new"]).decode())
    assert said.by("version", "model_info") == {"new": 1}


def test_a_folder_that_is_not_there_has_no_series(tmp_path: Path) -> None:
    assert expose_folder(tmp_path / "none", tmp_path / "none.stats")() == b""


def test_workers_of_a_folder_are_counted(tmp_path: Path) -> None:
    for worker, version in ((1, "old"), (2, "new"), (3, "new")):
        slot = Slot(tmp_path, worker)
        slot.open_model(version, [INFO]).values[1] = 1
    said = Scrape(expose_folder(tmp_path)().decode())
    assert said.by("version", "model_workers") == {"old": 1, "new": 2}


def test_a_large_count_loses_nothing() -> None:
    said = Scrape(render([fill([COUNTED], [2**53 - 1, 0])], []).decode())
    assert said.get("a_total", x="1") == 2**53 - 1
    assert math.isclose(said.get("a_total", x="2"), 0)


@pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="promtool is in Debian's package prometheus, which .ci/run installs",
)
@pytest.mark.parametrize(
    "name", ["build_lgbm_binary", "build_pipeline_regression"]
)
def test_names_and_types_are_as_prometheus_wants_them(
    name: str, client: Client
) -> None:
    text = client(name, metrics_public=True).get("/metrics").get_data()
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr, checked.stdout) == (
        0,
        b"",
        b"",
    )
