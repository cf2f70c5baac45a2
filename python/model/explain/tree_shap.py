"""Values by shap's TreeExplainer, for trees that are not read. No other module imports shap.

They explain what the trees add up to. Of two classes it is the second that is explained.
Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9
"""

from typing import Any

import numpy as np

from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.trees import TreeModel, read_trees
from python.model.types import Columns, Estimator, Matrix

# Above it shap 0.51, the last one for Python 3.11, kills the process when there is a background.
MAX_NODES_WITH_BACKGROUND = 32_767
SHAP_UNIT = 1e-12  # shap adds up float64, and divides what it has multiplied


def make_path_dependent(predictor: Estimator) -> Attribute | None:
    """Return what explains the trees of scikit-learn without a background; None for others.

    The boosters explain their trees themselves, and CatBoost's can end the process in shap.
    None, too, for histogram boosting of categories, which shap misreads.
    """
    trees = read_trees(predictor)
    if trees is None or not _are_known(trees):
        return None
    if trees.has_categories:
        return None
    import shap

    explainer = shap.TreeExplainer(
        predictor, feature_perturbation="tree_path_dependent"
    )
    return _attribute(trees, explainer)


def make_interventional(
    predictor: Estimator,
    background: Columns,
) -> Attribute | None:
    """Return what explains trees of scikit-learn that compare float32 against a background.

    None for other predictors, as shap rounds thresholds to float32: where a threshold of another
    library is rounded up to a value, mixtures of record and background would take another branch.
    None, too, for trees with more nodes than shap can count.
    """
    trees = read_trees(predictor)
    if trees is None or not _take_background(trees):
        return None
    import shap

    rows = trees.numbers(background)
    # Left to itself, shap explains against a hundred of the rows.
    masker = shap.maskers.Independent(rows, max_samples=len(rows))
    explainer = shap.TreeExplainer(
        predictor, data=masker, feature_perturbation="interventional"
    )
    ensemble = explainer.model
    ensemble.thresholds = _round_down(ensemble.thresholds)
    return _attribute(trees, explainer)


def _are_known(trees: TreeModel) -> bool:
    is_unknown = trees.kind in ("bagging", "AdaBoost")
    return trees.library == "scikit-learn" and not is_unknown


def _take_background(trees: TreeModel) -> bool:
    if not _are_known(trees) or trees.precision is not np.float32:
        return False
    return max(trees.node_counts) <= MAX_NODES_WITH_BACKGROUND


def _round_down(thresholds: Matrix) -> Matrix:
    """Return the largest float32 up to each threshold: for a float32 it decides the same."""
    rounded = thresholds.astype(np.float32)
    downwards = np.float32(-np.inf)
    below = np.nextafter(rounded, downwards)
    return np.where(rounded > thresholds, below, rounded).astype(np.float64)


def _attribute(trees: TreeModel, explainer: Any) -> Attribute:
    def attribute(columns: Columns) -> Attribution:
        return _explain(explainer, trees.numbers(columns))

    return attribute


def _explain(explainer: Any, matrix: Matrix) -> Attribution:
    values = explainer.shap_values(matrix, check_additivity=False)
    values = np.asarray(values, dtype=float)
    # The expected value may be another one before the first call.
    base_values = np.ravel(np.asarray(explainer.expected_value, dtype=float))
    if values.ndim == 3 and values.shape[2] == 2:
        attribution = Attribution(values[:, :, 1], base_values[1])
    else:
        attribution = drop_single_output(values, base_values)
    return attribution._replace(rounding=attribution.rounding_in(SHAP_UNIT))
