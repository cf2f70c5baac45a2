"""A doubt: that the column of a feature was another one than the metadata describes.

The estimator is tried with both columns. All doubts of a kind are tried at once, and apart only
where that makes a difference.
"""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import NamedTuple

from python.errors import ArtifactError
from python.model.data.features import Feature, Value
from python.model.data.schema import Row, Schema
from python.model.doubts.differences import (
    Difference,
    Outputs,
    find_difference,
    predict_all,
)
from python.model.types import Columns, Estimator

MAX_DIFFERENT = 64


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
    estimator: Estimator, schema: Schema, row: Row, doubts: Sequence[Doubt]
) -> None:
    """Raise ArtifactError for the first of the doubts that is justified.

    `row` is one that the estimator takes.
    """
    trial = _Trial(estimator, schema, row)
    for number, doubt in enumerate(trial.find_different(doubts)):
        if number == MAX_DIFFERENT:
            return
        trial.check(doubt)


class _Trial(NamedTuple):
    """What is tried: an estimator, with rows that are one row but for the features in doubt."""

    estimator: Estimator
    schema: Schema
    row: Row

    def find_different(self, doubts: Sequence[Doubt]) -> Iterator[Doubt]:
        """Yield each doubt whose other feature makes a difference, found by halving."""
        if not doubts or self._compare(doubts) is None:
            return
        if len(doubts) == 1:
            yield doubts[0]
            return
        middle = len(doubts) // 2
        first_half = list(self.find_different(doubts[:middle]))
        second_half = list(self.find_different(doubts[middle:]))
        # An array has one type, which may change only with all of its features.
        yield from first_half + second_half or doubts[:1]

    def check(self, doubt: Doubt) -> None:
        """Raise ArtifactError if the doubt is justified."""
        difference = self._compare([doubt])
        if difference is None:
            return
        if doubt.by_difference or self._tells_more_apart(doubt):
            name = self.schema.names[doubt.number]
            raise ArtifactError(
                f'feature "{name}": the model predicts {difference.expected} for a value as '
                f"the metadata describes it and {difference.predicted} for the same as "
                f"{doubt.other.column_dtype}: {doubt.cure}"
            )

    def _tells_more_apart(self, doubt: Doubt) -> bool:
        """Return whether the values make a difference with the other feature alone."""
        usual = doubt._replace(values=[*doubt.values, *doubt.usual_values])
        expected = self._predict([usual], is_other=False)
        predicted = self._predict([doubt], is_other=True)
        return _are_alike(expected) and not _are_alike(predicted)

    def _compare(self, doubts: Sequence[Doubt]) -> Difference | None:
        """Return the first row for which all the other features together make a difference."""
        expected = self._predict(doubts, is_other=False)
        predicted = self._predict(doubts, is_other=True)
        if not expected or not predicted:
            return None
        return find_difference(expected, predicted)

    def _predict(self, doubts: Sequence[Doubt], *, is_other: bool) -> Outputs:
        """Return what is predicted for the values of the doubts; nothing if they are refused."""
        try:
            columns = self._columns(doubts, is_other=is_other)
            return predict_all(self.estimator, columns)
        except Exception:
            # Made-up values may be refused; the row itself was predicted.
            return {}

    def _columns(self, doubts: Sequence[Doubt], *, is_other: bool) -> Columns:
        """Return a row for each value of the doubts with most values; the others repeat theirs."""
        n_rows = max(len(doubt.values) for doubt in doubts)
        by_feature = [[value] * n_rows for value in self.row]
        schema = self.schema
        for doubt in doubts:
            values = doubt.values
            if is_other:
                values = doubt.other_values
                schema = schema.with_feature(doubt.number, doubt.other)
            by_feature[doubt.number] = list(islice(cycle(values), n_rows))
        rows = list(zip(*by_feature, strict=True))
        return schema.columns(rows)


def _are_alike(outputs: Outputs) -> bool:
    """Return whether all rows have the outputs of the first."""
    first_rows = {}
    for method, output in outputs.items():
        first_rows[method] = output[[0] * len(output)]
    return find_difference(first_rows, outputs) is None
