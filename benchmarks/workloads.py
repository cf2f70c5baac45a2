"""What is asked in the benchmark, and what the model itself says to it. Imports no scikit-learn, and so shares no memory with a server."""

import json
import subprocess
import sys
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Workload:
    """A model's file in a folder, the records that it is asked about, and its own answers."""

    folder: Path
    name: str
    records: list[dict[str, Any]]
    named: bool  # the model was fitted with a DataFrame
    probabilities: list[list[float]]
    explanation: list[list[float]] | None

    @property
    def quick(self) -> bool:
        """Whether it is among those of `make bench-quick`."""
        return len(self.records) == 1 and not self.explanation

    @property
    def body(self) -> Any:
        """A record, or a list of them."""
        return self.records[0] if len(self.records) == 1 else self.records

    @property
    def rows(self) -> list[list[Any]]:
        """The records without their names."""
        return [list(record.values()) for record in self.records]

    @property
    def answer(self) -> bytes:
        """The probabilities, and the explanation, as the service writes them."""
        rows = [{"0": first, "1": second} for first, second in self.probabilities]
        content: dict[str, Any] = {"prediction": rows}
        if self.explanation:
            names = list(self.records[0])
            content["explanation"] = [
                dict(zip(names, values, strict=True)) for values in self.explanation
            ]
        return json.dumps(content, separators=(",", ":")).encode()

    def check(
        self, probabilities: list[list[float]], explanation: list[list[float]] | None
    ) -> None:
        """Raise ValueError unless these are the model's probabilities and, where they are asked for, shap's values."""
        if not _equal(probabilities, self.probabilities):
            raise ValueError(
                f"{self.name}: these are not the probabilities of the model: {probabilities[:3]}"
            )
        if self.explanation and not (
            explanation and _equal(explanation, self.explanation)
        ):
            raise ValueError(
                f"{self.name}: these are not the values of shap: {(explanation or [])[:3]}"
            )


def _equal(found: list[list[float]], told: list[list[float]]) -> bool:
    return len(found) == len(told) and all(
        isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
        for row, other_row in zip(found, told, strict=True)
        for one, other in zip(row, other_row, strict=True)
    )


def workloads(folder: Path) -> list[Workload]:
    """All of them, their models fitted and written into the folder by another process."""
    subprocess.run(
        [sys.executable, "-m", "benchmarks.models", str(folder)], cwd=ROOT, check=True
    )
    found = sorted(folder.glob("*/workload.json"))
    return [Workload(file.parent, **json.loads(file.read_text())) for file in found]
