"""What the tests of trees share: trees of all kinds, fitted, with records for them."""

from typing import Any

import numpy as np
import shap
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

TREES = {
    "forest": RandomForestClassifier(7, random_state=0),
    "shallow forest": RandomForestClassifier(20, max_depth=3, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "extra trees for a number": ExtraTreesRegressor(
        5, max_depth=8, random_state=0
    ),
    "boosting": GradientBoostingClassifier(n_estimators=9, random_state=0),
    "boosting for a number": GradientBoostingRegressor(
        n_estimators=9, loss="huber", random_state=0
    ),
    "histogram boosting": HistGradientBoostingClassifier(
        max_iter=5, random_state=0
    ),
    "histogram boosting for a number": HistGradientBoostingRegressor(
        max_iter=5, loss="poisson", random_state=0
    ),
}


def records(seed: int, *, gaps: bool = False) -> Any:
    choose = np.random.default_rng(seed)
    X = choose.normal(size=(120, 6)).astype(np.float32).astype(float)
    X[:, 3] = X[:, 3].round()
    return np.where(choose.random(X.shape) < 0.2, np.nan, X) if gaps else X


def fitted(
    name: str, *, classes: int = 2, gaps: bool = False, **more: Any
) -> Any:
    X = records(0, gaps=gaps)
    score = np.nan_to_num(X) @ [1, -2, 0.5, 1, 0, 3] + np.nan_to_num(
        X[:, 0] * X[:, 5]
    )
    if hasattr(TREES[name], "predict_proba"):
        quantiles = np.quantile(score, np.arange(1, classes) / classes)
        return TREES[name].fit(X, np.digitize(score, quantiles), **more)
    return TREES[name].fit(X, np.exp(score / 9), **more)


def chain(n_columns: int) -> tuple[DecisionTreeRegressor, Any]:
    """A tree that splits each column once, one below the other, and its data."""
    X = np.tri(n_columns + 1, n_columns, -1)
    tree = DecisionTreeRegressor(random_state=0)
    return tree.fit(X, 3.0 ** np.arange(n_columns + 1)), X


def values_of_shap(trees: Any, X: Any) -> tuple[Any, Any]:
    """shap's values, (n_records, n_features, n_outputs), and base values, of two classes the second."""
    explainer = shap.TreeExplainer(
        trees, feature_perturbation="tree_path_dependent"
    )
    values = np.asarray(explainer.shap_values(X, check_additivity=False))
    values = values.reshape(*X.shape, -1)
    base_values = np.ravel(explainer.expected_value)
    if values.shape[2] == 2:
        return values[:, :, 1:], base_values[1:]
    return values, base_values
