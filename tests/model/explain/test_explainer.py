"""Explanations add up, for every estimator, task, data and mode; and are the Shapley values."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy.special import expit
from sklearn.base import is_classifier
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  (makes the import below possible)
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from xgboost import XGBClassifier, XGBRegressor

from python.app import create_app
from python.errors import ArtifactError, Unprocessable
from python.model.explain import linear, readings
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.readings import make_path_dependent
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.laws import ask
from tests.matrix import FLOAT32, Cell, cells
from tests.model.explain.truth import (
    brute_force,
    load,
    shapley_values,
    total,
)
from tests.models import build, numbers
from tests.records import explain, of_data
from tests.serving import Client

SCALE = {"binary": (), "three classes": (3,), "regression": ()}


@pytest.mark.slow
@pytest.mark.parametrize("cell", list(cells()), ids=str)
def test_the_matrix(cell: Cell) -> None:
    model = cell.model
    try:
        explanation = cell.explain()
    except Unprocessable as refused:
        assert cell.mode == "alone"
        assert cell.needs_samples
        assert "needs background rows" in str(refused)
        assert model.info()["needs_samples"]
        return
    assert cell.mode != "alone" or not cell.needs_samples
    frame = cell.frame
    assert explanation.values.shape == (
        5,
        len(frame.columns),
        *SCALE[cell.task],
    )
    assert explanation.base_value.shape == SCALE[cell.task]
    inexact = cell.estimator in FLOAT32
    assert cell.error(explanation) < (1e-4 if inexact else 1e-9)
    if cell.mode == "_samples" and hasattr(model.estimator, "predict_proba"):
        assert explanation.output == "probability"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "forest",
        "pipeline of a forest",
        "logistic",
        "neighbours",
        "boosting",
        "histogram",
        "ridge",
        "classes by boosting",
        "LightGBM",
        "XGBoost",
    ],
)
def test_values_are_the_shapley_values(name: str) -> None:
    data = numbers()
    score = data["size"] + data.iloc[:, 1] * data.iloc[:, 2]
    estimator: Any = {
        "forest": RandomForestClassifier(5, max_depth=4, random_state=0),
        "pipeline of a forest": make_pipeline(
            StandardScaler(),
            RandomForestClassifier(5, max_depth=4, random_state=0),
        ),
        "logistic": LogisticRegression(),
        "neighbours": KNeighborsClassifier(),
        "boosting": GradientBoostingRegressor(n_estimators=5, random_state=0),
        "histogram": HistGradientBoostingRegressor(max_iter=5),
        "ridge": Ridge(),
        "classes by boosting": GradientBoostingClassifier(
            n_estimators=20, random_state=0
        ),
        "LightGBM": LGBMClassifier(
            n_estimators=20, min_child_samples=5, verbose=-1
        ),
        "XGBoost": XGBClassifier(n_estimators=20),
    }[name]
    estimator.fit(
        data.to_numpy(), (score > 0) * 1 if is_classifier(estimator) else score
    )
    records, background = data.to_numpy()[:3], data.to_numpy()[30:40]
    explanation = explain(load(estimator, data), records, background)

    def output(X: Any) -> Any:
        if is_classifier(estimator):
            return estimator.predict_proba(X)[:, 1]
        return estimator.predict(X)

    expected = [
        shapley_values(output, record, background) for record in records
    ]
    assert explanation.values == pytest.approx(np.array(expected), abs=1e-6)


def test_the_seeds_forest_of_three_rows() -> None:
    data = pd.DataFrame(
        [[1, 1, 2], [2, 1, 1], [3, 2, 1]],
        columns=["feature1", "feature2", "feature3"],
    )
    forest = RandomForestClassifier(10, random_state=0).fit(data, [0, 0, 1])
    service = create_app(Settings(), load(forest, data)).test_client()
    answer = ask(
        service,
        "/predict?proba=1&explain=1",
        {"feature1": 1, "feature2": 1, "feature3": 2},
    )
    assert answer["explained_output"] == "probability"
    added = answer["base_value"] + sum(answer["explanation"].values())
    assert added == pytest.approx(answer["prediction"][0]["1"], abs=1e-12)
    assert added == pytest.approx(forest.predict_proba(data)[0, 1], abs=1e-12)


@pytest.mark.parametrize("background", [1, "identical", 300])
@pytest.mark.parametrize(
    "name",
    [
        "build_rf_binary",
        "lightgbm",
        "logistic",
        "neighbours",
        "pipeline",
        "catboost",
    ],
)
def test_backgrounds_of_all_kinds(
    name: str, background: int | str, client: Client
) -> None:
    records = build(name).records(100)
    samples = {
        1: records[:1],
        "identical": records[1:2] * 10,
        300: records * 3,
    }[background]
    answer = ask(
        client(name),
        "/predict?proba=1&explain=1",
        {"_data": records[:2], "_samples": samples},
    )
    for row, probabilities in zip(
        answer["explanation"], answer["prediction"], strict=True
    ):
        added = answer["base_value"] + sum(row.values())
        assert added == pytest.approx(
            list(probabilities.values())[1], abs=1e-5
        )


def test_every_row_of_a_background_counts(client: Client) -> None:
    records = build("build_rf_binary").records(200)
    probabilities = ask(client(), "/predict?proba=1", records)["prediction"]
    answer = ask(
        client(),
        "/predict?explain=1",
        {"_data": records[0], "_samples": records},
    )
    assert answer["base_value"] == pytest.approx(
        np.mean([row["1"] for row in probabilities]), abs=1e-6
    )


def test_the_same_background_again_is_compiled_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    make_interventional = readings.make_interventional

    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return make_interventional(*arguments)

    monkeypatch.setattr(readings, "make_interventional", counted)
    service = client("forest of an array")
    records = build("forest of an array").records(20)
    body = {"_data": records[:2], "_samples": records}
    first = ask(service, "/predict?explain=1", body)
    compiled = len(made)
    assert ask(service, "/predict?explain=1", body) == first
    assert len(made) == compiled
    ask(
        service,
        "/predict?explain=1",
        {"_data": records[:2], "_samples": records[1:]},
    )
    assert len(made) == compiled + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "build_rf_binary",
        "lightgbm",
        "xgboost",
        "catboost",
        "logistic",
        "neighbours",
        "histogram",
    ],
)
def test_threads_get_the_answers_that_one_gets_alone(
    name: str, client: Client
) -> None:
    service = client(name)
    records = build(name).records(24)
    bodies = [
        records[n]
        if n % 2
        else {"_data": records[n], "_samples": records[n % 3 : 6]}
        for n in range(24)
    ]
    alone = [
        service.post("/predict?explain=1", json=body).text for body in bodies
    ]

    def post(body: Any) -> str:
        response = service.application.test_client().post(
            "/predict?explain=1", json=body
        )
        return str(response.text)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(post, bodies * 3)) == alone * 3


class Shifts:
    """Lets a method give values that are shifted by `amount`, once it has been proven."""

    def __init__(self, make: Callable[..., Attribute | None]) -> None:
        self.amount = 0.0
        self._make = make

    def __call__(self, *arguments: Any) -> Attribute | None:
        attribute = self._make(*arguments)
        if attribute is None:
            return None

        def shifted(columns: Any) -> Attribution:
            attribution = attribute(columns)
            values = attribution.values + self.amount
            return attribution._replace(values=values)

        return shifted


def test_a_method_that_stops_adding_up_is_not_used(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifts = Shifts(linear.make_linear)
    monkeypatch.setattr(linear, "make_linear", shifts)
    data = numbers()
    ridge = Ridge().fit(data, data["size"])
    model = load(ridge, data, data.head(20))
    assert model.explanation_method() == "linear"
    shifts.amount = 0.01
    explanation = explain(model, data.head(2))
    assert total(explanation) == pytest.approx(ridge.predict(data.head(2)))
    assert "the first method does not add up" in caplog.text


def test_a_record_starts_from_no_other_base_value_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Behind trees stand the samples of the file: with these, another question is answered."""
    shifts = Shifts(make_path_dependent)
    monkeypatch.setattr(readings, "make_path_dependent", shifts)
    data = numbers()
    forest = RandomForestClassifier(5, random_state=0)
    forest.fit(data, data["size"] > 0)
    model = load(forest, data, data.head(20))
    assert model.info()["explanation_background"] == "training data"
    shifts.amount = 0.01
    with pytest.raises(Unprocessable, match="no method gives values"):
        explain(model, data.head(2))


