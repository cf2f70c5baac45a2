"""What the metadata says wrongly is seen at load: whole numbers, dtypes, samples as they are."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from tests.artifacts import client_of, content, load, post, refusal

CODES = pd.DataFrame({"code": [10115, 20095, 80331, 50667] * 5})
TARGET = np.array([1.0, 2.0, 4.0, 8.0] * 5)
LABELS = np.array(["no", "yes", "yes", "no"] * 5)
WHOLE = [{"name": "code", "type": "integer"}]
DECIMAL = [{"name": "code", "type": "numeric"}]


def as_text(X: Any) -> Any:
    return X.astype(str)


def hashed(X: Any) -> Any:
    return [[f"code={code}"] for code in X["code"].tolist()]


def coded(**parameters: Any) -> Any:
    encode = OneHotEncoder(handle_unknown="ignore", **parameters)
    text = FunctionTransformer(as_text)
    return make_pipeline(text, encode, LogisticRegression())


def hashing() -> Any:
    hasher = FeatureHasher(n_features=64, input_type="string")
    return make_pipeline(
        FunctionTransformer(hashed), hasher, LinearRegression()
    )


def test_an_integer_that_becomes_text_is_the_text_of_an_integer() -> None:
    model = coded().fit(CODES, LABELS)
    client = client_of(content(WHOLE, model))
    records = CODES.to_dict("records")
    predicted = post(client, "/predict?proba=1", records)["prediction"]
    own = model.predict_proba(CODES).tolist()
    assert [[row["no"], row["yes"]] for row in predicted] == own
    for record, expected in zip(records[:4], own, strict=False):
        alone = post(client, "/predict?proba=1", record)["prediction"]
        assert list(alone[0].values()) == expected
        with_point = {"code": float(record["code"])}
        assert post(client, "/predict?proba=1", with_point)["prediction"] == alone  # fmt: skip
    (row,) = post(client, "/preprocess", records[0])
    assert list(row.values()) == model[:-1].transform(CODES[:1]).toarray()[0].tolist()  # fmt: skip


def test_an_integer_that_is_hashed_has_the_same_hash() -> None:
    model = hashing().fit(CODES, TARGET)
    client = client_of(content(WHOLE, model, samples=CODES))
    records = CODES.to_dict("records")
    predicted = post(client, "/predict", records)["prediction"]
    assert predicted == model.predict(CODES).tolist()


@pytest.mark.parametrize(
    "samples", [None, CODES, CODES.to_dict("records")], ids=["none", "frame", "records"]
)  # fmt: skip
def test_whole_numbers_said_to_be_numeric_are_seen_at_load(
    samples: Any,
) -> None:
    model = coded().fit(CODES, LABELS)
    sentence = refusal(content(DECIMAL, model, samples=samples))
    assert sentence.startswith('feature "code": the model predicts ')
    assert '"type": "integer"' in sentence


def test_whole_numbers_of_an_array_are_seen_too() -> None:
    model = coded().fit(CODES.to_numpy(), LABELS)
    assert '"type": "integer"' in refusal(content(DECIMAL, model))
    client = client_of(content(WHOLE, model))
    records = CODES.to_dict("records")
    assert post(client, "/predict", records)["prediction"] == LABELS.tolist()


def test_decimals_that_become_text_may_say_so() -> None:
    decimals = CODES.astype(float)
    model = coded().fit(decimals, LABELS)
    said = [DECIMAL[0] | {"dtype": "float64"}]
    records = decimals.to_dict("records")
    for more in ({"features": said}, {"samples": decimals}):
        client = client_of(content(**{"features": DECIMAL, "model": model} | more))  # fmt: skip
        predicted = post(client, "/predict", records)["prediction"]
        assert predicted == LABELS.tolist()


def test_a_model_of_numbers_leaves_no_doubt() -> None:
    model = make_pipeline(StandardScaler(), LinearRegression())
    model.fit(CODES, TARGET)
    assert load(content(DECIMAL, model))
    assert load(content(DECIMAL, model, samples=CODES))


class Types:
    """Predicts the name of the type of each row's value."""

    feature_names_in_ = np.array(["x"], dtype=object)

    def predict(self, X: Any) -> Any:
        return np.array([f"{X['x'].dtype}"] * len(X))


