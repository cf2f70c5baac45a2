"""What encoders make of categories is looked up, and is what they make themselves."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from python.model.artifact import Artifact
from python.model.fast.encoders import known_values, slice_if_adjacent
from python.model.fast.predictors import TOLERANCE
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import (
    ENCODERS,
    ONE_HOT,
    TEXTS,
    assert_equal,
    copy_output,
    mixed_columns,
    targets,
)
from tests.models import features, mixed
from tests.records import of_payload

STRICT_ENCODERS = [
    OneHotEncoder(sparse_output=False),
    OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
]


@pytest.mark.slow
@pytest.mark.parametrize("encoder", STRICT_ENCODERS, ids=repr)
@pytest.mark.parametrize("kind", ["category", "string"])
def test_an_encoder_of_several_columns_is_looked_up_column_by_column(
    encoder: Any, kind: str
) -> None:
    last = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2)
    pipeline = make_pipeline(
        make_column_transformer((encoder, ["p", "q"])), last
    ).fit(TEXTS, TEXTS["q"] == "u")
    described = [
        {"name": name, "type": kind, "default": "u"}
        | (
            {"categories": sorted(set(TEXTS[name]))}
            if kind == "category"
            else {}
        )
        for name in TEXTS
    ]
    model = SklearnModel.load(Artifact(pipeline, {"features": described}))
    model.speed_up()
    records = of_payload(model.schema, TEXTS.to_dict("records"))
    assert model.copy is not None, model.info()["fast_predict_reason"]
    for method in ("predict", "predict_proba"):
        outputs: Any = copy_output(model.copy, method, records)
        expected = getattr(pipeline, method)(TEXTS)
        np.testing.assert_allclose(outputs, expected, rtol=0, atol=TOLERANCE)


def test_a_category_unknown_to_the_encoder_is_encoded_as_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It is refused where the encoder is seen, which it is not behind every step.
    monkeypatch.setattr(
        "python.model.reading.check_known_values", lambda *_: None
    )
    data = mixed()
    model_columns = mixed_columns(StandardScaler(), ENCODERS["one-hot"])
    fitted_with = data[data["colour"] != "blue"]
    pipeline = make_pipeline(model_columns, LogisticRegression())
    pipeline.fit(fitted_with, targets(fitted_with, 2))
    model = SklearnModel.load(Artifact(pipeline, {"features": features(data)}))
    model.speed_up()
    assert_equal(model, model.schema.encode_columns(data))


def test_tables_of_too_many_categories_are_left_to_the_estimator() -> None:
    data = pd.DataFrame({"p": [f"{number}" for number in range(3000)]})
    pipeline = make_pipeline(
        make_column_transformer((ONE_HOT, ["p"])), LogisticRegression()
    ).fit(data, np.arange(3000) % 2)
    model = SklearnModel.load(
        Artifact(pipeline, {"features": [{"name": "p", "type": "string"}]})
    )
    model.speed_up()
    assert (
        "3002 categories that become 3000 columns"
        in model.info()["fast_predict_reason"]
    )


def as_text(codes: Any) -> Any:
    return np.asarray(codes).astype(str)


def test_a_step_that_may_depend_on_other_records_is_left_to_the_estimator() -> (
    None
):
    data = pd.DataFrame(
        {"k": pd.Categorical([1, 2, 3] * 40), "x": np.arange(120.0)}
    )
    inner = make_pipeline(
        FunctionTransformer(as_text), OneHotEncoder(handle_unknown="ignore")
    )
    pipeline = make_pipeline(
        make_column_transformer((inner, ["k"]), ("passthrough", ["x"])),
        LogisticRegression(),
    )
    described = [
        {"name": "k", "type": "category", "categories": [1, 2, 3]},
        {"name": "x", "type": "numeric"},
    ]
    model = SklearnModel.load(
        Artifact(pipeline.fit(data, data["k"] == 1), {"features": described})
    )
    model.speed_up()
    assert "records that are" in model.info()["fast_predict_reason"]
    assert model.predict(
        of_payload(model.schema, {"k": 1, "x": 0.0})
    ).tolist() == [True]


@pytest.mark.parametrize(
    ("step", "values"),
    [
        (OrdinalEncoder(), ["u", "v"]),
        (
            make_pipeline(
                SimpleImputer(strategy="most_frequent"), OneHotEncoder()
            ),
            ["u", "v", np.nan],
        ),
    ],
)
def test_an_encoder_knows_its_categories_and_what_is_imputed(
    step: Any, values: list[Any]
) -> None:
    fitted = step.fit(pd.DataFrame({"p": ["u", "v"], "q": ["w", "w"]}))
    assert known_values(fitted, 0) == values


def test_a_step_without_categories_takes_any_text() -> None:
    with pytest.raises(ValueError, match="a step takes any text"):
        known_values(FunctionTransformer(as_text), 0)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([2, 3, 4], slice(2, 5)),
        ([7], slice(7, 8)),
        ([3, 2], [3, 2]),
        ([], slice(0, 0)),
    ],
)
def test_adjacent_columns_are_taken_as_a_slice(
    places: Any, expected: Any
) -> None:
    assert slice_if_adjacent(places) == expected
