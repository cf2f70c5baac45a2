"""Categories that the fitted encoders know: others are refused when the model is loaded."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    TargetEncoder,
)
from xgboost import XGBClassifier

from tests.artifacts import client_of, content, load, post, refusal

PORTS = ["Cherbourg", "Queenstown", "Southampton"]
PORT = np.array(PORTS * 20)
FRAME = pd.DataFrame({"port": PORT, "fare": np.arange(60.0) % 7})
TARGET = (np.arange(60) % 4 < 2).astype(int)
IGNORING = OneHotEncoder(handle_unknown="ignore")
ORDINAL = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def features(categories: Any) -> list[dict[str, Any]]:
    """Return the features of FRAME, the first a category of these."""
    return [
        {"name": "port", "type": "category", "categories": categories},
        {"name": "fare", "type": "numeric"},
    ]


def columns_of(encoder: Any, columns: Any = ("port",)) -> ColumnTransformer:
    selected = list(columns) if isinstance(columns, tuple) else columns
    return make_column_transformer(
        (encoder, selected), remainder="passthrough"
    )


def searched(model: Any) -> GridSearchCV:
    return GridSearchCV(model, {"logisticregression__C": [1]}, cv=2)


def classify(*steps: Any) -> Any:
    return make_pipeline(*steps, LogisticRegression(max_iter=1000))


MODELS = {
    "one-hot": classify(columns_of(IGNORING)),
    "ordinal": classify(columns_of(ORDINAL)),
    "target": classify(columns_of(TargetEncoder(cv=2))),
    "by number": classify(columns_of(IGNORING, (0,))),
    "by slice": classify(columns_of(IGNORING, slice(0, 1))),
    "by mask": classify(columns_of(IGNORING, (True, False))),
    "by choice": classify(columns_of(IGNORING, lambda _: ["port"])),
    "search": searched(classify(columns_of(IGNORING))),
    "behind an imputer": classify(
        columns_of(
            make_pipeline(SimpleImputer(strategy="most_frequent"), IGNORING)
        )
    ),
    "calibrated": CalibratedClassifierCV(classify(columns_of(IGNORING)), cv=2),
    "behind a function that is none": classify(
        FunctionTransformer(), columns_of(IGNORING)
    ),
    "union": classify(columns_of(make_union(IGNORING, ORDINAL))),
}
NATIVE = {
    "lightgbm": LGBMClassifier(
        n_estimators=3, min_child_samples=2, verbose=-1
    ),
    "xgboost": XGBClassifier(n_estimators=3, enable_categorical=True),
    "histogram boosting": HistGradientBoostingClassifier(
        max_iter=3, min_samples_leaf=2, categorical_features="from_dtype"
    ),
}


@pytest.mark.parametrize("name", NATIVE)
def test_a_category_stands_behind_a_number(name: str) -> None:
    frame = FRAME.astype({"port": "category"})[["fare", "port"]]
    model = NATIVE[name].fit(frame, TARGET)
    assert load(content(features(PORTS)[::-1], model))
    sentence = refusal(content(features(["London", *PORTS])[::-1], model))
    assert 'not fitted with the category "London"' in sentence


@pytest.mark.parametrize("name", [*MODELS, *NATIVE])
def test_a_misspelt_category_is_refused_and_the_right_ones_are_served(
    name: str,
) -> None:
    frame = FRAME.astype({"port": "category"}) if name in NATIVE else FRAME
    model = clone((MODELS | NATIVE)[name]).fit(frame, TARGET)
    misspelt = ["Cherbourg", "Queenstown", "southampton "]
    assert refusal(content(features(misspelt), model)) == (
        'feature "port": the model was not fitted with the category "southampton ", but with '
        '"Cherbourg", "Queenstown", "Southampton"; did you mean "Southampton"?'
    )
    # In another order, and not all of them, they are the encoder's own.
    client = client_of(content(features(PORTS[:0:-1]), model))
    rows = frame[frame["port"] != "Cherbourg"]
    received = post(client, "/predict?proba=1", rows.to_dict("records"))
    probabilities = [list(row.values()) for row in received["prediction"]]
    np.testing.assert_allclose(
        probabilities, model.predict_proba(rows), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(
    "name", ["by number", "by slice", "by mask", "one-hot"]
)
def test_a_model_fitted_with_an_array(name: str) -> None:
    model = clone(MODELS[name])
    if name == "one-hot":
        model = classify(columns_of(IGNORING, (-2,)))
    model.fit(FRAME.to_numpy(), TARGET)
    sentence = refusal(content(features(["Paris", *PORTS]), model))
    assert 'the category "Paris", but with "Cherbourg"' in sentence
    assert load(content(features(PORTS), model))


def test_one_more_than_the_encoder_knows() -> None:
    model = clone(MODELS["one-hot"]).fit(FRAME, TARGET)
    sentence = refusal(content(features([*PORTS, "Belfast"]), model))
    assert sentence.startswith(
        'feature "port": the model was not fitted with the category "Belfast"'
    )


@pytest.mark.parametrize(
    ("fitted", "said", "cure"),
    [
        ([1, 2, 3], ["1", "2", "3"], 'write 1 for "1"'),
        (["1", "2", "3"], [1, 2, 3], 'write "1" for 1'),
        ([True, False, True], ["True", "False"], 'write true for "True"'),
    ],
    ids=["numbers", "texts", "booleans"],
)
def test_categories_of_another_type(fitted: Any, said: Any, cure: str) -> None:
    frame = FRAME.assign(port=np.array(fitted * 20))
    model = classify(columns_of(IGNORING)).fit(frame, TARGET)
    assert cure in refusal(content(features(said), model))
    assert load(content(features(sorted(set(fitted))), model))


def test_a_rare_category_is_known() -> None:
    encoder = OneHotEncoder(handle_unknown="ignore", min_frequency=25)
    model = classify(columns_of(encoder)).fit(FRAME, TARGET)
    assert load(content(features(PORTS), model))


def test_what_a_step_may_have_changed_is_not_compared() -> None:
    lower = FunctionTransformer(
        lambda frame: frame.apply(lambda port: port.str.lower())
    )
    model = classify(columns_of(make_pipeline(lower, IGNORING))).fit(
        FRAME, TARGET
    )
    assert load(content(features(PORTS), model))


def test_other_columns_are_not_compared() -> None:
    frame = FRAME.assign(deck=np.array(["A", "B"] * 30))
    model = classify(
        make_column_transformer((IGNORING, ["deck"]), (ORDINAL, ["port"]))
    ).fit(frame[["port", "deck"]], TARGET)
    described = [
        {"name": "port", "type": "category", "categories": PORTS},
        {"name": "deck", "type": "category", "categories": ["A", "B"]},
    ]
    assert load(content(described, model))
    described[1]["categories"] = ["A", "Cherbourg"]
    sentence = refusal(content(described, model))
    assert sentence.startswith('feature "deck": the model was not fitted with')


def test_long_lists_are_cut() -> None:
    ports = [f"port {number}" for number in range(60)]
    model = classify(columns_of(IGNORING)).fit(
        FRAME.assign(port=ports), TARGET
    )
    sentence = refusal(content(features(["port 7", "Port 8"]), model))
    assert '"port 17" and 50 more; did you mean "port 8"?' in sentence


def test_strict_encoders_are_tried_with_what_they_know() -> None:
    frame = FRAME.assign(deck=np.array([3, 5] * 30))
    model = classify(
        make_column_transformer((OneHotEncoder(), ["port", "deck"]))
    )
    model.fit(frame[["port", "deck"]], TARGET)
    described = [
        {"name": "port", "type": "string"},
        {"name": "deck", "type": "integer"},
    ]
    client = client_of(content(described, model))
    assert post(client, "/predict", {"port": "Southampton", "deck": 5})
    assert load(content(described, model)).example() == {
        "port": "Cherbourg",
        "deck": 3,
    }


class OddSteps:
    """A transformer of another library: its attributes are called as scikit-learn's are."""

    transformers_ = {"port": IGNORING}  # noqa: RUF012
    output_indices_ = transformers_
    steps = 3

    def fit(self, *_: Any) -> "OddSteps":
        return self

    def transform(self, frame: Any) -> Any:
        return frame[["fare"]]