def test_a_method_that_is_wrong_at_load_is_not_chosen() -> None:
    class Twisted(RandomForestClassifier):  # type: ignore[misc]
        """Serves another probability than its trees have."""

        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(X)[:, ::-1] ** 2 / (
                super().predict_proba(X) ** 2
            ).sum(axis=1, keepdims=True)

    data = numbers()
    twisted = Twisted(5, max_depth=2, random_state=0).fit(
        data, data["size"] > 0
    )
    assert (
        load(twisted, data, data.head(20)).info()["explanation_method"]
        == "exact"
    )
    assert load(twisted, data).info()["needs_samples"]


def of_timestamps() -> tuple[Any, pd.DataFrame]:
    """A model of times in seconds, which float32 rounds to two minutes, and its data."""
    data = numbers().assign(size=1.7e9 + np.arange(120) * 7.0)
    regressor = LGBMRegressor(n_estimators=20, min_child_samples=3, verbose=-1)
    return regressor.fit(data, np.sin(np.arange(120))), data


def test_large_timestamps_do_not_lead_a_background_astray() -> None:
    regressor, data = of_timestamps()
    explanation = explain(load(regressor, data), data.head(20), data.tail(30))
    assert total(explanation) == pytest.approx(
        regressor.predict(data.head(20)), abs=1e-6
    )


