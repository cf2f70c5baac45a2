"""An artifact is read from its file, or refused in one sentence."""

import hashlib
import logging
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression

from python.errors import ArtifactError
from python.model import load_model
from python.model.artifact import Artifact
from tests.artifacts import MODEL, content, load, refusal
from tests.models import build, fitted, numbers


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([1], "model.joblib holds a list, not a dict"),
        (MODEL, "model.joblib holds a LogisticRegression, not a dict"),
        ({"metadata": {}}, 'model.joblib lacks the key "model"'),
        ({"model": MODEL}, 'model.joblib lacks the key "metadata"'),
        (content(model=np.zeros(2)), "the model in model.joblib, a ndarray, has no predict()"),
        (content() | {"metadata": [1]}, "the metadata in model.joblib must be a dict"),
        (content(versions=["1.0"]), "the versions in the metadata must be a dict of packages and versions"),
    ],
)  # fmt: skip
def test_content_that_is_no_artifact_is_refused_in_one_sentence(
    content: Any, sentence: str
) -> None:
    assert refusal(content).startswith(sentence)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.joblib"
    joblib.dump(content(), path)
    return path


def refusal_of_file(path: Path, sha256: str = "") -> str:
    with pytest.raises(ArtifactError) as caught:
        load_model(path, "SKLEARN_MODEL", sha256)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert (
        refusal_of_file(tmp_path / "model.joblib")
        == "model.joblib cannot be read: No such file or directory"
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert (
        refusal_of_file(tmp_path)
        == f"{tmp_path.name} cannot be read: Is a directory"
    )


@pytest.mark.parametrize("kept", [0, 1, 50, 500])
def test_a_truncated_file_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    assert "joblib cannot load it" in refusal_of_file(file)


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_a_truncated_compressed_file_is_refused(file: Path, kept: int) -> None:
    joblib.dump(content(), file, compress=3)
    file.write_bytes(file.read_bytes()[:kept])
    assert "joblib cannot load it" in refusal_of_file(file)


def test_a_file_of_another_kind_is_refused(file: Path) -> None:
    file.write_bytes(b"name,value\n" * 100)
    assert "joblib cannot load it" in refusal_of_file(file)


def test_a_file_that_needs_a_package_names_it(file: Path) -> None:
    file.write_bytes(b"cno_such_package\nThing\n.")
    assert (
        refusal_of_file(file)
        == "model.joblib needs the package no_such_package: add it to requirements.txt, or, if "
        "it is your own code, put it into model_code/, or call "
        "cloudpickle.register_pickle_by_value(no_such_package) and write the file with "
        "cloudpickle.dump"
    )


def test_a_file_that_refers_to_code_that_is_not_there_is_refused(
    file: Path,
) -> None:
    file.write_bytes(b"cpathlib\nNoSuchThing\n.")
    assert refusal_of_file(file).startswith(
        "model.joblib refers to code that is not there: "
    )


def test_a_digest_lets_only_its_own_file_be_loaded(file: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert load_model(file, "SKLEARN_MODEL", digest.upper())
    assert (
        refusal_of_file(file, "0" * 64)
        == f"model.joblib is not the file that MODEL_SHA256 names: its SHA-256 is {digest}"
    )


class Traced:
    """Leaves a trace where it is unpickled."""

    unpickled = False

    def __reduce__(self) -> Any:
        return (setattr, (Traced, "unpickled", True))


def test_a_file_of_another_digest_is_not_unpickled(file: Path) -> None:
    file.write_bytes(pickle.dumps(Traced()))
    refusal_of_file(file, "0" * 64)
    assert not Traced.unpickled


def test_a_forest_of_another_version_of_scikit_learn_is_one_warning(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    joblib.dump(build("forest of an array").content, file)
    installed = sklearn.__version__
    # As long as the installed version, so that the pickle stays whole.
    other = "0" * len(installed)
    file.write_bytes(
        file.read_bytes().replace(installed.encode(), other.encode())
    )
    with caplog.at_level(logging.WARNING):
        load_model(file, "SKLEARN_MODEL")
    warning = (
        f"model.joblib: fitted with scikit-learn {other}, "
        f"served with {installed}: answers may differ"
    )
    assert [record.getMessage() for record in caplog.records] == [warning]


def test_versions_in_the_metadata_that_are_not_installed_are_warnings(
    caplog: pytest.LogCaptureFixture,
) -> None:
    versions = {
        "joblib": "0.1",
        "numpy": np.__version__,
        "no-such-package": "1",
    }
    Artifact.of(content(versions=versions))
    assert [record.getMessage() for record in caplog.records] == [
        f"model.joblib: fitted with joblib 0.1, served with {joblib.__version__}: answers may differ",
        "model.joblib: fitted with no-such-package 1, which is not installed",
    ]


def test_other_versions_are_in_info() -> None:
    versions = {"joblib": "0.1", "numpy": np.__version__, "none-such": "1"}
    assert load(content(versions=versions)).info()["other_versions"] == [
        {
            "package": "joblib",
            "fitted_with": "0.1",
            "installed": joblib.__version__,
        },
        {"package": "none-such", "fitted_with": "1", "installed": None},
    ]


def test_a_file_that_fits_is_loaded_as_a_model() -> None:
    model = load(fitted(LogisticRegression(), numbers()).content)
    assert model.task == "BINARY_CLASSIFICATION"
