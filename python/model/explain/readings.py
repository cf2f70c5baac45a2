"""Readings: the paths of an estimator's trees, proven to predict what the estimator predicts.

Values are right where the reading is right for all mixtures of records and rows of a background.
So it is compared on such mixtures, at the thresholds, and with missing values. That the values are
those of a right reading is shown by tests, which compare them with brute force.
"""

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.explain.interventional import Interventional, can_be_read
from python.model.explain.origins import Origins
from python.model.explain.outputs import Check, Output, OutputOf, outputs_of
from python.model.explain.path_dependent import PathDependent
from python.model.explain.paths import Paths
from python.model.explain.trials import make_trials
from python.model.refusals import accepts
from python.model.trees import read_trees
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)

LAST_PLACES = 16  # by so many units in the last place a link may differ


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
    paths = Paths.of(trees, origins)
    if paths is None:
        return None
    trials = make_trials(rows, trees)
    for output in outputs:
        if _leads_to(paths, output, predictor, trials):
            return paths
    log.info("the trees are not read as the estimator predicts")
    return None


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
        return drop_single_output(compute(numbers), base_values)

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
        output_of = outputs_of(predictor, trial)
        for check in output.checks:
            if not _holds(paths, check, total, output_of):
                return False
    return len(accepted) > 0


def _holds(
    paths: Paths,
    check: Check,
    total: Matrix,
    output_of: OutputOf,
) -> bool:
    """Return whether a total leads to what a method returns, but for rounding."""
    served = check.served(output_of)
    with np.errstate(all="ignore"):  # it may be the link of another output
        computed = check.link.inverse(total)
    if computed.shape != served.shape:
        return False
    tolerance = paths.rounding * check.link.slope(computed)
    tolerance += _rounding_of_link(paths, served)
    is_close = np.abs(computed - served) <= tolerance
    # Where an exponential is infinite, so is the tolerance.
    return bool(np.all(is_close & np.isfinite(computed)))


def _rounding_of_link(paths: Paths, served: Matrix) -> Matrix:
    unit = np.finfo(paths.trees.sum_precision).eps
    rounding: Matrix = LAST_PLACES * unit * np.abs(served)
    return rounding