def test_a_row_that_one_method_misreads_leaves_the_others_as_they_are_alone() -> (
    None
):
    regressor, data = of_timestamps()
    model = load(regressor, data)
    background = data.tail(30)
    together = explain(model, data.head(20), background)
    alone = [
        explain(model, data.iloc[row : row + 1], background)
        for row in range(20)
    ]
    assert together.values == pytest.approx(
        np.concatenate([part.values for part in alone])
    )


def test_a_decision_for_each_pair_of_classes_explains_none() -> None:
    data = numbers()
    model = load(
        SVC(decision_function_shape="ovo").fit(data, np.arange(120) % 4), data
    )
    assert not model.info()["is_explainable"]
    with pytest.raises(Unprocessable, match="cannot be explained"):
        explain(model, data.head(2), data.head(9))


def shapley_error(
    model: SklearnModel, records: pd.DataFrame, background: pd.DataFrame
) -> float:
    """How far the values are from those by definition, for a regressor."""

    def output(X: Any) -> Any:
        return model.estimator.predict(
            pd.DataFrame(X, columns=records.columns)
        )

    explanation = explain(model, records, background)
    expected = [
        shapley_values(output, record, background.to_numpy())
        for record in records.to_numpy()
    ]
    return float(np.abs(explanation.values - np.array(expected)).max())


def test_a_background_with_missing_values_is_read_as_the_model_reads_it() -> (
    None
):
    data, lacking = numbers(), numbers(missing=True)
    model = load(
        LGBMRegressor(n_estimators=20, verbose=-1).fit(
            data, data["size"] + data.iloc[:, 1]
        ),
        data,
    )
    assert shapley_error(model, data.head(3), data.iloc[10:30]) < 1e-9
    assert shapley_error(model, data.head(3), lacking.iloc[10:30]) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("samples", [1, "identical", 30])
@pytest.mark.parametrize(
    "mixer",
    [Normalizer(), KNNImputer(), IterativeImputer()],
    ids=lambda mixer: type(mixer).__name__,
)
def test_steps_that_mix_features_are_found_out(
    mixer: Any, samples: int | str
) -> None:
    lacking = (
        numbers() if isinstance(mixer, Normalizer) else numbers(missing=True)
    )
    clean = lacking.dropna()
    forest = RandomForestRegressor(10, max_depth=5, random_state=0)
    model = make_pipeline(mixer, forest).fit(lacking, numbers().sum(axis=1))
    rows = {
        1: clean[:1],
        "identical": pd.concat([clean[:1]] * 9),
        30: clean[:30],
    }[samples]
    loaded = load(model, lacking, rows)
    assert loaded.info()["explanation_method"] == "exact"
    incomplete = (
        lacking
        if isinstance(mixer, Normalizer)
        else lacking[lacking.isna().any(axis=1)]
    )
    assert shapley_error(loaded, incomplete.head(3), clean[20:40]) < 1e-9


def test_samples_that_the_model_refuses_are_named() -> None:
    data = numbers()
    samples = data.head(30).copy()
    samples.iloc[22, 1] = np.nan
    for estimator in (LogisticRegression(), KNeighborsClassifier()):
        with pytest.raises(
            ArtifactError,
            match="samples, row 22: the model does not take these values",
        ):
            load(estimator.fit(data, data["size"] > 0), data, samples)


def test_small_outputs_of_large_parts_are_explained() -> None:
    data = numbers()
    model = load(
        XGBRegressor(n_estimators=20, base_score=100.0).fit(
            data, data["size"]
        ),
        data,
    )
    explanation = explain(model, data.head(9))
    assert total(explanation) == pytest.approx(
        model.estimator.predict(data.head(9)), abs=1e-3
    )


def test_made_up_rows_that_overflow_prove_nothing() -> None:
    data = numbers()
    model = TransformedTargetRegressor(
        Ridge(), func=np.log1p, inverse_func=np.expm1
    ).fit(data, data["size"] ** 2)
    explanation = explain(load(model, data), data.head(2), data.tail(9))
    assert explanation.output == "margin"
    predicted = np.expm1(total(explanation))
    assert predicted == pytest.approx(model.predict(data.head(2)))


class Ordinal(LogisticRegression):  # type: ignore[misc]
    """Knows probabilities in the range of its training alone, as models of ordered classes do."""

    def fit(self, X: Any, y: Any) -> "Ordinal":
        self.largest_ = np.abs(np.asarray(X)).max(axis=0)
        super().fit(X, y)
        return self

    def predict_proba(self, X: Any) -> Any:
        probabilities = super().predict_proba(X)
        is_beyond = (np.abs(np.asarray(X)) > self.largest_).any(axis=1)
        probabilities[is_beyond] = np.nan
        return probabilities


