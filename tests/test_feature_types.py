"""Models of whole numbers, booleans and dates answer as their estimators do, fast where they can."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)

from python.model.data.records import Records
from tests.artifacts import client_of, content, load, post, problems

ROWS = 120
RNG = np.random.default_rng(3)
DATA = pd.DataFrame(
    {
        "rooms": RNG.integers(0, 9, ROWS),
        "garden": RNG.random(ROWS) < 0.4,
        "size": RNG.normal(50, 20, ROWS).round(2),
    }
)
TARGET = (DATA["rooms"] + 3 * DATA["garden"] > 5).astype(int)
FEATURES: list[dict[str, Any]] = [
    {"name": "rooms", "type": "integer"},
    {"name": "garden", "type": "boolean"},
    {"name": "size", "type": "numeric"},
]
MODELS = {
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "columns": lambda: make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["rooms", "size"]),
            (OneHotEncoder(), ["garden"]),
        ),
        LogisticRegression(),
    ),
}


@pytest.fixture(scope="module", params=MODELS)
def served(request: pytest.FixtureRequest) -> Any:
    model = MODELS[request.param]().fit(DATA, TARGET)
    loaded = load(content(FEATURES, model, samples=DATA))
    loaded.speed_up()
    return loaded, model


def test_integers_and_booleans_have_a_copy_equal_to_the_bit(
    served: Any,
) -> None:
    loaded, model = served
    assert loaded.info()["fast_predict"], loaded.info()
    rows = list(DATA.itertuples(index=False, name=None))
    own = model.predict_proba(DATA)
    together = loaded.predict_proba(Records(loaded.schema, rows))
    assert loaded.copy.output(Records(loaded.schema, rows)) is not None
    assert together.tobytes() == own.tobytes()
    for number, row in enumerate(rows[:20]):
        expected = model.predict_proba(DATA.iloc[[number]])
        alone = loaded.predict_proba(Records(loaded.schema, [row]))
        assert alone.tobytes() == expected.tobytes()


@pytest.mark.parametrize("rooms", [2**53, 2**53 + 1, -(2**53), 2**63 - 1])
def test_an_integer_beyond_the_exact_ones_is_left_to_the_estimator(
    served: Any, rooms: int
) -> None:
    loaded, model = served
    records = Records(loaded.schema, [(rooms, True, 1.0)])
    assert loaded.copy.output(records) is None
    own = model.predict_proba(pd.DataFrame([[rooms, True, 1.0]], columns=list(DATA)))  # fmt: skip
    assert loaded.predict_proba(records).tobytes() == own.tobytes()
    exact = Records(loaded.schema, [(2**53 - 1, True, 1.0)])
    is_forest = isinstance(model, RandomForestClassifier)
    assert (loaded.copy.output(exact) is not None) or not is_forest


@pytest.mark.parametrize(
    "model",
    [RandomForestClassifier(5, random_state=0), LGBMClassifier(n_estimators=3, verbose=-1)],
    ids=["forest", "boosting"],
)  # fmt: skip
def test_integers_and_booleans_are_explained(model: Any) -> None:
    client = client_of(content(FEATURES, model.fit(DATA, TARGET)))
    record = {"rooms": 8, "garden": True, "size": 40.5}
    for payload in (record, {"_data": record, "_samples": [record | {"rooms": 1}]}):  # fmt: skip
        answer = post(client, "/predict?proba=1&explain=1", payload)
        assert list(answer["explanation"]) == list(DATA)
        total = answer["base_value"] + sum(answer["explanation"].values())
        if answer["explained_output"] == "probability":
            assert total == pytest.approx(answer["prediction"][0]["1"])


def test_faults_name_the_value_and_the_type() -> None:
    model = RandomForestClassifier(2).fit(DATA, TARGET)
    client = client_of(content(FEATURES, model, samples=DATA))
    payload = [{"rooms": 3.5, "garden": 1, "size": 1}, {"rooms": True, "garden": "yes", "size": 1}, {"rooms": 2**63}]  # fmt: skip
    missing = (
        "missing: the feature has no default and accepts no missing value"
    )
    assert problems(client, payload) == {
        "#/0/rooms": "expected a whole number, got 3.5",
        "#/0/garden": "expected true or false, got 1",
        "#/1/rooms": "expected a whole number, got true",
        "#/1/garden": 'expected true or false, got "yes"',
        "#/2/rooms": f"expected a whole number from {-(2**63)} to {2**63 - 1}, got {2**63}",
        "#/2/garden": missing,
        "#/2/size": missing,
    }


def seasons(X: Any) -> Any:
    return pd.DataFrame(
        {"month": X["sold"].dt.month, "hour": X["sold"].dt.hour}
    )


SOLD = pd.DataFrame(
    {"sold": pd.date_range("2024-01-01", periods=48, freq="191h")}
)
SALE = [{"name": "sold", "type": "datetime"}]


def dated(data: pd.DataFrame) -> Any:
    model = make_pipeline(
        FunctionTransformer(seasons), RandomForestClassifier(5, random_state=0)
    )
    return model.fit(data, data["sold"].dt.month > 6)


def test_a_model_of_dates_answers_as_its_estimator_does() -> None:
    model = dated(SOLD)
    client = client_of(content(SALE, model, samples=SOLD))
    records = [{"sold": sold.isoformat()} for sold in SOLD["sold"]]
    predicted = post(client, "/predict?proba=1", records)["prediction"]
    own = model.predict_proba(SOLD).tolist()
    assert [list(row.values()) for row in predicted] == own
    (row,) = post(client, "/preprocess", {"sold": "2024-05-31T23:30+02:00"})
    assert list(row.values()) == [5, 21]
    expected = "a date, or a date and time, such as 2024-05-31T12:30:00"
    assert problems(client, {"sold": "31.5.2024"}) == {
        "#/sold": f'expected {expected}, got "31.5.2024"'
    }


def test_dates_in_a_zone_are_shown_by_the_samples() -> None:
    local = SOLD.assign(sold=SOLD["sold"].dt.tz_localize("Europe/Paris"))
    dtype = str(local["sold"].dtype)
    model = dated(local)
    entries = [SALE[0] | {"dtype": dtype}]
    client = client_of(content(entries, model, samples=local))
    (row,) = post(client, "/preprocess", {"sold": "2024-05-31T23:30Z"})
    assert list(row.values()) == [6, 1]
    loaded = load(content(entries, model, samples=local))
    loaded.speed_up()
    reason = "dates are left to the estimator"
    assert loaded.info()["fast_predict_reason"] == reason


class Last:
    """Predicts 0; it has no step before, so that `/preprocess` shows what it takes."""

    feature_names_in_ = np.array(["d", "i", "s", "b"], dtype=object)

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


def test_what_arrives_is_shown_as_json() -> None:
    entries: list[dict[str, Any]] = [
        {"name": "d", "type": "datetime", "dtype": "datetime64[ns, Europe/Paris]"},
        {"name": "i", "type": "integer", "dtype": "Int64"},
        {"name": "s", "type": "string", "dtype": "string"},
        {"name": "b", "type": "boolean", "default": True},
    ]  # fmt: skip
    for entry in entries[:3]:
        entry["accepts_missing"] = True
    client = client_of(content(entries, Last()))
    record = {"d": "2024-05-31T12:30+02:00", "i": 3.0, "s": "a"}
    shown = post(client, "/preprocess", [record, {"b": False}])
    assert shown == [
        {"d": "2024-05-31T10:30:00+00:00", "i": 3, "s": "a", "b": True},
        {"d": None, "i": None, "s": None, "b": False},
    ]
    info = client.get("/info").get_json()
    assert info["metadata"]["features"] == client.get("/features").get_json()
    assert info["metadata"]["features"][1] == entries[1] | {
        "accepts_missing_from": "metadata",
        "required": False,
    }
