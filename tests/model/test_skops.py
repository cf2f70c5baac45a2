"""skops files: only trusted types are made, and the answers are those of the same model."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from python.errors import ArtifactError
from python.loading import load_checked
from python.model import load_model, save_model
from python.settings import Settings
from tests.artifacts import content
from tests.records import of_payload

TREE = "sklearn.tree._tree.Tree"
DRAW = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "size": DRAW.normal(size=60),
        "count": DRAW.integers(0, 9, 60),
        "colour": pd.Categorical(DRAW.choice(["red", "blue"], 60)),
    }
)
X.loc[3, "size"] = np.nan
Y = np.where(X["count"] > 4, "many", "few")


class Evil:
    """Unpickled, it writes a file."""

    path: Path

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.path, "written"))


def evil(path: Path) -> bytes:
    thing = Evil()
    thing.path = path
    return pickle.dumps(thing)


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(ArtifactError) as raised:
        load_model(path, "SKLEARN_MODEL", **options)
    return raised.value.detail


def test_a_malicious_pickle_is_refused_under_its_digest(
    tmp_path: Path,
) -> None:
    written = tmp_path / "written"
    file = tmp_path / "model.joblib"
    file.write_bytes(evil(written))
    assert "is not the file that MODEL_SHA256 names" in refusal(
        file, sha256="0" * 64
    )
    assert not written.exists()
    # It is what it says it is.
    assert "holds an int, not a dict" in refusal(file)
    assert written.exists()


def test_a_pickle_that_is_called_skops_is_not_unpickled(
    tmp_path: Path,
) -> None:
    written = tmp_path / "written"
    file = tmp_path / "model.skops"
    file.write_bytes(evil(written))
    assert "model.skops is no skops file" in refusal(file)
    assert not written.exists()


class Unknown:
    """A type that nobody trusts."""

    def predict(self, X: Any) -> Any:
        return np.zeros(len(X))


@pytest.mark.parametrize("name", ["model.skops", "model.joblib"])
def test_an_unknown_type_is_refused_by_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    skops.io.dump(content(model=Unknown()), file)
    own = f"{__name__}.Unknown"
    assert refusal(file) == (
        f"{name} has types that are not trusted: {own}; "
        "name in TRUSTED_TYPES those that you trust"
    )
    assert own in refusal(file, trusted_types=[TREE])
    assert load_model(file, "SKLEARN_MODEL", trusted_types=[own])


def test_the_file_does_not_say_what_is_trusted(tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    artifact = content(model=Unknown()) | {
        "TRUSTED_TYPES": f"{__name__}.Unknown",
        "trusted_types": [f"{__name__}.Unknown"],
    }
    skops.io.dump(artifact, file)
    assert "Unknown" in refusal(file)


def test_another_archive_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "model.joblib"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")
    assert "model.joblib is a ZIP archive" in refusal(file)
    file.rename(tmp_path / "model.skops")
    assert "is no skops file" in refusal(tmp_path / "model.skops")


@pytest.mark.slow
def test_what_is_written_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    model = make_pipeline(
        prepare, RandomForestClassifier(5, random_state=0)
    ).fit(X, Y)
    path = tmp_path / "model.skops"
    save_model(model, X, path, y=Y)
    printed = capsys.readouterr().out.splitlines()[-1]
    assert printed == f"to be served, it needs TRUSTED_TYPES={TREE}"
    assert TREE in refusal(path)
    settings = Settings(trusted_types=f"{TREE}, other.Type")
    loaded = load_checked(path, settings)
    records = X.astype(object).where(X.notna(), None).to_dict("records")
    predicted = loaded.predict_proba(of_payload(loaded.schema, records))
    np.testing.assert_array_equal(predicted, model.predict_proba(X))
    assert loaded.examples is not None
    assert len(loaded.examples.records) == 20


@pytest.mark.slow
def test_a_linear_model_needs_no_trust(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression())
    numbers = X[["count"]]
    save_model(model.fit(numbers, Y), numbers, tmp_path / "model.skops", y=Y)
    assert "TRUSTED_TYPES" not in capsys.readouterr().out
    load_checked(tmp_path / "model.skops", Settings())


def test_without_skops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.skops"
    skops.io.dump(content(), file)
    monkeypatch.setitem(__import__("sys").modules, "skops.io", None)
    assert refusal(file) == (
        "model.skops needs the package skops: add it to requirements.txt"
    )
