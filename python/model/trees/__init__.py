"""Trees: what each library's trees are, as plain arrays. The only room that knows.

Two conventions hold for all libraries. At a numeric split a value up to the threshold goes left.
At a split by category the codes of the node's set go left, all others right.
"""

from python.model.trees.catboost import read_catboost
from python.model.trees.ensemble import TreeModel
from python.model.trees.histogram import read_histogram_boosting
from python.model.trees.lightgbm import read_lightgbm
from python.model.trees.scikit_learn import read_scikit_learn
from python.model.trees.tree import Tree
from python.model.trees.xgboost import read_xgboost
from python.model.types import Estimator

__all__ = ["Tree", "TreeModel", "read_trees"]

READERS = (
    read_histogram_boosting,
    read_lightgbm,
    read_xgboost,
    read_catboost,
    read_scikit_learn,
)


def read_trees(predictor: Estimator) -> TreeModel | None:
    """Return how the predictor's trees decide; None if it has no trees, or none that can be read.

    This is cheap: the arrays are read when they are first needed. Those that cannot be read are
    CatBoost's with categories, LightGBM's with linear models in their leaves, and those of
    scikit-learn's ensembles that neither average nor add trees, or start from another model's
    predictions.
    """
    for read in READERS:
        model = read(predictor)
        if model is not None:
            return model
    return None
