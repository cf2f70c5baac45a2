"""What the classes are called, and which probabilities are theirs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from python.model.classes import split_outputs
from tests.artifacts import (
    FEATURES,
    NAMES,
    X,
    client_of,
    content,
    post,
    refusal,
)
from tests.laws import ask_info
from tests.problems import problem

ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(60, 2)), columns=NAMES
)
TWO = (ROWS["x"] > 0).astype(int)
RECORDS = ROWS.head(4).to_dict("records")
UNNAMED = (
    "the model has predict_proba and no classes_: write class_names into the metadata, "
    "a name for each of its 2 columns, in their order"
)


class Plain:
    """A model of its own making: it has probabilities, and says nothing of classes."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def predict(self, X: Any) -> Any:
        labels: Any = np.array(["no", "yes"], dtype=object)
        return labels[self.inner.predict(X)]

    def predict_proba(self, X: Any) -> Any:
        return self.inner.predict_proba(X)


class Tagged(ClassifierMixin, Plain, BaseEstimator):  # type: ignore[misc]
    """The same, which says that it is a classifier."""


class Labeller:
    """It predicts texts, and has neither classes nor probabilities."""

    def predict(self, X: Any) -> Any:
        return np.where(np.asarray(X)[:, 0] > 0, "up", "down")


def values_of(rows: list[dict[str, float]]) -> list[list[float]]:
    return [list(row.values()) for row in rows]


def logistic() -> Any:
    return LogisticRegression().fit(ROWS.to_numpy(), TWO)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (content(class_names=["no"]), "class_names must be a list of 2 names, one for each of the model's classes"),
        (
            content(class_names=["no", "no"]),
            'class_names has "no" twice: give each class a name of its own',
        ),
        (content(class_names={"no", "yes"}), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names=["no", None]), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names=5), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(model=GaussianMixture(2).fit(X), class_names=["a"]), "class_names must be a list of 2 names"),
        (content(model=LinearRegression().fit(X, [1, 2, 3]), class_names=["a"]), "the metadata has class_names, but the model has no classes"),
    ],
)  # fmt: skip
def test_class_names_that_do_not_match_are_refused(
    content: Any, sentence: str
) -> None:
    assert refusal(content).startswith(sentence)


@pytest.mark.parametrize("kind", [Plain, Tagged])
def test_probabilities_without_classes_need_class_names(kind: Any) -> None:
    model = kind(logistic())
    assert refusal(content(FEATURES, model)) == UNNAMED
    for class_names in (["no"], ["no", "perhaps", "yes"], 5):
        sentence = refusal(content(FEATURES, model, class_names=class_names))
        assert sentence == UNNAMED


@pytest.mark.parametrize("kind", [Plain, Tagged])
def test_class_names_name_probabilities_without_classes(kind: Any) -> None:
    model = kind(logistic())
    client = client_of(content(FEATURES, model, class_names=["no", "yes"]))
    info = ask_info(client)["model"]
    assert info["task"] == "BINARY_CLASSIFICATION"
    answer = post(
        client,
        "/predict?proba=1&explain=1",
        {"_data": RECORDS, "_samples": RECORDS},
    )
    rows = answer["prediction"]
    probabilities = model.predict_proba(ROWS.head(4).to_numpy())
    assert np.allclose(values_of(rows), probabilities, rtol=1e-12)
    assert list(rows[0]) == ["no", "yes"]
    sums = []
    for values in answer["explanation"]:
        sums.append(answer["base_value"] + sum(values.values()))
    assert sums == pytest.approx(probabilities[:, 1].tolist())


def test_labels_without_classes_are_no_numbers() -> None:
    client = client_of(content(FEATURES, Labeller()))
    info = ask_info(client)["model"]
    assert info["task"] == "CLASSIFIER"
    assert info["has_probabilities"] is False
    assert info["is_explainable"] is False
    labels = post(client, "/predict", RECORDS)["prediction"]
    assert labels == Labeller().predict(ROWS.head(4)).tolist()
    for flag in ("proba=1", "explain=1"):
        problem(client.post(f"/predict?{flag}", json=RECORDS), 422)


def boosters() -> list[Any]:
    return [
        HistGradientBoostingClassifier(max_iter=2),
        LGBMClassifier(n_estimators=2, verbose=-1),
        XGBClassifier(n_estimators=2),
        make_pipeline(
            StandardScaler(), HistGradientBoostingClassifier(max_iter=2)
        ),
    ]


@pytest.mark.parametrize("model", boosters(), ids=type)
@pytest.mark.parametrize("samples", [{}, {"samples": ROWS}])
def test_probabilities_of_two_classes_are_not_those_of_one(
    model: Any, samples: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model.fit(ROWS, np.zeros(len(ROWS), dtype=int))
    client = client_of(content(FEATURES, model, **samples))
    reason = (
        "predict_proba has 2 columns, and classes_ has 1: the model was fitted with rows "
        "of one class alone"
    )
    assert f"no probabilities: {reason}" in caplog.text
    assert post(client, "/predict", RECORDS)["prediction"] == [0] * 4
    info = ask_info(client)["model"]
    assert info["class_names"] == ["0"]
    assert info["has_probabilities"] is False
    assert info["probabilities_reason"] == reason
    assert info["is_explainable"] is False
    response = client.post("/predict?proba=1", json=RECORDS)
    problem(response, 422, f"has no probabilities: {reason}")
    body = {"_data": RECORDS, "_samples": RECORDS}
    problem(client.post("/predict?explain=1", json=body), 422)
    assert client.get("/features").status_code == 200
    assert len(post(client, "/preprocess", RECORDS)) == 4


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(2), GaussianNB()], ids=type
)
def test_the_probability_of_one_class_is_served(model: Any) -> None:
    model.fit(ROWS, np.full(len(ROWS), "yes"))
    client = client_of(content(FEATURES, model))
    answer = post(client, "/predict?proba=1", RECORDS)["prediction"]
    assert answer == [{"yes": 1.0}] * 4


