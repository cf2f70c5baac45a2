"""The records on which ways to explain trees are compared."""

import numpy as np
import shap
from sklearn.ensemble import RandomForestRegressor

from python.model.explain.trials import N_TRIALS, make_trials
from tests.model.trees.trials import data


def test_each_feature_is_tried_on_its_own_thresholds() -> None:
    X, y = data("regression", gaps=True)
    # A feature that is the same for all records has no threshold, nor has the last one.
    X = np.column_stack(
        [X[:, :2], np.zeros(len(X)), X[:, 2:], np.ones(len(X))]
    )
    trees = RandomForestRegressor(7, random_state=0).fit(X, y)
    explainer = shap.TreeExplainer(
        trees, feature_perturbation="tree_path_dependent"
    )
    trials = make_trials(explainer.model, X.shape[1])
    assert trials.shape == (N_TRIALS, X.shape[1])
    for feature, values in enumerate(trials.T):
        splits = [
            tree.tree_.threshold[tree.tree_.feature == feature]
            for tree in trees
        ]
        thresholds = set(np.concatenate(splits))
        assert set(values[~np.isnan(values)]) <= (thresholds or {0.0})
    assert 0 < np.isnan(trials).mean() < 0.5
