"""Fast answers equal the estimator's: on the thresholds, beside them, with gaps, for ties, and whole pipelines."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from python.app import create_app
from python.errors import RefusedRecords, Unprocessable
from python.model.artifact import Artifact
from python.model.data.schema import Schema
from python.model.estimator import split_steps
from python.model.fast import predictors, trials
from python.model.fast.copy import NEAR_TIE, Copy
from python.model.fast.make import compile_copy
from python.model.fast.predictors import TOLERANCE, Unproven
from python.model.fast.proof import Original, prove
from python.model.fast.timing import crossing
from python.model.fast.transformers import MATRIX_LIMIT
from python.model.fast.trials import critical_rows, made_up_codes
from python.model.sklearn import SklearnModel
from python.settings import Settings
from tests.models import build, features, mixed, numbers
from tests.records import of_codes, of_payload

ROWS = 120


def targets(data: pd.DataFrame, classes: int) -> Any:
    score = data.select_dtypes("number").fillna(0).to_numpy() @ [1.0, -1.0, 0.5]
    return (
        score
        if classes == 0
        else np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    )


def hastened(
    estimator: Any, data: pd.DataFrame, classes: int, **fit: Any
) -> SklearnModel:
    estimator = clone(estimator).fit(data, targets(data, classes), **fit)
    model = SklearnModel.load(Artifact(estimator, {"features": features(data)}))
    model.speed_up()
    return model


def assert_equal(model: SklearnModel, coded: Any, *, exact: bool = False) -> None:
    """The fast answers to coded records are the estimator's own."""
    assert model.copy is not None, model._no_copy_reason
    columns = model.schema.decode(coded)
    methods = (
        ["predict", "predict_proba"]
        if hasattr(model.estimator, "classes_")
        else ["predict"]
    )
    for method in methods:
        told = getattr(model.estimator, method)(columns)
        fast = copied(model.copy, method, of_codes(model.schema, coded))
        if fast is None:  # near ties
            assert method == "predict"
            assert len(methods) == 2
            continue
        if exact or (method == "predict" and len(methods) == 2):
            np.testing.assert_array_equal(fast, told)
        else:
            np.testing.assert_allclose(fast, told, rtol=TOLERANCE, atol=TOLERANCE)


def copied(copy: Copy, method: str, some: Any) -> Any:
    """What the copy has for a method of the estimator; None where it leaves that to it."""
    outputs = copy.output(some)
    if outputs is None or method == copy.method:
        return outputs
    return copy.label(outputs)


def compiled(model: SklearnModel) -> tuple[Copy, Original]:
    samples = model._probes
    return compile_copy(model.estimator, model._steps, model.schema, samples)


def computed(model: SklearnModel, codes: Any) -> Any:
    """What the estimator itself has for these codes."""
    assert model.copy
    return getattr(model.estimator, model.copy.method)(model.schema.decode(codes))


FORESTS = [
    RandomForestClassifier,
    ExtraTreesClassifier,
    RandomForestRegressor,
    ExtraTreesRegressor,
]


@pytest.mark.parametrize("seed", range(1000))
def test_a_thousand_forests_are_equal_to_the_bit(seed: int) -> None:
    """Classes, depths, weights, gaps. Several outputs are left to the estimator: the contract answers one."""
    choose = np.random.default_rng(seed)
    kind = FORESTS[seed % 4]
    classes = 0 if "Regressor" in kind.__name__ else int(choose.integers(2, 6))
    width = int(choose.integers(1, 6))
    X = choose.normal(size=(60, width)) * 10.0 ** choose.integers(-4, 6, width)
    X = X.round(int(choose.integers(0, 4)))
    if choose.random() < 0.3 and "Extra" not in kind.__name__:
        X = np.where(choose.random(X.shape) < 0.1, np.nan, X)
    y = (
        choose.normal(size=60)
        if classes == 0
        else choose.permutation(np.arange(60) % classes)
    )
    depth = [None, 1, 3, 10][choose.integers(4)]
    weight = choose.random(60) if choose.random() < 0.5 else None
    estimator = kind(
        int(choose.integers(1, 12)), max_depth=depth, random_state=seed
    ).fit(X, y, sample_weight=weight)
    gaps = bool(np.isnan(X).any())
    schema = Schema.from_metadata(
        {
            "features": [
                {"name": f"x{n}", "type": "numeric", "accepts_missing": gaps}
                for n in range(width)
            ]
        }
    )
    fast, original = compile_copy(
        estimator, split_steps(estimator), schema, np.nan_to_num(X)
    )
    fast, _ = prove(fast, original, made_up_codes(schema, choose), choose)
    rows = np.concatenate(
        [*critical_rows(estimator, choose), X if gaps else np.nan_to_num(X)]
    )
    for some in (
        (rows, np.where(choose.random(rows.shape) < 0.3, np.nan, rows))
        if gaps
        else (rows,)
    ):
        for method in ("predict", "predict_proba") if classes else ("predict",):
            np.testing.assert_array_equal(fast.few(some), fast.many(some))
            np.testing.assert_array_equal(
                copied(fast, method, of_codes(schema, some)),
                getattr(estimator, method)(some),
            )