@pytest.mark.parametrize(
    ("entry", "values", "dtype", "hint"),
    [
        ({"type": "integer"}, [1, 0], "int8", '"dtype": "int8"'),
        ({"type": "integer"}, [1, 0], "float64", '"type": "numeric"'),
        ({"type": "integer"}, [1, 0], "object", '"dtype": "object"'),
        ({"type": "string"}, ["a", "b"], "category", '"type": "category"'),
        ({"type": "string"}, ["a", "b"], "string", '"dtype": "string"'),
        ({"type": "numeric", "dtype": "float64"}, [1, 0], "int64", '"type": "integer"'),
        ({"type": "string"}, ["2024-05-31"], "datetime64[ns]", '"type": "datetime"'),
        ({"type": "datetime", "dtype": "datetime64[s]"}, ["2024-05-31"], "datetime64[ns]", '"dtype": "datetime64[ns]"'),
    ],
)  # fmt: skip
def test_samples_as_they_are_show_a_wrong_type(
    entry: dict[str, Any], values: list[Any], dtype: str, hint: str
) -> None:
    samples = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    features = [{"name": "x", "accepts_missing": False, **entry}]
    sentence = refusal(content(features, Types(), samples=samples))
    assert sentence.startswith("samples, row 0: the model predicts ")
    assert sentence.endswith(f'"x" is {dtype} there: {hint}')
    right: dict[str, Any] = {"dtype": dtype}
    if hint.startswith('"type"'):
        right["type"] = hint.split('"')[3]
    if right.get("type") == "category":
        right["categories"] = values
    features[0] |= right
    if dtype == "category":
        del features[0]["dtype"]
    assert load(content(features, Types(), samples=samples))


def test_samples_that_the_estimator_does_not_take_as_they_are_prove_nothing() -> (
    None
):
    numbers = pd.DataFrame({"x": [1.0, 2.0], "y": [0.0, 1.0]})
    model = RandomForestClassifier(2).fit(numbers, [0, 1])
    features = [{"name": name, "type": "numeric"} for name in numbers]
    nested = numbers.astype(object)
    nested.loc[0, "x"] = 1
    assert load(content(features, model, samples=nested))


def test_samples_in_float32_of_a_model_of_float64_are_close_enough() -> None:
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 3)), columns=list("abc"))  # fmt: skip
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(data, data["a"] > 0)
    features = [{"name": name, "type": "numeric"} for name in data]
    assert load(content(features, model, samples=data.astype("float32")))


MEMBERS = pd.DataFrame(
    {"member": np.arange(40) % 3 == 0, "age": np.arange(40) % 7}
)


@pytest.mark.parametrize("said", ["numeric", "integer"])
@pytest.mark.parametrize("form", ["frame", "array of objects"])
def test_a_boolean_that_was_said_to_be_a_number(said: str, form: str) -> None:
    data: Any = MEMBERS if form == "frame" else MEMBERS.to_numpy(dtype=object)
    as_text = FunctionTransformer(lambda X: pd.DataFrame(X).astype(str))
    model = make_pipeline(
        as_text, OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    )
    model.fit(data, MEMBERS["member"])
    features = [
        {"name": "member", "type": said},
        {"name": "age", "type": "integer"},
    ]
    if form == "array of objects":
        features.append({"name": "word", "type": "string"})
        data = np.column_stack([data, np.array(["a"] * 40, dtype=object)])
        model.fit(data, MEMBERS["member"])
    assert '"type": "boolean"' in refusal(content(features, model))
    features[0]["type"] = "boolean"
    client = client_of(content(features, model))
    records = MEMBERS.assign(word="a")[
        [entry["name"] for entry in features]
    ].to_dict("records")
    predicted = post(client, "/predict?proba=1", records)["prediction"]
    np.testing.assert_allclose(
        [list(row.values()) for row in predicted],
        model.predict_proba(data),
        rtol=0,
        atol=1e-12,
    )


