"""A file that cannot be loaded is refused in a sentence whose cure works."""

import bz2
import gzip
import lzma
import pickle
import sys
import zlib
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import pytest
import sklearn
from lightgbm import LGBMClassifier
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from python.errors import ArtifactError
from python.model import load_model
from tests.artifacts import FEATURES, MODEL, X, content
from tests.models import forest

INSTALLED = sklearn.__version__
# As long as the installed version, so that the pickle stays whole.
OTHER = "0.2.2"
OTHER_SKLEARN = (
    f"was fitted with scikit-learn {OTHER}, served with {INSTALLED}, which cannot read it: "
    f"put scikit-learn=={OTHER} into requirements.txt"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.joblib"


def refusal(path: Path) -> str:
    """Return what is said of a file after its name."""
    with pytest.raises(ArtifactError) as caught:
        load_model(path, "SKLEARN_MODEL")
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence.removeprefix("model.joblib ")


def dumped(
    model: Any, file: Path, *replacements: tuple[str, str], **more: Any
) -> bytes:
    """Return a file of the model in which texts are replaced by others of the same length."""
    joblib.dump(content(FEATURES, model, **more), file)
    written = file.read_bytes()
    for text, other in replacements:
        assert len(text) == len(other)
        assert text.encode() in written
        written = written.replace(text.encode(), other.encode())
    return written


def of_another_version(file: Path) -> bytes:
    """Return a forest of another scikit-learn, whose nodes the installed one cannot read."""
    model = forest().fit(X, [0, 1, 1])
    nodes = ("missing_go_to_left", "missing_go_to_back")
    return dumped(model, file, nodes, (INSTALLED, OTHER))


@pytest.mark.parametrize(
    "compress",
    [bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress],
    ids=["plain", "zlib", "gzip", "bz2", "xz"],
)
def test_a_file_that_another_version_of_scikit_learn_wrote_says_which_to_install(
    compress: Callable[[bytes], bytes], file: Path
) -> None:
    file.write_bytes(compress(of_another_version(file)))
    assert refusal(file) == OTHER_SKLEARN


def test_a_module_that_was_moved_in_another_version_is_not_a_package(
    file: Path,
) -> None:
    model = GradientBoostingClassifier(n_estimators=1).fit(X, [0, 1, 1])
    moved = ("sklearn._loss.loss", "sklearn._loss.lost")
    file.write_bytes(dumped(model, file, moved, (INSTALLED, OTHER)))
    assert refusal(file) == OTHER_SKLEARN


def test_a_class_that_was_removed_in_another_version_is_told_by_the_version(
    file: Path,
) -> None:
    removed = ("LogisticRegression", "LogisticRegressed!")
    file.write_bytes(dumped(MODEL, file, removed, (INSTALLED, OTHER)))
    assert refusal(file) == OTHER_SKLEARN


def test_a_file_of_another_version_that_loads_and_cannot_predict_says_which_to_install(
    file: Path,
) -> None:
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(
        X, [0, 1, 1]
    )
    older = ("_fill_dtype", "_fill_dtypo")
    file.write_bytes(dumped(model, file, older, (INSTALLED, OTHER)))
    sentence = refusal(file)
    assert "'SimpleImputer' object has no attribute '_fill_dtype'" in sentence
    assert sentence.endswith("; " + OTHER_SKLEARN.removeprefix("was "))


def test_the_version_of_another_package_is_found_in_the_metadata(
    file: Path,
) -> None:
    model = LGBMClassifier(n_estimators=1, verbose=-1).fit(X, [0, 1, 1])
    moved = ("lightgbm.basic", "lightgbm.moved")
    versions = {"lightgbm": "3.3.5"}
    file.write_bytes(dumped(model, file, moved, versions=versions))
    assert refusal(file) == (
        f"was fitted with lightgbm 3.3.5, served with {version('lightgbm')}, which cannot read "
        "it: put lightgbm==3.3.5 into requirements.txt"
    )


def test_where_no_version_is_written_the_package_is_named(file: Path) -> None:
    file.write_bytes(b"cjoblib.no_such_part\nThing\n.")
    assert refusal(file) == (
        f"needs the module joblib.no_such_part, which the installed joblib {version('joblib')} "
        "lacks: put the version of joblib that the model was fitted with into requirements.txt"
    )


def test_a_file_of_another_python_says_so(file: Path) -> None:
    file.write_bytes(b"cpathlib._local_\nPosixPath\n.")
    sentence = refusal(file)
    assert sentence.startswith(
        "needs the module pathlib._local_, which Python 3."
    )
    assert sentence.endswith(
        "use the version of Python that the model was fitted with"
    )


def test_a_package_is_named_as_pip_names_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imblearn", None)  # as if not installed
    file.write_bytes(b"cimblearn.pipeline\nPipeline\n.")
    cure = "add imbalanced-learn to requirements.txt"
    assert refusal(file) == f"needs the package imblearn: {cure}"


def test_a_module_of_the_users_own_belongs_into_model_code(file: Path) -> None:
    file.write_bytes(b"cmyfeatures\ndates\n.")
    sentence = refusal(file)
    assert sentence.startswith("needs the package myfeatures: ")
    assert "if it is your own code, put it into model_code/" in sentence
    assert "cloudpickle.register_pickle_by_value(myfeatures)" in sentence


def test_a_function_of_the_notebook_belongs_into_a_module_in_model_code(
    file: Path,
) -> None:
    file.write_bytes(b"c__main__\ndates\n.")
    sentence = refusal(file)
    assert sentence.startswith(
        "refers to code that is not there: dates, of the notebook"
    )
    assert "move it into a module in model_code/" in sentence
    assert "cloudpickle.dump" in sentence


def test_own_code_that_lacks_a_function_is_told(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file.parent / "features_of_mine.py").write_text("")
    monkeypatch.syspath_prepend(file.parent)
    file.write_bytes(b"cfeatures_of_mine\ndates\n.")
    sentence = refusal(file)
    sys.modules.pop("features_of_mine", None)
    assert sentence.startswith(
        "refers to code that is not there: dates in the module features_of_mine: "
    )
    assert "model_code/" in sentence


@pytest.mark.parametrize(
    ("beginning", "sentence"),
    [
        (
            b"\x28\xb5\x2f\xfd",
            "is compressed with zstd, which joblib does not read",
        ),
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "is a pointer of Git LFS",
        ),
        (b"<!DOCTYPE html>", "is a page of HTML"),
    ],
)
def test_a_file_of_another_kind_is_named(
    beginning: bytes, sentence: str, file: Path
) -> None:
    file.write_bytes(beginning + b"0" * 100)
    assert refusal(file).startswith(sentence)


