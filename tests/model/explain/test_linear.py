"""The closed form explains the margin of linear models, and of nothing else."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from python.model.explain.linear import make_linear
from python.model.explain.outputs import outputs_of
from tests.model.explain.truth import load, shapley_values
from tests.models import numbers
from tests.records import explain

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
    attribute = make_linear(fitted, BACKGROUND.mean(axis=0))
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
    attribute = make_linear(fitted, BACKGROUND.mean(axis=0))
    assert attribute is not None
    values, base_value = attribute(DATA.head(3))[:2]
    assert values.shape == ((3, 3) if classes == 2 else (3, 3, 3))
    decision = fitted.decision_function(RECORDS)
    assert base_value + values.sum(axis=1) == pytest.approx(decision)


@pytest.mark.parametrize("predictor", [KNeighborsClassifier(), SVC()])
def test_other_models_have_no_closed_form(predictor: Any) -> None:
    assert make_linear(fit(predictor, 2), BACKGROUND[0]) is None


def test_a_record_far_from_its_background_is_explained() -> None:
    """Its prediction is near 0, and the background's is not."""
    predictor = Ridge().fit(DATA, DATA.to_numpy() @ [3.0, 1.0, 2.0] + 1e-3)
    far = DATA + 1e6
    served = load(predictor, DATA, samples=far[:50])
    near = pd.DataFrame(np.zeros((1, 3)), columns=DATA.columns)
    explanation = explain(served, near)
    assert explanation.standard_error is None
    assert served.info()["explanation_method"] == "linear"
    expected = predictor.coef_ * (0 - far[:50].mean())
    assert explanation.values[0] == pytest.approx(expected.to_numpy())
    method = served._preparation.wait(alone=True).method()
    assert method is not None
    attribution = method.attribute(near)
    assert attribution is not None
    assert method.find_output(attribution, outputs_of(predictor, near))