def test_numbers_that_are_0_and_1_are_no_booleans() -> None:
    data = MEMBERS.astype({"member": int})
    for steps in (
        [],
        [FunctionTransformer(lambda X: X.astype(str)), OneHotEncoder()],
    ):
        model = make_pipeline(*steps, LogisticRegression()).fit(
            data, data["member"]
        )
        features = [{"name": name, "type": "integer"} for name in data]
        assert load(content(features, model))


def count_units(dates: Any) -> Any:
    return dates.astype("int64").astype(float)


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
def test_the_unit_of_dates_is_asked_for_where_it_matters(unit: str) -> None:
    days = pd.date_range("2024-01-01", periods=40, freq="37h", unit=unit)
    data = pd.DataFrame({"booked": days})
    target = np.arange(40) // 5 % 2
    model = make_pipeline(
        FunctionTransformer(count_units), DecisionTreeClassifier()
    )
    model.fit(data, target)
    features: list[dict[str, Any]] = [{"name": "booked", "type": "datetime"}]
    sentence = refusal(content(features, model))
    assert sentence.startswith('feature "booked": the model predicts ')
    assert '"dtype": "datetime64[' in sentence
    records = [{"booked": day.isoformat()} for day in days]
    dtype = f"datetime64[{unit}]"
    for artifact in (
        content([features[0] | {"dtype": dtype}], model),
        content([features[0] | {"dtype": dtype}], model, samples=data),
    ):
        predicted = post(client_of(artifact), "/predict", records)[
            "prediction"
        ]
        assert predicted == model.predict(data).tolist()


def test_the_unit_of_dates_is_free_where_it_does_not_matter() -> None:
    data = pd.DataFrame(
        {"booked": pd.date_range("2024-01-01", periods=40, freq="37h")}
    )
    month = FunctionTransformer(
        lambda dates: dates.apply(lambda day: day.dt.month)
    )
    model = make_pipeline(month, LinearRegression()).fit(data, np.arange(40))
    assert load(content([{"name": "booked", "type": "datetime"}], model))


@pytest.mark.parametrize(
    ("names", "ordered"),
    [(["yes", "no"], False), (["no", "yes"], True), (["x", "y"], True)],
)
def test_class_names_in_another_order_are_refused(
    names: list[str], ordered: bool
) -> None:
    model = coded().fit(CODES, LABELS)
    artifact = content(WHOLE, model, class_names=names)
    if ordered:
        assert load(artifact).class_names == names
        return
    assert refusal(artifact) == (
        "class_names are the model's own labels in another order: "
        'its classes_ are "no", "yes"'
    )


def one_hot_text(data: Any, labels: Any) -> Any:
    """Fit a model that makes texts of a column, as most hand-written ones do."""

    def spell(frame: Any) -> Any:
        if frame["shop"].dtype == "float32":
            frame = frame.astype(float)
        return frame.astype(str)

    as_text = FunctionTransformer(spell)
    encode = OneHotEncoder(handle_unknown="ignore")
    return make_pipeline(as_text, encode, LogisticRegression(C=50)).fit(
        data, labels
    )


SHOPS = pd.DataFrame(
    {"shop": np.array([10115, 20095, 80331, 50667, 60311] * 8)}
)
SHOP_LABELS = np.array([0, 1, 1, 0, 1] * 8)


