"""Swaps: how often the model was to be replaced, and what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from python.errors import ArtifactError
from python.metrics.cells import open_shared
from python.metrics.families import COUNTER, Family, number_families

RESULTS = ("done", "refused", "failed")
FAMILIES = (
    Family(
        "service_swaps_total",
        COUNTER,
        "Swaps of the model: done, refused for the file, or failed.",
        ("result",),
        tuple((result,) for result in RESULTS),
    ),
)


@contextmanager
def count_swap(folder: Path) -> Iterator[None]:
    """Count what becomes of a swap: whoever swaps keeps others out meanwhile.

    An ArtifactError means that the file was refused, or could not be copied, and any other
    exception that the swap failed.
    """
    result = "failed"
    try:
        yield
        result = "done"
    except ArtifactError:
        result = "refused"
        raise
    finally:
        _count(folder, result)


def let_be_counted(folder: Path) -> None:
    """Let there be the series of swaps, before the first of them."""
    _count(folder, None)


def _count(folder: Path, result: str | None) -> None:
    # Metrics that cannot be written stop no swap.
    with suppress(OSError, ValueError):
        folder.mkdir(parents=True, exist_ok=True)
        cells = open_shared(folder / "swaps.cells", FAMILIES)
        if result is not None:
            series = number_families(FAMILIES)["service_swaps_total"]
            cells.values[series[result,]] += 1
