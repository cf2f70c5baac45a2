"""Costs: what a model takes of a disk, of memory and of time."""

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from python.api.bodies import reader
from python.api.responses import (
    ENCODER,
    explanation_content,
    prediction_content,
)
from python.errors import ServiceError
from python.model.base import Model

MANY = 1000
FEWEST_RUNS = 3
MAX_RUNS = 100
RUNS_LIMIT_SECONDS = 0.5
MILLISECONDS = 1000


def measure_costs(model: Model, path: Path) -> dict[str, float | None]:
    """Return the bytes of the file and of this process, and the milliseconds of three requests.

    The requests are read and answered as the service does, without HTTP. `explanation_ms` is None
    where none is computed without background rows from the request.
    """
    record = model.example()
    one = ENCODER.encode(record)
    many = ENCODER.encode([record] * MANY)

    def explain_one() -> None:
        _respond(model, one, explain=True)

    explanation_ms = None
    if model.offers_explanations:
        explanation_ms = _measure_or_none(explain_one)
    return {
        "file_bytes": path.stat().st_size,
        "prediction_ms": _measure(lambda: _respond(model, one)),
        "thousand_predictions_ms": _measure(lambda: _respond(model, many)),
        "explanation_ms": explanation_ms,
        "memory_bytes": _read_memory(),
    }


def _respond(model: Model, body: bytes, *, explain: bool = False) -> bytes:
    """Return the body of a response."""
    records = reader(model.schema, reject_unknown=True).read(body).records
    predictions = model.predictions(records)
    content = prediction_content(model, predictions, proba=False)
    if explain:
        explanation = model.explain(predictions)
        content |= explanation_content(model, explanation, single=True)
    return ENCODER.encode(content)


def _measure_or_none(run: Callable[[], object]) -> float | None:
    try:
        return _measure(run)
    except ServiceError:
        return None


def _measure(run: Callable[[], object]) -> float:
    """Return the median of some runs, in milliseconds; the first one may prepare something."""
    run()
    seconds: list[float] = []
    while len(seconds) < MAX_RUNS:
        if sum(seconds) > RUNS_LIMIT_SECONDS and len(seconds) >= FEWEST_RUNS:
            break
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return MILLISECONDS * statistics.median(seconds)


def _read_memory() -> float:
    """Return the bytes of memory that this process has; where that is not told, the most it had."""
    statistics_file = Path("/proc/self/statm")
    if statistics_file.exists():
        pages = int(statistics_file.read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return largest if sys.platform == "darwin" else largest * 1024
