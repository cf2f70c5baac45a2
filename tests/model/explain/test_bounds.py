"""What explanations and their proofs may cost, and what is said while they are being prepared."""

import threading
import time
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

from python.app import create_app
from python.errors import TooLarge, Unprocessable
from python.model.artifact import Artifact
from python.model.base import Budget
from python.model.explain import (
    coalitions,
    costs,
    explainer,
    linear,
    methods,
    proof,
    readings,
)
from python.model.explain.attribution import Attribute, Attribution
from python.model.explain.costs import Cost, Line, Speed
from python.model.explain.explainer import Explainer
from python.model.explain.verdicts import Unproven
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.clock import Clock
from tests.laws import ask_info
from tests.model.explain.truth import brute_force, load
from tests.models import features, numbers
from tests.problems import problem
from tests.records import explain, of_data

DATA = numbers()


def unprepared(
    estimator: Any, data: pd.DataFrame = DATA, samples: Any = None
) -> SklearnModel:
    content = {
        "model": estimator,
        "metadata": {"features": features(data)},
        "samples": samples,
    }
    return SklearnModel.load(Artifact.of(content))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets each prediction count for a millisecond, whatever it takes."""
    monkeypatch.setattr(methods, "measure_prediction", lambda *_: 0.001)


def wide(n_features: int = 300) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(400, n_features))
    return pd.DataFrame(values, columns=[f"x{n}" for n in range(n_features)])


def record_of(data: pd.DataFrame, row: int = 0) -> dict[str, Any]:
    return dict(data.iloc[row].items())


@pytest.mark.slow
@pytest.mark.usefixtures("slow")
def test_three_hundred_features_are_explained_within_the_limit_or_refused() -> (
    None
):
    """There is an answer with a standard error, or a refusal with the arithmetic."""
    data = wide()
    target = (data.iloc[:, :3].sum(axis=1) > 0).to_numpy(int)
    machine = CalibratedClassifierCV(SVC(), ensemble=False).fit(data, target)
    model = unprepared(machine, data)
    budget = Budget(request_seconds=3, proof_seconds=3)
    model.prepare_explanations(budget)
    client = create_app(Settings(), model).test_client()
    assert ask_info(client)["model"]["explanation_exactness"] == "sampled"
    rows = data.to_dict("records")
    statuses = []
    for n_rows in (1, 400):
        body = {"_data": rows[0], "_samples": rows[:n_rows]}
        response = client.post("/predict?explain=1&proba=1", json=body)
        statuses.append(response.status_code)
        if response.status_code == 413:
            detail = response.get_json()["detail"]
            assert f"1 records x {n_rows} rows of background x 1204" in detail
            assert "at most 3 are spent (MAX_EXPLAIN_SECONDS, " in detail
    assert statuses == [200, 413]


@pytest.mark.usefixtures("slow")
def test_fewer_orders_where_time_is_short_and_their_standard_error() -> None:
    data = wide(20)
    neighbours = KNeighborsRegressor().fit(data, data.sum(axis=1))
    model = unprepared(neighbours, data)
    two_pairs = 2 * 2 * 21
    for_two_rows = 2 * two_pairs * 0.001
    model.prepare_explanations(Budget(request_seconds=1.5 * for_two_rows))
    client = create_app(Settings(), model).test_client()
    body = {"_data": record_of(data), "_samples": [record_of(data, 1)] * 2}
    answer = client.post("/predict?explain=1", json=body).get_json()
    errors = answer["standard_error"]
    assert list(errors) == list(answer["explanation"])
    assert max(errors.values()) > 0
    total = answer["base_value"] + sum(answer["explanation"].values())
    assert total == pytest.approx(answer["prediction"][0])
    body["_data"] = [record_of(data)] * 3
    problem(
        client.post("/predict?explain=1", json=body),
        413,
        "3 records x 2 rows of background x 84 predictions x 1",
    )


@pytest.mark.usefixtures("slow")
def test_a_model_that_is_too_slow_to_be_proven_says_so() -> None:
    model = unprepared(KNeighborsRegressor().fit(DATA, DATA["size"]))
    model.prepare_explanations(Budget(proof_seconds=0.001))
    info = model.info()
    assert info["is_explainable"] is False
    assert "it predicts too slowly" in info["reason"]
    assert "1 records x 1 rows of background x" in info["reason"]


def test_samples_of_the_file_that_could_not_be_used_are_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The machine did much else while they were proven, and nothing afterwards."""

    def take_too_long(*_: object) -> None:
        raise Unproven("it took too long")

    monkeypatch.setattr(explainer, "prove_alone", take_too_long)
    neighbours = KNeighborsRegressor().fit(DATA, DATA["size"])
    model = unprepared(neighbours, samples=DATA.head(20))
    model.prepare_explanations()
    client = create_app(Settings(), model).test_client()
    response = client.post("/predict?explain=1", json=record_of(DATA))
    problem(
        response,
        422,
        "because its explanations with the samples of its file cannot be proven: "
        "it took too long",
    )
    body = {"_data": record_of(DATA), "_samples": [record_of(DATA, 1)]}
    response = client.post("/predict?explain=1", json=body)
    assert response.status_code == 200


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Holds explanations back until it is set."""
    event = threading.Event()
    prove = Explainer.prove_alone

    def prove_late(explainer: Explainer) -> None:
        event.wait(30)
        prove(explainer)

    monkeypatch.setattr(Explainer, "prove_alone", prove_late)
    return event


def test_info_computes_nothing_while_explanations_are_prepared(
    held: threading.Event,
) -> None:
    forest = RandomForestClassifier(5).fit(DATA, DATA["size"] > 0)
    model = unprepared(forest)
    budget = Budget(request_seconds=0.2)
    thread = threading.Thread(
        target=model.prepare_explanations, args=(budget,)
    )
    thread.start()
    client = create_app(Settings(), model).test_client()
    info = ask_info(client)["model"]
    assert info["explanation"] == "being prepared"
    assert info["is_explainable"] is None
    response = client.post("/predict?explain=1", json=record_of(DATA))
    problem(response, 503, "the explanations are being prepared")
    assert response.headers["Retry-After"] == "2"
    held.set()
    thread.join(30)
    assert ask_info(client)["model"]["explanation"] == "ready"
    response = client.post("/predict?explain=1", json=record_of(DATA))
    assert response.status_code == 200


def test_no_number_of_records_is_explained_without_the_background_it_needs() -> (
    None
):
    model = unprepared(LogisticRegression().fit(DATA, DATA["size"] > 0))
    with pytest.raises(Unprocessable, match="needs background rows"):
        model.explained_at_once()


def test_a_request_does_not_prove_what_a_thread_will_prove() -> None:
    """Nobody has begun when the request comes, with a limit that is not the usual one."""
    model = unprepared(RandomForestClassifier(5).fit(DATA, DATA["size"] > 0))
    model.announce_explanations(Budget(request_seconds=0.2))
    client = create_app(Settings(), model).test_client()
    response = client.post("/predict?explain=1", json=record_of(DATA))
    problem(response, 503, "the explanations are being prepared")


def test_a_request_waits_for_explanations_that_are_soon_ready(
    held: threading.Event,
) -> None:
    model = unprepared(RandomForestClassifier(5).fit(DATA, DATA["size"] > 0))
    thread = threading.Thread(target=model.prepare_explanations)
    thread.start()
    threading.Timer(0.2, held.set).start()
    client = create_app(Settings(), model).test_client()
    response = client.post("/predict?explain=1", json=record_of(DATA))
    assert response.status_code == 200
    thread.join(30)


def test_records_are_explained_alone_before_backgrounds_are_proven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = threading.Event()
    monkeypatch.setattr(Explainer, "prove_against", lambda *_: event.wait(30))
    model = unprepared(RandomForestClassifier(5).fit(DATA, DATA["size"] > 0))
    budget = Budget(request_seconds=20)
    thread = threading.Thread(
        target=model.prepare_explanations, args=(budget,)
    )
    thread.start()
    client = create_app(Settings(), model).test_client()
    response = client.post("/predict?explain=1", json=record_of(DATA))
    assert response.status_code == 200
    assert ask_info(client)["model"]["explanation"] == "being prepared"
    event.set()
    thread.join(30)


def test_explanations_that_cannot_be_prepared_cost_no_predictions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(Explainer, "prove_against", fail)
    model = unprepared(RandomForestClassifier(5).fit(DATA, DATA["size"] > 0))
    model.prepare_explanations()
    client = create_app(Settings(), model).test_client()
    info = ask_info(client)["model"]
    assert info["is_explainable"] is False
    assert "out of luck" in info["reason"]
    record = record_of(DATA)
    assert client.post("/predict", json=record).status_code == 200
    problem(client.post("/predict?explain=1", json=record), 422, "out of luck")


def exchange_first_two(attribute: Attribute | None) -> Attribute:
    """Values whose sums hold, and which are wrong."""
    assert attribute is not None

    def exchanged(columns: Any) -> Attribution:
        attribution = attribute(columns)
        values = attribution.values.copy()
        values[:, [0, 1]] = values[:, [1, 0]]
        return attribution._replace(values=values)

    return exchanged


def test_values_that_add_up_and_are_wrong_are_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make = readings.make_interventional

    def make_wrong(*arguments: Any) -> Attribute:
        return exchange_first_two(make(*arguments))

    monkeypatch.setattr(readings, "make_interventional", make_wrong)
    target = DATA["size"] > 0
    forest = RandomForestClassifier(5, random_state=0).fit(DATA, target)
    model = load(forest, DATA)
    background = DATA.tail(9)
    explanation = explain(model, DATA.head(1), background)

    def probability(columns: Any) -> Any:
        return forest.predict_proba(columns)[:, 1]

    expected = brute_force(probability, DATA.head(1), background)
    assert explanation.values[0] == pytest.approx(expected[:, 0], abs=1e-9)
    assert "tree interventional gives other values" in caplog.text


def test_linear_values_that_add_up_and_are_wrong_are_not_used_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Log-odds against the samples of the file are compared as well, with the decision function."""
    make = linear.make_linear

    def make_wrong(*arguments: Any) -> Attribute:
        return exchange_first_two(make(*arguments))

    classifier = LogisticRegression().fit(DATA, DATA["size"] > 0)
    samples = DATA.head(20)
    info = load(classifier, DATA, samples).info()
    assert info["explanation_method"] == "linear"
    assert info["explanation_proven"] == "values"
    monkeypatch.setattr(linear, "make_linear", make_wrong)
    assert load(classifier, DATA, samples).explanation_method() == "exact"


