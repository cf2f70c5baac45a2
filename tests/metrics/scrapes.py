"""What a scrape of `/metrics` says, as Prometheus' own parser of Python reads it."""

import urllib.request
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, frozenset[tuple[str, str]]]


class Scrape:
    """The samples of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.types: dict[str, str] = {}
        self.samples: dict[Sample, float] = {}
        for family in text_string_to_metric_families(text):
            self.types[family.name] = family.type
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.samples, key
                self.samples[key] = sample.value

    def get(self, name: str, **labels: str) -> float:
        """The value of the one series with exactly these labels."""
        return self.samples[name, frozenset(labels.items())]

    def total(self, name: str, **labels: str) -> float:
        """The sum of all series with these labels and perhaps others."""
        return sum(self.by("", name, **labels).values())

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """The sums of series with these labels, by the value of another one."""
        sums: dict[str, float] = {}
        for (its_name, pairs), value in self.samples.items():
            if its_name == name and labels.items() <= pairs:
                group = dict(pairs).get(label, "")
                sums[group] = sums.get(group, 0) + value
        return sums

    def requests(self) -> Mapping[tuple[str, str], float]:
        """How many requests there were, by route and status, where there were any."""
        counted = {}
        for (name, pairs), value in self.samples.items():
            if name == "service_requests_total" and value:
                labels = dict(pairs)
                counted[labels["route"], labels["status"]] = value
        return counted


def scrape(port: int) -> Scrape:
    """What the port of the metrics says now."""
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as response:
        assert response.headers["Content-Type"].startswith("text/plain")
        return Scrape(response.read().decode())