BOOSTERS: list[tuple[Any, int, dict[str, Any]]] = [
    (GradientBoostingClassifier(n_estimators=20), 2, {}),
    (GradientBoostingClassifier(n_estimators=20, loss="exponential"), 2, {}),
    (GradientBoostingClassifier(n_estimators=10), 4, {}),
    (GradientBoostingRegressor(n_estimators=20), 0, {}),
    (GradientBoostingRegressor(n_estimators=20, loss="quantile"), 0, {}),
    (HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=3), 2, {}),
    (HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=3), 4, {}),
    (HistGradientBoostingRegressor(max_iter=20, min_samples_leaf=3), 0, {}),
    (HistGradientBoostingRegressor(max_iter=20, loss="absolute_error"), 0, {}),
    (DecisionTreeClassifier(), 3, {}),
    (DecisionTreeRegressor(), 0, {}),
]
LINEAR: list[tuple[Any, int, dict[str, Any]]] = [
    (LogisticRegression(), 2, {}),
    (LogisticRegression(), 3, {}),
    (Ridge(), 0, {}),
    (Lasso(alpha=0.01), 0, {}),
]


@pytest.mark.parametrize(("estimator", "classes", "fit"), BOOSTERS + LINEAR, ids=str)
def test_boosters_trees_and_linear_models_are_equal(
    estimator: Any, classes: int, fit: dict[str, Any]
) -> None:
    model = hastened(estimator, numbers(), classes, **fit)
    choose = np.random.default_rng(0)
    assert_equal(model, numbers().to_numpy())
    assert_equal(model, choose.normal(size=(500, 3)) * 100)
    if not hasattr(model.estimator, "coef_"):
        assert_equal(
            model, np.concatenate(list(critical_rows(model.estimator, choose)))
        )


@pytest.mark.parametrize(
    "kind", [HistGradientBoostingClassifier, HistGradientBoostingRegressor]
)
def test_gaps_go_the_way_they_were_fitted(kind: Any) -> None:
    model = hastened(
        kind(min_samples_leaf=3),
        numbers(missing=True),
        2 if "Classifier" in kind.__name__ else 0,
    )
    assert_equal(model, numbers(missing=True).to_numpy())


@pytest.fixture(scope="module")
def forest() -> SklearnModel:
    return hastened(RandomForestClassifier(10, random_state=0), numbers(), 3)


@pytest.fixture(scope="module")
def histogram() -> SklearnModel:
    return hastened(
        HistGradientBoostingClassifier(max_iter=10, min_samples_leaf=3),
        numbers(missing=True),
        2,
    )


def near_thresholds(estimator: Any) -> st.SearchStrategy[float]:
    rows = np.concatenate(list(critical_rows(estimator, np.random.default_rng(0))))
    near = st.sampled_from(sorted(set(rows.ravel().tolist())))
    return (
        near
        | st.builds(
            lambda x, steps: float(x + steps * np.spacing(x)), near, st.integers(-3, 3)
        )
        | st.floats(-1e30, 1e30)
    )


@given(data=st.data())
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_any_number_near_a_threshold_falls_on_the_same_side(
    forest: SklearnModel, data: st.DataObject
) -> None:
    row = data.draw(st.lists(near_thresholds(forest.estimator), min_size=3, max_size=3))
    assert_equal(forest, np.array([row]), exact=True)


@given(data=st.data())
@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_so_does_any_number_or_gap_for_histogram_boosting(
    histogram: SklearnModel, data: st.DataObject
) -> None:
    row = data.draw(
        st.lists(
            near_thresholds(histogram.estimator) | st.just(np.nan),
            min_size=3,
            max_size=3,
        )
    )
    assert_equal(histogram, np.array([row]))


