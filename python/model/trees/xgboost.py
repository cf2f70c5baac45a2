"""XGBoost's trees, read from its JSON: the shortest decimals that give back the float32.

They compare float32 with float32: below the threshold goes left.
Source: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from python.model.trees.categories import has_categories, with_codes
from python.model.trees.ensemble import TreeModel
from python.model.trees.tree import Tree
from python.model.trees.xgboost_json import SavedModel, parse
from python.model.types import Columns, Estimator, Matrix


class Booster(Protocol):
    """What is used of XGBoost's `Booster`."""

    def num_features(self) -> int:
        """Return the number of features."""

    def save_raw(self, raw_format: str) -> bytearray:
        """Return the model in the format "json"."""


def read_xgboost(predictor: Estimator) -> TreeModel | None:
    """Return the trees of an estimator of XGBoost, else None."""
    if not hasattr(predictor, "get_booster"):
        return None
    if getattr(predictor, "booster", None) == "gblinear":
        return None
    booster: Booster = predictor.get_booster()
    missing = float(getattr(predictor, "missing", np.nan))
    best_iteration = getattr(predictor, "best_iteration", None)
    return XGBoost(
        kind="boosting",
        n_features=booster.num_features(),
        booster=booster,
        missing=missing,
        best_iteration=best_iteration,
    )


@dataclass(frozen=True, eq=False)
class XGBoost(TreeModel):
    """A booster of XGBoost: an initial score, and the sum of the trees."""

    library = "XGBoost"
    precision = np.float32
    sum_precision = np.float32

    booster: Booster
    missing: float
    """The value that stands for a missing one, besides NaN."""
    best_iteration: int | None
    """The last iteration whose trees are used; None for all."""

    @property
    def n_targets(self) -> int:
        """How many things are predicted at once."""
        return self._saved.n_targets

    @property
    def base(self) -> Matrix:
        """The initial score of each output."""
        return self._saved.base

    @property
    def trees(self) -> tuple[Tree, ...]:
        """The trees up to the best iteration, with XGBoost's own numbers of nodes.

        Only where a node splits by category its children are swapped, since XGBoost's sets are of
        codes that go right.
        """
        return self._saved.trees

    def numbers(self, columns: Columns) -> Matrix:
        """Return the columns as the trees compare them: categories as codes, `missing` as NaN.

        What a sparse matrix does not hold is missing.
        """
        if hasattr(columns, "toarray"):
            columns = _with_gaps(columns)
        if has_categories(columns):
            columns = with_codes(columns, self._saved.categories)
        numbers = super().numbers(columns)
        is_missing = numbers == np.float32(self.missing)
        return np.where(is_missing, np.nan, numbers)

    @cached_property
    def _saved(self) -> SavedModel:
        text = self.booster.save_raw("json")
        return parse(text, self.best_iteration)


def _with_gaps(columns: Any) -> Matrix:
    """Return a sparse matrix as an array, with NaN for what it does not hold."""
    array: Matrix = columns.toarray().astype(np.float64)
    held = columns.tocsr(copy=True)
    held.data = np.ones_like(held.data)
    is_held = held.toarray() > 0
    return np.where(is_held, array, np.nan)
