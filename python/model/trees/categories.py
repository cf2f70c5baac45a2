"""Categories: the sets of codes by which trees split, and the codes of a DataFrame's categories."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from python.model.types import Matrix

BITS = 32  # of a word

Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class CategorySets:
    """Sets of category codes, by the number of the set.

    `sets` and `codes` have an item for each code of each set: {4, 7} and {4} are
    `sets = [0, 0, 1]` and `codes = [4, 7, 4]`.
    """

    sets: Integers
    codes: Integers

    @classmethod
    def of(cls, sets: Sequence[Integers]) -> Self:
        """Return the sets of these codes."""
        lengths = [len(codes) for codes in sets]
        numbers = np.arange(len(sets)).repeat(lengths)
        return cls(numbers, np.concatenate(sets))

    @classmethod
    def of_bits(cls, words: NDArray[np.uint32], starts: Integers) -> Self:
        """Return the sets from bits: code `c` is bit `c % 32` of a set's word `c // 32`.

        The words of set `s` are those from `starts[s]` up to `starts[s + 1]`.
        """
        octets = words.astype("<u4").view(np.uint8)
        bits = np.flatnonzero(np.unpackbits(octets, bitorder="little"))
        sets = np.searchsorted(starts, bits // BITS, side="right") - 1
        return cls(sets, bits - starts[sets] * BITS)

    def contain(self, sets: Integers, values: Matrix) -> NDArray[np.bool_]:
        """Return for each pair of a set and a value whether the set has the value's code.

        The code is the value without its fraction. A negative or missing value is in no set.
        """
        is_code = (values > -1) & (values < self._span)
        codes = values[is_code].astype(np.intp)
        pairs = sets[is_code] * self._span + codes
        contain = np.zeros(len(values), dtype=np.bool_)
        contain[is_code] = np.isin(pairs, self._pairs)
        return contain

    @cached_property
    def _span(self) -> int:
        """One more than the largest code."""
        return int(self.codes.max(initial=-1)) + 1

    @cached_property
    def _pairs(self) -> Integers:
        """Each pair of a set and a code as one number."""
        return self.sets * self._span + self.codes


NO_CODES = np.zeros(0, dtype=np.intp)
NO_SETS = CategorySets(NO_CODES, NO_CODES)


def has_categories(columns: Any) -> bool:
    """Return whether the columns are a DataFrame with pandas' categories."""
    if not hasattr(columns, "dtypes"):
        return False
    return any(map(_is_category, columns.dtypes))


def with_codes(
    frame: Any, categories: Sequence[Sequence[Any] | None]
) -> Matrix:
    """Return a DataFrame as numbers: a category as its position among those of the training.

    `categories` has these for each column with categories, in order; None where the column's own
    positions are the codes. Missing and unknown categories are NaN.
    """
    matrix = np.empty(frame.shape)
    of_training = iter(categories)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if not _is_category(column.dtype):
            matrix[:, place] = column.to_numpy(
                dtype=np.float64, na_value=np.nan
            )
            continue
        known = next(of_training)
        if known is not None:
            column = column.cat.set_categories(known)
        codes = column.cat.codes.to_numpy(dtype=np.float64)
        matrix[:, place] = np.where(codes < 0, np.nan, codes)
    return matrix


def _is_category(dtype: Any) -> bool:
    return hasattr(dtype, "categories")
