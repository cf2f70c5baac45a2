"""Processes: what uWSGI says of its workers, as cells."""

import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from python.metrics.cells import Cells, fill
from python.metrics.families import COUNTER, GAUGE, Family

SECONDS_TO_WAIT = 1
CONTROLS_TO_BLANKS = bytes([*b" " * 32, *range(32, 256)])

Statistics: TypeAlias = Mapping[str, Any]

FAMILIES = (
    Family("service_workers", GAUGE, "Worker processes."),
    Family(
        "service_workers_ready",
        GAUGE,
        "Workers that have their model and take requests.",
    ),
    Family("service_workers_busy", GAUGE, "Workers that are computing."),
    Family(
        "service_requests_in_flight",
        GAUGE,
        "Requests that workers have and have not responded to.",
    ),
    Family(
        "service_worker_starts_total",
        COUNTER,
        "Workers that were started, after a swap or an end too.",
    ),
    Family(
        "service_harakiris_total",
        COUNTER,
        "Workers that were ended because a request took too long.",
    ),
    Family(
        "service_queue_connections",
        GAUGE,
        "Connections that wait for a worker.",
    ),
    Family(
        "service_queue_limit_connections",
        GAUGE,
        "Connections that may wait for a worker.",
    ),
)


def read_processes(path: Path) -> list[Cells]:
    """Return what uWSGI's statistics say; nothing as long as uWSGI does not say it."""
    try:
        statistics = read_statistics(path)
        return [fill(FAMILIES, count_processes(statistics))]
    except (OSError, ValueError, KeyError):
        return []


def read_statistics(path: Path) -> Statistics:
    """Return uWSGI's statistics; raise OSError or ValueError if they cannot be had."""
    document = read_document(path, SECONDS_TO_WAIT)
    statistics: Statistics = json.loads(document)
    return statistics


def read_document(path: Path, seconds: float | None = None) -> str:
    """Return uWSGI's statistics as JSON; raise OSError if they cannot be had in so many seconds.

    They have the headers of each request that is being computed, whose bytes may be any: what JSON
    does not take of them is replaced.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(str(path))
        with connection.makefile("rb") as file:
            document = file.read()
    return document.translate(CONTROLS_TO_BLANKS).decode(errors="replace")


def count_processes(statistics: Statistics) -> Sequence[int]:
    """Return a number for each of the families."""
    workers = [one for one in statistics["workers"] if one["pid"]]
    busy = 0
    in_flight = 0
    for worker in workers:
        requests = sum(core["in_request"] for core in worker["cores"])
        in_flight += requests
        busy += requests > 0
    every_worker = statistics["workers"]
    listener = statistics["sockets"][0]
    return (
        len(workers),
        sum(worker["accepting"] for worker in workers),
        busy,
        in_flight,
        sum(worker["respawn_count"] for worker in every_worker),
        sum(worker["harakiri_count"] for worker in every_worker),
        listener["queue"],
        listener["max_queue"],
    )
