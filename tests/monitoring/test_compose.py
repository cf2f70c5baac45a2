"""The containers of Prometheus and Grafana, by their file: what they may do, and who reaches them."""

from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.models import ROOT
from tests.monitoring.files import MONITORING


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


PRODUCTION = read("docker-compose-production.yml")
OURS = read("docker-compose-monitoring.yml")
SCRAPED = yaml.safe_load((MONITORING / "prometheus.yml").read_text())


@pytest.mark.parametrize("name", OURS["services"])
def test_it_is_as_bounded_as_the_others(name: str) -> None:
    service = OURS["services"][name]
    for key, value in PRODUCTION["x-common"].items():
        assert service[key] == value, key
    limits = service["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory"}
    assert not service["user"].startswith("0")
    for volume in service["volumes"]:
        kind = volume["type"]
        assert kind != "bind" or volume["read_only"]
        assert kind != "tmpfs" or volume["tmpfs"]["size"]
    # An image without a version may be another one tomorrow.
    assert ":latest" not in service["image"]
    assert service["image"].count(":") == 2


def test_only_grafana_is_published_and_only_on_this_machine() -> None:
    services = OURS["services"]
    assert "ports" not in services["prometheus"]
    (port,) = services["grafana"]["ports"]
    assert port.startswith("127.0.0.1:")


def test_prometheus_has_no_way_out() -> None:
    networks = PRODUCTION["networks"] | OURS["networks"]
    for name in OURS["services"]["prometheus"]["networks"]:
        assert networks[name]["internal"], name


def test_grafana_does_not_start_with_a_password_that_everybody_knows() -> None:
    environment = OURS["services"]["grafana"]["environment"]
    password = environment["GF_SECURITY_ADMIN_PASSWORD"]
    assert password.startswith("${GRAFANA_PASSWORD:?")


def test_it_changes_nothing_of_what_it_is_put_beside() -> None:
    assert OURS["version"] == PRODUCTION["version"]
    for part in ("services", "networks", "volumes"):
        assert not OURS[part].keys() & PRODUCTION[part].keys()


def test_what_is_scraped_is_there() -> None:
    """Each by the name that Docker's DNS has for it, and the port that it listens on."""
    haproxy = (ROOT / "haproxy" / "haproxy.cfg").read_text()
    environment = PRODUCTION["services"]["service"]["environment"]
    ports = {"service": int(environment["METRICS_PORT"]), "balancer": 8405}
    assert f"bind :{ports['balancer']}\n" in haproxy
    private = OURS["services"]["prometheus"]["networks"]
    for job in SCRAPED["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            (name,) = found["names"]
            assert found["port"] == ports[name]
            assert set(PRODUCTION["services"][name]["networks"]) <= set(
                private
            )


def test_the_dashboard_is_where_grafana_looks() -> None:
    folder = MONITORING / "grafana" / "provisioning"
    (source,) = yaml.safe_load(
        (folder / "datasources" / "prometheus.yml").read_text()
    )["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = yaml.safe_load(
        (folder / "dashboards" / "service.yml").read_text()
    )["providers"]
    grafana = OURS["services"]["grafana"]
    places = {
        volume["target"]: volume.get("source") for volume in grafana["volumes"]
    }
    assert (
        places[provider["options"]["path"]]
        == "./monitoring/grafana/dashboards"
    )
    assert places["/etc/grafana/provisioning"] == (
        "./monitoring/grafana/provisioning"
    )
    interval = SCRAPED["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval
