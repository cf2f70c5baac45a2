"""A doubt: that the column of a feature was another one than the metadata describes.

The estimator is tried with both columns. All doubts of a kind are tried at once, and alone only
those that make a difference.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from math import ceil
from typing import NamedTuple

import numpy as np

from python.errors import ArtifactError
from python.model.data.features import Feature, Value
from python.model.data.schema import Row, Schema
from python.model.doubts.differences import (
    Outputs,
    find_difference,
    predict_all,
)
from python.model.refusals import refused_rows
from python.model.types import Columns, Estimator

MAX_DIFFERENT = 64
MAX_REFUSED = 32
MAX_TRIED_ROWS = 4000
MAX_TRIED_VALUES = 1_000_000


class Doubt(NamedTuple):
    """Another feature that one may have been, and the values with which to find out."""

    number: int
    """Which of the features it is."""
    values: Sequence[Value]
    other: Feature
    other_values: Sequence[Value]
    """The same values, as they fit the other feature."""
    cure: str
    """What to write if it was the other one."""
    usual_values: Sequence[Value] = ()
    """More values that must make no difference either, as the metadata describes them."""
    by_difference: bool = False
    """Whether any difference is too much.

    Otherwise the other feature is the right one only if the values make a difference with it, and
    none as the metadata describes them: as a step treats values that it does not know.
    """


def check_doubts(
    estimator: Estimator,
    schema: Schema,
    rows: Sequence[Row],
    doubts: Sequence[Doubt],
) -> None:
    """Raise ArtifactError for the first of the doubts that is justified.

    `rows` are some that the estimator takes: what one row hides, such as a tree that asks for the
    feature in one branch alone, another may show.
    """
    if doubts:
        _Trial(estimator, schema, rows).check(doubts)


class _Trial(NamedTuple):
    """What is tried: an estimator, with rows that keep their values but for one in doubt."""

    estimator: Estimator
    schema: Schema
    rows: Sequence[Row]

    def check(self, doubts: Sequence[Doubt]) -> None:
        """Raise ArtifactError for the first of the doubts that is justified."""
        expected = self._predict(doubts, is_other=False)
        predicted = self._predict(doubts, is_other=True)
        if expected and predicted:
            self._check_different(doubts, expected, predicted)
        elif len(doubts) > 1:
            middle = len(doubts) // 2
            self.check(doubts[:middle])
            self.check(doubts[middle:])
        else:
            self._check_accepted(doubts[0])

    def _check_accepted(self, doubt: Doubt) -> None:
        """Try a doubt with those of its values alone that the estimator takes in both columns.

        A logarithm of -1 must not hide what 10115 would show.
        """
        usual = doubt._replace(values=doubt.usual_values)
        accepted = self._find_accepted(doubt, is_other=False)
        accepted &= self._find_accepted(doubt, is_other=True)
        accepted_usual = self._find_accepted(usual, is_other=False)
        rest = doubt._replace(
            values=_pick(doubt.values, accepted),
            other_values=_pick(doubt.other_values, accepted),
            usual_values=_pick(doubt.usual_values, accepted_usual),
        )
        expected = self._predict([rest], is_other=False)
        predicted = self._predict([rest], is_other=True)
        if expected and predicted:
            self._check_different([rest], expected, predicted)

    def _find_accepted(self, doubt: Doubt, *, is_other: bool) -> set[int]:
        """Return the numbers of the values that the estimator takes in the first row.

        After 32 refused ones, the rest counts as refused.
        """
        first_row = self._replace(rows=self.rows[:1])
        try:
            columns = first_row.columns([doubt], is_other=is_other)
        except Exception:
            # There is none, or pandas refuses it with exceptions of many kinds.
            return set()
        refused = refused_rows(self.estimator.predict, columns)
        numbers = list(islice(refused, MAX_REFUSED))
        end = len(columns)
        if len(numbers) == MAX_REFUSED:
            end = numbers[-1]
        return set(range(end)) - set(numbers)

    def _check_different(
        self, doubts: Sequence[Doubt], expected: Outputs, predicted: Outputs
    ) -> None:
        """Raise ArtifactError for the first justified doubt among those that make a difference."""
        different = self._find_different(doubts, expected, predicted)
        for doubt, _, _ in different[:MAX_DIFFERENT]:
            first = self._predict([doubt], is_other=False)
            second = self._predict([doubt], is_other=True)
            self._check_one(doubt, first, second)
        if different and not self.schema.named:
            # An array has one type, which may change only with all of its features.
            self._check_one(*different[0])

    def _find_different(
        self, doubts: Sequence[Doubt], expected: Outputs, predicted: Outputs
    ) -> list[tuple[Doubt, Outputs, Outputs]]:
        """Return the doubts in whose rows the two outputs differ, with the outputs for these."""
        n_rows = self._count_rows(doubts)
        different = []
        start = 0
        for group in self._group(doubts):
            stop = start + n_rows * _count_values(group)
            first = _slice(expected, start, stop)
            second = _slice(predicted, start, stop)
            if find_difference(first, second) is not None:
                different += [(doubt, first, second) for doubt in group]
            start = stop
        return different

    def _check_one(
        self, doubt: Doubt, expected: Outputs, predicted: Outputs
    ) -> None:
        """Raise ArtifactError if what is predicted shows that the doubt is justified."""
        if not expected or not predicted:
            return
        difference = find_difference(expected, predicted)
        if difference is None:
            return
        if doubt.by_difference or self._tells_more_apart(doubt, predicted):
            name = self.schema.names[doubt.number]
            raise ArtifactError(
                f'feature "{name}": the model predicts {difference.expected} for a value as '
                f"the metadata describes it and {difference.predicted} for the same as "
                f"{doubt.other.column_dtype}: {doubt.cure}"
            )

    def _tells_more_apart(self, doubt: Doubt, predicted: Outputs) -> bool:
        """Return whether the values make a difference with the other feature alone."""
        usual = doubt._replace(values=[*doubt.values, *doubt.usual_values])
        expected = self._predict([usual], is_other=False)
        if not expected:
            return False
        is_alike = _are_alike(expected, len(usual.values))
        return is_alike and not _are_alike(predicted, len(doubt.values))

    def _predict(self, doubts: Sequence[Doubt], *, is_other: bool) -> Outputs:
        """Return what is predicted for the values of the doubts; nothing if they are refused."""
        try:
            columns = self.columns(doubts, is_other=is_other)
            return predict_all(self.estimator, columns)
        except Exception:
            # Made-up values may be refused; the rows themselves were predicted.
            return {}

    def _count_rows(self, doubts: Sequence[Doubt]) -> int:
        """Return how many of the rows are tried with each value of the doubts."""
        n_values = sum(map(_count_values, self._group(doubts)))
        n_rows = self._row_limit() // max(n_values, 1)
        return min(max(n_rows, 1), len(self.rows))

    def _group(self, doubts: Sequence[Doubt]) -> list[Sequence[Doubt]]:
        """Return the doubts in groups; each is alone unless there are hundreds of features."""
        n_values = _count_values(doubts)
        n_groups = max(self._row_limit() // max(n_values, 1), 1)
        size = ceil(len(doubts) / n_groups)
        starts = range(0, len(doubts), size)
        return [doubts[start : start + size] for start in starts]

    def _row_limit(self) -> int:
        """Return how many rows may be tried at once: fewer where there are many features."""
        return min(MAX_TRIED_ROWS, MAX_TRIED_VALUES // len(self.schema.names))

    def columns(self, doubts: Sequence[Doubt], *, is_other: bool) -> Columns:
        """Return for each doubt the rows with each of its values, one after the other.

        All the features in doubt are other ones at once, but only one has another value: a large
        one of another feature could hide the difference that it makes. Where there are hundreds of
        them, some share their rows.
        """
        schema = self.schema
        if is_other:
            for doubt in doubts:
                schema = schema.with_feature(doubt.number, doubt.other)
        rows = []
        for number, row in enumerate(self.rows[: self._count_rows(doubts)]):
            rows.append(_fit_row(row, number, doubts, is_other=is_other))
        tried: list[Row] = []
        for group in self._group(doubts):
            for row in rows:
                tried += _vary(row, group, is_other=is_other)
        return schema.columns(tried)


def _vary(
    row: Row, group: Sequence[Doubt], *, is_other: bool
) -> Iterator[Row]:
    """Return the row with each value of the doubt with most values; others repeat theirs."""
    n_values = _count_values(group)
    by_feature = [[value] * n_values for value in row]
    for doubt in group:
        values = doubt.other_values if is_other else doubt.values
        by_feature[doubt.number] = list(islice(cycle(values), n_values))
    return zip(*by_feature, strict=True)


def _count_values(group: Sequence[Doubt]) -> int:
    return max(len(doubt.values) for doubt in group)


def _fit_row(
    row: Row, number: int, doubts: Sequence[Doubt], *, is_other: bool
) -> Row:
    """Return the row with values in doubt that both features have: its own, or one of those tried.

    `number` is that of the row: each one gets another of the values.
    """
    fitting = list(row)
    for doubt in doubts:
        value = row[doubt.number]
        position = number % len(doubt.values)
        if value in doubt.values:
            position = list(doubt.values).index(value)
        values = doubt.other_values if is_other else doubt.values
        fitting[doubt.number] = values[position]
    return tuple(fitting)


def _pick(values: Sequence[Value], numbers: set[int]) -> list[Value]:
    """Return the values with these numbers, in their order."""
    return [value for number, value in enumerate(values) if number in numbers]


def _slice(outputs: Outputs, start: int, stop: int) -> Outputs:
    """Return the outputs for some of the rows."""
    return {method: rows[start:stop] for method, rows in outputs.items()}


def _are_alike(outputs: Outputs, n_values: int) -> bool:
    """Return whether the outputs are those of the first value, for all values of each row."""
    first_rows = {}
    for method, output in outputs.items():
        rows = np.arange(len(output))
        first_rows[method] = output[rows - rows % n_values]
    return find_difference(first_rows, outputs) is None