@pytest.mark.parametrize(
    ("data", "said", "cure"),
    [
        (
            SHOPS.astype(float),
            {"type": "integer"},
            {"type": "numeric", "dtype": "float64"},
        ),
        (
            SHOPS,
            {"type": "integer", "accepts_missing": True},
            {"dtype": "Int64"},
        ),
        (
            SHOPS.astype("float32") / 3,
            {"type": "numeric"},
            {"dtype": "float32"},
        ),
        (
            SHOPS,
            {
                "type": "category",
                "categories": [10115.0, 20095.0, 80331.0, 50667.0, 60311.0],
            },
            {"categories": [10115, 20095, 80331, 50667, 60311]},
        ),
    ],
    ids=["integer for decimals", "integer with gaps", "float32", "categories"],
)
def test_another_type_of_number_is_seen_at_load(
    data: Any, said: dict[str, Any], cure: dict[str, Any]
) -> None:
    model = one_hot_text(data, SHOP_LABELS)
    entry = {"name": "shop", **said}
    sentence = refusal(content([entry], model))
    assert sentence.startswith('feature "shop": the model predicts ')
    client = client_of(content([entry | cure], model))
    values = data["shop"].astype(float)
    if "categories" in said:
        values = data["shop"]
    if "dtype" in cure and cure["dtype"] == "float32":
        values = data["shop"].astype(str).astype(float)
    records = [{"shop": value} for value in values.tolist()]
    predicted = post(client, "/predict", records)["prediction"]
    assert predicted == model.predict(data).tolist()


def test_numbers_of_another_encoder_do_not_hide_those_of_a_feature() -> None:
    codes = [str(number) for number in range(40)]
    data = SHOPS.assign(code=codes)
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["code"]),
        (
            make_pipeline(
                FunctionTransformer(lambda frame: frame.astype(str)),
                OneHotEncoder(handle_unknown="ignore"),
            ),
            ["shop"],
        ),
    )
    model = make_pipeline(columns, LogisticRegression()).fit(data, SHOP_LABELS)
    features = [
        {"name": "shop", "type": "numeric"},
        {"name": "code", "type": "string"},
    ]
    assert '"type": "integer"' in refusal(content(features, model))


def test_doubts_are_tried_on_models_of_several_outputs() -> None:
    as_text = FunctionTransformer(lambda frame: frame.astype(str))
    model = make_pipeline(
        as_text,
        OneHotEncoder(handle_unknown="ignore"),
        DecisionTreeClassifier(),
    ).fit(SHOPS, np.column_stack([SHOP_LABELS, np.arange(40) % 3]))
    assert '"type": "integer"' in refusal(
        content([{"name": "shop", "type": "numeric"}], model)
    )


class Noise:
    """Predicts at random."""

    def predict(self, X: Any) -> Any:
        return np.random.default_rng().normal(size=len(X))


def test_a_model_that_draws_at_random_is_not_blamed_on_its_types(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert load(content([{"name": "x", "type": "numeric"}], Noise()))
    assert "the model predicts at random" in caplog.text


def test_a_step_that_depends_on_the_other_rows_is_seen_in_samples() -> None:
    data = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 2)), columns=["x", "y"]
    )
    model = make_pipeline(
        FunctionTransformer(lambda rows: rows - rows.mean()),
        LogisticRegression(),
    )
    model.fit(data, data["x"] > 0)
    sentence = refusal(content(model=model, samples=data))
    assert sentence.startswith("samples, row 0: the model predicts ")
    assert "depends on the other rows" in sentence


class Counted:
    """A regression of 300 numbers that counts how often it is called, and with how many rows."""

    calls = 0
    rows = 0

    def predict(self, X: Any) -> Any:
        self.calls += 1
        self.rows += len(X)
        return np.asarray(X, dtype=float).sum(axis=1)


def test_many_features_are_tried_together() -> None:
    features = [
        {"name": f"f{number}", "type": "numeric"} for number in range(300)
    ]
    model = Counted()
    assert load(content(features, model))
    assert model.calls < 120
    assert model.rows < 1000


