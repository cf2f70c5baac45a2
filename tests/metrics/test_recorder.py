"""What is counted of exchanges, compared with what was sent."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from flask.testing import FlaskClient
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from python.app import create_app
from python.metrics.bins import name_values
from python.metrics.folder import Slot
from python.metrics.prediction_counts import find_bounds
from python.metrics.recorder import Recorder
from python.metrics.service_counts import MAX_CLIENTS
from python.model.artifact import Artifact
from python.model.saving.artifacts import Wishes, make_artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.metrics.scrapes import Scrape
from tests.serving import Client, load_odd

RECORD = {"feature1": 1, "feature2": 1, "feature3": 2}
N_ROWS = 200


def read(client: FlaskClient) -> Scrape:
    return Scrape(client.get("/metrics").get_data(as_text=True))


def test_each_request_is_counted_by_its_route_and_status(
    client: Client,
) -> None:
    service = client(metrics_public=True, max_explain_rows=1)
    sent = [
        ("/predict", service.post("/predict", json=RECORD)),
        ("/predict", service.post("/predict", json=[RECORD, RECORD])),
        ("/predict", service.post("/predict?explain=1", json=[RECORD] * 2)),
        ("/predict", service.post("/predict", data="{")),
        ("/predict", service.post("/predict", json={**RECORD, "x": 1})),
        ("/predict", service.get("/predict")),
        ("none", service.get("/predict/x")),
        ("none", service.get("/metrics/")),
        ("/docs/<name>", service.get("/docs/nothing.js")),
        ("/health", service.get("/health")),
        ("/health", service.head("/health")),
    ]
    counted = Counter(
        (route, str(response.status_code)) for route, response in sent
    )
    said = read(service)
    assert said.requests() == counted
    assert said.by("reason", "service_problems_total") | {
        "not_found": 3,
        "method_not_allowed": 1,
        "not_understood": 1,
        "records": 1,
        "explain_rows": 1,
    } == said.by("reason", "service_problems_total")
    assert said.total("service_problems_total") == 7
    # The scrape itself is counted once it is over.
    assert read(service).requests()["/metrics", "200"] == 1


def test_a_problem_has_its_reason(client: Client) -> None:
    service = client(metrics_public=True, max_content_length=100, api_key="k")
    headers = {"X-API-Key": "k"}
    service.get("/info")
    service.post("/predict", headers=headers, data=b" " * 101)
    service.post(
        "/predict", headers=headers, data="a\n" * 40, content_type="text/csv"
    )
    service.post(
        "/predict", headers=headers, data="x", content_type="image/png"
    )
    text = service.get("/metrics", headers=headers).get_data(as_text=True)
    reasons = Scrape(text).by("reason", "service_problems_total")
    assert {name: count for name, count in reasons.items() if count} == {
        "unauthorized": 1,
        "body_size": 1,
        "values": 1,
        "unsupported_media_type": 1,
    }


def test_there_is_no_route_unless_a_setting_says_so(client: Client) -> None:
    assert client().get("/metrics").status_code == 404
    closed = client(metrics_public=True, api_key="k")
    assert closed.get("/metrics").status_code == 401


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    random = np.random.default_rng(3)
    numbers = random.normal(size=N_ROWS)
    return pd.DataFrame(
        {
            "size": numbers,
            "gappy": np.where(random.random(N_ROWS) < 0.2, np.nan, numbers),
            "count": random.integers(0, 5, N_ROWS),
            "flag": random.random(N_ROWS) < 0.5,
            "colour": pd.Categorical(random.choice(["a", 'b"', "c"], N_ROWS)),
            "word": random.choice(["x", "y"], N_ROWS),
            "date": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(random.integers(0, 900, N_ROWS), unit="D"),
        }
    )


def load(
    estimator: Any, table: pd.DataFrame, path: Path, **wishes: Any
) -> SklearnModel:
    """What `save_model` makes, without the proof of it, which takes seconds."""
    named = Wishes(None, None, {}, n_samples=100, n_examples=10)
    content, _ = make_artifact(estimator, table, named._replace(**wishes))
    joblib.dump(content, path)
    return SklearnModel.load(Artifact.load(path))


def serve(model: SklearnModel) -> FlaskClient:
    return create_app(Settings(metrics_public=True), model).test_client()


def to_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    records = []
    for row in table.to_dict("records"):
        record: dict[str, Any] = {}
        for name, value in row.items():
            is_gap = isinstance(value, float) and np.isnan(value)
            record[str(name)] = None if is_gap else value
        record["date"] = record["date"].isoformat()
        records.append(record)
    return records


def post_in_parts(
    service: FlaskClient, records: list[dict[str, Any]], at_once: int
) -> None:
    for start in range(0, len(records), at_once):
        body = records[start : start + at_once]
        assert service.post("/predict", json=body).status_code == 200


@pytest.mark.parametrize("at_once", [1, 7, 200])
def test_training_data_is_in_the_bins_that_it_is_expected_in(
    table: pd.DataFrame, tmp_path: Path, at_once: int
) -> None:
    """One by one or many at once: the shares are those of the profile, exactly."""
    estimator = DummyClassifier().fit(table, table["count"] > 2)
    service = serve(load(estimator, table, tmp_path / "model.joblib"))
    before = read(service)
    assert before.total("model_feature_values_total") == 0
    assert before.total("model_features_without_bins") == 0
    records = to_records(table)
    post_in_parts(service, records, at_once)
    said = read(service)
    assert said.total("model_records_total") == N_ROWS
    for feature in table.columns:
        counted = said.by("bin", "model_feature_values_total", feature=feature)
        expected = said.by(
            "bin", "model_feature_expected_share", feature=feature
        )
        assert sum(counted.values()) == N_ROWS
        assert {name: count / N_ROWS for name, count in counted.items()} == (
            pytest.approx(expected)
        )
    n_missing = int(table["gappy"].isna().sum())
    assert said.total("model_missing_values_total", feature="gappy") == (
        n_missing
    )
    assert (
        said.by("bin", "model_feature_values_total", feature="gappy")[
            "missing"
        ]
        == n_missing
    )
    assert said.by("class", "model_predictions_total") == {
        "False": N_ROWS,
        "True": 0,
        "other": 0,
    }


@pytest.mark.parametrize("at_once", [1, 200])
@pytest.mark.parametrize("fast", [True, False])
def test_gaps_are_counted_where_all_features_are_numbers(
    table: pd.DataFrame, tmp_path: Path, at_once: int, fast: bool
) -> None:
    numbers = table[["size", "gappy"]]
    estimator = DecisionTreeRegressor(max_depth=3).fit(numbers, table["count"])
    model = load(estimator, numbers, tmp_path / "model.joblib")
    if fast:
        model.speed_up()
    service = serve(model)
    records: list[dict[str, Any]] = []
    for size, gappy in numbers.to_numpy().tolist():
        is_gap = np.isnan(gappy)
        records.append({"size": size, "gappy": None if is_gap else gappy})
    post_in_parts(service, records, at_once)
    n_missing = int(numbers["gappy"].isna().sum())
    said = read(service)
    bins = said.by("bin", "model_feature_values_total", feature="gappy")
    assert bins["missing"] == n_missing > 0
    assert sum(bins.values()) == N_ROWS
    assert min(bins.values()) >= 0
    assert said.total("model_missing_values_total") == n_missing


@pytest.mark.parametrize("at_once", [1, 200])
@pytest.mark.parametrize("fast", [True, False])
def test_defaults_are_counted_as_missing(
    table: pd.DataFrame, tmp_path: Path, at_once: int, fast: bool
) -> None:
    numbers = table[["size", "gappy"]]
    estimator = LinearRegression().fit(numbers.fillna(0), table["count"])
    path = tmp_path / "model.joblib"
    model = load(estimator, numbers.fillna(0), path, defaults={"gappy": 0.0})
    if fast:
        model.speed_up()
    service = serve(model)
    records: list[dict[str, Any]] = []
    for size, gappy in numbers.to_numpy().tolist():
        is_gap = np.isnan(gappy)
        records.append(
            {"size": size} if is_gap else {"size": size, "gappy": gappy}
        )
    post_in_parts(service, records, at_once)
    n_missing = int(numbers["gappy"].isna().sum())
    said = read(service)
    bins = said.by("bin", "model_feature_values_total", feature="gappy")
    assert bins["missing"] == n_missing
    assert sum(bins.values()) == N_ROWS
    assert min(bins.values()) == 0
    assert said.total("model_defaulted_values_total") == n_missing
    assert said.total("model_missing_values_total") == 0
    predicted = service.post("/predict", json=records).get_json()["prediction"]
    assert said.total("model_predicted_value_count") == N_ROWS
    assert said.total("model_predicted_value_sum") == (
        pytest.approx(sum(predicted))
    )
    buckets = said.by("le", "model_predicted_value_bucket")
    for bound, count in buckets.items():
        assert count == pytest.approx(
            sum(number <= float(bound) for number in predicted), abs=1
        )


def test_values_beyond_the_training_data_have_bins_of_their_own(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    numbers = table[["size"]]
    estimator = LinearRegression().fit(numbers, table["count"])
    service = serve(load(estimator, numbers, tmp_path / "model.joblib"))
    body = [{"size": -1e300}, {"size": 1e300}, {"size": 0.0}]
    assert service.post("/predict", json=body).status_code == 200
    bins = read(service).by("bin", "model_feature_values_total")
    labels = list(bins)
    assert len(labels) == 13
    assert [bins[labels[0]], bins[labels[11]], bins["missing"]] == [1, 1, 0]
    assert labels[0].startswith("00: below ")
    assert labels[11].endswith(" or above")


@pytest.mark.parametrize("at_once", [1, 7, 41])
def test_many_features_are_counted_as_numpy_counts_them(
    tmp_path: Path, at_once: int
) -> None:
    """One by one the numbers of a record are counted together, in many each feature for itself."""
    random = np.random.default_rng(7)
    table = pd.DataFrame(random.integers(-9, 9, (N_ROWS, 40)) / 4.0)
    table.columns = [f"x{number}" for number in range(40)]
    table.loc[::3, "x5"] = np.nan
    table["x8"] = table["x8"] > 0
    estimator = DummyClassifier().fit(table, table["x1"] > 0)
    model = load(estimator, table, tmp_path / "model.joblib")
    service = serve(model)
    # Many values are on an edge; others are beyond all of them.
    asked = table.iloc[:41].copy()
    asked.loc[0, [f"x{number}" for number in range(10, 20)]] = 1e300
    asked.loc[1, [f"x{number}" for number in range(10, 20)]] = -1e300
    records = json.loads(asked.to_json(orient="records"))
    for start in range(0, len(records), at_once):
        body = records[start : start + at_once]
        assert service.post("/predict", json=body).status_code == 200
    said = read(service)
    for name, column in asked.items():
        counted = said.by("bin", "model_feature_values_total", feature=name)
        numbers = column.to_numpy(dtype=float)
        edges = model.profile[name].get("edges", [0.5])
        places = np.digitize(numbers[~np.isnan(numbers)], edges)
        *below, missing = counted.values()
        assert below == np.bincount(places, minlength=len(edges) + 1).tolist()
        assert missing == np.isnan(numbers).sum()


def test_classes_are_counted_alike_with_and_without_probabilities(
    client: Client,
) -> None:
    service = client("build_rf_multiclass", metrics_public=True)
    body = [{**RECORD, "feature1": number} for number in range(-5, 6)]
    names = service.get("/info").get_json()["model"]["class_names"]
    expected: Counter[str] = Counter()
    for part in (body, body[:1]):
        labels = service.post("/predict", json=part).get_json()
        expected.update(names[label] for label in labels["prediction"])
        tables = service.post("/predict?proba=1", json=part).get_json()
        for table in tables["prediction"]:
            expected[max(table, key=table.__getitem__)] += 1
    counted = read(service).by("class", "model_predictions_total")
    assert {name: n for name, n in counted.items() if n} == expected


def test_faults_are_counted_by_feature_and_kind(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    estimator = DummyClassifier().fit(table, table["flag"])
    service = serve(load(estimator, table, tmp_path / "model.joblib"))
    good = to_records(table)[0]
    bad = {
        ("size", "type"): {**good, "size": "s3cret"},
        ("size", "missing"): {**good, "size": None},
        ("count", "value"): {**good, "count": 3.5},
        ("count", "type"): {**good, "count": True},
        ("flag", "type"): {**good, "flag": 1},
        ("colour", "category"): {**good, "colour": "s3cret"},
        ("colour", "type"): {**good, "colour": 7},
        ("date", "value"): {**good, "date": "2024-02-30"},
        ("other", "unknown"): {**good, "s3cret": 1},
        ("other", "record"): [7],
    }
    for body in bad.values():
        assert service.post("/predict", json=body).status_code == 422
    csv = ",".join(good) + "\n" + ",".join(["s3cret"] + [""] * 6)
    response = service.post("/predict", data=csv, content_type="text/csv")
    assert response.status_code == 422
    said = read(service)
    for feature, kind in bad:
        n_faults = said.total("model_faults_total", feature=feature, kind=kind)
        assert n_faults >= 1, (feature, kind)
    assert said.total("model_faults_total", kind="type") >= 5
    assert said.total("service_problems_total", reason="records") == 11
    assert "s3cret" not in said.text


def test_clients_are_bounded_also_after_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        recorder = Recorder(Slot(tmp_path, 1), ["/x"], "FAMILY")
        for number in range(MAX_CLIENTS + 10):
            recorder.follow(make_exchange(client=f"client {number}"))
    said = read_folder(tmp_path)
    by_client = said.by("client", "service_client_requests_total")
    assert len(by_client) == MAX_CLIENTS + 1
    assert by_client["other"] == 20
    assert by_client["client 0"] == 2


def test_an_unusual_status_or_route_is_counted_too(tmp_path: Path) -> None:
    recorder = Recorder(Slot(tmp_path, 1), ["/x"], "FAMILY")
    recorder.follow(make_exchange(status=418, client="c"))
    recorder.follow(make_exchange(status=101, client="c", route=""))
    said = read_folder(tmp_path)
    assert said.requests() == {("/x", "other"): 1, ("none", "other"): 1}
    assert said.total("service_problems_total", reason="other") == 1


def test_threads_lose_no_count(tmp_path: Path) -> None:
    recorder = Recorder(Slot(tmp_path, 1), ["/x"], "FAMILY")
    exchange = make_exchange(client="c")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(recorder.follow, [exchange] * 20_000))
    said = read_folder(tmp_path)
    assert said.total("service_requests_total") == 20_000
    assert said.total("service_client_requests_total") == 20_000
    assert said.total("service_request_duration_seconds_sum") == 20_000 * 0.125


def test_what_cannot_be_counted_is_said_once_and_fails_no_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(Slot(tmp_path, 1), ["/x"], "FAMILY")
    for _ in range(3):
        recorder.follow(make_exchange(route="/y"))
    assert len(caplog.records) == 1


def intervals(*edges: float) -> dict[str, Any]:
    shares = [1 / (len(edges) + 1)] * (len(edges) + 1)
    return {"x": {"missing_share": 0, "edges": edges, "shares": shares}}


@pytest.mark.parametrize(
    "profile", [{"x": 7}, intervals(2, 1), intervals(np.nan), {"x": {}}]
)
def test_a_profile_of_another_kind_has_no_bins(profile: Any) -> None:
    model = load_odd()
    model.profile = profile
    service = serve(model)
    service.post("/predict", json={"x": 1})
    said = read(service)
    assert said.total("model_records_total") == 1
    assert "model_feature_values" not in said.types
    assert said.total("model_features_without_bins") == 1


@pytest.mark.parametrize(
    ("predictions", "bounds"),
    [
        ([1.0, np.nan], (1.0,)),
        ([np.nan], ()),
        ([np.inf] * 20 + [1.0], (1.0,)),
        ([2.0, 2.0], (2.0,)),
    ],
)
def test_a_bound_is_a_finite_number(
    predictions: list[float], bounds: tuple[float, ...]
) -> None:
    """A file without a profile of its predictions has those of its examples."""
    model: Any = SimpleNamespace(
        prediction_profile={},
        examples=SimpleNamespace(predictions=predictions),
    )
    assert find_bounds(model) == bounds


@pytest.mark.parametrize(
    "values",
    [
        ["other #1", "other", "missing"],
        ["missing", "missing #0", "missing #0 #1"],
        ["", " #0", "x" * 70, "x" * 71, "x" * 60 + " #3"],
    ],
)
def test_no_label_is_there_twice(values: list[str]) -> None:
    labels = name_values(values)
    taken = {*labels, "missing", "other", ""}
    assert len(taken) == len(values) + 3


def test_many_categories_and_features_are_bounded(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    words = [f"word {number}" for number in range(80)]
    table = pd.DataFrame({"word": pd.Categorical(random.choice(words, 2000))})
    encoder = OneHotEncoder()
    estimator = make_pipeline(encoder, LinearRegression()).fit(
        table, random.normal(size=2000)
    )
    service = serve(load(estimator, table, tmp_path / "model.joblib"))
    body = [{"word": word} for word in words]
    assert service.post("/predict", json=body).status_code == 200
    bins = read(service).by("bin", "model_feature_values_total")
    assert len(bins) == 52
    assert bins["other"] == 30


def read_folder(folder: Path) -> Scrape:
    from python.metrics.exposition import expose_folder

    return Scrape(expose_folder(folder)().decode())


def make_exchange(**values: Any) -> Any:
    usual = {
        "route": "/x",
        "status": 200,
        "client": "",
        "predictions": None,
        "error": None,
        "seconds": 0.125,
        "predict_seconds": 0.0,
        "explain_seconds": 0.0,
    }
    return SimpleNamespace(**(usual | values))
