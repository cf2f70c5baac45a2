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
        numbers = np.arange(len(sets))
        return cls(
            sets=numbers.repeat(lengths),
            codes=np.concatenate(sets),
        )

    @classmethod
    def of_bits(cls, words: NDArray[np.uint32], starts: Integers) -> Self:
        """Return the sets from bits: code `c` is bit `c % 32` of a set's word `c // 32`.

        The words of set `s` are those from `starts[s]` up to `starts[s + 1]`.
        """
        little_endian = words.astype("<u4")
        octets = little_endian.view(np.uint8)
        is_in_set = np.unpackbits(octets, bitorder="little")
        bits = np.flatnonzero(is_in_set)
        words_of_bits = bits // BITS
        next_sets = np.searchsorted(starts, words_of_bits, side="right")
        sets = next_sets - 1
        first_bits = starts[sets] * BITS
        return cls(
            sets=sets,
            codes=bits - first_bits,
        )

    def contain(self, sets: Integers, values: Matrix) -> NDArray[np.bool_]:
        """Return for each pair of a set and a value whether the set has the value's code.

        The code is the value without its fraction. A negative or missing value is in no set.
        """
        is_code = (values > -1) & (values < self._span)
        codes = values[is_code].astype(np.intp)
        pairs = sets[is_code] * self._span + codes
        contain = np.zeros(len(values), dtype=np.bool_)
        is_in_set = np.isin(pairs, self._pairs)
        contain[is_code] = is_in_set
        return contain

    @cached_property
    def _span(self) -> int:
        """One more than the largest code."""
        largest = self.codes.max(initial=-1)
        return int(largest) + 1

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
    frame: Any,
    categories: Sequence[Sequence[Any] | None],
) -> Matrix:
    """Return a DataFrame as numbers: a category as its position among those of the training.

    `categories` has these for each column with categories, in order; None where the column's own
    positions are the codes. Missing and unknown categories are NaN.
    """
    matrix = np.empty(frame.shape)
    of_training = iter(categories)
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if _is_category(column.dtype):
            own_categories = next(of_training)
            numbers = _codes(column, own_categories)
        else:
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        matrix[:, place] = numbers
    return matrix


def _codes(column: Any, categories: Sequence[Any] | None) -> Matrix:
    """Return the positions among the categories, or else the column's own; NaN for no category."""
    if categories is not None:
        column = column.cat.set_categories(categories)
    positions = column.cat.codes
    codes = positions.to_numpy(dtype=np.float64)
    return np.where(codes < 0, np.nan, codes)


def _is_category(dtype: Any) -> bool:
    return hasattr(dtype, "categories")
