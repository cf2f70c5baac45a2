"""treelite's forests and boosting are the estimator's own."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from python.model.artifact import Artifact
from python.model.data.schema import Schema
from python.model.estimator import split_steps
from python.model.fast.make import compile_copy
from python.model.fast.proof import prove
from python.model.fast.trials import made_up_codes
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import (
    ROWS,
    assert_equal,
    copy_output,
    rows_near_decisions,
    sped_up,
    targets,
)
from tests.models import features, numbers
from tests.records import of_codes

FORESTS = [
    RandomForestClassifier,
    ExtraTreesClassifier,
    RandomForestRegressor,
    ExtraTreesRegressor,
]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000))
def test_a_thousand_forests_are_equal_to_the_bit(seed: int) -> None:
    """They differ in their classes, depths, weights and missing values."""
    choose = np.random.default_rng(seed)
    kind = FORESTS[seed % 4]
    classes = 0 if "Regressor" in kind.__name__ else int(choose.integers(2, 6))
    width = int(choose.integers(1, 6))
    X = choose.normal(size=(60, width)) * 10.0 ** choose.integers(-4, 6, width)
    X = X.round(int(choose.integers(0, 4)))
    if choose.random() < 0.3 and "Extra" not in kind.__name__:
        X = np.where(choose.random(X.shape) < 0.1, np.nan, X)
    y = (
        choose.permutation(np.arange(60) % classes)
        if classes
        else choose.normal(size=60)
    )
    depth = [None, 1, 3, 10][choose.integers(4)]
    weight = choose.random(60) if choose.random() < 0.5 else None
    estimator = kind(
        int(choose.integers(1, 12)), max_depth=depth, random_state=seed
    ).fit(X, y, sample_weight=weight)
    gaps = bool(np.isnan(X).any())
    described = [
        {"name": f"x{n}", "type": "numeric", "accepts_missing": gaps}
        for n in range(width)
    ]
    schema = Schema.from_metadata({"features": described})
    samples = np.nan_to_num(X)
    copy, original = compile_copy(
        estimator, split_steps(estimator), schema, samples
    )
    copy, _ = prove(copy, original, made_up_codes(schema, choose), choose)
    own_rows = X if gaps else np.nan_to_num(X)
    rows = np.concatenate([rows_near_decisions(estimator, choose), own_rows])
    matrices = [rows]
    if gaps:
        matrices.append(
            np.where(choose.random(rows.shape) < 0.3, np.nan, rows)
        )
    for matrix in matrices:
        for method in (
            ("predict", "predict_proba") if classes else ("predict",)
        ):
            np.testing.assert_array_equal(copy.few(matrix), copy.many(matrix))
            np.testing.assert_array_equal(
                copy_output(copy, method, of_codes(schema, matrix)),
                getattr(estimator, method)(matrix),
            )


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingClassifier(
            n_estimators=300, n_iter_no_change=3, random_state=0
        ),
        GradientBoostingRegressor(
            n_estimators=2000, n_iter_no_change=3, random_state=0
        ),
    ],
)
def test_boosting_that_stopped_early_has_the_trees_that_were_fitted(
    estimator: Any,
) -> None:
    model = sped_up(
        estimator,
        numbers(),
        2 if "Classifier" in type(estimator).__name__ else 0,
    )
    assert len(model.estimator.estimators_) < estimator.n_estimators
    assert_equal(model, numbers().to_numpy())


@pytest.mark.parametrize("wanted", [3, 50])
def test_a_forest_with_other_trees_than_n_estimators_has_those_that_it_has(
    wanted: int,
) -> None:
    forest = RandomForestClassifier(10, random_state=0).fit(
        numbers(), targets(numbers(), 3)
    )
    forest.set_params(n_estimators=wanted).estimators_ = forest.estimators_[:7]
    model = SklearnModel.load(
        Artifact(forest, {"features": features(numbers())})
    )
    model.speed_up()
    assert_equal(model, numbers().to_numpy(), exact=True)


def test_trees_that_split_by_category_are_left_to_the_estimator() -> None:
    X = pd.DataFrame({"a": np.arange(ROWS) % 4, "b": np.arange(ROWS) / 7.0})
    boosting = HistGradientBoostingRegressor(
        max_iter=3, categorical_features=[0]
    ).fit(X, X["a"] == 2)
    model = SklearnModel.load(
        Artifact(boosting, {"features": features(X.astype(float))})
    )
    model.speed_up()
    assert (
        model.info()["fast_predict_reason"]
        == "it cannot be compiled (ValueError: splits by category)"
    )


def test_a_forest_of_several_outputs_does_not_end_the_process() -> None:
    data = numbers()
    two = np.stack([targets(data, 2), targets(data, 3)], axis=1)
    model = SklearnModel.load(
        Artifact(
            RandomForestClassifier(3).fit(data, two),
            {"features": features(data)},
        )
    )
    model.speed_up()
    assert (
        model.info()["fast_predict_reason"]
        == "it cannot be compiled (ValueError: several outputs)"
    )
