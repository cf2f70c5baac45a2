"""The workloads of the benchmark: models, the records to predict, and what the models predict.

This module does not import scikit-learn, and so shares no memory of it with a server.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-12
# shap rounds thresholds to float32, so that mixtures of a record and a row of the background take
# other branches: of the forest's values, 0.0019 is the largest difference from the right ones.
BACKGROUND_TOLERANCE = 0.005

Numbers: TypeAlias = list[list[float]]
"""A number for each record and class, or for each record and feature."""


@dataclass(frozen=True)
class Workload:
    """A model's file in a folder, the records to predict, and what the model predicts for them."""

    folder: Path
    name: str
    records: list[dict[str, Any]]
    named: bool
    """Whether the model was fitted with a DataFrame."""
    probabilities: Numbers
    explanation: Numbers | None
    """The SHAP values of the second class; None if the workload has no explanation."""
    background: list[dict[str, Any]]
    """The rows to explain against; empty where there is no explanation, or one without them."""

    @property
    def quick(self) -> bool:
        """Whether `make bench-quick` measures it."""
        return len(self.records) == 1 and not self.explanation

    @property
    def body(self) -> Any:
        """What the service takes: one record or a list, with the background if there is one."""
        records = self.unaccompanied
        if not self.background:
            return records
        return {"_data": records, "_samples": self.background}

    @property
    def unaccompanied(self) -> Any:
        """A record, or a list of them, without the background."""
        return self.records[0] if len(self.records) == 1 else self.records

    @property
    def rows(self) -> list[list[Any]]:
        """The values of the records, without their names."""
        return [list(record.values()) for record in self.records]

    @property
    def answer(self) -> bytes:
        """What the service answers, byte by byte but for the last digits."""
        rows = [
            {"0": first, "1": second} for first, second in self.probabilities
        ]
        content: dict[str, Any] = {"prediction": rows}
        if self.explanation:
            explanation = []
            for values in self.explanation:
                explanation.append(
                    dict(zip(self.records[0], values, strict=True))
                )
            content["explanation"] = explanation
        return json.dumps(content, separators=(",", ":")).encode()

    def check(
        self, probabilities: Numbers, explanation: Numbers | None
    ) -> None:
        """Raise ValueError unless these are the model's probabilities, and shap's values.

        Values are compared only where the workload has an explanation.
        """
        if not _equal(probabilities, self.probabilities, TOLERANCE):
            fault = f"these are not the probabilities of the model: {probabilities[:3]}"
            raise ValueError(f"{self.name}: {fault}")
        values = explanation or []
        tolerance = BACKGROUND_TOLERANCE if self.background else TOLERANCE
        expected = self.explanation
        if expected and not _equal(values, expected, tolerance):
            fault = f"these are not the values of shap: {values[:3]}"
            raise ValueError(f"{self.name}: {fault}")


def _equal(numbers: Numbers, expected: Numbers, tolerance: float) -> bool:
    if len(numbers) != len(expected):
        return False
    for row, expected_row in zip(numbers, expected, strict=True):
        for number, expected_number in zip(row, expected_row, strict=True):
            if not isclose(
                number, expected_number, rel_tol=TOLERANCE, abs_tol=tolerance
            ):
                return False
    return True


def workloads(folder: Path) -> list[Workload]:
    """Return all workloads, whose models another process fits and writes into the folder."""
    command = [sys.executable, "-m", "benchmarks.models", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    written = []
    for path in sorted(folder.glob("*/workload.json")):
        fields = json.loads(path.read_text())
        written.append(Workload(path.parent, **fields))
    return written
