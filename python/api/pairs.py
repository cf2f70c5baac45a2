"""Pairs of what an example says that the model predicted, and of what a client receives now."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from python.model.data.features import Value
from python.model.data.spelling import shorten
from python.model.doubts.noise import find_noise

FEWEST_DIGITS = 3
FLOAT_DIGITS = 17


class Pair(NamedTuple):
    """A label or a number as it was saved, and what a client receives now.

    Where there are several values in the place of one, or fewer than there should be, both are
    what they are, lists or objects.
    """

    saved: Value
    predicted: Value
    class_name: str | None
    """The class whose probability the two are; None for a prediction."""

    def differs(self, tolerance: float) -> bool:
        """Return whether the two are different labels, or numbers that are too far apart."""
        are_numbers = _is_number(self.saved) and _is_number(self.predicted)
        are_whole = isinstance(self.saved, int) and isinstance(
            self.predicted, int
        )
        if not are_numbers or are_whole or tolerance == 0:
            # Two identifiers of 13 digits may be neighbours.
            return bool(self.saved != self.predicted)
        is_close = math.isclose(
            self.saved, self.predicted, rel_tol=tolerance, abs_tol=tolerance
        )
        return not is_close

    def describe(self) -> str:
        """Return in which way the two differ, as the rest of a sentence."""
        if isinstance(self.saved, list | dict) or isinstance(
            self.predicted, list | dict
        ):
            return _describe_counts(self.saved, self.predicted)
        saved, predicted = _show(self.saved, self.predicted)
        if self.class_name is not None:
            saved += f" for {shorten(self.class_name)}"
        return (
            f"the model said {saved} when it was saved, "
            f"here it says {predicted}"
        )


def pair_up(
    saved: Value, predicted: Value, class_name: str | None = None
) -> Iterator[Pair]:
    """Yield the labels or numbers of one example, as they were saved and as they are.

    Probabilities are an object by class now; they were saved as one, or as a list in its order.
    """
    names: Sequence[str | None]
    if isinstance(predicted, dict):
        names = list(predicted)
        items = list(predicted.values())
    elif isinstance(predicted, list):
        names = [class_name] * len(predicted)
        items = predicted
    else:
        if isinstance(saved, list) and len(saved) == 1:
            (saved,) = saved  # a column of numbers leaves as a list of them
        yield Pair(saved, predicted, class_name)
        return
    saved = _in_order(saved, names)
    if not isinstance(saved, list) or len(saved) != len(items):
        yield Pair(saved, predicted, class_name)
        return
    for name, item, value in zip(names, saved, items, strict=True):
        yield from pair_up(_both_classes(item, value), value, name)


def _in_order(saved: Value, names: Sequence[str | None]) -> Value:
    """Return the values of an object in the order of the names, or its own if it has others."""
    if not isinstance(saved, dict):
        return saved
    if saved.keys() == set(names):
        return [saved[name] for name in names]
    return list(saved.values())


def _both_classes(saved: Value, predicted: Value) -> Value:
    """Return the probabilities of both classes where one of several outputs was saved as one."""
    is_object = isinstance(predicted, dict)
    if is_object and _is_number(saved) and len(predicted) == 2:
        return [1 - saved, saved]
    return saved


def measure_noise(pairs: Iterable[Pair]) -> float:
    """Return the largest difference between the numbers of the pairs, relative to large ones."""
    saved = []
    predicted = []
    for pair in pairs:
        if isinstance(pair.saved, float) and isinstance(pair.predicted, float):
            saved.append(pair.saved)
            predicted.append(pair.predicted)
    return find_noise(np.array(saved), np.array(predicted))


def _is_number(value: Value) -> bool:
    return isinstance(value, float | int)


def _describe_counts(saved: Value, predicted: Value) -> str:
    """Return how many values there are, and how many there should be.

    One value for each record is what `predict_proba(rows)[:, 1]` is.
    """
    subject = "there is one value"
    if isinstance(saved, list | dict) and len(saved) != 1:
        subject = f"there are {len(saved)} values"
    if isinstance(predicted, dict):
        return (
            f"{subject} where the model has {len(predicted)} classes: "
            "write what predict_proba returns, a probability for each class"
        )
    if isinstance(predicted, list):
        return f"{subject} where the model has {len(predicted)} outputs"
    return f"{subject} where the model predicts one"


def _show(saved: Value, predicted: Value) -> tuple[str, str]:
    """Return both for a sentence: numbers with as many digits as tell them apart."""
    if isinstance(saved, float) and isinstance(predicted, float):
        for digits in range(FEWEST_DIGITS, FLOAT_DIGITS + 1):
            first = f"{saved:.{digits}g}"
            second = f"{predicted:.{digits}g}"
            if first != second:
                return first, second
    return shorten(saved), shorten(predicted)
