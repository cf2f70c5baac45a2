"""Texts are encoded where the steps know a list of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    StandardScaler,
)

from python.errors import Unprocessable
from python.model.artifact import Artifact
from python.model.fast.predictors import TOLERANCE
from python.model.sklearn import SklearnModel
from tests.model.fast.compiled import (
    ENCODERS,
    LAST,
    copy_output,
    mixed_columns,
    targets,
)
from tests.models import features, mixed
from tests.records import of_payload


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("encoder", [*ENCODERS, "one-hot, strict"])
def test_known_and_unknown_texts_are_encoded_as_the_encoder_does(
    encoder: str, last: str
) -> None:
    data = mixed(missing=True)
    data["colour"] = (
        data["colour"].astype(object).where(data["colour"].notna(), np.nan)
    )
    described = [
        entry
        if entry["name"] != "colour"
        else {"name": "colour", "type": "string"}
        for entry in features(data)
    ]
    estimator, classes = LAST[last]
    pipeline = make_pipeline(
        mixed_columns(
            StandardScaler(), ENCODERS.get(encoder, OneHotEncoder())
        ),
        clone(estimator),
    )
    model = SklearnModel.load(
        Artifact(
            pipeline.fit(data, targets(data, classes)),
            {"features": described},
            data.head(9),
        )
    )
    model.speed_up()
    assert model.copy is not None, model.info()["fast_predict_reason"]
    colours = [
        "red",
        "violet",
        "",
        "\0",
        "RED",
        *([None] if model.schema.features[-1].accepts_missing else []),
        "blue",
    ]
    method = "predict_proba" if classes else "predict"
    for colour in colours:
        record = dict.fromkeys(model.schema.names, 1.5) | {"colour": colour}
        records = of_payload(model.schema, record)
        fast = copy_output(model.copy, method, records)
        try:
            expected = getattr(pipeline, method)(records.columns)
        except ValueError:
            assert fast is None
            with pytest.raises(Unprocessable):
                model.predict(records)
        else:
            assert fast is not None
            np.testing.assert_allclose(
                fast, expected, rtol=TOLERANCE, atol=TOLERANCE
            )


def test_texts_that_a_step_reads_letter_by_letter_are_left_to_the_estimator() -> (
    None
):
    data = pd.DataFrame({"text": ["good", "bad", "good good", "so bad"] * 10})
    words = make_column_transformer((CountVectorizer(), "text"))
    pipeline = make_pipeline(words, LogisticRegression()).fit(
        data, [1, 0, 1, 0] * 10
    )
    model = SklearnModel.load(
        Artifact(pipeline, {"features": [{"name": "text", "type": "string"}]})
    )
    model.speed_up()
    assert model.info()["fast_predict"] is False
    assert model.predict(
        of_payload(model.schema, {"text": "good"})
    ).tolist() == [1]
