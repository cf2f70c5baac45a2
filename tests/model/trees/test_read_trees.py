"""What has trees is known by its attributes."""

import sys
from subprocess import run

import numpy as np
from sklearn.ensemble import RandomForestRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from python.model.trees import read_trees
from tests.model.trees.trials import data
from tests.models import ROOT


def test_other_estimators_have_no_trees() -> None:
    X, y = data("regression")
    for predictor in (LinearRegression(), KNeighborsRegressor()):
        assert read_trees(predictor.fit(X, y)) is None


def test_members_that_are_sequences_are_not_taken_apart() -> None:
    X, y = data("regression")
    forest = RandomForestRegressor(2)
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    voting = VotingRegressor([("forest", forest), ("pipeline", pipeline)])
    assert read_trees(voting.fit(X, y)) is None


def test_trees_are_read_when_they_are_first_needed_and_once() -> None:
    X, y = data("regression")
    model = read_trees(RandomForestRegressor(3).fit(X, y))
    assert model is not None
    assert "trees" not in vars(model)
    assert model.trees is model.trees


def test_no_library_is_imported_until_a_predictor_brings_it() -> None:
    program = (
        "import sys; import python.model.trees\n"
        "print({'sklearn', 'lightgbm', 'xgboost'} & set(sys.modules))"
    )
    done = run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == "set()"


def test_integers_and_objects_are_numbers_too() -> None:
    X, y = data("regression")
    model = read_trees(RandomForestRegressor(3).fit(X, y))
    assert model is not None
    mixed = np.array([[1, None, 2.5, 1e300, 2**24 + 1]], dtype=object)
    expected = [[1, np.nan, 2.5, np.inf, 2**24]]
    np.testing.assert_array_equal(model.numbers(mixed), expected)
