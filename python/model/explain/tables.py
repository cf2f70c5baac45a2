"""Tables: the values of a path's players for each mask that a record may have on the path.

What a path adds to the values of its players depends on nothing of a record but which of the
path's conditions it meets. So the values for all masks are computed once, and those of a record
are looked up (an idea of Yang 2021, arXiv:2109.09847), those of many paths at once where
`branches` merges their tables.

Example: a path has two players. Its table has a row for each of the masks 0 to 3, with a value for
each player. A record that meets the condition of the first one only has the mask 2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

import numpy as np
from scipy.sparse import csr_array

from python.model.explain.branches import Branches
from python.model.explain.paths import Paths
from python.model.explain.walk import Masks
from python.model.explain.ways import Ways
from python.model.trees.categories import Integers
from python.model.trees.tree import Flags
from python.model.types import Matrix

TABLES_LIMIT_NUMBERS = 2**22  # of a model, or of a background: twice 32 MiB
LIMIT_NUMBERS_AT_ONCE = 2**19  # while values are looked up: 4 MiB
MOST_SPLITS_OF_ONE = 2**18  # above all branches: beyond, levels are no slower
LIMIT_NUMBERS_PER_PART = 2**17  # while tables are made


class Group(NamedTuple):
    """Tables of paths, or of branches, with the same number of columns, side by side."""

    first: int
    stop: int
    n_players: int

    @property
    def span(self) -> slice:
        """Where they are among all."""
        return slice(self.first, self.stop)

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
    """How values of tables make values of players.

    The values of a single output are added up. Those of several are as if each leaf added 1.
    """

    matrix: csr_array
    """From values of tables to values for each output, (n_outputs * n_players, n_values)."""
    n_outputs: int

    players: Integers
    """The player of each value of tables."""

    @classmethod
    def of(
        cls, paths: Paths, leaves: Integers, players: Integers, n_players: int
    ) -> Self:
        """Take the leaf, which matters for several outputs only, and the player of each value."""
        outputs = paths.outputs[leaves]
        n_values, n_outputs = outputs.shape
        if n_outputs == 1:
            outputs = np.ones_like(outputs)
        first_rows = n_players * np.arange(n_outputs)
        rows = first_rows[:, None] + players
        columns = np.tile(np.arange(n_values), n_outputs)
        places = (rows.ravel().astype(np.int32), columns.astype(np.int32))
        entries = (outputs.T.ravel(), places)
        shape = (n_outputs * n_players, n_values)
        return cls(csr_array(entries, shape=shape), n_outputs, players)

    def add_up(self, values: Matrix) -> Matrix:
        """Return (n_records, n_players, n_outputs) for values, (n_values, n_records)."""
        sums: Matrix = self.matrix @ values
        n_records = values.shape[1]
        by_output = sums.reshape(self.n_outputs, -1, n_records)
        return by_output.T

    def add_up_one(self, values: Matrix) -> Matrix:
        """Return (1, n_players, n_outputs) for the values of one record, (n_values,).

        They are added up one after the other as for many, which gives the same to the last digit.
        """
        if self.n_outputs > 1:
            return self.add_up(values[:, None])
        # This takes a quarter of the time that SciPy takes for its matrix.
        n_players = self.matrix.shape[0]
        sums = np.bincount(self.players, values, n_players).astype(np.float64)
        return sums[None, :, None]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the values of a single record are in tables that lie one after the other.

    What NumPy does for a record takes longer to call than to do, so it is done for all groups at
    once.
    """

    content: Matrix
    """The tables, row by row, (n_numbers,)."""
    starts: Integers
    """For each table where it begins."""
    widths: Integers
    """For each table the number of its players."""
    tables: Integers
    """For each value that is looked up, its table."""
    players: Integers
    """For each value that is looked up, the place of its player in the row."""

    @classmethod
    def of(
        cls, tables: list[Matrix], numbers: Integers, players: Integers
    ) -> Self:
        """Take the tables, (n_masks, n_players) each, and each value's table and player."""
        shapes = [table.shape for table in tables]
        n_rows, widths = np.array(shapes, dtype=np.intp).reshape(-1, 2).T
        sizes = n_rows * widths
        rows = [table.ravel() for table in tables]
        content = np.concatenate([np.zeros(0), *rows])
        return cls(content, sizes.cumsum() - sizes, widths, numbers, players)

    def look_up(self, rows: Masks) -> Matrix:
        """Return the values, (n_values,), of a row of each table, (n_tables,)."""
        first_places = rows.astype(np.intp) * self.widths
        first_places += self.starts
        places = first_places.take(self.tables)
        places += self.players
        return self.content.take(places)


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of the shortest paths, merged into those of branches."""

    paths: Paths
    ways: Ways
    """The ways to the rows of the tables, for several records."""
    ways_of_one: Ways
    """The same for one, for which to go from level to level would take longer."""
    groups: list[Group]
    """Those of the tables."""
    spans: list[slice]
    """For each group, where its values are among all that are looked up."""
    columns: list[Matrix]
    """The tables of each group, one below the other, (n_players, n_rows)."""
    first_rows: Integers
    """For each table its first row in the group, (n_tables, 1)."""
    places: Places
    """Where the values of a single record are."""
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
        branches = Branches.of(paths, n_paths)
        tables = branches.merge(_make_tables(paths, n_paths, make_values))
        groups = list_groups(branches.n_columns)
        columns = []
        first_rows = [np.zeros(0, dtype=np.intp)]
        for group in groups:
            rows = np.concatenate(tables[group.span])
            columns.append(np.ascontiguousarray(rows.T))
            n_rows = branches.n_rows[group.span]
            first_rows.append(n_rows.cumsum() - n_rows)
        numbers, places = _list_values(groups)
        return cls(
            paths=paths,
            ways=Ways.of(branches, len(paths.bits)),
            ways_of_one=Ways.of(branches, MOST_SPLITS_OF_ONE),
            groups=groups,
            spans=_list_spans(groups),
            columns=columns,
            first_rows=np.concatenate(first_rows)[:, None],
            places=Places.of(tables, numbers, places),
            sums=PlayerSums.of(
                paths,
                branches.leaves[numbers],
                branches.players[branches.starts[numbers] + places],
                n_players,
            ),
        )

    def values(self, numbers: Matrix) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs), if no path is left out.

        `numbers` is (n_records, n_columns), as `TreeModel.numbers` returns it.
        """
        return self.paths.compute(numbers, self.look_up)

    def look_up(self, goes_left: Flags) -> Matrix:
        """Return the values of records, (n_records, n_players, n_outputs).

        `goes_left` is what `Paths.goes_left` returns for them.
        """
        if goes_left.shape[1] == 1:
            row = self.ways_of_one.rows(self.paths, goes_left)
            return self.sums.add_up_one(self.places.look_up(row[:, 0]))
        rows = self.ways.rows(self.paths, goes_left)
        parts = []
        for some in self._split(rows):
            by_player = self._take_columns(some)
            parts.append(self.sums.add_up(by_player))
        return np.concatenate(parts)

    def _split(self, rows: Masks) -> list[Masks]:
        """Return the rows of records that are few enough to be looked up at once."""
        at_once = max(1, LIMIT_NUMBERS_AT_ONCE // max(1, self._n_values))
        n_parts = -(-rows.shape[1] // at_once)
        return np.array_split(rows, n_parts, axis=1)

    @property
    def _n_values(self) -> int:
        return self.spans[-1].stop if self.spans else 0

    def _take_columns(self, rows: Masks) -> Matrix:
        """Return the values of records, player by player, (n_values, n_records)."""
        n_records = rows.shape[1]
        values = np.empty((self._n_values, n_records))
        in_groups = self.first_rows + rows
        of_groups = zip(self.groups, self.spans, self.columns, strict=True)
        for group, span, table in of_groups:
            out = values[span].reshape(group.n_players, -1, n_records)
            of_group = in_groups[group.span]
            table.take(of_group, axis=1, out=out, mode="clip")
        return values


def _list_spans(groups: list[Group]) -> list[slice]:
    """Return where the values of each group are among all values."""
    spans = []
    start = 0
    for group in groups:
        stop = start + group.n_players * (group.stop - group.first)
        spans.append(slice(start, stop))
        start = stop
    return spans


def _make_tables(
    paths: Paths, n_paths: int, make_values: MakeValues
) -> list[Matrix]:
    """Return the table of each of the first leaves, (n_masks, n_players).

    For a single output, they have the values themselves; for several, those as if leaves added 1.
    """
    groups = list_groups(paths.leaves.lengths[:n_paths])
    n_without_players = groups[0].first if groups else n_paths
    tables = [np.zeros((1, 0))] * n_without_players
    for group in groups:
        parts = [make_values(part) for part in group.split()]
        of_group = np.concatenate(parts)
        outputs = paths.outputs[group.first : group.stop]
        if outputs.shape[1] == 1:
            of_group *= outputs[:, :, None]
        tables.extend(of_group)
    return tables


def _list_values(groups: list[Group]) -> tuple[Integers, Integers]:
    """Return the number of each value's table, and the place of its player on the path.

    In a group all paths' first players come first, then all their second ones.
    """
    numbers = [np.zeros(0, dtype=np.intp)]
    places = [np.zeros(0, dtype=np.intp)]
    for group in groups:
        of_group = np.arange(group.first, group.stop)
        numbers.append(np.tile(of_group, group.n_players))
        places.append(np.arange(group.n_players).repeat(len(of_group)))
    return np.concatenate(numbers), np.concatenate(places)


def count_short(paths: Paths) -> int:
    """Return how many paths, the shortest, have tables within the limit."""
    lengths = paths.leaves.lengths
    sizes = lengths * np.exp2(lengths)
    total = sizes.cumsum()
    return int(np.searchsorted(total, TABLES_LIMIT_NUMBERS, "right"))


def list_groups(lengths: Integers) -> list[Group]:
    """Return paths of these lengths, which grow, in groups, without those that have no player."""
    groups = []
    for n_players in np.unique(lengths[lengths > 0]).tolist():
        first = np.searchsorted(lengths, n_players)
        stop = np.searchsorted(lengths, n_players, "right")
        groups.append(Group(int(first), int(stop), n_players))
    return groups