ENCODERS = {
    "one-hot": OneHotEncoder(handle_unknown="ignore"),
    "one-hot, first dropped": OneHotEncoder(drop="first", handle_unknown="ignore"),
    "one-hot, rare ones together": OneHotEncoder(
        min_frequency=40, handle_unknown="infrequent_if_exist"
    ),
    "ordinal": OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
    ),
    "ordinal with gaps": OrdinalEncoder(encoded_missing_value=-7),
    "imputed, then one-hot": make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder()
    ),
}
NUMERIC = {
    "standard": StandardScaler(),
    "mean alone": StandardScaler(with_std=False),
    "scale alone": StandardScaler(with_mean=False),
    "min-max": MinMaxScaler(),
    "min-max, clipped": MinMaxScaler(clip=True),
    "robust": RobustScaler(),
    "max-abs": MaxAbsScaler(),
    "passthrough": "passthrough",
    "polynomial": PolynomialFeatures(),
}
LAST = {
    "linear": (LogisticRegression(), 2),
    "forest": (RandomForestClassifier(5, random_state=0), 3),
    "regression": (Ridge(), 0),
    "histogram": (HistGradientBoostingClassifier(max_iter=5), 2),
}


def columns(numeric: Any, encoder: Any) -> ColumnTransformer:
    inner = (
        numeric
        if isinstance(numeric, str)
        else make_pipeline(SimpleImputer(), clone(numeric))
    )
    return make_column_transformer(
        (inner, ["size", "weight", "height"]), (clone(encoder), ["colour"])
    )


@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize(
    ("numeric", "encoder"),
    [(numeric, "one-hot") for numeric in NUMERIC]
    + [("standard", encoder) for encoder in ENCODERS],
)
def test_pipelines_are_equal(numeric: str, encoder: str, last: str) -> None:
    estimator, classes = LAST[last]
    gaps = numeric != "passthrough"
    pipeline = make_pipeline(
        columns(NUMERIC[numeric], ENCODERS[encoder]), clone(estimator)
    )
    model = hastened(pipeline, mixed(missing=gaps), classes)
    assert model.copy is not None, model._no_copy_reason
    coded = model.schema.encode_columns(mixed(missing=gaps))
    assert_equal(model, coded)
    np.testing.assert_array_equal(
        model.copy.transform(coded), model._steps.transform(model.schema.decode(coded))
    )


def test_a_pipeline_of_numbers_and_a_search_are_equal() -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [1.0]},
        cv=2,
    )
    for estimator in (
        make_pipeline(StandardScaler(), PCA(2), LogisticRegression()),
        search,
    ):
        model = hastened(estimator, numbers(), 2)
        assert_equal(model, numbers().to_numpy())