def test_steps_of_other_libraries_are_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = classify(OddSteps()).fit(FRAME, TARGET)
    client = client_of(content(features(PORTS), model))
    records = FRAME.head(3).to_dict("records")
    predicted = post(client, "/predict", records)["prediction"]
    assert predicted == model.predict(FRAME.head(3)).tolist()
    assert "the encoders are not looked at" in caplog.text


ZIPS = np.array([10115, 20095, 80331] * 20)
ZIP_FRAME = pd.DataFrame({"zip": ZIPS})


@pytest.mark.parametrize(
    ("fitted", "said", "cure"),
    [
        (ZIP_FRAME, "string", "integer"),
        (ZIP_FRAME.astype(float), "string", "numeric"),
        (ZIP_FRAME > 20000, "string", "boolean"),
        (ZIP_FRAME.astype(str), "integer", "string"),
        (ZIP_FRAME.astype(str).to_numpy(), "numeric", "string"),
        (ZIP_FRAME.astype(str), "boolean", "string"),
    ],
)
@pytest.mark.parametrize(
    "encoder", [IGNORING, ORDINAL, TargetEncoder(cv=2)], ids=repr
)
def test_a_type_that_the_encoder_was_not_fitted_with(
    encoder: Any, fitted: Any, said: str, cure: str
) -> None:
    model = classify(encoder).fit(fitted, TARGET)
    sentence = refusal(content([{"name": "zip", "type": said}], model))
    assert sentence.endswith(f'write "type": "{cure}"')
    right = {"name": "zip", "type": cure}
    assert load(content([right], model))


