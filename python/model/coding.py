"""Coding: numbers that stand for the values of a DataFrame, for explainers that take matrices only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Coding:
    """Codes for every value in the tables it was made from; a matrix is its own code."""

    def __init__(self, *tables: Any) -> None:
        self._values: dict[str, Any] = {}
        self._columns = tables[0].columns if hasattr(tables[0], "columns") else None
        if self._columns is None:
            return
        import pandas as pd  # the tables are DataFrames

        for name in self._columns:
            column = pd.concat([table[name] for table in tables], ignore_index=True)
            if column.dtype != float:
                self._values[name] = pd.Series(column.drop_duplicates().dropna().array)

    def encode(self, table: Any) -> NDArray[np.float64]:
        """The table as numbers, (n_records, n_features); a missing value is NaN among numbers and -1 among codes."""
        if self._columns is None:
            return np.asarray(table, dtype=float)
        return np.column_stack([self._encoded(table[name]) for name in self._columns]).astype(float)

    def decode(self, matrix: NDArray[np.float64]) -> Any:
        """The table that the numbers stand for, with the types it had."""
        if self._columns is None:
            return matrix
        import pandas as pd  # the table is a DataFrame

        return pd.DataFrame({name: self._decoded(name, matrix[:, place]) for place, name in enumerate(self._columns)})

    def _encoded(self, column: Any) -> Any:
        values = self._values.get(column.name)
        if values is None:
            return column.to_numpy()
        codes = {value: code for code, value in values.items()}
        return [codes.get(value, -1) for value in column]

    def _decoded(self, name: str, codes: NDArray[np.float64]) -> Any:
        values = self._values.get(name)
        return codes if values is None else values.reindex(codes.astype(int)).array