def test_a_category_that_the_encoder_has_not_seen_is_as_the_encoder_has_it() -> None:
    data = mixed()
    model_columns = columns(StandardScaler(), ENCODERS["one-hot"])
    seen = data[data["colour"] != "blue"]
    pipeline = make_pipeline(model_columns, LogisticRegression()).fit(
        seen, targets(seen, 2)
    )
    model = SklearnModel.load(Artifact(pipeline, {"features": features(data)}))
    model.speed_up()
    assert_equal(model, model.schema.encode_columns(data))


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("last", LAST)
@pytest.mark.parametrize("encoder", [*ENCODERS, "one-hot, strict"])
def test_texts_are_equal_known_or_not(encoder: str, last: str) -> None:
    data = mixed(missing=True)
    data["colour"] = data["colour"].astype(object).where(data["colour"].notna(), np.nan)
    described = [
        entry if entry["name"] != "colour" else {"name": "colour", "type": "string"}
        for entry in features(data)
    ]
    estimator, classes = LAST[last]
    pipeline = make_pipeline(
        columns(StandardScaler(), ENCODERS.get(encoder, OneHotEncoder())),
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
    assert model.copy is not None, model._no_copy_reason
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
        fast = copied(model.copy, method, records)
        try:
            told = getattr(pipeline, method)(records.columns)
        except ValueError:
            assert fast is None
            with pytest.raises(Unprocessable):
                model.predict(records)
        else:
            assert fast is not None
            np.testing.assert_allclose(fast, told, rtol=TOLERANCE, atol=TOLERANCE)


def test_texts_that_a_step_reads_letter_by_letter_are_left_to_the_estimator() -> None:
    data = pd.DataFrame({"text": ["good", "bad", "good good", "so bad"] * 10})
    words = make_column_transformer((CountVectorizer(), "text"))
    pipeline = make_pipeline(words, LogisticRegression()).fit(data, [1, 0, 1, 0] * 10)
    model = SklearnModel.load(
        Artifact(pipeline, {"features": [{"name": "text", "type": "string"}]})
    )
    model.speed_up()
    assert model.info()["fast_predict"] is False
    assert model.predict(of_payload(model.schema, {"text": "good"})).tolist() == [1]


def test_ties_are_left_to_the_estimator_unless_every_bit_is_equal() -> None:
    """A margin of 1e-17 is a probability of exactly one half, and yet the second class."""
    data = pd.DataFrame({"x": [-1.0, 1.0, -2.0, 2.0]})
    estimator = LogisticRegression(fit_intercept=False).fit(data, [0, 1, 0, 1])
    model = SklearnModel.load(
        Artifact(estimator, {"features": [{"name": "x", "type": "numeric"}]})
    )
    model.speed_up()
    assert model.copy is not None
    for x in (1e-17, -1e-17, 0.0, 1e-300, NEAR_TIE):
        records = of_codes(model.schema, np.array([[x]]))
        assert (
            model.predict(records).tolist()
            == estimator.predict(records.columns).tolist()
        )


def test_what_the_estimator_refuses_is_refused() -> None:
    model = hastened(RandomForestClassifier(5), numbers(), 2)
    assert model.copy is not None
    with pytest.raises(Unprocessable, match="does not take these values"):
        model.predict(of_codes(model.schema, np.array([[0.0, 1e300, 0.0]])))


def test_records_over_the_crossing_are_left_to_what_is_faster() -> None:
    def slow(records: Any) -> None:
        time.sleep(1e-4 * len(records))

    def flat(_: Any) -> None:
        time.sleep(4e-3)

    rows = numbers().to_numpy()
    assert crossing(slow, flat, rows, 4096) == 63
    assert crossing(flat, slow, rows, 5000) == 5000
    assert (
        crossing(
            lambda records: slow(rows) if len(records) > 16 else None, flat, rows, 20
        )
        == 20
    )
    model = hastened(RandomForestClassifier(5, random_state=0), numbers(), 2)
    assert model.copy is not None
    model.copy = replace(model.copy, few_limit=2, limit=3)
    told = model.estimator.predict_proba(numbers()[:4])
    for size in (1, 2, 3):
        found = copied(model.copy, "predict_proba", of_codes(model.schema, rows[:size]))
        np.testing.assert_array_equal(found, told[:size])
    assert copied(model.copy, "predict_proba", of_codes(model.schema, rows[:4])) is None


def test_an_estimator_that_cannot_be_compiled_answers_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        model = hastened(SVC(), numbers(), 2)
    assert model.info()["fast_predict"] is False
    assert "cannot be compiled" in model.info()["fast_predict_reason"]
    assert "the estimator answers itself" in caplog.text


@pytest.mark.parametrize("broken", ["a threshold", "a leaf", "a step"])
def test_a_broken_copy_is_found_and_the_estimator_answers(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if broken == "a step":
        scaler = StandardScaler().fit(numbers())
        monkeypatch.setitem(
            __import__("python.model.fast.transformers", fromlist=["STEPS"]).STEPS,
            "StandardScaler",
            lambda _: lambda X: X / scaler.scale_,
        )
        model = hastened(make_pipeline(StandardScaler(), Ridge()), numbers(), 0)
        said = "a step gives other values than its copy"
    else:
        import treelite

        imported = treelite.sklearn.import_model

        def import_model(estimator: Any) -> Any:
            copy = imported(estimator)
            tree = copy.get_tree_accessor(3)
            field = "threshold" if broken == "a threshold" else "leaf_value"
            values = tree.get_field(field).copy()
            inner = int(np.flatnonzero(values)[-1])
            values[inner] = (
                np.nextafter(np.float32(values[inner]), np.inf)
                if field == "threshold"
                else values[inner] * (1 + 1e-6)
            )
            tree.set_field(field, values)
            return copy

        monkeypatch.setattr(treelite.sklearn, "import_model", import_model)
        model = hastened(RandomForestRegressor(10, random_state=0), numbers(), 0)
        said = "the compiled copy has other trees than the estimator"
    assert model.copy is None
    assert model.info()["fast_predict_reason"] == said
    assert f"the estimator answers itself, because {said}" in caplog.text
    some = of_codes(model.schema, numbers().to_numpy())
    assert (
        model.predict(some).tolist() == model.estimator.predict(some.columns).tolist()
    )


Pair = tuple[Copy, Original]


def inverted(copy: Copy, original: Original) -> Pair:
    return replace(copy, classes=np.array([1, 0])), original


def inexact(copy: Copy, original: Original) -> Pair:
    def shifted(X: Any) -> Any:
        return copy.few(X) + 1e-6

    return replace(copy, few=shifted), original


def another(copy: Copy, original: Original) -> Pair:
    forest = RandomForestClassifier(3, random_state=1).fit(
        numbers(), targets(numbers(), 2)
    )
    return copy, replace(original, estimator=forest)


def refusing(copy: Copy, original: Original) -> Pair:
    return copy, replace(original, estimator=SVC())


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (refusing, "answers what the estimator refuses"),
        (inverted, "other labels than the estimator"),
        (inexact, "other values than the estimator"),
        (another, "other values than the whole model"),
    ],
)
def test_what_a_broken_copy_says_is_compared(
    break_it: Callable[[Copy, Original], Pair], said: str
) -> None:
    forest = RandomForestClassifier(3, random_state=0).fit(
        numbers(), targets(numbers(), 2)
    )
    schema = Schema.from_metadata({"features": features(numbers())}, named=True)
    copy, original = compile_copy(forest, split_steps(forest), schema, numbers())
    probes, choose = numbers().to_numpy(dtype=float), np.random.default_rng(0)
    copy, _ = prove(copy, original, probes, choose)
    copy, original = break_it(copy, original)
    with pytest.raises(Unproven, match=said):
        prove(copy, original, probes, choose)


