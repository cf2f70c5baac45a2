"""Values of trees by shap's TreeExplainer. No other module imports shap.

They explain what the trees add up to. That is not the probability of a boosting model: shap's
values for this one are no Shapley values. Of two classes it is the second that is explained.
Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9
"""

import logging
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from python.model.data.columns import to_array
from python.model.explain.attribution import (
    Attribute,
    Attribution,
    drop_single_output,
)
from python.model.explain.conditions import Ensemble
from python.model.explain.tree_paths import make_lookup
from python.model.explain.tree_shapiq import make_by_shapiq
from python.model.explain.trials import make_trials
from python.model.trees import TreeModel, read_trees
from python.model.types import Columns, Estimator, Matrix

log = logging.getLogger(__name__)

# Above it shap 0.51, the last one for Python 3.11, kills the process when there is a background.
MAX_NODES_WITH_BACKGROUND = 32_767
# How far values may be from those of shap: it adds up in another order.
PROOF_RELATIVE = 1e-9
PROOF_ABSOLUTE = 1e-12


def make_path_dependent(predictor: Estimator) -> Attribute | None:
    """Return what explains the trees of scikit-learn without a background; None for others.

    The boosters explain their trees themselves, and CatBoost's can end the process in shap.
    None, too, for histogram boosting of categories, which shap misreads.
    """
    trees = read_trees(predictor)
    if (
        trees is None
        or trees.library != "scikit-learn"
        or trees.has_categories
    ):
        return None
    import shap

    explainer = shap.TreeExplainer(
        predictor, feature_perturbation="tree_path_dependent"
    )
    by_shap = partial(_explain, explainer)
    faster = _find_faster(predictor, trees, explainer.model, by_shap)
    return _with_rounding(trees, faster or by_shap)


def make_interventional(
    predictor: Estimator,
    background: Columns,
) -> Attribute | None:
    """Return what explains the trees of scikit-learn, LightGBM and XGBoost against a background.

    None for other predictors, for histogram boosting, whose thresholds shap rounds to float32,
    and for trees with more nodes than shap can count.
    """
    trees = read_trees(predictor)
    if trees is None or not _takes_background(trees):
        return None
    import shap

    rows = _round(trees, background)
    # Left to itself, shap explains against a hundred of the rows.
    masker = shap.maskers.Independent(rows, max_samples=len(rows))
    explainer = shap.TreeExplainer(
        predictor, data=masker, feature_perturbation="interventional"
    )
    return _with_rounding(trees, partial(_explain, explainer))


def _takes_background(trees: TreeModel) -> bool:
    if trees.kind == "histogram boosting":
        return False
    node_counts = [tree.node_count for tree in trees.native_trees]
    return max(node_counts, default=0) <= MAX_NODES_WITH_BACKGROUND


def _with_rounding(trees: TreeModel, attribute: Attribute) -> Attribute:
    """Return what explains columns by an attribute of the numbers that the trees compare."""

    def attribute_columns(columns: Columns) -> Attribution:
        return attribute(_round(trees, columns))

    return attribute_columns


def _round(trees: TreeModel, columns: Columns) -> NDArray[Any]:
    """Return the columns as an array, rounded to float32 if the trees compare that.

    Categories are not encoded: shap refuses them.
    """
    matrix = to_array(columns)
    if trees.precision is np.float32:
        return matrix.astype(np.float32).astype(float)
    return matrix


def _explain(explainer: Any, matrix: Matrix) -> Attribution:
    values = explainer.shap_values(matrix, check_additivity=False)
    values = np.asarray(values, dtype=float)
    # The expected value may be another one before the first call.
    base_values = np.ravel(np.asarray(explainer.expected_value, dtype=float))
    if values.ndim == 3 and values.shape[2] == 2:
        return Attribution(values[:, :, 1], base_values[1])
    return drop_single_output(values, base_values)


def _find_faster(
    predictor: Estimator,
    trees: TreeModel,
    ensemble: Ensemble,
    by_shap: Attribute,
) -> Attribute | None:
    """Return what computes shap's values in less time, proven on trials; None if nothing does."""
    n_features = trees.n_features
    trials = _round(trees, make_trials(ensemble, n_features))
    lookup = make_lookup(ensemble, n_features)
    if lookup is not None and _agrees(lookup, by_shap, trials):
        return lookup
    by_shapiq = make_by_shapiq(predictor)
    if by_shapiq is not None and _agrees(by_shapiq, by_shap, trials):
        return by_shapiq
    return None


def _agrees(
    attribute: Attribute,
    by_shap: Attribute,
    trials: Matrix,
) -> bool:
    """Return whether an attribute is that of shap, but for rounding in float64."""
    try:
        values, base_value = attribute(trials)
        expected_values, expected_base_value = by_shap(trials)
    except Exception as error:
        # shap and shapiq may refuse records in many ways.
        log.debug("the trials cannot be explained: %s", error)
        return False
    same_values = np.allclose(
        values, expected_values, PROOF_RELATIVE, PROOF_ABSOLUTE
    )
    same_base = np.allclose(
        base_value, expected_base_value, PROOF_RELATIVE, PROOF_ABSOLUTE
    )
    if not (same_values and same_base):
        log.debug("other values than those of shap are not used")
    return same_values and same_base
