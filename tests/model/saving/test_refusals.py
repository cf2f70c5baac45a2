"""What could not be served is refused before anything is written, in a sentence with a cure."""

import re
from ctypes import c_int, pointer
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from dateutil.tz import gettz  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier

from python.errors import ArtifactError
from python.model import save_model

ROWS = 24
X = pd.DataFrame({"a": np.arange(ROWS) % 5 / 4, "b": np.arange(ROWS) % 7})
Y = np.arange(ROWS) % 2
MODEL = LogisticRegression().fit(X, Y)


def refusal(model: Any, inputs: Any, **wishes: Any) -> str:
    """Return the sentence with which nothing is written."""
    before = sorted(Path.cwd().iterdir())
    with pytest.raises(ArtifactError) as caught:
        save_model(model, inputs, **wishes)
    assert sorted(Path.cwd().iterdir()) == before
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


class Anything:
    """Takes any column, and says nothing of those that it was fitted with."""

    def predict(self, data: Any) -> Any:
        return np.zeros(len(data))


def refused_column(values: Any) -> str:
    """Return the sentence about a column `x` with such values."""
    return refusal(Anything(), pd.DataFrame({"x": values}))


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            LogisticRegression,
            "the model is the class LogisticRegression: fit an object",
        ),
        ({"model": MODEL}, "the model, of the class dict, has no predict()"),
        (
            lightgbm.train(
                {"objective": "binary", "verbose": -1},
                lightgbm.Dataset(X, Y),
                2,
            ),
            "a Booster of LightGBM with the objective binary",
        ),
    ],
)
def test_what_is_no_model(model: Any, sentence: str) -> None:
    assert sentence in refusal(model, X)


@pytest.mark.parametrize(
    "model", [LogisticRegression(), XGBClassifier(), CatBoostClassifier()]
)
def test_an_unfitted_model(model: Any) -> None:
    assert re.search("fit", refusal(model, X))


def test_an_unfitted_model_is_to_be_fitted() -> None:
    assert "fit the model before it is written" in refusal(
        make_pipeline(LogisticRegression()), X
    )


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (X.head(0), "X has 0 rows and 2 columns"),
        (X[[]], "X has 24 rows and 0 columns"),
        (
            np.zeros((0, 2)),
            "X is an array, but the model was fitted with named columns",
        ),
        (
            X.assign(c=1),
            'X has the column "c", which the model was not fitted with',
        ),
        (X[["a"]], 'X lacks the column "b", which the model was fitted with'),
        (
            X.rename(columns={"a": "A"}),
            'X has the column "A", which the model was not fitted with; '
            'X lacks the column "a"',
        ),
        (X.set_axis(["a", "a"], axis=1), 'X has several columns named "a"'),
        (
            X.set_axis([0, 1], axis=1),
            'the column "0" of X has a name that is no text: write '
            "X.columns = X.columns.map(str)",
        ),
        (
            csr_matrix(X),
            "X must be a DataFrame or an array and is a csr_matrix: fit "
            "the model with X.toarray()",
        ),
        (5, "X must be a DataFrame or an array and is a int"),
        (np.zeros((2, 2, 2)), "X must have two dimensions, not 3"),
        ([[1.0], [1.0, 2.0]], "the rows of X do not have the same number"),
        (
            X.set_axis(["a", ""], axis=1),
            "column 2 of X has an empty name: rename it and fit again",
        ),
        (
            X[["b", "a"]],
            "X has its columns in another order than the model was fitted "
            "with: pass X[model.feature_names_in_]",
        ),
    ],
)
def test_other_columns_than_the_models(inputs: Any, sentence: str) -> None:
    assert sentence in refusal(MODEL, inputs)


