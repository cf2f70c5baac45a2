"""What the service answers for estimators that are neither classifier nor regressor of one output.

Each answer is compared with what the estimator itself returns.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMRanker
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.covariance import EllipticEnvelope
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    RidgeClassifier,
)
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import OneClassSVM
from xgboost import XGBClassifier, XGBRanker

from python.api.examples import check_examples
from python.errors import ArtifactError
from tests.artifacts import client_of, content, load, post
from tests.laws import ask_info
from tests.models import forest, numbers
from tests.problems import problem

DATA = numbers()
DATA.columns = ["x", "y", "z"]
FEATURES = [{"name": name, "type": "numeric"} for name in DATA]
ROWS = DATA.head(6)
RECORDS = ROWS.to_dict("records")
WITH_BACKGROUND = {"_data": RECORDS, "_samples": RECORDS}
APPLY = (DATA > 0).astype(int).to_numpy()
MIXED = np.column_stack([APPLY[:, 0], np.arange(len(DATA)) % 3])
TEXTS = np.where(APPLY > 0, "yes", "no").astype(object)


def serve(model: Any, **more: Any) -> Any:
    return client_of(content(FEATURES, model, **more))


def by_list() -> list[Any]:
    """Return estimators whose `predict_proba` returns a list, and their targets."""
    return [
        (RandomForestClassifier(3), MIXED),
        (KNeighborsClassifier(), APPLY),
        (MultiOutputClassifier(LogisticRegression()), TEXTS),
        (make_pipeline(StandardScaler(), RandomForestClassifier(3)), MIXED),
        (
            GridSearchCV(RandomForestClassifier(3), {"max_depth": [2]}, cv=2),
            APPLY,
        ),
    ]


def by_column() -> list[Any]:
    """Return estimators whose `predict_proba` returns a column for each label."""
    catboost = CatBoostClassifier(
        iterations=3,
        verbose=0,
        loss_function="MultiLogloss",
        allow_writing_files=False,
    )
    return [
        OneVsRestClassifier(LogisticRegression()),
        ClassifierChain(LogisticRegression()),
        MLPClassifier((3,), solver="lbfgs", max_iter=2000),
        XGBClassifier(n_estimators=3),
        catboost,
    ]


def check_several(model: Any, expected: list[Any], labels: list[Any]) -> None:
    """Assert that `expected`, a table for each output, is served under the labels of each."""
    client = serve(model)
    info = ask_info(client)["model"]
    assert info["task"] == "MULTIOUTPUT_CLASSIFICATION"
    assert info["class_names"] == labels
    assert info["has_probabilities"] is True
    assert info["is_explainable"] is True
    answer = post(client, "/predict", RECORDS)
    assert answer == {"prediction": model.predict(ROWS).tolist()}
    rows = post(client, "/predict?proba=1", RECORDS)["prediction"]
    (alone,) = post(client, "/predict?proba=1", RECORDS[1])["prediction"]
    assert len(rows) == len(RECORDS)
    assert [list(output) for output in alone] == labels
    for number, table in enumerate(expected):
        served = [list(row[number].values()) for row in rows]
        assert np.allclose(served, table, rtol=1e-12)
        assert [list(row[number]) for row in rows] == [labels[number]] * 6
        assert np.allclose(list(alone[number].values()), table[1])
    check_explanations(client, labels)
    assert client.get("/features").status_code == 200
    assert len(post(client, "/preprocess", RECORDS)) == len(RECORDS)


def check_explanations(client: Any, labels: list[Any]) -> None:
    """Assert that each output of each record is explained by values that add up."""
    answer = post(client, "/predict?proba=1&explain=1", WITH_BACKGROUND)
    assert answer["explained_output"] == "probability"
    for of_record, prediction in zip(
        answer["explanation"], answer["prediction"], strict=True
    ):
        assert len(of_record) == len(labels)
        for number, classes in enumerate(labels):
            values = of_record[number]
            base_value = answer["base_value"][number]
            if len(classes) <= 2:
                last = classes[-1]
                values = {last: values}
                base_value = {last: base_value}
            for label in values:
                total = base_value[label] + sum(values[label].values())
                expected = prediction[number][label]
                assert total == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("number", range(len(by_list())))
def test_a_list_of_probabilities_is_served_by_output(number: int) -> None:
    model, target = by_list()[number]
    model.fit(DATA, target)
    labels = []
    for classes in model.classes_:
        labels.append([str(label) for label in classes])
    check_several(model, model.predict_proba(ROWS), labels)


@pytest.mark.parametrize("number", range(2))
def test_examples_of_several_labels_are_compared(number: int) -> None:
    model = [by_list()[2][0], by_column()[0]][number].fit(DATA, APPLY)
    probabilities = model.predict_proba(ROWS)
    examples = {
        "records": ROWS,
        "predictions": model.predict(ROWS),
        "probabilities": probabilities,
    }
    check_examples(load(content(FEATURES, model, examples=examples)))
    probabilities[1][1] += 0.25
    changed = load(content(FEATURES, model, examples=examples))
    with pytest.raises(ArtifactError, match="the model said"):
        check_examples(changed)


@pytest.mark.parametrize("number", range(len(by_column())))
def test_a_column_for_each_label_is_served_by_output(number: int) -> None:
    model = by_column()[number].fit(DATA, APPLY)
    probabilities = model.predict_proba(ROWS)
    expected = []
    for applies in probabilities.T:
        expected.append(np.column_stack([1 - applies, applies]))
    check_several(model, expected, [["0", "1"]] * 3)


def test_outputs_have_class_names_of_their_own() -> None:
    model = RandomForestClassifier(3).fit(DATA, MIXED)
    names = [["no", "yes"], ["red", "green", "blue"]]
    client = serve(model, class_names=names)
    assert ask_info(client)["model"]["class_names"] == names
    (row,) = post(client, "/predict?proba=1", RECORDS[0])["prediction"]
    assert [list(output) for output in row] == names


def test_several_labels_without_probabilities() -> None:
    client = serve(RidgeClassifier().fit(DATA, APPLY))
    assert ask_info(client)["model"]["probabilities_reason"] == (
        "it has no predict_proba"
    )
    response = client.post("/predict?proba=1", json=RECORDS)
    problem(
        response,
        422,
        "the model (MULTIOUTPUT_CLASSIFICATION) has no probabilities: it has no predict_proba",
    )


def test_several_numbers_are_lists() -> None:
    model = LinearRegression().fit(DATA, DATA[["y", "x"]])
    client = serve(model)
    assert ask_info(client)["model"]["task"] == "REGRESSION"
    answer = post(client, "/predict", RECORDS)["prediction"]
    assert np.allclose(answer, model.predict(ROWS))
    answer = post(client, "/predict?explain=1", WITH_BACKGROUND)
    for number, values in enumerate(answer["explanation"][0]):
        total = answer["base_value"][number] + sum(values.values())
        assert total == pytest.approx(answer["prediction"][0][number])


# scikit-learn's own, of what LocalOutlierFactor does inside.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "model",
    [
        IsolationForest(n_estimators=5, random_state=0),
        LocalOutlierFactor(novelty=True),
        OneClassSVM(nu=0.2),
        EllipticEnvelope(random_state=0),
        make_pipeline(StandardScaler(), IsolationForest(n_estimators=5)),
    ],
    ids=type,
)
def test_an_outlier_detector_has_scores(model: Any) -> None:
    model.fit(DATA)
    client = serve(model)
    info = ask_info(client)["model"]
    assert info["task"] == "OUTLIER_DETECTOR"
    rows = DATA.to_dict("records")
    answer = post(client, "/predict", rows)
    assert list(answer) == ["prediction", "score"]
    assert answer["prediction"] == model.predict(DATA).tolist()
    assert np.allclose(answer["score"], model.decision_function(DATA))
    is_outlier = np.array(answer["score"]) < 0
    assert np.array_equal(is_outlier, np.array(answer["prediction"]) == -1)
    assert is_outlier.any()
    answer = post(client, "/predict?explain=1", WITH_BACKGROUND)
    assert answer["explained_output"] == "margin"
    sums = [sum(values.values()) for values in answer["explanation"]]
    assert np.allclose(answer["base_value"] + np.array(sums), answer["score"])
    response = client.post("/predict?proba=1", json=RECORDS)
    problem(response, 422, "(OUTLIER_DETECTOR) has no probabilities")


@pytest.mark.parametrize("name", ["prediction", "explanation"])
def test_no_other_model_has_scores(name: str) -> None:
    model = LogisticRegression().fit(DATA, APPLY[:, 0])
    answer = post(serve(model), "/predict?explain=1", WITH_BACKGROUND)
    assert name in answer
    assert "score" not in answer


@pytest.mark.parametrize(
    "model",
    [
        GaussianMixture(3, random_state=0),
        BayesianGaussianMixture(n_components=3, random_state=0),
        make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0)),
    ],
    ids=type,
)
def test_the_components_of_a_mixture_are_numbered(model: Any) -> None:
    model.fit(DATA)
    client = serve(model)
    info = ask_info(client)["model"]
    assert info["task"] == "DENSITY_ESTIMATOR"
    assert info["class_names"] == ["0", "1", "2"]
    answer = post(client, "/predict", RECORDS)
    assert answer == {"prediction": model.predict(ROWS).tolist()}
    rows = post(client, "/predict?proba=1", RECORDS)["prediction"]
    served = [list(row.values()) for row in rows]
    assert np.allclose(served, model.predict_proba(ROWS), rtol=1e-12)
    named = serve(model, class_names=["low", "mid", "high"])
    (row,) = post(named, "/predict?proba=1", RECORDS[0])["prediction"]
    assert list(row) == ["low", "mid", "high"]


def test_a_clusterer_has_clusters_alone() -> None:
    model = KMeans(3, n_init=1, random_state=0).fit(DATA)
    client = serve(model)
    info = ask_info(client)["model"]
    assert info["task"] == "CLUSTERER"
    assert info["class_names"] is None
    answer = post(client, "/predict", RECORDS)
    assert answer == {"prediction": model.predict(ROWS).tolist()}


def rankers() -> list[Any]:
    query = np.repeat(np.arange(12), 10)
    by_size = LGBMRanker(n_estimators=3, min_child_samples=2, verbose=-1)
    return [
        by_size.fit(DATA, APPLY[:, 0], group=[10] * 12),
        XGBRanker(n_estimators=3).fit(DATA, APPLY[:, 0], qid=query),
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_a_ranker_predicts_numbers_that_are_explained(number: int) -> None:
    model = rankers()[number]
    client = serve(model)
    assert ask_info(client)["model"]["task"] == "REGRESSION"
    answer = post(client, "/predict?explain=1", RECORDS)
    assert answer["prediction"] == model.predict(ROWS).tolist()
    sums = []
    for values in answer["explanation"]:
        sums.append(answer["base_value"] + sum(values.values()))
    assert sums == pytest.approx(answer["prediction"], rel=1e-5)


class Sampler(BaseEstimator):  # type: ignore[misc]
    """A sampler as imbalanced-learn has them: it has `fit_resample`, and no `transform`."""

    def fit_resample(self, X: Any, y: Any) -> Any:
        is_rare = np.asarray(y) == 1
        return pd.concat([X, X[is_rare]]), np.r_[y, y[is_rare]]


class Resampled(Pipeline):  # type: ignore[misc]
    """A pipeline as imbalanced-learn has it: samplers only change what is fitted."""

    def fit(self, X: Any, y: Any) -> "Resampled":
        for _, step in self.steps[:-1]:
            if hasattr(step, "fit_resample"):
                X, y = step.fit_resample(X, y)
            else:
                X = step.fit(X, y).set_output(transform="pandas").transform(X)
        self.steps[-1][1].fit(X, y)
        return self

    def _iter(self, *_: Any, **__: Any) -> Any:
        for number, (name, step) in enumerate(self.steps):
            if hasattr(step, "transform"):
                yield number, name, step


def resampled(*steps: Any) -> Resampled:
    named = [(f"step{number}", step) for number, step in enumerate(steps)]
    return Resampled(named)


@pytest.mark.parametrize(
    "model",
    [
        resampled(StandardScaler(), Sampler(), LogisticRegression()),
        resampled(Sampler(), forest()),
        resampled(
            make_column_transformer(
                (StandardScaler(), ["z", "x"]), remainder="passthrough"
            ),
            Sampler(),
            forest(),
        ),
    ],
    ids=[0, 1, 2],
)
def test_samplers_are_passed_by(model: Any) -> None:
    model.fit(DATA, APPLY[:, 0])
    client = serve(model)
    inner = [step for _, step in model.steps if hasattr(step, "transform")]
    matrix = ROWS
    for step in inner:
        matrix = step.transform(matrix)
    predictor = model.steps[-1][1]
    rows = post(client, "/preprocess", RECORDS)
    assert rows == matrix.to_dict("records")
    answer = post(client, "/predict?proba=1&explain=1", WITH_BACKGROUND)
    probabilities = predictor.predict_proba(matrix)
    served = [list(row.values()) for row in answer["prediction"]]
    assert np.allclose(served, probabilities)
    sums = []
    for values in answer["explanation"]:
        sums.append(answer["base_value"] + sum(values.values()))
    assert np.allclose(sums, probabilities[:, 1], atol=1e-6)
    for feature in client.get("/features").get_json():
        assert feature["importance"] > 0
    assert ask_info(client)["model"]["is_explainable"] is True
