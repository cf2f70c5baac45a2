"""What becomes of a swap is counted as what it was."""

from pathlib import Path

import pytest

from python.errors import ArtifactError
from python.metrics.cells import Reader
from python.metrics.families import number_families
from python.metrics.swaps import RESULTS, count_swap, let_be_counted


def read(folder: Path) -> dict[str, float]:
    (cells,) = Reader().read([folder / "swaps.cells"])
    numbers = number_families(cells.families)["service_swaps_total"]
    return {result: cells.values[numbers[result,]] for result in RESULTS}


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (ArtifactError("no model"), "refused"),
        (TimeoutError(), "failed"),
        (OSError("no room"), "failed"),
        (KeyboardInterrupt(), "failed"),
    ],
)
def test_only_a_file_is_refused(
    tmp_path: Path, error: BaseException, result: str
) -> None:
    let_be_counted(tmp_path)
    with pytest.raises(type(error)), count_swap(tmp_path):
        raise error
    with count_swap(tmp_path):
        pass
    assert read(tmp_path) == dict.fromkeys(RESULTS, 0) | {result: 1, "done": 1}
