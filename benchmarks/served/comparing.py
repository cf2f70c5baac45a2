"""Comparing what the service answers with what the estimator answered where it was fitted."""

import math
from dataclasses import dataclass
from typing import Any

TOLERANCE = 1e-9
TOLERANCE_FLOAT32 = 1e-6
TOLERANCE_OF_SUMS = 1e-5  # shap computes some values in float32


@dataclass
class Difference:
    """How far answers are from the estimator's own, over all rows compared so far."""

    worst: float = 0.0
    labels: int = 0
    fault: str = ""

    def add_number(self, answer: Any, truth: Any) -> None:
        """Compare two numbers, relative to the true one where that is above 1."""
        if _is_nothing(truth) and _is_nothing(answer):
            return
        if not _is_number(answer) or not _is_number(truth):
            self.fault = (
                self.fault or f"{answer!r} where a number was expected"
            )
            return
        self.worst = max(
            self.worst, abs(answer - truth) / max(1.0, abs(truth))
        )

    def add_label(self, answer: Any, truth: Any) -> None:
        """Compare two labels."""
        self.labels += answer != truth


def compare_predictions(
    difference: Difference, answers: list[Any], asked: Any
) -> None:
    """Compare the list under `prediction` with the estimator's own predictions."""
    truth = asked["predictions"]
    if len(answers) != len(truth):
        difference.fault = f"{len(answers)} answers for {len(truth)} records"
        return
    for answer, true_answer in zip(answers, truth, strict=True):
        pairs = _pairs(_flat(answer), _flat(true_answer), difference)
        for one, true_one in pairs:
            if asked["are_numbers"]:
                difference.add_number(one, true_one)
            else:
                difference.add_label(one, true_one)


def compare_probabilities(
    difference: Difference, answers: Any, asked: Any
) -> None:
    """Compare a list of objects with the estimator's own probabilities, by class name."""
    truth = asked["probabilities"]
    names = asked["class_names"]
    if len(answers) != len(truth):
        difference.fault = f"{len(answers)} answers for {len(truth)} records"
        return
    for answer, true_answer in zip(answers, truth, strict=True):
        known = isinstance(answer, dict) and names is not None
        if known and set(answer) != set(names) and len(answer) == len(names):
            difference.fault = (
                f"classes {', '.join(answer)}, not {', '.join(names)}"
            )
            return
        if known and set(answer) == set(names):
            values = [answer[name] for name in names]
        else:
            values = _flat(answer)
        for one, true_one in _pairs(values, _flat(true_answer), difference):
            difference.add_number(one, true_one)


def sum_fault(answer: Any, asked: Any) -> str:
    """Return by how much SHAP values miss the output that they explain; "" if they do not.

    Margins and the log-odds of several classes are not compared: the estimator's methods do
    not give them.
    """
    worst = 0.0
    for row, values in enumerate(answer["explanation"]):
        for class_name, total in _sums(values, answer["base_value"]).items():
            truth = _explained_truth(
                answer["explained_output"], class_name, row, asked
            )
            if truth is not None:
                worst = max(worst, abs(total - truth) / max(1.0, abs(truth)))
    return f"{worst:.0e} from the output" if worst > TOLERANCE_OF_SUMS else ""


def is_equal(difference: Difference, asked: Any) -> bool:
    """Return whether all labels are equal, and all numbers within the tolerance."""
    tolerance = TOLERANCE_FLOAT32 if asked["is_float32"] else TOLERANCE
    within = difference.worst <= tolerance
    return within and difference.labels == 0 and not difference.fault


def _sums(values: Any, base: Any) -> dict[str, float]:
    if isinstance(base, dict):
        return {name: base[name] + sum(values[name].values()) for name in base}
    return {"": base + sum(values.values())}


def _explained_truth(
    output: str, class_name: str, row: int, asked: Any
) -> float | None:
    probabilities = asked["probabilities"]
    if output == "prediction" and asked["are_numbers"]:
        (number,) = _flat(asked["predictions"][row])
        return float(number)
    if probabilities is None or asked["class_names"] is None:
        return None
    position = asked["class_names"].index(class_name) if class_name else -1
    probability = float(probabilities[row][position])
    if output == "probability":
        return probability
    if (
        output == "log_odds"
        and not class_name
        and 1e-9 < probability < 1 - 1e-9
    ):
        return math.log(probability / (1 - probability))
    return None


def _pairs(
    answer: list[Any], truth: list[Any], difference: Difference
) -> list[tuple[Any, Any]]:
    if len(answer) != len(truth):
        sizes = f"{len(answer)} numbers for a record, not {len(truth)}"
        difference.fault = difference.fault or sizes
        return []
    return list(zip(answer, truth, strict=True))


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return [value]
    flat = []
    for part in value:
        flat.extend(_flat(part))
    return flat


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
