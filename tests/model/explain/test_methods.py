"""Which methods a model has, in which order; and when a method's values are used."""

import logging
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from python.model.estimator import split_steps
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.methods import (
    Method,
    Subject,
    list_against,
    list_alone,
)
from python.model.explain.origins import find_origins
from python.model.explain.outputs import Output, find_outputs, outputs_of
from tests.models import numbers

X = numbers().to_numpy()
BACKGROUND = X[20:40]
NUMBERS = ["prediction", "log_prediction", "log_odds"]


def fit(estimator: Any, *, classes: bool = False) -> Any:
    score = X.sum(axis=1)
    return estimator.fit(X, (score > 0) * 1 if classes else score)


def subject_of(estimator: Any) -> Subject:
    steps = split_steps(estimator)
    return Subject(
        estimator,
        steps,
        X[:10],
        find_outputs(estimator, X[:1]),
        find_origins(steps, X.shape[1], X[:10]),
    )


def methods_alone(subject: Subject, background: Any = None) -> list[Method]:
    has_background = background is not None
    makes = list_alone(subject, has_background=has_background)
    rows = X[:1] if background is None else background
    return [make(rows) for make in makes]


def methods_against(subject: Subject, background: Any) -> list[Method]:
    return [make(background) for make in list_against(subject)]


def names(methods: list[Method]) -> list[str]:
    return [method.name for method in methods]


def outputs(methods: list[Method]) -> list[list[str]]:
    return [[output.name for output in method.outputs] for method in methods]


def linear_attribute(shift: float = 0.0) -> Attribute:
    """The values of a sum of features, and a base value that may be another one."""
    mean = BACKGROUND.mean(axis=0)

    def attribute(columns: Any) -> Attribution:
        return Attribution(columns - mean - shift / 3, mean.sum() + shift)

    return attribute


def sum_output() -> Output:
    return find_outputs(fit(LinearRegression()), X[:1])[0]


def output_of(columns: Any) -> Any:
    return outputs_of(fit(LinearRegression()), columns)


def test_methods_without_a_background() -> None:
    methods = methods_alone(subject_of(fit(LinearRegression())))
    assert names(methods) == [
        "tree path-dependent",
        "native contributions",
        "linear",
        "parts",
    ]
    assert outputs(methods) == [NUMBERS] * 4


def test_a_background_of_the_model_adds_methods_that_need_one() -> None:
    methods = methods_alone(subject_of(fit(LinearRegression())), BACKGROUND)
    assert names(methods)[2:] == ["linear", "parts", "exact"]
    assert outputs(methods)[2:] == [NUMBERS, NUMBERS, ["prediction"]]


def test_methods_against_a_background_explain_the_probability() -> None:
    classifier = fit(LogisticRegression(), classes=True)
    methods = methods_against(subject_of(classifier), BACKGROUND)
    assert names(methods) == [
        "tree interventional",
        "linear",
        "parts",
        "exact",
    ]
    assert outputs(methods) == [["probability"]] * 4


def test_what_has_no_output_has_no_methods() -> None:
    subject = subject_of(fit(KMeans(2)))
    assert methods_alone(subject, BACKGROUND) == []
    assert methods_against(subject, BACKGROUND) == []


def test_values_of_columns_are_summed_for_their_features() -> None:
    forest = RandomForestClassifier(5, max_depth=3, random_state=0)
    pipeline = fit(make_pipeline(StandardScaler(), forest), classes=True)
    method = methods_alone(subject_of(pipeline))[0]
    explanation = method.explain(X, outputs_of(pipeline, X))
    assert explanation is not None
    assert explanation.output == "probability"
    scaled = pipeline[0].transform(X)
    alone = methods_alone(subject_of(forest))[0]
    expected = alone.explain(scaled, outputs_of(forest, scaled))
    assert expected is not None
    assert explanation.values == pytest.approx(expected.values)


def test_columns_that_mix_features_are_explained_by_coalitions_only() -> None:
    pipeline = fit(make_pipeline(PolynomialFeatures(2), LinearRegression()))
    results = []
    for method in methods_alone(subject_of(pipeline), BACKGROUND):
        results.append(method.explain(X[:3], outputs_of(pipeline, X[:3])))
    assert results[:-1] == [None] * 4
    assert results[-1] is not None


def test_values_that_do_not_add_up_are_not_used() -> None:
    def attribute(columns: Any) -> Attribution:
        values, base_value = linear_attribute()(columns)[:2]
        return Attribution(values + 0.01, base_value)

    right = Method("right", linear_attribute, [sum_output()])
    assert right.explain(X, output_of(X)) is not None
    wrong = Method("wrong", lambda: attribute, [sum_output()])
    assert wrong.explain(X, output_of(X)) is None


@pytest.mark.parametrize("shift", [0.0, 0.01])
def test_the_base_value_must_be_the_mean_of_the_background(
    shift: float,
) -> None:
    method = Method(
        "shifted",
        lambda: linear_attribute(shift),
        [sum_output()],
        background_output_of=output_of(BACKGROUND),
    )
    explanation = method.explain(X, output_of(X))
    assert (explanation is not None) == (shift == 0)


def test_the_background_is_predicted_once_and_not_before_it_is_compared() -> (
    None
):
    n_rows: list[int] = []

    class Counted(RandomForestClassifier):  # type: ignore[misc]
        """Notes for how many rows it is called."""

        def predict_proba(self, X: Any) -> Any:
            n_rows.append(len(X))
            return super().predict_proba(X)

    forest = fit(Counted(5, random_state=0), classes=True)
    subject = subject_of(forest)
    output_of_records = outputs_of(forest, X[:3])
    n_rows.clear()
    method = methods_against(subject, BACKGROUND)[0]
    assert len(BACKGROUND) not in n_rows
    first = method.explain(X[:3], output_of_records)
    second = method.explain(X[:3], output_of_records)
    assert first is not None
    assert second is not None
    assert np.array_equal(first.values, second.values)
    assert n_rows.count(len(BACKGROUND)) == 1


def test_a_method_is_made_when_it_is_first_needed_and_once() -> None:
    n_made: list[int] = []

    def make() -> Attribute:
        n_made.append(1)
        return linear_attribute()

    method = Method("made late", make, [sum_output()])
    assert n_made == []
    method.explain(X, output_of(X))
    method.explain(X, output_of(X))
    assert n_made == [1]


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (ImportError("shap"), logging.WARNING),
        (ValueError("no"), logging.DEBUG),
    ],
)
def test_a_method_that_raises_does_not_apply(
    error: Exception, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    def make() -> Attribute:
        raise error

    with caplog.at_level(logging.DEBUG):
        assert (
            Method("raising", make, [sum_output()]).explain(X, output_of(X))
            is None
        )
    (record,) = caplog.records
    assert record.levelno == level
    assert type(error).__name__ in record.getMessage()