def test_another_number_of_columns_than_the_models() -> None:
    model = LogisticRegression().fit(X.to_numpy(), Y)
    assert (
        refusal(model, np.zeros((ROWS, 3)))
        == "X has 3 columns, the model was fitted with 2"
    )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            pd.to_timedelta(range(ROWS), unit="h"),
            "is timedelta64[us], which cannot be served: make a number "
            'of it, such as X["x"].dt.total_seconds(), and fit again',
        ),
        (
            np.ones(ROWS) * 1j,
            "is complex128, which cannot be served: split it",
        ),
        (
            pd.interval_range(0, ROWS),
            "which cannot be served: make texts of it, "
            'X["x"].astype(str), and fit again',
        ),
        (
            pd.arrays.SparseArray([0.0, 1.0] * 12, fill_value=0.0),
            'store every value, X["x"].sparse.to_dense(), and fit again',
        ),
        (
            pd.arrays.SparseArray([0, 1] * 12),
            'store every value, X["x"].sparse.to_dense(), and fit again',
        ),
        (
            pd.arrays.SparseArray([0.0] * ROWS),
            'store every value, X["x"].sparse.to_dense(), and fit again',
        ),
        (
            pd.date_range("2024", periods=ROWS, tz=gettz("Europe/Berlin")),
            'which cannot be served: name the zone, X["x"].dt.tz_convert('
            '"Europe/Berlin"), and fit again',
        ),
        (
            pd.Categorical([1.0, np.inf] * 12),
            'the category inf of "x" is infinite, and JSON has no infinity',
        ),
        (
            pd.Categorical([np.nan] * ROWS),
            "is of categories, and all are missing: leave it out and fit again",
        ),
        (pd.period_range("2024", periods=ROWS), "make dates of it"),
        (
            pd.cut(X["a"], 3),
            'write X["x"].astype(str).astype("category") and fit again',
        ),
        (
            [1, "a"] * 12,
            "mixes types (integer and string): make one type of it",
        ),
        ([True, 2] * 12, "mixes types (boolean and integer)"),
        (
            [b"a"] * ROWS,
            "holds objects of the type bytes, which JSON does not have",
        ),
        ([None] * ROWS, "is of objects, and all are missing"),
        (
            [0.0, np.inf, -np.inf] * 8,
            "is infinite in 16 rows, and JSON has no infinity",
        ),
        (
            pd.Series([0.5, np.inf] * 12, dtype=object),
            "is infinite in 12 rows",
        ),
    ],
)
def test_a_column_that_json_does_not_have(values: Any, sentence: str) -> None:
    assert refused_column(values).startswith("the ")
    assert sentence in refused_column(values)


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"defaults": {"A": 1}}, 'defaults: X has no column "A"'),
        (
            {"defaults": {"a": np.nan}},
            'defaults: "a" has nan, which is no default: leave it out',
        ),
        ({"defaults": {"a": None}}, 'defaults: "a" has None, which is no'),
        ({"defaults": ["a"]}, "defaults must be a dict of values by the name"),
        ({"y": [1, 2, 3]}, "X has 24 rows, and y has 3"),
        ({"y": 5}, "y must be a list, an array or a Series with a value"),
        ({"y": iter(Y)}, "for each row of X, and is a iterator"),
        ({"y": [[1], [1, 2]]}, "the rows of y do not have the same number"),
        ({"y": [{"a": 1}] * ROWS}, "y has an object for a row: pass a label"),
        (
            {"samples": "10"},
            'samples must be a number of rows, 0 or more, got "10"',
        ),
        ({"samples": 10.0}, "0 or more, got 10.0"),
        ({"samples": -1}, "0 or more, got -1"),
        (
            {"examples": None},
            "examples must be a number of rows, 0 or more, got null",
        ),
        (
            {"class_names": ["a", "a"]},
            'class_names has "a" twice: give each class a name of its own',
        ),
        ({"class_names": ["one"]}, "class_names must be a list of 2 names"),
        (
            {"class_names": ["1", "0"]},
            "class_names are the model's own labels in another order",
        ),
        (
            {"defaults": {"b": "none"}},
            'feature "b": the default must be a whole number',
        ),
        ({"path": "nowhere/model.joblib"}, "there is no folder nowhere"),
        ({"path": "."}, ". is a folder: write model.joblib"),
        ({"path": None}, "path must be a text or a Path, got null"),
    ],
)
def test_what_does_not_fit_the_model(
    wishes: dict[str, Any], sentence: str
) -> None:
    assert sentence in refusal(MODEL, X, **wishes)


def test_a_default_for_what_the_model_saw_missing() -> None:
    gappy = X.assign(a=X["a"].mask(X["a"] == 0))
    sentence = refusal(Anything(), gappy, defaults={"a": 0.5})
    assert 'the default of "a" would stand in for missing values' in sentence


def test_what_cannot_be_pickled_has_two_cures() -> None:
    step = FunctionTransformer(lambda data: data)
    model = make_pipeline(step, DummyClassifier()).fit(X, Y)
    sentence = refusal(model, X)
    assert "cannot be pickled" in sentence
    assert "move it into a module in model_code/" in sentence
    assert "cloudpickle.dump" in sentence