def test_a_dict_vectorizer_knows_texts() -> None:
    records = [{"zip": str(code)} for code in ZIPS]
    model = classify(DictVectorizer()).fit(records, TARGET)
    sentence = refusal(content([{"name": "zip", "type": "integer"}], model))
    assert sentence.endswith('write "type": "string"')
    client = client_of(content([{"name": "zip", "type": "string"}], model))
    predicted = post(client, "/predict", records)["prediction"]
    assert predicted == model.predict(records).tolist()


WRAPPERS = {
    "search": lambda model: GridSearchCV(model, {}, cv=2),
    "threshold": TunedThresholdClassifierCV,
    "vote": lambda model: VotingClassifier([("a", model)], voting="soft"),
    "stack": lambda model: StackingClassifier([("a", model)], cv=2),
    "bag": lambda model: BaggingClassifier(model, n_estimators=3),
    "pipeline": make_pipeline,
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize(
    "model",
    [
        classify(columns_of(IGNORING)),
        LGBMClassifier(n_estimators=3, min_child_samples=2, verbose=-1),
        XGBClassifier(n_estimators=3, enable_categorical=True),
    ],
    ids=["pipeline", "LightGBM", "XGBoost"],
)
def test_categories_are_known_inside_what_wraps_an_estimator(
    wrapper: str, model: Any
) -> None:
    frame = FRAME.astype({"port": "category"})
    if wrapper == "bag":  # it makes an array of the frame
        frame = FRAME
        model = classify(columns_of(IGNORING, (0,)))
    wrapped = WRAPPERS[wrapper](clone(model)).fit(frame, TARGET)
    misspelt = ["Cherbourg", "Queenstown", "southampton"]
    sentence = refusal(content(features(misspelt), wrapped))
    assert sentence.endswith('did you mean "Southampton"?')
    assert load(content(features(PORTS), wrapped))


def test_what_an_imputer_replaces_is_no_unknown_category() -> None:
    frame = FRAME.copy()
    frame.loc[::5, "port"] = "?"
    imputer = SimpleImputer(missing_values="?", strategy="most_frequent")
    model = classify(columns_of(make_pipeline(imputer, IGNORING)))
    model.fit(frame, TARGET)
    client = client_of(content(features([*PORTS, "?"]), model))
    predicted = post(client, "/predict", frame.to_dict("records"))
    assert predicted["prediction"] == model.predict(frame).tolist()
