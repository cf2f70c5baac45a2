"""Bits in words: which of them are set, sums over the words that have them, and equal words."""

import numpy as np
from numpy.typing import NDArray

from python.model.explain.walk import Masks
from python.model.trees.categories import Integers
from python.model.types import Matrix

WORD_BITS = 64
MASKS_AT_ONCE = 2**19  # while they are counted: some 25 MB

Words = NDArray[np.uint64]
"""Bits, 64 in each word."""

# Masks are cut into pieces of so many bits, and numbers added up by the values of a piece.
BITS_AT_ONCE = 10
BITS_OF_VALUES = (
    np.arange(1 << BITS_AT_ONCE)[:, None] >> np.arange(BITS_AT_ONCE) & 1
).astype(np.float64)
"""For each of these values its bits, (n_values, BITS_AT_ONCE)."""


def to_words(octets: NDArray[np.uint8]) -> Words:
    """Return rows of bytes as words of eight, the last one filled up with zeros."""
    n_missing = -octets.shape[1] % 8
    padded = np.pad(octets, ((0, 0), (0, n_missing)))
    return padded.view(np.uint64)


def to_octets(words: Masks) -> NDArray[np.uint8]:
    """Return the bytes of words, (n_rows, n_words), with the first bits in the first byte."""
    little_endian = words.astype(words.dtype.newbyteorder("<"))
    return little_endian.view(np.uint8)


def list_bits(words: Masks) -> tuple[Integers, Integers]:
    """Return for each bit that is set its row, and its place among the row's bits.

    `words` is (n_rows, n_words), the first word with the first bits.
    """
    octets = to_octets(words)
    n_bits = 8 * octets.shape[1]
    flat = octets.ravel()
    # Most bytes have no bit. Of booleans NumPy finds those that are set ten times as fast.
    used = np.flatnonzero(flat != 0)
    bits = np.unpackbits(flat[used], bitorder="little")
    set_bits = np.flatnonzero(bits.view(np.bool_))
    first_bits = 8 * used
    rows = first_bits // n_bits
    first_places = first_bits - rows * n_bits
    # Shifts take a third of the time of divisions.
    owners = set_bits >> 3
    return rows[owners], first_places[owners] + (set_bits & 7)


def sum_by_bit(masks: Masks, numbers: Matrix, n_bits: int) -> Matrix:
    """Return for each bit the sum of the numbers whose masks, (n_numbers,), have it."""
    signed = masks.astype(np.int64)
    sums = []
    for first in range(0, n_bits, BITS_AT_ONCE):
        values = signed >> first & len(BITS_OF_VALUES) - 1
        by_value = np.bincount(values, numbers, len(BITS_OF_VALUES))
        sums.append(by_value @ BITS_OF_VALUES)
    return np.concatenate(sums)[:n_bits]


def count_equal(masks: Masks, n_bits: Integers) -> Integers:
    """Return for each leaf and row how many rows have the same mask there, (n_leaves, n_rows).

    All but one of these rows get 0. `n_bits`, (n_leaves,), has how many bits a mask may have there.
    """
    counts = np.zeros(masks.shape, dtype=np.min_scalar_type(masks.shape[1]))
    step = max(1, MASKS_AT_ONCE // masks.shape[1])
    for first in range(0, len(masks), step):
        some = slice(first, first + step)
        counts[some] = _count_runs(
            *_sort(masks[some], int(n_bits[some].max()))
        )
    return counts


def _count_runs(order: Integers, masks: Masks) -> Integers:
    """Return the lengths of runs of equal masks, at the place in `order` of the first of each."""
    is_new = np.ones(order.shape, dtype=np.bool_)
    is_new[:, 1:] = np.diff(masks, axis=1)
    starts = np.flatnonzero(is_new)
    lengths = np.zeros(order.shape, dtype=np.intp)
    leaves = starts // order.shape[1]
    lengths[leaves, order.ravel()[starts]] = np.diff(starts, append=order.size)
    return lengths


def _sort(masks: Masks, n_bits: int) -> tuple[Integers, Masks]:
    """Return the order of the rows by their masks, and the masks in this order."""
    n_rows = masks.shape[1]
    n_row_bits = (n_rows - 1).bit_length()
    if n_bits + n_row_bits > WORD_BITS:
        order = np.argsort(masks, axis=1)
        return order, np.take_along_axis(masks, order, axis=1)
    # Masks that have the number of their row are sorted in a third of the time.
    key_type = np.min_scalar_type((1 << n_bits + n_row_bits) - 1)
    numbers = np.arange(n_rows, dtype=key_type)
    keys = masks.astype(key_type) << n_row_bits | numbers
    keys.sort(axis=1)
    return keys & (1 << n_row_bits) - 1, keys >> n_row_bits
