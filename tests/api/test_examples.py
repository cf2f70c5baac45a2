"""Examples in the artifact: what the model said when it was saved is what a client receives."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from xgboost import XGBClassifier

from python.api.examples import check_examples
from python.errors import ArtifactError
from tests.artifacts import client_of, content, load, post

RANDOM = np.random.default_rng(0)
ROWS = pd.DataFrame(RANDOM.normal(size=(40, 2)), columns=["x", "y"])
SIGNS = np.where(ROWS["x"] + 2 * ROWS["y"] > 0, "yes", "no")
CLASSIFIER = LogisticRegression().fit(ROWS, SIGNS)
CODES = pd.DataFrame({"x": RANDOM.integers(1, 5, size=40), "y": ROWS["y"]})
CODED = make_pipeline(
    OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
)


def examples_of(model: Any, rows: Any, **changes: Any) -> dict[str, Any]:
    """Return the examples that a notebook would put into the file, with some changes."""
    examples = {"records": rows, "predictions": model.predict(rows)}
    if hasattr(model, "predict_proba"):
        examples["probabilities"] = model.predict_proba(rows)
    return examples | changes


def check(model: Any, examples: Any, **more: Any) -> None:
    """Load the model with the examples as the service does."""
    check_examples(load(content(model=model, examples=examples, **more)))


def refusal(model: Any, examples: Any, **more: Any) -> str:
    """Return the one sentence with which the examples are refused."""
    with pytest.raises(ArtifactError) as caught:
        check(model, examples, **more)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "records",
    [ROWS, ROWS.to_dict("records"), ROWS[["y", "x"]].assign(other=3)],
    ids=["frame", "records", "other order, another column"],
)
@pytest.mark.parametrize("kind", [np.array, np.ndarray.tolist, pd.Series])
def test_examples_that_are_right(records: Any, kind: Any) -> None:
    labels = kind(CLASSIFIER.predict(ROWS))
    check(
        CLASSIFIER,
        examples_of(CLASSIFIER, ROWS, records=records, predictions=labels),
    )


@pytest.mark.parametrize("left_out", ["predictions", "probabilities"])
def test_either_result_may_be_left_out(left_out: str) -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    del examples[left_out]
    check(CLASSIFIER, examples)


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(40) % 3,
        np.arange(40) % 2 == 0,
        np.where(ROWS["x"] > 0, 1.5, 0.5).astype(str),
        np.arange(40) % 3 - 1.0,
    ],
    ids=["integers", "booleans", "texts of numbers", "decimals"],
)
def test_labels_of_every_type(labels: Any) -> None:
    model = LogisticRegression().fit(ROWS, labels)
    check(model, examples_of(model, ROWS))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regressions_of_one_output_and_of_several(n_outputs: int) -> None:
    targets = RANDOM.normal(size=(40, n_outputs))
    model = LinearRegression().fit(ROWS, targets)
    check(model, examples_of(model, ROWS))
    changed = model.predict(ROWS)
    changed[7, -1] += 1e-7
    sentence = refusal(model, examples_of(model, ROWS, predictions=changed))
    assert sentence.startswith("example 7: the model said ")


def test_classes_have_other_names() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    check(CLASSIFIER, examples, class_names=["off", "on"])
    examples["probabilities"] = examples["probabilities"].copy()
    examples["probabilities"][3] = [0.25, 0.75]
    sentence = refusal(CLASSIFIER, examples, class_names=["off", "on"])
    here = CLASSIFIER.predict_proba(ROWS)[3, 0]
    assert sentence == (
        f'example 3: the model said 0.25 for "off" when it was saved, here it says {here:.3g}'
    )


def test_another_label() -> None:
    labels = CLASSIFIER.predict(ROWS)
    other = {"yes": "no", "no": "yes"}[labels[3]]
    labels[3] = other
    sentence = refusal(
        CLASSIFIER, examples_of(CLASSIFIER, ROWS, predictions=labels)
    )
    here = CLASSIFIER.predict(ROWS)[3]
    assert sentence == (
        f'example 3: the model said "{other}" when it was saved, here it says "{here}"'
    )


@pytest.mark.parametrize("kind", [int, float])
def test_neighbouring_labels_of_thirteen_digits_differ(kind: Any) -> None:
    first = kind(4006381333931)
    second = kind(4006381333932)
    model = LogisticRegression().fit(
        ROWS, np.where(ROWS["x"] > 0, first, second)
    )
    examples = examples_of(model, ROWS)
    check(model, examples)
    swapped = np.where(examples["predictions"] == first, second, first)
    sentence = refusal(model, examples | {"predictions": swapped})
    assert sentence.startswith("example 0: the model said 40063813339")


@pytest.mark.parametrize(
    "change", [1e-4, 1e-8, float("nan"), float("inf"), -float("inf")]
)
def test_another_probability_is_seen(change: float) -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    examples["probabilities"] = examples["probabilities"] + 0.0
    examples["probabilities"][39, 1] += change
    sentence = refusal(CLASSIFIER, examples)
    said, here = sentence.split(" when it was saved, here it says ")
    assert said.startswith("example 39: the model said ")
    assert said.removesuffix(' for "yes"').split()[-1] != here


def test_rounding_is_not_a_difference() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    examples["probabilities"] = examples["probabilities"] * (1 + 1e-12)
    check(CLASSIFIER, examples)


def test_a_library_that_computes_in_float32() -> None:
    model = XGBClassifier(n_estimators=5, n_jobs=1).fit(ROWS, SIGNS == "yes")
    examples = examples_of(model, ROWS)
    check(model, examples)
    # As they are printed: eight digits tell numbers of float32 apart.
    printed = [
        [float(str(value)) for value in row]
        for row in examples["probabilities"]
    ]
    check(model, examples | {"probabilities": printed})
    moved = examples["probabilities"].astype(float) + np.array([-1e-5, 1e-5])
    assert "example 0: " in refusal(model, examples | {"probabilities": moved})


def test_numbers_as_large_as_prices() -> None:
    prices = 1e6 * (1 + ROWS["x"] ** 2)
    model = KNeighborsRegressor(3).fit(ROWS, prices)
    check(model, examples_of(model, ROWS))
    moved = model.predict(ROWS) * (1 + 1e-8)
    assert "example 0: " in refusal(
        model, examples_of(model, ROWS, predictions=moved)
    )


def test_a_matrix_in_another_order() -> None:
    model = LogisticRegression().fit(ROWS.to_numpy(), SIGNS)
    examples = {
        "records": ROWS,
        "probabilities": model.predict_proba(ROWS.to_numpy()),
    }
    check(model, examples)
    features = [{"name": name, "type": "numeric"} for name in ("y", "x")]
    sentence = refusal(model, examples, features=features)
    assert sentence.startswith("example 0: the model said ")
    assert sentence.endswith(
        "the model was fitted with an array: the metadata must list the features in the order "
        "of its columns"
    )


def test_integers_that_were_said_to_be_texts_of_decimals() -> None:
    model = make_pipeline(
        FunctionTransformer(lambda rows: rows[["x"]].astype(str)), CODED
    ).fit(CODES, CODES["x"] > 2)
    whole = [
        {"name": "x", "type": "integer"},
        {"name": "y", "type": "numeric"},
    ]
    records = CODES.to_dict("records")
    examples = examples_of(model, CODES) | {"records": records}
    check(model, examples, features=whole)
    decimal = [
        entry | {"type": "numeric", "dtype": "float64"} for entry in whole
    ]
    assert "when it was saved" in refusal(model, examples, features=decimal)


def test_other_versions_are_a_possible_reason() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    examples["probabilities"] = examples["probabilities"][:, ::-1]
    versions = {"scikit-learn": "1.2.2", "numpy": "2.0.0"}
    sentence = refusal(CLASSIFIER, examples, versions=versions)
    assert sentence.endswith(
        "; a possible reason is that it was fitted with "
        f"scikit-learn 1.2.2 (here {sklearn.__version__}) and numpy 2.0.0 "
        f"(here {np.__version__}): put scikit-learn==1.2.2 and numpy==2.0.0 into "
        "requirements.txt"
    )


def test_the_order_of_the_columns_is_advised_beside_the_versions() -> None:
    model = LogisticRegression().fit(ROWS.to_numpy(), SIGNS)
    examples = {
        "records": ROWS,
        "predictions": np.where(SIGNS == "yes", "no", "yes"),
    }
    sentence = refusal(model, examples, versions={"scikit-learn": "1.2.2"})
    assert "the order of its columns; a possible reason is" in sentence


def test_a_record_alone_has_the_answer_that_it_has_among_others() -> None:
    scaling = FunctionTransformer(lambda rows: rows - rows.mean())
    model = make_pipeline(scaling, LogisticRegression()).fit(ROWS, SIGNS)
    reason = (
        "; alone, the record gets another prediction than among others: a step depends on the "
        "other records of a request, or on chance"
    )
    sentence = refusal(model, examples_of(model, ROWS))
    assert sentence.startswith("example 0, sent alone: the model said ")
    assert sentence.endswith(reason)
    first = examples_of(model, ROWS)
    first["records"] = ROWS.head(9)
    for name in ("predictions", "probabilities"):
        first[name] = first[name][:9]
    sentence = refusal(model, first | {"predictions": None})
    assert sentence.startswith("example 0: the model said ")
    assert sentence.endswith(reason)


def test_missing_values_are_those_of_the_examples() -> None:
    rows = ROWS.copy()
    rows.loc[3, "y"] = np.nan
    model = LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, SIGNS)
    artifact = content(model=model, examples=examples_of(model, rows))
    check_examples(load(artifact))
    client = client_of(artifact)
    said = {
        feature["name"]: (
            feature["accepts_missing"],
            feature["accepts_missing_from"],
        )
        for feature in client.get("/features").get_json()
    }
    assert said == {"x": (False, "examples"), "y": (True, "examples")}
    assert post(client, "/predict", {"x": 1, "y": None})
    both = load(artifact | {"samples": ROWS})
    assert [feature.missing_rule_from for feature in both.schema.features] == [
        "samples and examples"
    ] * 2
    assert [feature.optional for feature in both.schema.features] == [
        False,
        True,
    ]


def test_a_missing_value_where_the_metadata_forbid_it() -> None:
    rows = ROWS.copy()
    rows.loc[3, "y"] = np.nan
    model = LGBMClassifier(n_estimators=2, verbose=-1).fit(rows, SIGNS)
    features = [
        {"name": name, "type": "numeric", "accepts_missing": False}
        for name in ("x", "y")
    ]
    sentence = refusal(model, examples_of(model, rows), features=features)
    assert sentence.startswith("examples: #/3/y: missing")


@pytest.mark.parametrize(
    ("examples", "sentence"),
    [
        (3, "examples must be a dict with"),
        ({"records": ROWS}, "examples must be a dict with"),
        (
            {"predictions": [1]},
            "examples: there are 1 predictions for 0 records",
        ),
        (
            {"record": ROWS, "predictions": SIGNS},
            'examples: unknown key "record"; did you mean "records"?',
        ),
        (
            {"records": ROWS, "predictions": SIGNS[:39]},
            "examples: there are 39 predictions for 40 records",
        ),
        (
            {"records": ROWS, "predictions": "yes"},
            "examples: predictions must be a list or an array",
        ),
        (
            {"records": [{"x": 1}], "predictions": ["yes"]},
            'examples, row 0: no value for "y"',
        ),
        (
            {"records": [{"x": 1, "y": "a"}], "predictions": ["yes"]},
            'examples, row 0, "y": expected a number, got "a"',
        ),
        (
            {"records": [{"x": 1, "y": float("inf")}], "predictions": ["yes"]},
            'examples, row 0, "y": expected a number',
        ),
        (
            {"records": ROWS[:1], "probabilities": [[0.2, 0.3, 0.5]]},
            "example 0: there are 3 values where the model has 2 classes: write what predict_proba",
        ),
        (
            {"records": ROWS[:1], "probabilities": [0.2]},
            "example 0: there is one value where the model has 2 classes: write what predict_proba",
        ),
    ],
)
def test_examples_that_are_none(examples: Any, sentence: str) -> None:
    assert refusal(CLASSIFIER, examples).startswith(sentence)


def test_probabilities_of_a_model_without() -> None:
    model = LinearRegression().fit(ROWS, ROWS["x"])
    examples = examples_of(model, ROWS) | {"probabilities": np.ones((40, 2))}
    sentence = refusal(model, examples)
    assert sentence == (
        "examples: the model (REGRESSION) has no probabilities: it has no predict_proba"
    )


def by_name(probabilities: Any, names: list[str], form: str) -> Any:
    """Return the probabilities under their names, the last class first."""
    frame = pd.DataFrame(probabilities, columns=names)[names[::-1]]
    return frame if form == "frame" else frame.to_dict("records")


@pytest.mark.parametrize("form", ["frame", "dicts"])
@pytest.mark.parametrize("names", [["no", "yes"], ["off", "on"]])
def test_probabilities_by_class_name(form: str, names: list[str]) -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    expected = examples["probabilities"]
    named = examples | {"probabilities": by_name(expected, names, form)}
    check(CLASSIFIER, named, class_names=names)
    wrong = by_name(expected[:, ::-1], names, form)
    sentence = refusal(
        CLASSIFIER, named | {"probabilities": wrong}, class_names=names
    )
    assert sentence.startswith("example 0: the model said ")
    assert f' for "{names[0]}" when it was saved' in sentence


def test_a_frame_of_probabilities_whose_columns_are_called_otherwise() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    for names in (None, ["p_no", "p_yes"], ["p", "p"]):
        frame = pd.DataFrame(examples["probabilities"], columns=names)
        check(CLASSIFIER, examples | {"probabilities": frame})


def test_the_probabilities_of_one_class_alone() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    second = examples["probabilities"][:, 1]
    assert refusal(CLASSIFIER, examples | {"probabilities": second}) == (
        "example 0: there is one value where the model has 2 classes: write what predict_proba "
        "returns, a probability for each class"
    )


@pytest.mark.parametrize("n_records", [5, 3])
@pytest.mark.parametrize(
    "form", [list, np.array, "by record", "dicts", "frames"]
)
def test_probabilities_of_several_outputs(form: Any, n_records: int) -> None:
    targets = np.column_stack([ROWS["x"] > 0, ROWS["y"] > 0]).astype(int)
    rows = ROWS.head(n_records)
    for model in (
        RandomForestClassifier(5, random_state=0),
        MultiOutputClassifier(LogisticRegression()),
    ):
        model.fit(ROWS, targets)
        outputs = model.predict_proba(rows)
        expected: Any = None
        if form == "by record":
            expected = np.array(outputs).swapaxes(0, 1).tolist()
        elif form == "dicts":
            named = [by_name(table, ["0", "1"], "dicts") for table in outputs]
            expected = list(zip(*named, strict=True))
        elif form == "frames":
            expected = [
                by_name(table, ["0", "1"], "frame") for table in outputs
            ]
        else:
            expected = form(outputs)
        examples = {
            "records": rows,
            "predictions": model.predict(rows),
            "probabilities": expected,
        }
        check(model, examples)
        if form is list:
            reverse = {"records": rows, "probabilities": outputs[::-1]}
            sentence = refusal(model, reverse)
            assert sentence.startswith("example 0: the model said ")


CANCER = load_breast_cancer(as_frame=True)
FLOAT32 = CANCER.data.astype("float32")
FLOAT32_FEATURES = [
    {"name": name, "type": "numeric", "dtype": "float32"} for name in FLOAT32
]


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(max_iter=3000),
        LinearRegression(),
        MLPClassifier((20,), max_iter=2000, tol=1e-2, random_state=0),
    ],
    ids=type,
)
@pytest.mark.parametrize("form", ["frame", "records"])
def test_a_model_of_columns_of_float32(model: Any, form: str) -> None:
    target = CANCER.target
    if isinstance(model, LinearRegression):
        target = (target * 1000).astype("float32")
    model = clone(model).fit(FLOAT32, target)
    rows = FLOAT32.head(100)
    records = rows if form == "frame" else rows.to_dict("records")
    examples = examples_of(model, rows, records=records)
    check(model, examples, features=FLOAT32_FEATURES)
    name = list(examples)[-1]
    moved = examples | {name: examples[name] * 1.01}
    sentence = refusal(model, moved, features=FLOAT32_FEATURES)
    assert sentence.startswith("example 0: the model said ")


def test_a_dtype_that_is_not_said_is_advised() -> None:
    model = LogisticRegression(max_iter=3000).fit(FLOAT32, CANCER.target)
    examples = examples_of(model, FLOAT32.head(100))
    features = [{"name": name, "type": "numeric"} for name in FLOAT32]
    sentence = refusal(model, examples, features=features)
    assert sentence.startswith("example ")
    assert '; "mean radius" is float32 there: "dtype": "float32"' in sentence


def test_examples_with_gaps_that_have_a_default() -> None:
    gaps = ROWS.mask(RANDOM.random(ROWS.shape) < 0.2)
    model = HistGradientBoostingClassifier(max_iter=10).fit(gaps, SIGNS)
    features = [
        {"name": name, "type": "numeric", "default": -1} for name in gaps
    ]
    check(
        model,
        examples_of(model, gaps.fillna(-1), records=gaps),
        features=features,
    )
    sentence = refusal(
        model,
        examples_of(model, gaps.fillna(0), records=gaps),
        features=features,
    )
    assert "when it was saved, here it says" in sentence


def test_records_that_are_none_of_the_examples() -> None:
    examples = examples_of(CLASSIFIER, ROWS)
    twice = pd.concat([ROWS, ROWS[["x"]]], axis=1)
    assert refusal(CLASSIFIER, examples | {"records": twice}) == (
        'examples: there are 2 columns "x"'
    )
    sentence = refusal(CLASSIFIER, examples | {"records": ROWS.to_numpy()})
    assert "or a list of dicts such as {'x': 0.0, 'y': 0.0}" in sentence
