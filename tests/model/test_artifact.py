"""Broken artifacts: one sentence for each."""

import hashlib
import logging
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from python.errors import ArtifactError
from python.model import load_model
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from tests.models import build, fitted, numbers

NAMES = ["x", "y"]
X = pd.DataFrame([[0.0, 1.0], [1.0, 0.0], [2.0, 3.0]], columns=NAMES)
MODEL = LogisticRegression().fit(X, [0, 1, 1])
FEATURES = [{"name": name, "type": "numeric"} for name in NAMES]


def content(
    features: Any = FEATURES, model: Any = MODEL, **more: Any
) -> dict[str, Any]:
    metadata = {
        key: more.pop(key) for key in ("class_names", "versions") if key in more
    }
    return {"model": model, "metadata": {"features": features, **metadata}, **more}


def feature(**entry: Any) -> list[dict[str, Any]]:
    return [{"name": "x", "type": "numeric"} | entry, FEATURES[1]]


def load(content_: Any) -> SklearnModel:
    return SklearnModel.load(Artifact.of(content_))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1], "model.joblib holds a list, not a dict"),
        (MODEL, "model.joblib holds a LogisticRegression, not a dict"),
        ({"metadata": {}}, 'model.joblib lacks the key "model"'),
        ({"model": MODEL}, 'model.joblib lacks the key "metadata"'),
        (content(model=np.zeros(2)), "the model in model.joblib, a ndarray, has no predict()"),
        (content() | {"metadata": [1]}, "the metadata in model.joblib must be a dict"),
        (content() | {"metadata": {}}, 'metadata must be a dict with a list of features under "features"'),
        (content([]), 'metadata must be a dict with a list of features under "features"'),
        (content("xy"), 'metadata must be a dict with a list of features under "features"'),
        (content(["x", "y"]), "feature 1 must be a dict with a name"),
        (content([FEATURES[0], {"type": "numeric"}]), "feature 2 must be a dict with a name"),
        (content(feature(name="")), "feature 1 must be a dict with a name"),
        (content(feature(name="_data")), 'feature "_data": the name is reserved for the envelope'),
        (content(feature(type="number")), "feature \"x\": unknown type 'number', expected numeric or category or string"),
        (content(feature(type=["numeric"])), "feature \"x\": unknown type ['numeric'], expected numeric or category or string"),
        (content(feature(defualt=1)), 'feature "x": unknown key "defualt"; did you mean "default"?'),
        (content(feature(default="1")), 'feature "x": the default must be a number'),
        (content(feature(default=float("nan"))), 'feature "x": NaN is no default; leave it out and set accepts_missing'),
        (content(feature(default=True)), 'feature "x": the default must be a number'),
        (content(feature(accepts_missing="yes")), 'feature "x": accepts_missing must be true or false'),
        (content(feature(type="string", default=1)), 'feature "x": the default must be a string'),
        (content(feature(type="category")), 'feature "x": a category needs its categories'),
        (content(feature(type="category", categories=[])), 'feature "x": a category needs its categories'),
        (content(feature(type="category", categories=["a", "a"])), 'feature "x": the same category is listed twice'),
        (content(feature(type="category", categories=["a", None])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(feature(type="category", categories=[1.0, np.nan])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(feature(type="category", categories=[["a"]])), 'feature "x": categories must be strings, numbers or booleans'),
        (content(feature(type="category", categories=[1, True])), 'feature "x": categories must not mix booleans with numbers'),
        (content(feature(type="category", categories="ab")), 'feature "x": categories must be a list'),
        (content(feature(type="category", categories=["a"], default="b")), 'feature "x": the default must be one of the categories "a"'),
        (content([FEATURES[0], FEATURES[0]]), 'features listed twice: "x"'),
        (content(FEATURES[:1]), "the metadata names 1 features, the model was fitted with 2"),
        (content(FEATURES[::-1]), 'the metadata names "y" where the model was fitted with "x"'),
        (content(feature(name="z")), 'the metadata names "z" where the model was fitted with "x"'),
        (content(class_names=["no"]), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names=["no", "no"]), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names={"no", "yes"}), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names=["no", None]), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(class_names=5), "class_names must be a list of 2 names, one for each of the model's classes"),
        (content(model=LinearRegression().fit(X, [1, 2, 3]), class_names=["a"]), "the metadata has class_names, but the model has no classes"),
        (content(versions=["1.0"]), "the versions in the metadata must be a dict of packages and versions"),
        (content(samples=[]), "samples must be a DataFrame or a list of records, and not empty"),
        (content(samples=X["x"]), "samples, row 0: expected a record"),
        (content(samples=5), "samples must be a DataFrame or a list of records, and not empty"),
        (content(samples=[[1, 2]]), "samples, row 0: expected a record"),
        (content(samples=[{"x": 1, "y": 1}, {"x": 1}]), 'samples, row 1: no value for "y"'),
        (content(samples=X.assign(x="1")), 'samples, row 0, "x": expected a number, got "1"'),
        (content(model=LogisticRegression()), "the model cannot predict the first row made up from the metadata, {'x': 0.0, 'y': 0.0}: NotFittedError"),
        (content(samples=[{"x": 1, "y": None}]), "the model cannot predict the first row of the samples: ValueError: Input X contains NaN"),
    ],
)  # fmt: skip
def test_a_fault_is_one_sentence(content: Any, sentence: str) -> None:
    with pytest.raises(ArtifactError) as caught:
        load(content)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_numpy_and_pandas_are_welcome_in_metadata() -> None:
    model = DecisionTreeClassifier().fit(X, ["a", "b", "b"])
    features = [
        {
            "name": "x",
            "type": "category",
            "categories": np.array([0, 1, 2]),
            "accepts_missing": np.bool_(False),
        },
        {
            "name": "y",
            "type": "numeric",
            "default": np.int64(0),
            "description": "what it is",
        },
    ]
    loaded = load(content(features, model, class_names=np.array(["one", "two"])))
    assert [entry["categories"] for entry in loaded.features()[:1]] == [[0, 1, 2]]
    assert [entry["required"] for entry in loaded.features()] == [True, False]
    assert loaded.features()[1]["description"] == "what it is"
    assert loaded.class_names == ["one", "two"]


