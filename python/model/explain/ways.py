"""Ways: the splits that tell a record's row in the table of each branch.

They are those above a branch, each of which gives the bit of its player where it does not send the
record to the branch, and those below, each of which gives the bit of its outcome. The row's number
is all of these bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from python.model.explain.branches import Branches
from python.model.explain.paths import Paths
from python.model.explain.walk import Masks, list_ranges
from python.model.trees.categories import Integers
from python.model.trees.tree import Flags


class Steps(NamedTuple):
    """Splits that give bits to the rows of branches: an item for each split and branch."""

    branches: Integers
    splits: Integers
    leads_left: Flags
    """True where the bit is set if a record does not go left, false where it is set if it does."""
    bits: Integers
    """The places of the bits."""

    @classmethod
    def join(cls, parts: Sequence["Steps"]) -> Self:
        """Return the steps of all parts."""
        return cls(
            branches=np.concatenate([part.branches for part in parts]),
            splits=np.concatenate([part.splits for part in parts]),
            leads_left=np.concatenate([part.leads_left for part in parts]),
            bits=np.concatenate([part.bits for part in parts]),
        )


@dataclass(frozen=True, eq=False)
class Ways:
    """The ways to the rows of all branches, those with the most steps first.

    The first steps of all branches come before all second ones, and so on.
    """

    splits: Integers
    leads_left: Flags
    """Whether a step's bit is set where a record does not go left, (n_steps, 1)."""
    bits: Masks
    """The bit of each step, (n_steps, 1)."""
    spans: list[slice]
    """The first steps, the second ones, and so on."""
    places: Integers
    """For each branch its place among the ways."""
    roots: Integers | None
    """The nodes from whose masks the ways start; None if all start from the roots of trees."""

    @classmethod
    def of(cls, branches: Branches, most_above: int) -> Self:
        """Return the ways, whose places are those of the branches.

        They start from the masks of the branches' roots if more splits than that are above these.
        """
        steps = _steps_below(branches)
        above = _steps_above(branches, most_above)
        if above is not None:
            steps = Steps.join([above, steps])
        n_steps = np.bincount(steps.branches, minlength=len(branches.roots))
        by_steps = np.argsort(-n_steps, kind="stable")
        places = np.empty_like(by_steps)
        places[by_steps] = np.arange(len(by_steps))
        # Branch by branch, and then the first of all branches, the second of all, and so on.
        by_branch = np.argsort(places[steps.branches], kind="stable")
        turns = list_ranges(np.zeros_like(n_steps), n_steps[by_steps])
        in_order = by_branch[np.argsort(turns, kind="stable")]
        stops = np.bincount(turns).cumsum().tolist()
        n_bits = int(branches.n_rows.max(initial=1)).bit_length() - 1
        dtype = np.min_scalar_type((1 << n_bits) - 1)
        bits = np.left_shift(1, steps.bits[in_order]).astype(dtype)
        return cls(
            splits=steps.splits[in_order],
            leads_left=steps.leads_left[in_order, None],
            bits=bits[:, None],
            spans=list(map(slice, [0, *stops], stops)),
            places=places,
            roots=branches.roots if above is None else None,
        )

    def rows(self, paths: Paths, goes_left: Flags) -> Masks:
        """Return the number of the row of each branch, (n_branches, n_records).

        `goes_left` is what `Paths.goes_left` returns for the records.
        """
        rows: Masks = self._follow(goes_left).take(self.places, axis=0)
        if self.roots is not None:
            masks = paths.masks(goes_left).take(self.roots, axis=0)
            rows |= masks.astype(rows.dtype)
        return rows

    def _follow(self, goes_left: Flags) -> Masks:
        """Return the bits that all steps of each way set, (n_ways, n_records)."""
        is_set = goes_left.take(self.splits, axis=0)
        is_set ^= self.leads_left
        bits = is_set * self.bits
        rows = np.zeros((len(self.places), bits.shape[1]), dtype=bits.dtype)
        for span in self.spans:
            of_turn = bits[span]
            rows[: len(of_turn)] |= of_turn
        return rows


def _steps_below(branches: Branches) -> Steps:
    """Return the splits of the branches, which give the bits of outcomes."""
    inner = branches.inner
    left, _ = branches.paths.children[:, inner]
    return Steps(
        branches=branches.owners,
        splits=branches.paths.last_splits[left],
        leads_left=np.ones(len(inner), dtype=np.bool_),
        bits=branches.order.bits[inner],
    )


def _steps_above(branches: Branches, most: int) -> Steps | None:
    """Return the splits above the branches, which give the bits of masks; None if too many."""
    parts = []
    n_steps = 0
    for part in _climb(branches):
        parts.append(part)
        n_steps += len(part.splits)
        if n_steps > most:
            return None
    return Steps.join(parts)


def _climb(branches: Branches) -> Iterator[Steps]:
    """Yield the last splits above all branches, then those above these, and so on."""
    paths = branches.paths
    numbers = np.arange(len(branches.roots))
    nodes = branches.roots
    while True:
        last = paths.last_splits[nodes]
        is_below = last >= 0
        numbers, nodes, last = (
            numbers[is_below],
            nodes[is_below],
            last[is_below],
        )
        is_left = last < len(paths.splits)
        splits = np.where(is_left, last, last - len(paths.splits))
        yield Steps(numbers, splits, is_left, paths.conditions.place[nodes])
        if not len(nodes):
            return
        nodes = paths.conditions.above[nodes]
