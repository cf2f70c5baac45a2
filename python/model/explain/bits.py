"""Bits in words: which of them are set, and sums over the words that have them."""

import numpy as np
from numpy.typing import NDArray

from python.model.explain.walk import Masks
from python.model.trees.categories import Integers
from python.model.types import Matrix

Words = NDArray[np.uint64]
"""Bits, 64 in each word."""

# For each value of a byte its bits, (256, 8).
BITS_OF_OCTETS = np.unpackbits(
    np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"
).astype(np.float64)


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
    places = 8 * used[set_bits // 8] + set_bits % 8
    rows = places // n_bits
    return rows, places - rows * n_bits


def sum_by_bit(masks: Masks, numbers: Matrix, n_bits: int) -> Matrix:
    """Return for each bit the sum of the numbers whose masks, (n_numbers,), have it.

    The numbers are added up by each byte of the masks, and the sums by the bits of that byte.
    """
    sums = []
    for octets in to_octets(masks[:, None]).T:
        by_octet = np.bincount(octets, numbers, len(BITS_OF_OCTETS))
        sums.append(by_octet @ BITS_OF_OCTETS)
    return np.concatenate(sums)[:n_bits]
