"""What the paths of trees demand of records, and how many of the training records met it."""

from typing import Any

import numpy as np
import pytest
import shap
from sklearn.tree import DecisionTreeRegressor

from python.model.explain.conditions import Condition, Ensemble, Leaf, walk
from tests.model.trees.trials import data


def leaves_of(tree: Any) -> list[Leaf]:
    explainer = shap.TreeExplainer(
        tree, feature_perturbation="tree_path_dependent"
    )
    return list(walk(explainer.model))


def meets(path: dict[int, Condition], record: Any) -> bool:
    for feature, condition in path.items():
        value = record[feature]
        if np.isnan(value):
            is_met = condition.missing
        else:
            is_met = value <= condition.upto and not value <= condition.above
        if not is_met:
            return False
    return True


def example() -> Ensemble:
    """The tree of the docstring: splits at 5, then left of it at 2."""

    class Example:
        num_outputs = 1
        base_offset = np.zeros(1)
        children_left = np.array([[1, 3, -1, -1, -1]])
        children_right = np.array([[2, 4, -1, -1, -1]])
        children_default = np.array([[1, 3, -1, -1, -1]])
        features = np.array([[0, 0, -2, -2, -2]])
        thresholds = np.array([[5.0, 2, 0, 0, 0]])
        threshold_types = np.zeros((1, 5), dtype=int)
        node_sample_weight = np.array([[10.0, 8, 2, 2, 6]])
        values = np.array([[[0.0], [0], [1], [2], [3]]])

    return Example()


def test_the_example_of_the_docstring() -> None:
    leaves = {leaf.outputs[0]: leaf for leaf in walk(example())}
    (condition,) = leaves[3].path.values()
    assert condition.above == 2
    assert condition.upto == 5
    assert not condition.missing
    assert condition.share == pytest.approx(0.6)
    assert leaves[2].path[0].missing
    assert np.isnan(leaves[2].path[0].above)
    assert leaves[1].path[0].upto == np.inf
    assert sum(leaf.share for leaf in leaves.values()) == pytest.approx(1)


@pytest.mark.parametrize("gaps", [False, True])
def test_each_record_meets_the_conditions_of_its_own_leaf_alone(
    gaps: bool,
) -> None:
    X, y = data("regression", gaps=gaps)
    tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(X, y)
    leaves = leaves_of(tree)
    rows = X.astype(np.float32).astype(float)[:60]
    for row, prediction in zip(rows, tree.predict(X[:60]), strict=True):
        (leaf,) = [leaf for leaf in leaves if meets(leaf.path, row)]
        assert leaf.outputs[0] == prediction


def test_a_path_has_one_condition_for_each_of_its_features() -> None:
    X, y = data("regression")
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    leaves = leaves_of(tree)
    assert len(leaves) == tree.get_n_leaves()
    assert (
        max(len(leaf.path) for leaf in leaves) <= X.shape[1] < tree.get_depth()
    )