def test_samples_are_a_frame_or_records() -> None:
    for samples in (X, X.to_dict("records"), X.assign(target=1), X.astype("Float64")):
        assert load(content(samples=samples)).offers_explanations


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    joblib.dump(content(), path)
    return path


def refused(path: Path, sha256: str = "") -> str:
    with pytest.raises(ArtifactError) as caught:
        load_model(path, "SKLEARN_MODEL", sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    assert (
        refused(tmp_path / "model.joblib")
        == "model.joblib cannot be read: No such file or directory"
    )


def test_a_folder(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path.name} cannot be read: Is a directory"


@pytest.mark.parametrize("kept", [0, 1, 50, 500])
def test_a_truncated_file(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    assert "joblib cannot load it" in refused(file)


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_a_truncated_compressed_file(file: Path, kept: int) -> None:
    joblib.dump(content(), file, compress=3)
    file.write_bytes(file.read_bytes()[:kept])
    assert "joblib cannot load it" in refused(file)


def test_bytes_of_another_kind(file: Path) -> None:
    file.write_bytes(b"name,value\n" * 100)
    assert "joblib cannot load it" in refused(file)


def test_a_package_that_is_not_installed(file: Path) -> None:
    file.write_bytes(b"cno_such_package\nThing\n.")
    assert (
        refused(file)
        == "model.joblib needs the package no_such_package: add it to requirements.txt"
    )


def test_code_that_is_not_there(file: Path) -> None:
    file.write_bytes(b"cpathlib\nNoSuchThing\n.")
    assert refused(file).startswith("model.joblib refers to code that is not there: ")


def test_a_digest_pins_the_file(file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert load_model(file, "SKLEARN_MODEL", digest.upper())
    assert (
        refused(file, "0" * 64)
        == f"model.joblib is not the file that MODEL_SHA256 names: its SHA-256 is {digest}"
    )


class Mine:
    touched = False

    def __reduce__(self) -> Any:
        return (setattr, (Mine, "touched", True))


def test_a_file_of_another_digest_is_not_unpickled(file: Path) -> None:
    file.write_bytes(pickle.dumps(Mine()))
    refused(file, "0" * 64)
    assert not Mine.touched


def test_another_version_of_scikit_learn_is_one_warning(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    forest = build("forest of an array").content
    joblib.dump(forest, file)
    import sklearn

    # Two strings of the same length: the pickle stays whole.
    stated, other = sklearn.__version__.encode(), b"0" * len(sklearn.__version__)
    file.write_bytes(
        file.read_bytes()
        .replace(b"_sklearn_version", b"_sklearn_version")
        .replace(stated, other)
    )
    with caplog.at_level(logging.WARNING):
        load_model(file, "SKLEARN_MODEL")
    said = f"model.joblib: fitted with scikit-learn {other.decode()}, served with {sklearn.__version__}: answers may differ"
    assert [record.getMessage() for record in caplog.records] == [said]


def test_versions_in_the_metadata_are_compared(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Artifact.of(
        content(
            versions={"joblib": "0.1", "numpy": np.__version__, "no-such-package": "1"}
        )
    )
    assert [record.getMessage() for record in caplog.records] == [
        f"model.joblib: fitted with joblib 0.1, served with {joblib.__version__}: answers may differ",
        "model.joblib: fitted with no-such-package 1, which is not installed",
    ]


class Wordy:
    """Predicts three rows for one."""

    def predict(self, X: Any) -> Any:
        return np.zeros(3 * len(X))


def test_a_model_must_predict_one_row_for_one() -> None:
    with pytest.raises(
        ArtifactError, match=r"the model predicts an answer of shape \(3,\) for one row"
    ):
        load(content(model=Wordy()))


def test_a_string_feature_needs_a_default_or_samples() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    words = pd.DataFrame({"word": ["a", "b", "a", "b"]})
    model = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(
        words, [0, 1, 0, 1]
    )
    features: list[dict[str, Any]] = [{"name": "word", "type": "string"}]
    with pytest.raises(
        ArtifactError, match="cannot predict the first row made up from the metadata"
    ):
        load(content(features, model))
    assert load(content([features[0] | {"default": "a"}], model)).example() == {
        "word": "a"
    }
    assert load(content(features, model, samples=words)).example() == {"word": "a"}


def test_a_fitted_artifact_is_what_the_tests_say_it_is() -> None:
    assert (
        load(fitted(LogisticRegression(), numbers()).content).task
        == "BINARY_CLASSIFICATION"
    )