def lower(texts: Any) -> Any:
    return texts.apply(lambda column: column.str.lower())


def both(data: Any) -> Any:
    return np.all(np.asarray(data) == "u", axis=1).astype(float)[:, None]


class Selecting(ColumnTransformer):  # type: ignore[misc]
    def transform(self, X: Any) -> Any:
        return np.where(np.asarray(X) == 42, -1.0, super().transform(X))


class Generous(Pipeline):  # type: ignore[misc]
    def predict(self, X: Any) -> Any:
        return (self.predict_proba(X)[:, 1] >= 0.1).astype(int)


class Ruled(RandomForestRegressor):  # type: ignore[misc]
    def predict(self, X: Any) -> Any:
        return np.where(np.asarray(X)[:, 1] == 42, -1.0, super().predict(X))


TEXTS = pd.DataFrame({"p": ["u", "v", "w", "?"] * 15, "q": ["u", "x", "w"] * 20})
STRANGE = {"p": "z", "q": "u"}
SAME = TEXTS.assign(p="k")
AMOUNTS = pd.DataFrame(
    {"a": [1.0, 2.0, 3.0, 4.0, -999.0, 6.0] * 10, "b": [0.5, 7.0, 1.0] * 20}
)
ONE_HOT = OneHotEncoder(handle_unknown="ignore")
ODD: dict[str, tuple[Any, pd.DataFrame, dict[str, Any]]] = {
    "texts in small letters": (
        make_pipeline(FunctionTransformer(lower), ONE_HOT),
        TEXTS,
        {"p": "U", "q": "X"},
    ),
    "a text for nothing": (
        make_pipeline(
            SimpleImputer(missing_values="?", strategy="most_frequent"), ONE_HOT
        ),
        TEXTS,
        {"p": "?", "q": "u"},
    ),
    "changed places": (
        make_pipeline(FunctionTransformer(lambda d: d[["q", "p"]]), ONE_HOT),
        TEXTS,
        {"p": "x", "q": "w"},
    ),
    "two texts together": (FunctionTransformer(both), TEXTS, {"p": "u", "q": "u"}),
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
        make_pipeline(OneHotEncoder(sparse_output=False), FunctionTransformer(np.tanh)),
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
            SimpleImputer(strategy="most_frequent", add_indicator=True), ONE_HOT
        ),
        TEXTS.assign(p=pd.Series([None] * 60, dtype=object)),
        {"q": "u"},
    ),
    "too large for a scaler, then squashed": (
        make_pipeline(StandardScaler(), MinMaxScaler(), FunctionTransformer(np.tanh)),
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


@pytest.mark.parametrize("samples", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_odd_steps_answer_as_they_do_without_a_copy(name: str, samples: bool) -> None:
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
        {"name": column, "type": kind, "default": data[column][0]} for column in data
    ]
    model = SklearnModel.load(
        Artifact(pipeline, {"features": described}, data if samples else None)
    )

    def told() -> Any:
        try:
            records = of_payload(model.schema, record)
            return model.predict(records).tolist(), np.round(
                model.predict_proba(records), 11
            ).tolist()
        except RefusedRecords as error:
            return error.faults

    before = told()
    model.speed_up()
    assert told() == before


@pytest.mark.parametrize("classes", [2, 0])
def test_what_is_not_scikit_learns_own_answers_itself(classes: int) -> None:
    steps = [("scale", StandardScaler()), ("last", LogisticRegression())]
    model = hastened(
        Generous(steps) if classes else Ruled(5, random_state=0), numbers(), classes
    )
    assert "is not scikit-learn's own" in model.info()["fast_predict_reason"]


def test_neither_does_what_only_holds_or_selects() -> None:
    held = FrozenEstimator(LogisticRegression().fit(numbers(), targets(numbers(), 2)))
    columns = Selecting([("scale", StandardScaler(), list(numbers()))])
    for estimator in (held, make_pipeline(columns, LogisticRegression())):
        assert hastened(estimator, numbers(), 2).info()["fast_predict"] is False


STRICT_ENCODERS = [
    OneHotEncoder(sparse_output=False),
    OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan),
]