def test_probabilities_that_raise_are_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(LogisticRegression):  # type: ignore[misc]
        def predict_proba(self, X: Any) -> Any:
            # As probabilities that a library has not for every model.
            raise RuntimeError(f"none for {len(X)} rows")

    client = client_of(content(FEATURES, Broken().fit(ROWS, TWO)))
    reason = "predict_proba raises RuntimeError: none for 1 rows"
    assert reason in caplog.text
    response = client.post("/predict?proba=1", json=RECORDS)
    problem(response, 422, f"has no probabilities: {reason}")
    body = {"_data": RECORDS, "_samples": RECORDS}
    answer = post(client, "/predict?explain=1", body)
    assert answer["explained_output"] == "margin"


def test_an_estimator_of_a_single_output_in_a_list_is_one_of_one_output() -> (
    None
):
    model = MultiOutputClassifier(LogisticRegression())
    model.fit(ROWS, TWO.to_frame())
    client = client_of(content(FEATURES, model, class_names=["no", "yes"]))
    assert ask_info(client)["model"]["task"] == "BINARY_CLASSIFICATION"
    rows = post(client, "/predict?proba=1", RECORDS)["prediction"]
    (expected,) = model.predict_proba(ROWS.head(4))
    assert np.allclose(values_of(rows), expected, rtol=1e-12)
    assert list(rows[0]) == ["no", "yes"]


@pytest.mark.parametrize(
    "class_names",
    [
        ["no", "yes"],
        [["no", "yes"]],
        [["no", "yes"], ["a", "b"]],
        [["no", "yes"], 5],
        [["no", "yes"], ["a", "b", "c"], ["a", "b", "c"]],
        5,
    ],
)
def test_class_names_of_several_outputs_are_lists(class_names: Any) -> None:
    targets = np.column_stack([TWO, np.arange(60) % 3])
    model = RandomForestClassifier(2).fit(ROWS, targets)
    assert refusal(content(FEATURES, model, class_names=class_names)) == (
        "class_names must be a list of 2 lists, one for each of the model's outputs, "
        "of 2 and 3 names"
    )


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([0.0, 1.0], [0, 1]),
        ([0, 1], ["0.0", "1.0"]),
        ([False, True], ["false", "TRUE"]),
        ([False, True], [0, 1]),
        (["no", "yes"], ["No", "Yes"]),
        (["a", "b"], ["b ", "c"]),
        (["A", "a"], ["A", "a"]),
    ],
)
def test_the_labels_in_another_spelling_are_refused_in_another_order(
    labels: list[Any], names: list[Any]
) -> None:
    model = LogisticRegression().fit(ROWS, np.array(labels)[TWO])
    loaded = client_of(content(FEATURES, model, class_names=names))
    assert ask_info(loaded)["model"]["class_names"] == list(map(str, names))
    artifact = content(FEATURES, model, class_names=names[::-1])
    if names == ["b ", "c"]:
        assert client_of(artifact)
    else:
        assert "own labels in another order" in refusal(artifact)


def test_class_names_of_an_output_in_another_order_are_refused() -> None:
    model = RandomForestClassifier(2).fit(ROWS, np.column_stack([TWO, TWO]))
    names = [["0", "1"], ["1", "0"]]
    sentence = refusal(content(FEATURES, model, class_names=names))
    assert "own labels in another order" in sentence


def test_both_shapes_of_several_outputs_are_split_alike() -> None:
    labels = np.column_stack([TWO, 1 - TWO])
    by_column = OneVsRestClassifier(LogisticRegression()).fit(ROWS, labels)
    by_list = MultiOutputClassifier(LogisticRegression()).fit(ROWS, labels)
    first = split_outputs(by_column.predict_proba(ROWS), 2)
    second = split_outputs(by_list.predict_proba(ROWS), 2)
    assert [table.shape for table in first] == [(60, 2), (60, 2)]
    assert np.allclose(first, second)
    stacked = split_outputs(np.array(by_list.predict_proba(ROWS)), 2)
    assert np.array_equal(stacked, second)


class Framed:
    """A classifier whose probabilities are a DataFrame, in the order of its columns."""

    classes_ = ("no", "yes")

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def predict_proba(self, X: Any) -> Any:
        high = np.asarray(X, dtype=float)[:, 0]
        table = pd.DataFrame({"no": 1 - high, "yes": high})
        return table[self.columns]

    def predict(self, X: Any) -> Any:
        return self.predict_proba(X).idxmax(axis=1).to_numpy()


def test_probabilities_in_a_frame_have_the_order_of_the_classes() -> None:
    sentence = refusal(content(model=Framed(["yes", "no"])))
    assert "bring them into the same order" in sentence
    client = client_of(content(model=Framed(["no", "yes"])))
    record = {"x": 0.75, "y": 0}
    predicted = post(client, "/predict?proba=1", record)["prediction"]
    assert predicted == [{"no": 0.25, "yes": 0.75}]