@pytest.mark.parametrize("has_samples", [False, True])
def test_rows_without_probabilities_prove_nothing(has_samples: bool) -> None:
    data = numbers() * 1e-6  # so that no row that is made up is in the range
    score = data.sum(axis=1)
    target = np.digitize(score, np.quantile(score, [0.3, 0.7]))
    model = Ordinal(C=1e12).fit(data, target)
    loaded = load(model, data, data.tail(9) if has_samples else None)
    info = loaded.info()
    assert info["is_explainable"], info["reason"]
    assert info["needs_samples"] != has_samples
    background = data.head(9)
    explanation = explain(loaded, data[50:52], background)
    expected = brute_force(model.predict_proba, data[50:51], background)
    assert explanation.values[0] == pytest.approx(expected, abs=1e-12)
    with pytest.raises(Unprocessable, match="cannot be explained"):
        explain(loaded, data[50:51] * 1e6, background)


# scikit-learn's own, of what LocalOutlierFactor does inside.
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize(
    "estimator",
    [
        IsolationForest(n_estimators=9, random_state=0),
        OneClassSVM(),
        LocalOutlierFactor(novelty=True),
        make_pipeline(
            StandardScaler(), IsolationForest(n_estimators=9, random_state=0)
        ),
    ],
)
def test_the_score_of_an_outlier_detector_is_explained(
    estimator: Any,
) -> None:
    data = numbers()
    model = estimator.fit(data)
    loaded = load(model, data)
    info = loaded.info()
    assert info["is_explainable"]
    is_behind_a_scaler = isinstance(estimator, Pipeline)
    assert info["needs_samples"] != is_behind_a_scaler
    background = data.head(12)
    explanation = explain(loaded, data[40:42], background)
    assert explanation.output == "margin"
    predictions = loaded.predictions(of_data(loaded.schema, data[40:42]))
    assert total(explanation) == pytest.approx(predictions.scores, abs=1e-12)
    for row in range(2):
        record = data.iloc[40 + row : 41 + row]
        expected = brute_force(model.decision_function, record, background)
        assert explanation.values[row] == pytest.approx(
            expected[:, 0], abs=1e-12
        )


def test_the_components_of_a_mixture_are_explained() -> None:
    data = numbers()
    model = GaussianMixture(3, random_state=0).fit(data)
    explanation = explain(load(model, data), data[:1], data.tail(9))
    expected = brute_force(model.predict_proba, data[:1], data.tail(9))
    assert explanation.output == "probability"
    assert explanation.values[0] == pytest.approx(expected, abs=1e-12)


def test_what_has_no_output_says_so() -> None:
    data = numbers()
    info = load(KMeans(2, n_init=1).fit(data), data).info()
    assert not info["is_explainable"]
    assert "neither" in info["reason"]


def test_sure_probabilities_in_float32_are_explained_one_by_one() -> None:
    """Near 1 a float32 is off by more than its log-odds can explain in float64."""
    data = numbers()
    target = (data.sum(axis=1) > 0).astype(int)
    booster = XGBClassifier(n_estimators=300, learning_rate=1.0)
    booster.fit(data, target)
    model = load(booster, data)
    margins = booster.predict(data, output_margin=True)
    surest = np.argsort(-margins)[:20]
    for row in surest:
        explanation = explain(model, data.iloc[[row]])
        assert explanation.output == "log_odds"
        assert total(explanation) == pytest.approx(margins[row], rel=1e-4)


def test_log_odds_that_are_their_own_probability_are_called_log_odds() -> None:
    data = numbers()
    model = LogisticRegression().fit(data, data["size"] > 0)
    own = 0.5
    for _ in range(200):
        own = float(expit(own))
    row = data[:1].copy()
    row["size"] += (own - model.decision_function(row)[0]) / model.coef_[0, 0]
    assert model.predict_proba(row)[0, 1] == pytest.approx(own, rel=1e-14)
    served = load(model, data, samples=data[:20])
    assert explain(served, row).output == "log_odds"
    assert explain(served, data[:2]).output == "log_odds"


def test_a_decision_of_zero_is_no_log_odds_where_others_are_none() -> None:
    """Where the decision is clipped to a probability, 0 alone is one half in both ways."""
    data = numbers()
    model = SGDClassifier(loss="modified_huber", random_state=0)
    model.fit(data, data["size"] > 0)
    row = data[:1].copy()
    row["size"] -= model.decision_function(row)[0] / model.coef_[0, 0]
    served = load(model, data, samples=data[:20])
    assert explain(served, row).output == "margin"
    assert explain(served, data[:2]).output == "margin"
