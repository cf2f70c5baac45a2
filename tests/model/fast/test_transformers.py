"""What pipelines do before their last step is the same to the bit."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from python.errors import RefusedRecords
from python.model.artifact import Artifact
from python.model.estimator import split_steps
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import (
    ENCODERS,
    LAST,
    NUMERIC,
    ONE_HOT,
    TEXTS,
    assert_equal,
    mixed_columns,
    sped_up,
)
from tests.models import features, mixed, numbers
from tests.records import of_payload


@pytest.mark.slow
@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize(
    ("numeric", "encoder"),
    [(numeric, "one-hot") for numeric in NUMERIC]
    + [("standard", encoder) for encoder in ENCODERS],
)
def test_pipelines_compute_what_the_estimator_does(
    numeric: str, encoder: str, last: str
) -> None:
    estimator, classes = LAST[last]
    gaps = numeric != "passthrough"
    pipeline = make_pipeline(
        mixed_columns(NUMERIC[numeric], ENCODERS[encoder]), clone(estimator)
    )
    model = sped_up(pipeline, mixed(missing=gaps), classes)
    assert model.copy is not None, model.info()["fast_predict_reason"]
    codes = model.schema.encode_columns(mixed(missing=gaps))
    assert_equal(model, codes)
    np.testing.assert_array_equal(
        model.copy.transform(codes),
        split_steps(model.estimator).transform(model.schema.decode(codes)),
    )


def test_a_pipeline_of_numbers_and_a_search_compute_what_the_estimator_does() -> (
    None
):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [1.0]},
        cv=2,
    )
    for estimator in (
        make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
        search,
    ):
        model = sped_up(estimator, numbers(), 2)
        assert_equal(model, numbers().to_numpy())


def lower(texts: Any) -> Any:
    return texts.apply(lambda column: column.str.lower())


def both(data: Any) -> Any:
    return np.all(np.asarray(data) == "u", axis=1).astype(float)[:, None]


STRANGE = {"p": "z", "q": "u"}


SAME = TEXTS.assign(p="k")


AMOUNTS = pd.DataFrame(
    {"a": [1.0, 2.0, 3.0, 4.0, -999.0, 6.0] * 10, "b": [0.5, 7.0, 1.0] * 20}
)


ODD: dict[str, tuple[Any, pd.DataFrame, dict[str, Any]]] = {
    "texts in small letters": (
        make_pipeline(FunctionTransformer(lower), ONE_HOT),
        TEXTS,
        {"p": "U", "q": "X"},
    ),
    "a text for nothing": (
        make_pipeline(
            SimpleImputer(missing_values="?", strategy="most_frequent"),
            ONE_HOT,
        ),
        TEXTS,
        {"p": "?", "q": "u"},
    ),
    "changed places": (
        make_pipeline(FunctionTransformer(lambda d: d[["q", "p"]]), ONE_HOT),
        TEXTS,
        {"p": "x", "q": "w"},
    ),
    "two texts together": (
        FunctionTransformer(both),
        TEXTS,
        {"p": "u", "q": "u"},
    ),
    "a number for nothing": (
        SimpleImputer(missing_values=-999),
        AMOUNTS,
        {"a": -999.0, "b": 1.0},
    ),
    "clipped": (MinMaxScaler(clip=True), AMOUNTS, {"a": 1e10, "b": 1.0}),
    "clipped, and too large": (
        make_pipeline(StandardScaler(), MinMaxScaler(clip=True)),
        AMOUNTS,
        {"a": 1e308, "b": 1.0},
    ),
    "an unknown number": (OneHotEncoder(), AMOUNTS, {"a": 7.0, "b": 1.0}),
    "an unknown text": (OneHotEncoder(), TEXTS, {"p": "z", "q": "u"}),
    "an unknown text beside a known one": (
        OrdinalEncoder(),
        TEXTS,
        {"p": "z", "q": "w"},
    ),
    "an unknown text, squashed": (
        make_pipeline(
            OneHotEncoder(sparse_output=False), FunctionTransformer(np.tanh)
        ),
        TEXTS,
        STRANGE,
    ),
    "an unknown text for a column that is always the same": (
        OneHotEncoder(),
        SAME,
        {"p": "z", "q": "w"},
    ),
    "an unknown text for a column that is dropped": (
        OneHotEncoder(drop="first"),
        SAME,
        {"p": "z", "q": "w"},
    ),
    "an unknown text that looks like one of no step": (
        ONE_HOT,
        TEXTS.replace({"u": "\0?", "v": "\0"}),
        STRANGE,
    ),
    "a column without a text, and an indicator": (
        make_pipeline(
            SimpleImputer(strategy="most_frequent", add_indicator=True),
            ONE_HOT,
        ),
        TEXTS.assign(p=pd.Series([None] * 60, dtype=object)),
        {"q": "u"},
    ),
    "too large for a scaler, then squashed": (
        make_pipeline(
            StandardScaler(), MinMaxScaler(), FunctionTransformer(np.tanh)
        ),
        AMOUNTS / 1e3,
        {"a": 1.7e308, "b": 1.0},
    ),
    "weights": (
        ColumnTransformer(
            [("p", ONE_HOT, ["p"]), ("q", ONE_HOT, ["q"])],
            transformer_weights={"p": 3.0},
        ),
        TEXTS,
        STRANGE,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("samples", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_odd_steps_compute_what_they_do_without_a_copy(
    name: str, samples: bool
) -> None:
    step, data, record = ODD[name]
    columns = (
        clone(step)
        if hasattr(step, "transformers")
        else make_column_transformer((clone(step), list(data)))
    )
    pipeline = make_pipeline(columns, LogisticRegression())
    pipeline.fit(data, (np.arange(len(data)) % 3 == 0).astype(int))
    kind = "numeric" if "a" in data else "string"
    described = [
        {"name": column, "type": kind, "default": data[column][0]}
        for column in data
    ]
    model = SklearnModel.load(
        Artifact(pipeline, {"features": described}, data if samples else None)
    )

    def predicted() -> Any:
        try:
            records = of_payload(model.schema, record)
            return model.predict(records).tolist(), np.round(
                model.predict_proba(records), 11
            ).tolist()
        except RefusedRecords as error:
            return error.faults

    before = predicted()
    model.speed_up()
    assert predicted() == before


@pytest.mark.slow
def test_a_number_that_becomes_too_large_between_steps_is_refused() -> None:
    data = pd.DataFrame(
        np.random.default_rng(0).normal(size=(200, 100))
    ).add_prefix("x")
    squashed = make_pipeline(
        StandardScaler(), MinMaxScaler(), FunctionTransformer(np.tanh)
    )
    steps = ColumnTransformer(
        [("squashed", squashed, ["x0"])], remainder="passthrough"
    )
    pipeline = make_pipeline(steps, LogisticRegression()).fit(
        data / 1e3, data["x0"] > 0
    )
    model = SklearnModel.load(Artifact(pipeline, {"features": features(data)}))
    record = dict.fromkeys(data, 0.0) | {"x0": 1.7e308}
    for _ in range(2):
        with pytest.raises(
            RefusedRecords, match="does not take these values"
        ) as refused:
            model.predict_proba(of_payload(model.schema, record))
        assert [
            (fault.row, fault.feature) for fault in refused.value.faults
        ] == [(0, "x0")]
        model.speed_up()
    assert model.copy is not None, model.info()["fast_predict_reason"]
