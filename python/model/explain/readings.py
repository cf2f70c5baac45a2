"""Readings: the paths of an estimator's trees, proven to predict what the estimator predicts.

Values are right where the reading is right for all mixtures of records and rows of a background.
So it is compared on such mixtures, at the thresholds, and with missing values. That the values are
those of a right reading is shown by tests, which compare them with brute force.
"""

import logging
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.explain.interventional import Interventional, can_be_read
from python.model.explain.origins import NO_ORIGIN, Origins
from python.model.explain.outputs import Output, outputs_of
from python.model.explain.path_dependent import PathDependent
from python.model.explain.paths import Paths
from python.model.explain.trials import make_trials
from python.model.refusals import accepts
from python.model.trees import TreeModel, read_trees
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)


def read_paths(
    predictor: Estimator,
    origins: Origins,
    outputs: list[Output],
    rows: Columns,
) -> Paths | None:
    """Return the paths of the predictor's trees; None if they cannot be read, or are not proven.

    They must predict one of the `outputs`. `rows` are columns as the predictor takes them.
    """
    trees = read_trees(predictor)
    if trees is None or trees.n_features != len(origins):
        return None
    if _splits_by_unknown(trees, origins):
        return None
    paths = Paths.of(trees, origins)
    if paths is None:
        return None
    trials = make_trials(rows, trees)
    for output in outputs:
        if _leads_to(paths, output, predictor, trials):
            return paths
    log.info("the trees are not read as the estimator predicts")
    return None


def _splits_by_unknown(trees: TreeModel, origins: Origins) -> bool:
    """Return whether a tree splits by a column of which no feature is known that changes it."""
    for tree in trees.trees:
        columns = tree.feature[~tree.is_leaf]
        if (origins[columns] == NO_ORIGIN).any():
            return True
    return False


def make_path_dependent(paths: Paths, n_players: int) -> Attribute | None:
    """Return what explains without a background; None where a split had no training records."""
    if not np.isfinite(paths.conditions.share).all():
        return None
    values = PathDependent(paths, n_players)
    return _attribute(paths, values.values, values.base_values)


def make_interventional(
    paths: Paths,
    n_players: int,
    background: Columns,
) -> Attribute | None:
    """Return what explains against a background; None if it has too many rows for the paths."""
    numbers = paths.trees.numbers(background)
    if not can_be_read(paths, len(numbers)):
        return None
    values = Interventional(paths, n_players, numbers)
    return _attribute(paths, values.values, values.base_values)


def _attribute(
    paths: Paths,
    compute: Callable[[Matrix], Matrix],
    base_values: NDArray[np.float64],
) -> Attribute:
    def attribute(columns: Columns) -> Attribution:
        numbers = paths.trees.numbers(columns)
        attribution = drop_single_output(compute(numbers), base_values)
        return attribution._replace(rounding=paths.rounding)

    return attribute


def _leads_to(
    paths: Paths,
    output: Output,
    predictor: Estimator,
    trials: list[Columns],
) -> bool:
    """Return whether what the paths add up to leads to an output, for all trials that it takes."""
    accepted = [trial for trial in trials if accepts(predictor.predict, trial)]
    for trial in accepted:
        total = paths.predict(paths.trees.numbers(trial))
        if total.shape[1] == 1:
            total = total[:, 0]
        output_of = cache(outputs_of(predictor, trial))
        if not output.holds(total, paths.rounding, output_of):
            return False
    return len(accepted) > 0