@pytest.mark.parametrize("encoder", STRICT_ENCODERS, ids=repr)
@pytest.mark.parametrize("kind", ["category", "string"])
def test_an_encoder_of_several_columns_is_looked_up(encoder: Any, kind: str) -> None:
    last = HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=2)
    pipeline = make_pipeline(make_column_transformer((encoder, ["p", "q"])), last).fit(
        TEXTS, TEXTS["q"] == "u"
    )
    described = [
        {"name": name, "type": kind, "default": "u"}
        | ({"categories": sorted(set(TEXTS[name]))} if kind == "category" else {})
        for name in TEXTS
    ]
    model = SklearnModel.load(Artifact(pipeline, {"features": described}))
    model.speed_up()
    records = of_payload(model.schema, TEXTS.to_dict("records"))
    assert model.copy is not None, model._no_copy_reason
    for method in ("predict", "predict_proba"):
        found: Any = copied(model.copy, method, records)
        np.testing.assert_allclose(
            found, getattr(pipeline, method)(TEXTS), rtol=0, atol=TOLERANCE
        )


def test_too_many_categories_are_left_to_the_estimator() -> None:
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


@pytest.mark.parametrize(
    "estimator",
    [
        GradientBoostingClassifier(
            n_estimators=300, n_iter_no_change=3, random_state=0
        ),
        GradientBoostingRegressor(
            n_estimators=2000, n_iter_no_change=3, random_state=0
        ),
    ],
)
def test_boosting_that_stopped_early_is_equal(estimator: Any) -> None:
    model = hastened(
        estimator, numbers(), 2 if "Classifier" in type(estimator).__name__ else 0
    )
    assert len(model.estimator.estimators_) < estimator.n_estimators
    assert_equal(model, numbers().to_numpy())


@pytest.mark.parametrize("wanted", [3, 50])
def test_a_forest_with_other_trees_than_it_wanted_is_equal(wanted: int) -> None:
    forest = RandomForestClassifier(10, random_state=0).fit(
        numbers(), targets(numbers(), 3)
    )
    forest.set_params(n_estimators=wanted).estimators_ = forest.estimators_[:7]
    model = SklearnModel.load(Artifact(forest, {"features": features(numbers())}))
    model.speed_up()
    assert_equal(model, numbers().to_numpy(), exact=True)


def test_a_link_that_is_met_only_when_saturated_is_not_taken_for_another() -> None:
    data = numbers() * 1e4
    model = hastened(
        SGDClassifier(loss="modified_huber", random_state=0, max_iter=20, tol=None),
        data,
        2,
    )
    assert (
        model.info()["fast_predict_reason"]
        == "the compiled copy gives other values than the estimator"
    )


NINE = [f"x{n}" for n in range(9)]
SPARSE = ColumnTransformer(
    [("few", OneHotEncoder(), ["k"]), ("numbers", "passthrough", NINE)],
    sparse_threshold=1.0,
)
BY_COLUMN = ColumnTransformer([("all", "passthrough", [*NINE, "k"])]).set_output(
    transform="pandas"
)
TWO_FRAMES = ColumnTransformer(
    [("one", "passthrough", NINE), ("k", "passthrough", ["k"])]
).set_output(transform="pandas")
HANDED = {
    "an array": "passthrough",
    "sparse": SPARSE,
    "a frame": BY_COLUMN,
    "two frames in one": TWO_FRAMES,
}


