"""A copy that differs from its estimator is found, wherever it differs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    StandardScaler,
)
from sklearn.svm import SVC

from python.model.data.schema import Schema
from python.model.estimator import split_steps
from python.model.fast import Unproven
from python.model.fast.arithmetic import ARITHMETIC
from python.model.fast.copy import Copy
from python.model.fast.make import compile_copy
from python.model.fast.predictors import compile_linear
from python.model.fast.proof import Original, prove
from python.model.fast.trials import made_up_codes
from tests.model.fast.compiled import (
    HANDED,
    compile_again,
    large_terms,
    sped_up,
    targets,
)
from tests.models import features, numbers
from tests.records import of_codes

Pair = tuple[Copy, Original]


def inverted(copy: Copy, original: Original) -> Pair:
    return replace(copy, classes=np.array([1, 0])), original


def inexact(copy: Copy, original: Original) -> Pair:
    def shifted(X: Any) -> Any:
        return copy.few(X) + 1e-6

    return replace(copy, few=shifted), original


def another(copy: Copy, original: Original) -> Pair:
    forest = RandomForestClassifier(3, random_state=1).fit(
        numbers(), targets(numbers(), 2)
    )
    return copy, replace(original, estimator=forest)


def refusing(copy: Copy, original: Original) -> Pair:
    return copy, replace(original, estimator=SVC())


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (refusing, "answers what the estimator refuses"),
        (inverted, "other labels than the estimator"),
        (inexact, "other values than the estimator"),
        (another, "other values than the whole model"),
    ],
)
def test_what_a_broken_copy_computes_is_compared(
    break_it: Callable[[Copy, Original], Pair], reason: str
) -> None:
    forest = RandomForestClassifier(3, random_state=0).fit(
        numbers(), targets(numbers(), 2)
    )
    schema = Schema.from_metadata(
        {"features": features(numbers())}, named=True
    )
    copy, original = compile_copy(
        forest, split_steps(forest), schema, numbers()
    )
    probes, choose = numbers().to_numpy(dtype=float), np.random.default_rng(0)
    copy, _ = prove(copy, original, probes, choose)
    copy, original = break_it(copy, original)
    with pytest.raises(Unproven, match=reason):
        prove(copy, original, probes, choose)


@pytest.mark.parametrize("broken", ["a threshold", "a leaf", "a step"])
def test_a_broken_copy_is_found_and_the_estimator_answers(
    broken: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if broken == "a step":
        scaler = StandardScaler().fit(numbers())

        def divide(X: Any) -> Any:
            return X / scaler.scale_

        monkeypatch.setitem(ARITHMETIC, "StandardScaler", lambda _: divide)
        model = sped_up(make_pipeline(StandardScaler(), Ridge()), numbers(), 0)
        reason = "a step gives other values than its copy"
    else:
        import treelite

        imported = treelite.sklearn.import_model

        def import_model(estimator: Any) -> Any:
            copy = imported(estimator)
            tree = copy.get_tree_accessor(3)
            field = "threshold" if broken == "a threshold" else "leaf_value"
            values = tree.get_field(field).copy()
            inner = int(np.flatnonzero(values)[-1])
            values[inner] = (
                np.nextafter(np.float32(values[inner]), np.inf)
                if field == "threshold"
                else values[inner] * (1 + 1e-6)
            )
            tree.set_field(field, values)
            return copy

        monkeypatch.setattr(treelite.sklearn, "import_model", import_model)
        model = sped_up(
            RandomForestRegressor(10, random_state=0), numbers(), 0
        )
        reason = "the compiled copy has other trees than the estimator"
    assert model.copy is None
    assert model.info()["fast_predict_reason"] == reason
    assert f"the estimator answers itself, because {reason}" in caplog.text
    records = of_codes(model.schema, numbers().to_numpy())
    assert (
        model.predict(records).tolist()
        == model.estimator.predict(records.columns).tolist()
    )


@pytest.mark.slow
@pytest.mark.parametrize("handed", HANDED)
def test_a_linear_sum_in_another_order_is_found(handed: str) -> None:
    model, _ = large_terms(handed, Ridge(), 3, 1.0)
    choose = np.random.default_rng(0)
    codes = made_up_codes(model.schema, choose)
    copy, original = compile_again(model)
    copy, _ = prove(copy, original, codes, choose)

    def multiply_backwards(X: Any, coefficients: Any) -> Any:
        return (X[:, ::-1] * coefficients[::-1]).sum(axis=1)

    predictor = split_steps(model.estimator).predictor
    backwards = compile_linear(predictor, multiply_backwards)
    with pytest.raises(Unproven, match="other values than the estimator"):
        prove(replace(copy, few=backwards), original, codes, choose)


def test_a_forest_that_differs_in_one_bit_is_found() -> None:
    model = sped_up(RandomForestClassifier(3, random_state=0), numbers(), 2)
    choose = np.random.default_rng(0)
    copy, original = compile_again(model)

    def inexact(X: Any) -> Any:
        return copy.few(X) * (1 - 1e-15)

    with pytest.raises(Unproven, match="other values"):
        prove(
            replace(copy, few=inexact), original, numbers().to_numpy(), choose
        )
