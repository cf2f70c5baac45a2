"""One line from a notebook to a file that is served: the whole way, proof included."""

import hashlib
import io
import pickle
import re
import subprocess
import sys
import warnings
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from python.errors import ArtifactError
from python.loading import load_checked
from python.model import save_model
from python.model.saving.artifacts import Wishes, make_artifact
from python.proving import prove
from python.settings import Settings
from tests.models import ROOT, build, lightgbm

ROWS = 300
DRAW = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "size": DRAW.normal(size=ROWS),
        "colour": pd.Categorical(DRAW.choice(["red", "blue"], ROWS)),
    }
)
Y = np.where(X["size"] > 0.5, "yes", "no")


def fitted() -> Any:
    return lightgbm(LGBMClassifier).fit(X, Y)


def contents(**wishes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    wished = Wishes(Y, None, {}, 100, 20)._replace(**wishes)
    return make_artifact(fitted(), X, wished)


@pytest.mark.slow
def test_a_file_is_written_proven_and_loads(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(fitted(), X, y=Y, class_names=["declined", "accepted"])
    path = elsewhere / "model.joblib"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"wrote model.joblib, SHA-256 {digest}"
    assert [item.name for item in elsewhere.iterdir()] == ["model.joblib"]
    # Whoever serves it may be somebody else.
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask()
    model = load_checked(path, Settings())
    assert model.class_names == ["declined", "accepted"]


def umask() -> int:
    path = Path("umask")
    path.touch()
    mode = path.stat().st_mode & 0o777
    path.unlink()
    return 0o666 & ~mode


def test_the_content_is_the_contract_and_what_the_issue_names() -> None:
    content, trials = contents(class_names=("declined", "accepted"))
    assert list(content) == [
        "model",
        "metadata",
        "profile",
        "prediction_profile",
        "samples",
        "examples",
    ]
    metadata = content["metadata"]
    assert metadata["features"] == [
        {"name": "size", "type": "numeric", "accepts_missing": False},
        {
            "name": "colour",
            "type": "category",
            "categories": ["blue", "red"],
            "accepts_missing": False,
        },
    ]
    assert metadata["class_names"] == ["declined", "accepted"]
    assert metadata["python"] == sys.version.split()[0]
    assert metadata["versions"] == {
        name: version(name)
        for name in ("scikit-learn", "numpy", "pandas", "lightgbm")
    }
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", metadata["saved_at"]
    )
    assert set(content["profile"]) == {"size", "colour"}
    counts = content["prediction_profile"]["counts"]
    assert dict(counts) == dict(Counter(fitted().predict(X).tolist()))
    assert len(trials["records"]) == ROWS
    samples = content["samples"]
    assert samples.dtypes.equals(X.dtypes)
    shares = [
        (fitted().predict(rows) == "yes").mean() for rows in (samples, X)
    ]
    assert abs(shares[0] - shares[1]) < 0.02


def test_examples_are_the_models_own_answers() -> None:
    content, _ = contents()
    examples = content["examples"]
    assert list(examples) == ["records", "predictions", "probabilities"]
    records = examples["records"]
    assert len(records) == 20
    assert (examples["predictions"] == fitted().predict(records)).all()
    probabilities = fitted().predict_proba(records)
    assert np.allclose(examples["probabilities"], probabilities)


def test_samples_and_examples_can_be_left_out() -> None:
    content, _ = contents(n_samples=0, n_examples=0)
    assert list(content) == [
        "model",
        "metadata",
        "profile",
        "prediction_profile",
    ]


def test_a_large_frame_is_sampled() -> None:
    large = pd.concat([X] * 50, ignore_index=True)
    wishes = Wishes(None, None, {}, 100, 20)
    _, trials = make_artifact(fitted(), large, wishes)
    assert len(trials["records"]) == 10_000


def test_a_model_is_saved_as_it_is_and_its_data_are_left_alone() -> None:
    data = build("lightgbm").data
    before = data.copy()
    model = build("forest of an array").estimator
    parameters = str(model.get_params())
    make_artifact(build("lightgbm").estimator, data, Wishes(None, None, {}, 9, 9))  # fmt: skip
    make_artifact(
        model,
        build("forest of an array").data.to_numpy(),
        Wishes(None, None, {}, 9, 9),
    )
    pd.testing.assert_frame_equal(data, before)
    assert str(model.get_params()) == parameters


def test_gaps_of_objects_are_among_the_examples() -> None:
    """Nothing else says whether None or NaN stands for a missing text."""
    letters = np.array(["a"] * ROWS, dtype=object)
    letters[123] = None
    frame = X.assign(letter=pd.Series(letters, dtype=object))

    class Silent:
        def predict(self, data: Any) -> Any:
            return np.zeros(len(data))

    wishes = Wishes(None, None, {}, 100, 20)
    content, _ = make_artifact(Silent(), frame, wishes)
    records = content["examples"]["records"]
    assert [value for value in records["letter"] if value is None] == [None]
    assert len(records) == 20


def proof_of(
    content: dict[str, Any], trials: dict[str, Any], folder: Path
) -> str | None:
    """Return why the proof refuses a file, if it does."""
    joblib.dump(content, folder / "model.joblib")
    rows = io.BytesIO(pickle.dumps(trials))
    return prove(folder / "model.joblib", rows)


@pytest.mark.parametrize("change", [None, "predictions", "probabilities"])
def test_the_proof_finds_an_answer_that_differs(
    change: str | None, elsewhere: Path
) -> None:
    content, trials = contents()
    if change is not None:
        trials[change] = trials[change][::-1].copy()
    refusal = proof_of(content, trials, elsewhere)
    if change is None:
        assert refusal is None
    else:
        assert "the model said" in str(refusal)


def test_the_proof_compares_the_copy_as_well(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from python.model.fast import Copy

    fitted_forest = build("build_rf_binary")
    content, trials = make_artifact(
        fitted_forest.estimator,
        fitted_forest.data,
        Wishes(None, None, {}, 9, 9),
    )
    output = Copy.output

    def wrong_output(copy: Copy, records: Any) -> Any:
        right = output(copy, records)
        return None if right is None else right[:, ::-1]

    monkeypatch.setattr(Copy, "output", wrong_output)
    assert "row 0" in str(proof_of(content, trials, elsewhere))


def test_a_notebook_needs_neither_flask_nor_shap() -> None:
    code = """
import sys
from python.model import save_model
assert not {"numpy", "pandas", "joblib"} & set(sys.modules)
import python.model.saving.artifacts, python.model.saving.writing
assert not {"flask", "werkzeug", "msgspec", "shap"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_proof_that_cannot_run_is_no_proof(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python.model.saving.proof.PROVING", "python.none")
    with pytest.raises(ArtifactError, match=r"No module named python\.none"):
        save_model(LogisticRegression().fit(X[["size"]], Y), X[["size"]])
    assert list(elsewhere.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = elsewhere / "model.joblib"
    path.write_text("the old one")

    def dump(_: Any, place: Path) -> None:
        place.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(joblib, "dump", dump)
    with pytest.raises(OSError, match="No space left"):
        save_model(fitted(), X)
    assert path.read_text() == "the old one"
    assert list(elsewhere.iterdir()) == [path]


@pytest.mark.usefixtures("elsewhere")
def test_a_warning_names_the_line_that_saves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("python.model.saving.proof.PROVING", "python.none")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        numbered = pd.DataFrame({"x": np.arange(ROWS)})
        model = LogisticRegression().fit(numbered, Y)
        with pytest.raises(ArtifactError):
            save_model(model, numbered)
    assert [
        item.filename for item in caught if "index" in str(item.message)
    ] == [__file__]


def test_what_is_written_is_read_without_pyarrow() -> None:
    """With pyarrow installed, pandas kept texts in a form that the image could not read."""
    with pd.option_context("mode.string_storage", "pyarrow"):
        rows = pd.DataFrame(
            {
                "colour": DRAW.choice(["red", "blue"], ROWS),
                "name": pd.array(DRAW.choice(["a", "b"], ROWS), "string"),
                "kind": pd.Series(DRAW.choice(["x", "y"], ROWS)).astype(
                    "category"
                ),
            }
        )
        model = make_pipeline(
            OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
        ).fit(rows, Y)
        content, trials = make_artifact(
            model, rows, Wishes(Y, None, {}, 100, 20)
        )
        assert b"pyarrow" in pickle.dumps(rows)
    tables = (content["samples"], content["examples"], content["profile"])
    assert b"pyarrow" not in pickle.dumps([tables, content["metadata"]])
    stored = trials["records"]
    assert (
        stored.dtypes.astype(str).tolist() == rows.dtypes.astype(str).tolist()
    )
    assert stored.to_dict("list") == rows.to_dict("list")