def large_terms(handed: str, last: Any, scale: float) -> tuple[SklearnModel, Any]:
    """A linear model behind a step, and coded records whose terms are of that size, and add up to next to nothing."""
    choose = np.random.default_rng(0)
    X = pd.DataFrame(choose.normal(size=(200, 9)), columns=NINE).assign(
        k=choose.integers(0, 5, 200).astype(float)
    )
    score = X[NINE].to_numpy() @ choose.normal(size=9)
    target = np.digitize(score, [-1, 1]) if last is not LINEAR[0][0] else score > 0
    pipeline = make_pipeline(
        clone(HANDED[handed]) if handed != "an array" else HANDED[handed], clone(last)
    ).fit(X, target)
    model = SklearnModel.load(Artifact(pipeline, {"features": features(X)}))
    model.speed_up()
    coefficients = (
        np.atleast_2d(pipeline[-1].coef_)[:, -9:]
        if handed == "sparse"
        else np.atleast_2d(pipeline[-1].coef_)[:, :9]
    )
    large = choose.normal(size=(300, 9)) * scale
    rows = (
        large
        - large @ np.linalg.pinv(coefficients) @ coefficients
        + choose.normal(size=(300, 9))
    )
    return model, np.column_stack([rows, choose.integers(0, 5, 300).astype(float)])


@pytest.mark.parametrize(
    "last",
    [LogisticRegression(), LogisticRegression(C=0.5), Ridge(), Lasso(alpha=0.01)],
    ids=["two", "three", "a number", "one that takes gaps in a sparse matrix"],
)
@pytest.mark.parametrize("handed", HANDED)
@pytest.mark.parametrize("scale", [1e4, 1e9, 1e16])
def test_what_large_terms_leave_of_a_sum_is_equal(
    scale: float, handed: str, last: Any
) -> None:
    model, coded = large_terms(handed, last, scale)
    assert model.copy is not None, model._no_copy_reason
    for size in (1, 2, 7, 300):
        for method in ("few", "many"):
            seen = model.copy.transform(coded[:size])
            np.testing.assert_array_equal(
                getattr(model.copy, method)(seen),
                np.asarray(computed(model, coded[:size])),
            )
        assert_equal(model, coded[:size], exact=True)


@pytest.mark.parametrize("handed", HANDED)
def test_a_sum_in_another_order_is_found(handed: str) -> None:
    model, _ = large_terms(handed, Ridge(), 1.0)
    choose = np.random.default_rng(0)
    coded = made_up_codes(model.schema, choose)
    copy, original = compiled(model)
    copy, _ = prove(copy, original, coded, choose)
    backwards = predictors._linear(
        model._steps.predictor,
        lambda X, coefficients: (X[:, ::-1] * coefficients[::-1]).sum(axis=1),
    )
    with pytest.raises(Unproven, match="other values than the estimator"):
        prove(replace(copy, few=backwards), original, coded, choose)


def test_a_forest_must_be_equal_to_the_bit() -> None:
    model = hastened(RandomForestClassifier(3, random_state=0), numbers(), 2)
    choose = np.random.default_rng(0)
    copy, original = compiled(model)

    def inexact(X: Any) -> Any:
        return copy.few(X) * (1 - 1e-15)

    with pytest.raises(Unproven, match="other values"):
        prove(replace(copy, few=inexact), original, numbers().to_numpy(), choose)


def as_text(codes: Any) -> Any:
    return np.asarray(codes).astype(str)


def test_a_step_that_sees_a_record_in_the_light_of_others_answers_itself() -> None:
    data = pd.DataFrame({"k": pd.Categorical([1, 2, 3] * 40), "x": np.arange(120.0)})
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
    assert model.predict(of_payload(model.schema, {"k": 1, "x": 0.0})).tolist() == [
        True
    ]


def test_what_one_of_many_features_makes_too_large_is_refused() -> None:
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 100))).add_prefix(
        "x"
    )
    squashed = make_pipeline(
        StandardScaler(), MinMaxScaler(), FunctionTransformer(np.tanh)
    )
    steps = ColumnTransformer([("squashed", squashed, ["x0"])], remainder="passthrough")
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
        assert [(fault.row, fault.feature) for fault in refused.value.faults] == [
            (0, "x0")
        ]
        model.speed_up()
    assert model.copy is not None, model._no_copy_reason