def test_lz4_that_is_not_installed_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lz4", None)
    monkeypatch.setattr("joblib.compressor.lz4", None)
    file.write_bytes(b"\x04\x22\x4d\x18" + b"0" * 100)
    assert refusal(file) == (
        "is compressed with lz4, which is not installed: add lz4 to requirements.txt"
    )


class Broken:
    """Cannot be unpickled."""

    def __reduce__(self) -> Any:
        return (int, ("no\nnumber",))


def test_a_whole_file_that_cannot_be_loaded_is_not_called_truncated(
    file: Path,
) -> None:
    file.write_bytes(pickle.dumps(Broken()))
    assert refusal(file) == (
        "is whole, but joblib cannot load it (ValueError: invalid literal for int() with "
        "base 10: 'no\\nnumber'): the versions in requirements.txt may not be those that "
        "the model was fitted with"
    )


def test_a_truncated_file_of_another_version_is_truncated(file: Path) -> None:
    file.write_bytes(of_another_version(file)[:-100])
    assert refusal(file).startswith(
        "is truncated, damaged or something else: joblib"
    )


def test_a_function_of_the_notebook_where_python_runs_a_module(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python -m python.production` names its own module in the error, and not `__main__`."""
    file.write_bytes(b"\x80\x04\x8c\x08__main__\x8c\x05dates\x93.")
    main = sys.modules["__main__"]
    name = "python.production.__main__"
    monkeypatch.setattr(main, "__spec__", ModuleSpec(name, None))
    sentence = refusal(file)
    assert sentence.startswith(
        "refers to code that is not there: dates, of the notebook"
    )
