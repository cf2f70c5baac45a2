"""The closed form explains the margin of linear models, and of nothing else."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from python.model.explain.linear import make_linear
from tests.model.explain.truth import shapley_values
from tests.models import numbers

DATA = numbers()
RECORDS = DATA.to_numpy()[:3]
BACKGROUND = DATA.to_numpy()[30:40]


def fit(predictor: Any, classes: int = 0) -> Any:
    score = DATA.sum(axis=1).to_numpy()
    target = (
        np.digitize(score, [-0.5, 0.5][: classes - 1]) if classes else score
    )
    return predictor.fit(DATA.to_numpy(), target)


@pytest.mark.parametrize("predictor", [Ridge(), LinearRegression()])
def test_values_of_a_regressor_are_those_by_definition(predictor: Any) -> None:
    fitted = fit(predictor)
    attribute = make_linear(fitted, BACKGROUND)
    assert attribute is not None
    values, base_value = attribute(RECORDS)[:2]
    expected = [
        shapley_values(fitted.predict, row, BACKGROUND) for row in RECORDS
    ]
    assert values == pytest.approx(np.array(expected))
    assert base_value == pytest.approx(fitted.predict(BACKGROUND).mean())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("predictor", [LogisticRegression(), LinearSVC()])
def test_values_of_a_classifier_add_up_to_its_decision(
    predictor: Any, classes: int
) -> None:
    fitted = fit(predictor, classes)
    attribute = make_linear(fitted, DATA.iloc[30:40])
    assert attribute is not None
    values, base_value = attribute(DATA.head(3))[:2]
    assert values.shape == ((3, 3) if classes == 2 else (3, 3, 3))
    decision = fitted.decision_function(RECORDS)
    assert base_value + values.sum(axis=1) == pytest.approx(decision)


@pytest.mark.parametrize("predictor", [KNeighborsClassifier(), SVC()])
def test_other_models_have_no_closed_form(predictor: Any) -> None:
    assert make_linear(fit(predictor, 2), BACKGROUND) is None