def test_wide_models_are_proven_and_measured_on_few_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 20))).add_prefix("x")
    pipeline = make_pipeline(PolynomialFeatures(2), StandardScaler(), Ridge()).fit(
        data, data["x0"]
    )
    model = SklearnModel.load(Artifact(pipeline, {"features": features(data)}, data))
    sizes, own = [], PolynomialFeatures.transform

    def counted(step: Any, X: Any) -> Any:
        sizes.append(len(X))
        return own(step, X)

    monkeypatch.setattr(PolynomialFeatures, "transform", counted)
    monkeypatch.setattr(trials, "MATRIX_LIMIT", 231 * 40)
    model.speed_up()
    assert model.copy is not None, model._no_copy_reason
    assert 16 <= max(sizes) <= 40 == model.copy.limit
    assert (
        copied(model.copy, "predict", of_codes(model.schema, np.ones((41, 20)))) is None
    )


def test_what_is_made_of_a_row_for_each_class_is_bounded() -> None:
    coefficients = np.random.default_rng(0).normal(size=(100, 5_000))
    rows = next(
        critical_rows(
            SimpleNamespace(coef_=coefficients, intercept_=np.zeros(100)),
            np.random.default_rng(0),
        )
    )
    assert 2 <= len(rows) <= MATRIX_LIMIT / coefficients.size


def test_labels_near_a_tie_are_left_to_what_decides() -> None:
    model = hastened(GradientBoostingClassifier(n_estimators=3), numbers(), 2)
    assert model.copy is not None
    model.copy = replace(model.copy, exact_labels=False)
    assert model.copy.label(np.array([[0.5 - 4e-10, 0.5 + 4e-10]])) is None
    assert model.copy.label(np.array([[0.5 - 6e-10, 0.5 + 6e-10]])) == [1]


def test_splits_by_category_are_left_to_the_estimator() -> None:
    X = pd.DataFrame({"a": np.arange(ROWS) % 4, "b": np.arange(ROWS) / 7.0})
    boosting = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]).fit(
        X, X["a"] == 2
    )
    model = SklearnModel.load(
        Artifact(boosting, {"features": features(X.astype(float))})
    )
    model.speed_up()
    assert (
        model.info()["fast_predict_reason"]
        == "it cannot be compiled (ValueError: splits by category)"
    )


def test_a_gap_that_only_a_copy_would_take_is_refused() -> None:
    data = pd.DataFrame(
        {"c": [f"{number}" for number in range(30)] * 4, "x": np.arange(120.0)}
    )
    steps = make_column_transformer((OneHotEncoder(), ["c"]), ("passthrough", ["x"]))
    pipeline = make_pipeline(steps, RandomForestClassifier(3, random_state=0)).fit(
        data, np.arange(120) % 2
    )
    described = [
        {"name": "c", "type": "string", "default": "1"},
        {"name": "x", "type": "numeric", "accepts_missing": True},
    ]
    model = SklearnModel.load(Artifact(pipeline, {"features": described}))
    model.speed_up()
    with pytest.raises(Unprocessable):
        model.predict_proba(of_payload(model.schema, {"c": "1"}))


def test_a_forest_of_several_outputs_does_not_end_the_process() -> None:
    data = numbers()
    two = np.stack([targets(data, 2), targets(data, 3)], axis=1)
    model = SklearnModel.load(
        Artifact(RandomForestClassifier(3).fit(data, two), {"features": features(data)})
    )
    model.speed_up()
    assert (
        model.info()["fast_predict_reason"]
        == "it cannot be compiled (ValueError: several outputs)"
    )


@pytest.mark.parametrize("fast", [True, False])
def test_nothing_waits_for_the_compiled_copy(
    fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling, speed_up = threading.Event(), SklearnModel.speed_up

    def late(model: SklearnModel) -> None:
        compiling.wait(30)
        speed_up(model)

    monkeypatch.setattr(SklearnModel, "speed_up", late)
    joblib.dump(build("build_rf_binary").content, tmp_path / "model.joblib")
    client = create_app(
        Settings(model_folder=str(tmp_path), fast_predict=fast)
    ).test_client()
    record = build("build_rf_binary").records(1)[0]
    told = client.post("/predict?proba=1", json=record).data
    assert client.get("/ready").status_code == 200
    assert client.get("/info").get_json()["model"]["fast_predict"] is False
    compiling.set()
    for thread in threading.enumerate():
        if thread.name == "speed-up":
            thread.join(30)
    assert client.get("/info").get_json()["model"]["fast_predict"] is fast
    assert client.post("/predict?proba=1", json=record).data == told