def test_values_that_nothing_could_be_compared_with_are_proven_in_their_sums(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A model that predicts the same for all rows has no values."""
    constant = LogisticRegression().fit(DATA, DATA["size"] > 0)
    constant.coef_ = np.zeros_like(constant.coef_)
    info = load(constant, DATA, DATA.head(20)).info()
    assert info["explanation_method"] == "linear"
    assert info["explanation_proven"] == "sums"
    assert "gives other values" not in caplog.text


def test_a_linear_base_value_is_compared_with_the_background(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sums hold where what is taken from the base value is added to the values."""
    make = linear.make_linear

    def make_shifted(*arguments: Any) -> Attribute:
        attribute = make(*arguments)
        assert attribute is not None

        def shifted(columns: Any) -> Attribution:
            attribution = attribute(columns)
            n_features = attribution.values.shape[1]
            return attribution._replace(
                values=attribution.values + 0.3 / n_features,
                base_value=attribution.base_value - 0.3,
            )

        return shifted

    classifier = LogisticRegression().fit(DATA, DATA["size"] > 0)
    samples = DATA.head(20)
    assert load(classifier, DATA, samples).explanation_method() == "linear"
    monkeypatch.setattr(linear, "make_linear", make_shifted)
    assert load(classifier, DATA, samples).explanation_method() == "exact"


def test_trees_that_are_certain_of_every_row_are_explained() -> None:
    """No row tells the link of their margin, and no other fits."""
    certain = XGBClassifier(
        n_estimators=300,
        learning_rate=1,
        reg_lambda=0,
        min_child_weight=0,
        n_jobs=1,
    ).fit(DATA, DATA["size"] > 0)
    explanation = explain(load(certain, DATA), DATA)
    assert explanation.output == "log_odds"
    total = explanation.base_value + explanation.values.sum(axis=1)
    margin = certain.predict(DATA, output_margin=True)
    assert total == pytest.approx(margin, rel=1e-6)


def test_a_record_that_is_the_background_has_no_values() -> None:
    target = DATA["size"] > 0
    for estimator in (
        RandomForestClassifier(5).fit(DATA, target),
        LogisticRegression().fit(DATA, target),
    ):
        record = DATA.head(1)
        explanation = explain(load(estimator, DATA), record, record)
        assert np.abs(explanation.values).max() < 1e-12


def test_what_is_said_of_a_cost() -> None:
    predictions = Cost.of_predictions(84, Speed(0.001))
    assert predictions.seconds(3, 100) == pytest.approx(25.2)
    assert predictions.arithmetic(3, 100) == (
        "3 records x 100 rows of background x 84 predictions x 1 ms = about 25.2 seconds"
    )
    measured = Cost(Line(1.0, 0.0), Line(0.001, 0.0001))
    assert measured.arithmetic(3, 10) == (
        "3 records against 10 rows of background x 2 ms + 1 seconds to prepare"
        " = about 1.01 seconds"
    )
    prepared = Cost(Line(0.0, 0.0), Line(0.001, 0.0))
    assert (
        prepared.arithmetic(2, 0) == "2 records x 1 ms = about 0.002 seconds"
    )


def test_proofs_have_as_many_rows_as_there_is_time_for() -> None:
    cost = Cost.of_predictions(10, Speed(0.1))
    largest = proof.Sizes(4, 8)
    assert proof._list_sizes(cost, largest, 40.0) == [(4, 8), (1, 8), (1, 1)]
    assert proof._list_sizes(cost, largest, 10.0) == [(1, 8), (1, 1)]
    assert proof._list_sizes(cost, largest, 1.0) == [(1, 1)]
    with pytest.raises(Unproven, match="x 100 ms = about 1 seconds"):
        proof._list_sizes(cost, largest, 0.5)


def test_a_proof_that_takes_too_long_is_made_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine at the start cost the explanations for as long as the process lived."""
    compared = []
    compare_sums = proof._compare_sums

    def compare(method: Any, subject: Any, n_probes: int) -> Any:
        if method.cost is not None:
            compared.append(n_probes)
            if n_probes > 1:
                raise TooLarge("the explanation has taken too long")
        return compare_sums(method, subject, n_probes)

    monkeypatch.setattr(proof, "_compare_sums", compare)
    data = DATA
    model = unprepared(
        KNeighborsRegressor(5).fit(data, data["size"]),
        samples=data.head(8),
    )
    model.prepare_explanations()
    assert model.info()["explanation_method"] == "exact"
    assert compared == [4, 1, 4, 1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which predictions are timed."""
    clock = Clock()
    monkeypatch.setattr(costs, "time", clock)
    # Other threads of the test run may hold up this one.
    monkeypatch.setattr(costs, "_count_waits", int)
    return clock


def test_a_pause_of_the_machine_makes_no_prediction_slow(clock: Clock) -> None:
    """Two of three calls are held up for longer than many predictions take."""
    calls: list[int] = []

    def held_up(rows: Any) -> None:
        calls.append(len(rows))
        clock.now += 1e-7 * len(rows)
        if len(calls) % 3:
            clock.now += 0.02

    seconds = costs.measure_prediction(held_up, DATA.to_numpy())
    assert seconds == pytest.approx(1e-7, rel=0.01)
    assert max(calls) == costs.MOST_TIMED_ROWS


def test_what_else_the_processors_do_makes_no_prediction_slow(
    clock: Clock,
) -> None:
    """A start of many processes at once made predictions seem several times as slow."""

    def compute() -> None:
        clock.now += 0.05
        clock.held_up += 2.0

    assert costs.time_call(compute) == pytest.approx(0.05)


def test_a_processor_that_counts_no_time_does_not_make_a_call_free(
    clock: Clock,
) -> None:
    """That of a virtual machine may, while it is lent to another one."""

    def compute() -> None:
        clock.held_up += 0.05

    assert costs.time_call(compute) == pytest.approx(0.05)


def test_no_prediction_is_free(clock: Clock) -> None:
    """It is divided by, where it is told how many there is time for."""
    assert costs.measure_prediction(len, DATA.to_numpy()) > 0
    assert clock.now == 0


def test_a_call_that_waits_takes_as_long_as_it_waits() -> None:
    def wait() -> None:
        time.sleep(0.05)

    assert costs.time_call(wait) >= 0.05


def test_a_slow_prediction_is_timed_with_few_rows(clock: Clock) -> None:
    calls: list[int] = []

    def slow(rows: Any) -> None:
        calls.append(len(rows))
        clock.now += 0.02 * len(rows)

    seconds = costs.measure_prediction(slow, DATA.to_numpy())
    assert seconds == pytest.approx(0.02)
    assert calls == [1, 1, 1, 8]


def test_a_background_that_nothing_is_proven_for_is_refused() -> None:
    """There is no time to predict mixtures; without them, the trees explain."""
    data = DATA
    booster = GradientBoostingClassifier(n_estimators=5)
    model = unprepared(booster.fit(data, data["size"] > 0))
    model.prepare_explanations(Budget(proof_seconds=1e-9))
    client = create_app(Settings(), model).test_client()
    record = record_of(data)
    alone = client.post("/predict?explain=1", json=record)
    assert alone.get_json()["explained_output"] == "log_odds"
    body = {"_data": record, "_samples": record_of(data, 1)}
    response = client.post("/predict?explain=1", json=body)
    problem(response, 422, 'only be explained without "_samples"')


class Exclusive(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Takes no row with large values of the first two features, and its time for each call."""

    seconds = 0.0
    n_calls = 0

    def fit(self, X: Any, y: Any) -> "Exclusive":  # noqa: ARG002
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Any) -> Any:
        self.n_calls += 1
        time.sleep(self.seconds)
        values = np.asarray(X, dtype=float)
        if (values[:, :2] > 5000).all(axis=1).any():
            raise ValueError("these exclude each other")
        return values.sum(axis=1)


def test_the_row_that_excludes_a_record_is_found_in_few_calls() -> None:
    estimator = Exclusive().fit(DATA, None)
    model = unprepared(estimator)
    model.prepare_explanations()
    client = create_app(Settings(), model).test_client()
    record = record_of(DATA) | {DATA.columns[0]: 6000.0}
    rows = DATA.sample(500, replace=True).to_dict("records")
    rows[433] = rows[433] | {DATA.columns[1]: 7000.0}
    estimator.n_calls = 0
    body = {"_data": [record_of(DATA, 1), record], "_samples": rows}
    response = client.post("/predict?explain=1", json=body)
    problem(response, 422, "record 1 cannot be explained against row 433 of")
    assert estimator.n_calls < 40


def test_a_refused_mixture_is_not_looked_for_longer_than_there_is_time() -> (
    None
):
    estimator = Exclusive().fit(DATA, None)
    table = np.full((65, 2), 1.0)
    table[40, 1] = 6000.0
    table[64, 0] = 6000.0
    mixtures = coalitions.Mixtures(table, coalitions.AllCoalitions(2).members)
    refused = partial(mixtures.find_refused, estimator.predict, 1000)
    assert refused() == "row 40 of the background"
    past = time.monotonic() - 1
    assert refused(past) == "rows 0 to 63 of the background"
    table[40, 1] = 1.0
    assert refused() == ""


def test_what_a_call_takes_counts_for_each_record() -> None:
    """A pipeline takes milliseconds for a call, and next to nothing for a row more."""
    estimator = Exclusive().fit(DATA, None)
    estimator.seconds = 0.01
    model = unprepared(estimator)
    model.prepare_explanations(Budget(request_seconds=1.0))
    client = create_app(Settings(), model).test_client()
    rows = DATA.sample(300, replace=True).to_dict("records")
    estimator.n_calls = 0
    body = {"_data": rows, "_samples": rows[:1]}
    response = client.post("/predict?explain=1", json=body)
    problem(
        response, 413, "300 records x 1 rows of background x 8 predictions"
    )
    assert estimator.n_calls < 5


def test_a_request_has_no_more_time_than_it_may_take_where_proofs_have_more() -> (
    None
):
    estimator = Exclusive().fit(DATA, None)
    model = unprepared(estimator)
    model.prepare_explanations(Budget(request_seconds=0.5, proof_seconds=60))
    client = create_app(Settings(), model).test_client()
    rows = DATA.sample(100, replace=True).to_dict("records")
    estimator.seconds = 0.05  # slower than it was when it was timed
    estimator.n_calls = 0
    body = {"_data": rows, "_samples": rows[:1]}
    response = client.post("/predict?explain=1", json=body)
    problem(response, 413, "has taken more than 0.5 seconds")
    # Ten calls take longer than that, and each record needs one or more.
    assert estimator.n_calls < 20


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_what_is_called_a_transformer_and_is_none_of_a_target(
    n_outputs: int,
) -> None:
    """One of features, and one of several targets, do not keep a model from being explained."""

    class Scaled(RegressorMixin, BaseEstimator):  # type: ignore[misc]
        def fit(self, X: Any, y: Any) -> "Scaled":
            self.transformer_ = StandardScaler().fit(X)
            self.regressor_ = Ridge().fit(self.transformer_.transform(X), y)
            self.n_features_in_ = X.shape[1]
            return self

        def predict(self, X: Any) -> Any:
            return self.regressor_.predict(self.transformer_.transform(X))

    target = DATA.to_numpy()[:, :n_outputs]
    estimator = Scaled()
    if n_outputs > 1:
        estimator = TransformedTargetRegressor(
            KNeighborsRegressor(), transformer=StandardScaler()
        )
    served = load(estimator.fit(DATA, target), DATA)
    explanation = explain(served, DATA[:1], DATA[10:20])
    values = explanation.values[0].reshape(DATA.shape[1], -1)
    expected = brute_force(estimator.predict, DATA[:1], DATA[10:20])
    assert values == pytest.approx(expected)


def test_what_is_prepared_for_a_background_counts_once() -> None:
    forest = RandomForestClassifier(5).fit(DATA, DATA["size"] > 0)
    model = unprepared(forest)
    model.prepare_explanations()
    explainer = model._preparation.wait(alone=False)
    background = of_data(model.schema, DATA[:20])
    proven = explainer._against
    assert proven is not None
    assert explainer._cost(background).once == proven.verdict.cost.once
    record = model.predictions(of_data(model.schema, DATA[:1]))
    model.explain(record, background)
    assert explainer._cost(background).seconds(0, 20) == 0
    assert explainer._cost(background).each == proven.verdict.cost.each
    assert explainer._cost(None).seconds(0, 0) == 0


def test_what_a_call_takes_is_not_what_a_prediction_takes(
    clock: Clock,
) -> None:
    """A pipeline takes 50 ms to be called, and 0.1 ms for a row."""

    def slow_to_call(rows: Any) -> None:
        clock.now += 0.05 + 1e-4 * len(rows)

    seconds = costs.measure_prediction(slow_to_call, DATA.to_numpy())
    assert seconds == pytest.approx(1e-4, rel=0.4)
