"""scikit-learn's trees as arrays: the same leaf for each record, and bit for bit the same output."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KernelDensity
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from python.model.trees import read_trees
from tests.model.trees.trials import (
    TASKS,
    assert_covers_add_up,
    data,
    read,
    trials,
    weights,
    with_columns,
)

FORESTS = {
    "tree": (DecisionTreeRegressor, DecisionTreeClassifier, {}),
    "extra tree": (ExtraTreeRegressor, ExtraTreeClassifier, {}),
    "forest": (
        RandomForestRegressor,
        RandomForestClassifier,
        {"n_estimators": 7},
    ),
    "extra trees": (
        ExtraTreesRegressor,
        ExtraTreesClassifier,
        {"n_estimators": 7},
    ),
}


def forest(name: str, task: str, **more: Any) -> Any:
    regressor, classifier, settings = FORESTS[name]
    kind = regressor if task == "regression" else classifier
    return kind(random_state=0, **settings, **more)


def boosting(task: str, **more: Any) -> Any:
    kind = (
        GradientBoostingRegressor
        if task == "regression"
        else GradientBoostingClassifier
    )
    return kind(**{"n_estimators": 8, "random_state": 0} | more)


def outputs(predictor: Any, X: Any) -> Any:
    if hasattr(predictor, "decision_function"):
        return with_columns(predictor.decision_function(X))
    if hasattr(predictor, "predict_proba"):
        return predictor.predict_proba(X)
    return with_columns(predictor.predict(X))


def assert_same(predictor: Any, X: Any) -> None:
    model = read(predictor)
    leaves = predictor.apply(X).reshape(len(X), -1)
    np.testing.assert_array_equal(model.leaves(X), leaves)
    np.testing.assert_array_equal(model.raw_output(X), outputs(predictor, X))


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "with gaps"])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", FORESTS)
def test_trees_and_forests_are_read(name: str, task: str, gaps: bool) -> None:
    X, y = data(task, gaps=gaps)
    predictor = forest(name, task).fit(X, y)
    model = read(predictor)
    assert (model.library, model.combination) == ("scikit-learn", "mean")
    assert model.kind == (
        "forest" if name in ("forest", "extra trees") else "tree"
    )
    assert_same(predictor, trials(model, X, gaps=gaps))


@pytest.mark.parametrize("task", TASKS)
def test_gradient_boosting_is_read(task: str) -> None:
    X, y = data(task)
    predictor = boosting(task).fit(X, y)
    model = read(predictor)
    assert (model.kind, model.combination) == ("gradient boosting", "sum")
    assert model.loss is predictor._loss
    assert_same(predictor, trials(model, X))


@pytest.mark.parametrize(
    "init", ["zero", DummyClassifier(strategy="uniform")], ids=str
)
def test_gradient_boosting_starts_where_it_was_told(init: Any) -> None:
    X, y = data("three classes")
    assert_same(boosting("three classes", init=init).fit(X, y), X)


@pytest.mark.parametrize("loss", ["huber", "quantile", "absolute_error"])
def test_gradient_boosting_with_another_loss_is_read(loss: str) -> None:
    X, y = data("regression")
    assert_same(boosting("regression", loss=loss).fit(X, y), X)


@pytest.mark.parametrize("task", TASKS)
def test_boosting_that_stops_early_has_the_trees_it_fitted(task: str) -> None:
    X, y = data(task)
    y = np.random.default_rng(0).permutation(y)
    predictor = boosting(task, n_estimators=200, n_iter_no_change=2).fit(X, y)
    model = read(predictor)
    assert len(model.trees) == predictor.n_estimators_ * model.n_outputs
    assert predictor.n_estimators_ < 200
    assert_same(predictor, trials(model, X))


def test_the_cover_is_the_weight_of_the_training_records() -> None:
    X, y = data("binary")
    predictor = forest("tree", "binary").fit(X, y, sample_weight=weights())
    model = read(predictor)
    assert model.trees[0].cover[0] == pytest.approx(weights().sum())
    assert_covers_add_up(model, 1e-12)
    assert_same(predictor, X)


def test_several_numbers_stand_side_by_side() -> None:
    X, y = data("regression")
    predictor = forest("forest", "regression").fit(
        X, np.stack([y, -2 * y, y**2], axis=1)
    )
    model = read(predictor)
    assert (model.n_targets, model.n_outputs) == (3, 3)
    assert_same(predictor, trials(model, X))


def test_classes_of_several_targets_stand_side_by_side() -> None:
    X, binary = data("binary")
    _, three = data("three classes")
    predictor = forest("forest", "binary").fit(
        X, np.stack([binary, three], axis=1)
    )
    model = read(predictor)
    assert (model.n_targets, model.n_outputs) == (2, 5)
    expected = np.concatenate(predictor.predict_proba(X), axis=1)
    np.testing.assert_array_equal(model.raw_output(X), expected)


@pytest.mark.parametrize(
    "predictor", [forest("tree", "regression"), boosting("regression")]
)
def test_one_leaf_is_a_tree(predictor: Any) -> None:
    X, _ = data("regression")
    predictor.fit(X, np.full(len(X), 3.5))
    model = read(predictor)
    assert set(model.node_counts) == {1}
    assert len(model.splits[0]) == 0
    assert_same(predictor, X)


def test_each_tree_has_its_own_object_and_number_of_nodes() -> None:
    X, y = data("regression")
    predictor = forest("forest", "regression").fit(X, y)
    model = read(predictor)
    assert [id(tree) for tree in model.native_trees] == [
        id(e.tree_) for e in predictor.estimators_
    ]
    assert model.node_counts == [len(tree.left) for tree in model.trees]
    assert not model.has_categories


@pytest.mark.parametrize("max_features", [1, 3, 1.0])
def test_bagging_takes_some_of_the_features(max_features: float) -> None:
    X, y = data("regression")
    predictor = BaggingRegressor(
        n_estimators=4, max_features=max_features, random_state=0
    )
    model = read(predictor.fit(X, y))
    (prediction,) = model.raw_output(X).T
    assert prediction == pytest.approx(predictor.predict(X), rel=1e-12)


def test_bagging_of_trees_that_lack_a_class_is_not_read() -> None:
    X, y = data("binary")
    y = np.where(np.arange(len(y)) == 0, 2, y)
    predictor = BaggingClassifier(n_estimators=5, random_state=0).fit(X, y)
    assert read_trees(predictor) is not None
    member = predictor.estimators_[0]
    predictor.estimators_[0] = member.fit(X[1:], y[1:])
    assert read_trees(predictor) is None


@pytest.mark.parametrize("task", ["binary", "three classes"])
@pytest.mark.parametrize("depth", [1, 4])
def test_adaptive_boosting_adds_up_votes(task: str, depth: int) -> None:
    X, y = data(task)
    tree = DecisionTreeClassifier(max_depth=depth, random_state=0)
    predictor = AdaBoostClassifier(tree, n_estimators=9, random_state=0)
    model = read(predictor.fit(X, y, weights()))
    rows = trials(model, X)
    decision = predictor.decision_function(rows)
    votes = model.raw_output(rows)
    if task == "binary":
        votes = votes[:, 1] - votes[:, 0]
    np.testing.assert_allclose(votes, decision, rtol=0, atol=1e-14)


def test_adaptive_boosting_that_stopped_early_is_read_as_far() -> None:
    """A first tree without an error is the only one, and its weight is 1."""
    X, y = data("binary")
    predictor = AdaBoostClassifier(DecisionTreeClassifier()).fit(X, y)
    model = read(predictor)
    assert len(model.trees) == 1
    votes = model.raw_output(X) @ [-1, 1]
    assert np.array_equal(votes, predictor.decision_function(X))


def test_adaptive_boosting_of_one_class_is_not_read() -> None:
    X, y = data("binary")
    assert read_trees(AdaBoostClassifier().fit(X, np.zeros(len(y)))) is None


class ShowsTree(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Has a tree of scikit-learn and is none."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "ShowsTree":
        self.inner_ = DecisionTreeClassifier(max_depth=2)
        self.inner_.fit(X, y, sample_weight)
        self.tree_ = self.inner_.tree_
        self.classes_ = self.inner_.classes_
        return self

    def predict(self, X: Any) -> Any:
        return self.inner_.predict(X)


@pytest.mark.parametrize("kind", [AdaBoostClassifier, BaggingClassifier])
def test_members_that_only_show_a_tree_are_not_read(kind: Any) -> None:
    X, y = data("binary")
    predictor = kind(ShowsTree(), n_estimators=3)
    assert read_trees(predictor.fit(X, y)) is None


def test_adaptive_boosting_of_fewer_weights_than_trees_is_not_read() -> None:
    X, y = data("binary")
    predictor = AdaBoostClassifier(n_estimators=4).fit(X, y)
    predictor.estimator_weights_ = predictor.estimator_weights_[:2]
    assert read_trees(predictor) is None


def test_what_is_not_the_mean_or_sum_of_trees_is_not_read() -> None:
    X, y = data("regression")
    others = (
        BaggingRegressor(LinearRegression(), n_estimators=2),
        AdaBoostRegressor(n_estimators=2),
        IsolationForest(n_estimators=2),
        LinearRegression(),
        KernelDensity(),
        boosting("regression", init=LinearRegression()),
    )
    for predictor in others:
        assert read_trees(predictor.fit(X, y)) is None


def test_boosting_on_top_of_another_model_is_not_read() -> None:
    X, y = data("binary")
    X = X[:, [0, 1, 4]]
    for init in (
        LogisticRegression(),
        DummyClassifier(strategy="stratified", random_state=0),
    ):
        assert read_trees(boosting("binary", init=init).fit(X, y)) is None


# So says scikit-learn's own `apply` of gradient boosting, which hands its trees the DataFrame.
@pytest.mark.filterwarnings(
    "ignore:X has feature names, but DecisionTreeRegressor"
)
@pytest.mark.parametrize(
    "predictor", [forest("forest", "binary"), boosting("binary")]
)
def test_a_dataframe_is_read_as_its_numbers(predictor: Any) -> None:
    X, y = data("binary")
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame["e"] = frame["e"].astype(int)
    assert_same(predictor.fit(frame, y), frame)