@pytest.mark.parametrize(
    "model", [LogisticRegression(max_iter=3000), LinearRegression()], ids=type
)
def test_samples_of_a_model_that_computes_in_float32(model: Any) -> None:
    data = load_breast_cancer(as_frame=True)
    inputs = data.data.astype("float32")
    target = data.target
    if isinstance(model, LinearRegression):
        target = (target * 1000).astype("float32")
    model.fit(inputs, target)
    entry = {"type": "numeric", "dtype": "float32"}
    features = [entry | {"name": name} for name in inputs]
    samples = inputs.head(100)
    assert load(content(features, model, samples=samples))


def test_a_default_stands_in_the_samples_as_in_a_request() -> None:
    random = np.random.default_rng(0)
    data = pd.DataFrame(random.normal(size=(300, 2)), columns=["a", "b"])
    data["w"] = random.choice(["p", "q"], 300)
    target = data["a"] > 0
    data = data.mask(random.random((300, 3)) < 0.2)
    data["c"] = pd.Categorical(data["w"].astype(object))
    data["d"] = pd.date_range("2024-01-01", periods=300).where(target)
    encode = make_column_transformer(
        (OneHotEncoder(), ["w", "c"]),
        (FunctionTransformer(months), ["d"]),
        remainder="passthrough",
    )
    model = make_pipeline(encode, HistGradientBoostingClassifier(max_iter=10))
    model.fit(data, target)
    entries: dict[str, dict[str, Any]] = {
        "a": {"type": "numeric", "default": -1},
        "b": {"type": "numeric", "default": -1},
        "w": {"type": "string", "default": "p"},
        "c": {"type": "category", "categories": ["p", "q"], "default": "q"},
        "d": {"type": "datetime", "default": "2024-03-01"},
    }
    features = [{"name": name, **entry} for name, entry in entries.items()]
    dtype = str(data["d"].dtype)
    features[-1]["dtype"] = dtype
    client = client_of(content(features, model, samples=data))
    filled = data.head(5).assign(a=-1.0, b=-1.0, w="p")
    filled["c"] = pd.Categorical(["q"] * 5, categories=["p", "q"])
    filled["d"] = pd.Series([pd.Timestamp("2024-03-01")] * 5).astype(dtype)
    rows = post(client, "/predict?proba=1", [dict.fromkeys(data)] * 5)
    assert list(rows["prediction"][0].values()) == pytest.approx(
        model.predict_proba(filled)[0]
    )


def months(dates: Any) -> Any:
    return dates.apply(lambda day: day.dt.month)


def ages(frame: Any) -> Any:
    is_date = [type(value).__name__ == "date" for value in frame["d"]]
    years = [value.year for value in frame["d"]]
    return np.column_stack([np.array(is_date) * np.array(years)])


@pytest.mark.parametrize("dtype", [{}, {"dtype": "object"}])
def test_dates_without_a_time_have_no_dtype_that_helps(dtype: Any) -> None:
    days = pd.date_range("2000-01-01", periods=40, freq="90D")
    frame = pd.DataFrame({"d": pd.Series(days.date, dtype=object)})
    model = make_pipeline(FunctionTransformer(ages), LinearRegression())
    model.fit(frame, days.year)
    features = [{"name": "d", "type": "datetime", **dtype}]
    sentence = refusal(content(features, model, samples=frame))
    assert sentence.endswith(
        '"d" has objects of datetime.date there, which no request brings: '
        "fit the model with pd.to_datetime of the column"
    )


def test_a_hash_of_two_numbers_that_collide_is_no_boolean() -> None:
    def bucket(frame: Any) -> Any:
        # "0" and "1" are alike, and so are few other numbers.
        return frame["shop"].astype(str).map(len).to_frame()

    model = make_pipeline(FunctionTransformer(bucket), LinearRegression())
    model.fit(SHOPS.assign(shop=np.arange(40) * 7), SHOP_LABELS)
    client = client_of(content([{"name": "shop", "type": "integer"}], model))
    assert post(client, "/predict", [{"shop": 1}, {"shop": 100}])
