"""Storage: tables that are read without pyarrow, also where pandas has kept their texts with it."""

from typing import Any

from python.model.types import Columns


def store_plainly(table: Columns) -> Columns:
    """Return the table with the same values, whose texts and names need no pyarrow to be read.

    Where pyarrow is installed, pandas 3 keeps texts with it, and writes them so that nobody without
    it can read them. An image is 170 MB smaller without it.
    """
    import pandas as pd  # what is saved comes with a table

    columns = {}
    for number in range(table.shape[1]):
        column = table.iloc[:, number]
        if isinstance(column.dtype, pd.CategoricalDtype):
            categories = _plain(column.cat.categories)
            column = column.cat.rename_categories(categories)
        columns[number] = _plain(column)
    plain = pd.DataFrame(columns, index=table.index)
    plain.columns = table.columns.astype(object)
    return plain


def _plain(values: Any) -> Any:
    """Return a column or an index in pandas' own storage of texts, if it has some."""
    import pandas as pd

    dtype = values.dtype
    if not isinstance(dtype, pd.StringDtype) or dtype.storage != "pyarrow":
        return values
    if dtype.na_value is pd.NA:  # pandas 2.2 knows no other
        return values.astype(pd.StringDtype("python"))
    return values.astype(pd.StringDtype("python", na_value=dtype.na_value))
