"""Tables: the values of a path's players for each mask that a record may have on the path.

What a path adds to the values of its players depends on nothing of a record but which of the
path's conditions it meets. So the values for all masks are computed once, and those of a record
are looked up (an idea of Yang 2021, arXiv:2109.09847).

Example: a path has two players. Its table has a row for each of the masks 0 to 3, with a value for
each player. A record that meets the condition of the first one only has the mask 2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from python.model.explain.paths import Paths
from python.model.explain.walk import Masks
from python.model.trees.categories import Integers
from python.model.types import Matrix

TABLES_LIMIT_NUMBERS = 2**22  # of a model, or of a background: 32 MiB
# While values are looked up: 1 MiB stays in the processor's cache.
LIMIT_NUMBERS_AT_ONCE = 2**17
LIMIT_NUMBERS_PER_PART = 2**17  # while tables are made


class Group(NamedTuple):
    """Paths with the same number of players, side by side."""

    first: int
    stop: int
    n_players: int

    @property
    def n_masks(self) -> int:
        """The number of masks that a record may have on one of the paths."""
        return 1 << self.n_players

    def split(self) -> "list[Group]":
        """Return groups that are small enough for their tables to be made at once."""
        size = self.n_masks * self.n_players
        step = max(1, LIMIT_NUMBERS_PER_PART // size)
        parts = []
        for first in range(self.first, self.stop, step):
            stop = min(first + step, self.stop)
            parts.append(Group(first, stop, self.n_players))
        return parts


MakeValues: TypeAlias = Callable[[Group], Matrix]
"""From a group to its tables, (n_paths, n_masks, n_players), as if each leaf added 1."""


@dataclass(frozen=True, eq=False)
class PlayerSums:
    """How values of paths make values of players."""

    matrix: csr_array
    """From values as if each leaf added 1, those of one path after the other in the order of the
    bits, to values for each output, (n_outputs * n_players, n_values)."""
    n_outputs: int

    @classmethod
    def of(cls, paths: Paths, n_paths: int, n_players: int) -> Self:
        """Return those of the first paths."""
        outputs = paths.outputs[:n_paths]
        n_outputs = outputs.shape[1]
        n_values = paths.leaves.starts[n_paths]
        players = paths.players[:n_values]
        first_rows = n_players * np.arange(n_outputs)
        rows = first_rows[:, None] + players
        columns = np.tile(np.arange(n_values), n_outputs)
        weights = outputs.repeat(paths.leaves.lengths[:n_paths], axis=0)
        entries = (weights.T.ravel(), (rows.ravel(), columns))
        shape = (n_outputs * n_players, n_values)
        return cls(csr_array(entries, shape=shape), n_outputs)

    def add_up(self, values: Matrix) -> Matrix:
        """Return (n_records, n_players, n_outputs) for values, (n_values, n_records)."""
        sums: Matrix = self.matrix @ values
        n_records = values.shape[1]
        by_output = sums.reshape(self.n_outputs, -1, n_records)
        return by_output.T


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of the shortest paths."""

    groups: list[Group]
    values: list[Matrix]
    """The tables of each group, one below the other, (n_rows, n_players)."""
    first_rows: Integers
    """For each path the first row of its table, (n_paths, 1)."""
    sums: PlayerSums

    @classmethod
    def of(
        cls,
        paths: Paths,
        n_paths: int,
        n_players: int,
        make_values: MakeValues,
    ) -> Self:
        """Return the tables of the first paths, of all players of the estimator."""
        groups = list_groups(paths, n_paths)
        values = []
        for group in groups:
            parts = [make_values(part) for part in group.split()]
            by_path = np.concatenate(parts)
            values.append(by_path.reshape(-1, group.n_players))
        return cls(
            groups=groups,
            values=values,
            first_rows=_first_rows(groups, n_paths),
            sums=PlayerSums.of(paths, n_paths, n_players),
        )

    def look_up(self, masks: Masks) -> Matrix:
        """Return values, (n_records, n_players, n_outputs), for masks, (n_paths, n_records)."""
        n_values = self.sums.matrix.shape[1]
        n_records = masks.shape[1]
        at_once = max(1, LIMIT_NUMBERS_AT_ONCE // max(1, n_values))
        parts = []
        for start in range(0, n_records, at_once):
            some = masks[:, start : start + at_once]
            by_path = self._take(some)
            parts.append(self.sums.add_up(by_path))
        return np.concatenate(parts)

    def _take(self, masks: Masks) -> Matrix:
        """Return the values of one path after the other, (n_values, n_records)."""
        n_values = self.sums.matrix.shape[1]
        values = np.empty((n_values, masks.shape[1]))
        rows = self.first_rows + masks.astype(np.intp)
        start = 0
        for group, tables in zip(self.groups, self.values, strict=True):
            # (n_paths, n_records, n_players)
            taken = tables.take(rows[group.first : group.stop], axis=0)
            players_second = taken.transpose(0, 2, 1)
            stop = start + taken[:, 0].size
            values[start:stop].reshape(players_second.shape)[:] = (
                players_second
            )
            start = stop
        return values


def _first_rows(groups: list[Group], n_paths: int) -> Integers:
    first_rows = np.zeros((n_paths, 1), dtype=np.intp)
    for group in groups:
        places = np.arange(group.stop - group.first)
        first_rows[group.first : group.stop, 0] = places * group.n_masks
    return first_rows


def count_short(paths: Paths) -> int:
    """Return how many paths, the shortest, have tables within the limit."""
    lengths = paths.leaves.lengths
    sizes = lengths * np.exp2(lengths)
    total = sizes.cumsum()
    return int(np.searchsorted(total, TABLES_LIMIT_NUMBERS, "right"))


def list_groups(paths: Paths, n_paths: int) -> list[Group]:
    """Return the first paths in groups, without those that have no player."""
    lengths = paths.leaves.lengths[:n_paths]
    groups = []
    for n_players in np.unique(lengths[lengths > 0]).tolist():
        first = np.searchsorted(lengths, n_players)
        stop = np.searchsorted(lengths, n_players, "right")
        groups.append(Group(int(first), int(stop), n_players))
    return groups