class Holding:
    """Holds something."""

    def __init__(self, part: Any) -> None:
        self.part = part

    def predict(self, data: Any) -> Any:
        return np.zeros(len(data))


def nested(depth: int) -> list[Any]:
    """Return a list in a list in a list, so deep."""
    outer: list[Any] = []
    for _ in range(depth):
        outer = [outer]
    return outer


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (Lock(), "TypeError: cannot pickle '_thread.lock' object): leave it"),
        (pointer(c_int(1)), "ValueError: ctypes objects containing pointers"),
        (nested(100_000), "RecursionError"),
    ],
    ids=["lock", "pointer", "nested"],
)
def test_a_part_that_cannot_be_pickled(part: Any, sentence: str) -> None:
    refused = refusal(Holding(part), X)
    assert refused.startswith("a part of the model cannot be pickled (")
    assert sentence in refused
    cures = ("leave it out, with a __getstate__", "make it flatter")
    assert any(cure in refused for cure in cures)


class Unprintable:
    """Predicts objects that cannot be pickled."""

    def predict(self, data: Any) -> Any:
        return np.array([Lock() for _ in range(len(data))], dtype=object)


def test_predictions_that_cannot_be_pickled() -> None:
    sentence = refusal(Unprintable(), X, examples=0)
    assert "what the model predicts cannot be pickled" in sentence


def test_a_decimal_of_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    dtype = pd.ArrowDtype(pyarrow.decimal128(25, 2))
    column = pd.Series([Decimal("1.50")] * ROWS, dtype=dtype)
    assert 'make floats of it, X["x"].astype("float64")' in refused_column(
        column
    )


def test_a_folder_is_refused_before_any_work(elsewhere: Path) -> None:
    class Untouched:
        def predict(self, _: Any) -> Any:
            raise RuntimeError("it was called")

    assert "is a folder" in refusal(Untouched(), X, path=elsewhere)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["refusal", "trials"])
def test_a_file_may_have_any_name(name: str, elsewhere: Path) -> None:
    save_model(MODEL, X, name)
    assert [path.name for path in elsewhere.iterdir()] == [name]


def test_lightgbm_in_another_order() -> None:
    """It does not compare names when it predicts."""
    model = lightgbm.LGBMClassifier(verbose=-1, min_child_samples=2).fit(X, Y)
    sentence = refusal(model, X[["b", "a"]])
    assert "pass X[model.feature_names_in_]" in sentence


# Those below are found by the process that proves the file.


@pytest.mark.slow
def test_a_function_of_the_notebook_has_two_cures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import __main__

    def double(data: Any) -> Any:
        return data * 2

    double.__module__ = "__main__"
    double.__qualname__ = "double"
    monkeypatch.setattr(__main__, "double", double, raising=False)
    model = make_pipeline(FunctionTransformer(double), LogisticRegression())
    sentence = refusal(model.fit(X, Y), X)
    assert sentence.startswith(
        "model.joblib refers to code that is not there: double, of the notebook"
    )
    assert "move it into a module in model_code/" in sentence
    assert "cloudpickle.dump" in sentence


@pytest.mark.slow
def test_what_only_the_notebook_can_import(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where PYTHONPATH names its folder, of which the service knows nothing."""
    (elsewhere / "own_steps.py").write_text("def same(data):\n    return data")
    monkeypatch.syspath_prepend(elsewhere)
    monkeypatch.setenv("PYTHONPATH", str(elsewhere))
    from own_steps import same  # type: ignore[import-not-found]

    model = make_pipeline(FunctionTransformer(same), DummyClassifier())
    assert "needs the package own_steps" in refusal(model.fit(X, Y), X)


class Standing:
    """Scales by the mean of the rows that come together, as a notebook might."""

    def predict(self, data: Any) -> Any:
        return np.asarray(data, dtype=float)[:, 0] - np.mean(data)


@pytest.mark.slow
def test_an_answer_that_differs_leaves_the_old_file(elsewhere: Path) -> None:
    path = elsewhere / "model.joblib"
    path.write_text("the old one")
    # The project's folder is on the path of the process, and so are its tests.
    sentence = refusal(Standing(), X)
    assert "depends on the other" in sentence
    assert path.read_text() == "the old one"
