"""One process of several proves how a model is explained; the others take its word."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBRegressor

from python.model.artifact import Artifact
from python.model.base import Budget, Explanation
from python.model.explain import methods, proof
from python.model.explain.verdicts import UnprovenForNow
from python.model.sklearn import SklearnModel
from tests.models import features, numbers
from tests.records import explain

DATA = numbers()
TARGET = DATA["size"] + DATA.iloc[:, 1] ** 2
IS_LARGE = TARGET.median() < TARGET
WIDE = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 8))).add_prefix(
    "x"
)


class Labels:
    """An estimator that has nothing to explain."""

    def predict(self, X: Any) -> Any:
        return ["yes"] * len(X)


def estimators() -> dict[str, Any]:
    """Models that are explained by each of the methods, and one that is not."""
    forest = RandomForestClassifier(5, max_depth=4, random_state=0)
    scaled = make_pipeline(StandardScaler(), LogisticRegression())
    return {
        "trees": forest.fit(DATA, IS_LARGE),
        "linear": Ridge().fit(DATA, TARGET),
        "linear behind a scaler": scaled.fit(DATA, IS_LARGE),
        "its own values": XGBRegressor(n_estimators=5).fit(DATA, TARGET),
        "coalitions": KNeighborsRegressor().fit(DATA, TARGET),
        "none": Labels(),
    }


def load(
    estimator: Any, *, samples: bool, data: pd.DataFrame = DATA
) -> SklearnModel:
    """The model in a file: what was proven of it is known by the file's digest."""
    content = {
        "model": estimator,
        "metadata": {"features": features(data)},
        "samples": data.head(20) if samples else None,
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(content, path)
        return SklearnModel.load(Artifact.load(path))


def explain_both(model: SklearnModel) -> list[Explanation]:
    """What explains two records, without and with the background of a request."""
    explanations = []
    if not model.info()["needs_samples"]:
        explanations.append(explain(model, DATA.head(2), None))
    explanations.append(explain(model, DATA.head(2), DATA.iloc[20:30]))
    return explanations


def fail(*_: object) -> None:
    raise AssertionError("it is proven a second time")


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize("name", estimators())
def test_the_second_process_explains_as_the_first_without_a_proof(
    name: str,
    samples: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimator = estimators()[name]
    first = load(estimator, samples=samples)
    first.prepare_explanations(verdicts=tmp_path)
    second = load(estimator, samples=samples)
    monkeypatch.setattr(proof, "_prove", fail)
    # A process that found the model faster or slower would take other coalitions.
    monkeypatch.setattr(methods, "measure_prediction", fail)
    second.prepare_explanations(verdicts=tmp_path)
    assert second.info() == first.info()
    if name == "none":
        assert not second.info()["is_explainable"]
        return
    pairs = zip(explain_both(first), explain_both(second), strict=True)
    for expected, explanation in pairs:
        assert explanation.output == expected.output
        assert np.array_equal(explanation.values, expected.values)
        assert np.array_equal(explanation.base_value, expected.base_value)


def test_without_a_folder_each_process_proves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof, "_prove", fail)
    model = load(Ridge().fit(DATA, TARGET), samples=True)
    model.prepare_explanations()
    assert "a second time" in model.info()["reason"]


def read(folder: Path) -> dict[Path, dict[str, Any]]:
    """What is kept of a model's proofs: without and with the background of a request."""
    paths = {path.name: path for path in folder.glob("*/*")}
    del paths["speed"]
    assert set(paths) == {"alone", "against"}
    return {path: json.loads(path.read_text()) for path in paths.values()}


@pytest.mark.parametrize(
    "other",
    [{"name": "permutation"}, {"number": 99}, {"output": 99}, {"new": 1}],
    ids=str,
)
def test_a_verdict_on_other_methods_is_not_taken(
    other: dict[str, Any], tmp_path: Path
) -> None:
    """A file of another release may have been left in the folder."""
    neighbours = KNeighborsRegressor().fit(DATA, TARGET)
    first = load(neighbours, samples=True)
    first.prepare_explanations(verdicts=tmp_path)
    for path, verdict in read(tmp_path).items():
        path.write_text(json.dumps(verdict | other))
    second = load(neighbours, samples=True)
    second.prepare_explanations(verdicts=tmp_path)
    assert second.info() == first.info()
    pairs = zip(explain_both(first), explain_both(second), strict=True)
    for expected, explanation in pairs:
        assert np.array_equal(explanation.values, expected.values)


def no_memory(*_: object) -> None:
    raise MemoryError


def too_slow(*_: object) -> None:
    raise UnprovenForNow("it took too long")


@pytest.mark.parametrize("passing", [no_memory, too_slow])
def test_what_the_machine_lacks_for_now_is_no_verdict_for_others(
    passing: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither that nothing is proven, nor that a method behind the first one is."""
    ridge = Ridge().fit(DATA, TARGET)
    proven = load(ridge, samples=True)
    proven.prepare_explanations()
    prove = proof._prove_sums

    def fail_once(make: Any, *args: Any) -> Any:
        if make(DATA.head(8)).name == "linear":
            passing()
        return prove(make, *args)

    with monkeypatch.context() as patch:
        patch.setattr(proof, "_prove_sums", fail_once)
        hurried = load(ridge, samples=True)
        hurried.prepare_explanations(verdicts=tmp_path)
        assert hurried.info()["explanation_method"] != "linear"
        patch.setattr(proof, "_prove_sums", passing)
        unlucky = load(ridge, samples=True)
        unlucky.prepare_explanations(verdicts=tmp_path)
        assert not unlucky.info()["is_explainable"]
    later = load(ridge, samples=True)
    later.prepare_explanations(verdicts=tmp_path)
    assert later.info() == proven.info()


def measured(seconds: float) -> Callable[..., float]:
    return lambda *_: seconds


def test_a_model_that_was_too_slow_to_be_explained_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may have started on a machine that did much else."""
    neighbours = KNeighborsRegressor().fit(DATA, TARGET)
    found = []
    for measure in (measured(60.0), measured(1e-5), fail):
        monkeypatch.setattr(methods, "measure_prediction", measure)
        model = load(neighbours, samples=True)
        model.prepare_explanations(verdicts=tmp_path)
        found.append(model.info()["is_explainable"])
    assert found == [False, True, True]


@pytest.mark.parametrize(
    ("budget", "first_seconds"),
    [(Budget(10, 10), 2e-3), (Budget(10, 2), 9e-3), (Budget(10, 0.5), 4e-3)],
)
def test_processes_that_find_another_speed_give_the_same_values(
    budget: Budget,
    first_seconds: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its own speed, the second would predict all mixtures, where the first samples some."""
    neighbours = KNeighborsRegressor().fit(WIDE, WIDE.sum(axis=1))
    explanations = []
    exactness = []
    for seconds, folder in (
        (first_seconds, "kept"),
        (1e-5, "kept"),
        (1e-5, "other"),
    ):
        monkeypatch.setattr(methods, "measure_prediction", measured(seconds))
        model = load(neighbours, samples=True, data=WIDE)
        model.prepare_explanations(budget, verdicts=tmp_path / folder)
        explanations.append(explain(model, WIDE.head(1), None))
        exactness.append(model.info()["explanation_exactness"])
    assert exactness == ["sampled", "sampled", "exact"]
    first, second, alone = explanations
    assert first.standard_error is not None
    assert np.array_equal(first.values, second.values)
    assert alone.standard_error is None


def test_what_a_call_takes_leaves_less_time_for_coalitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All of them would take 9.7 seconds besides the call."""
    neighbours = KNeighborsRegressor().fit(WIDE, WIDE.sum(axis=1))
    monkeypatch.setattr(methods, "measure_prediction", measured(1.9e-3))
    monkeypatch.setattr(methods, "time_best", measured(1.0))
    model = load(neighbours, samples=True, data=WIDE)
    model.prepare_explanations(Budget(10, 10))
    assert explain(model, WIDE.head(1), None).standard_error is not None


def test_a_short_proof_takes_no_coalitions_from_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A proof has 8 rows, and all coalitions of these take 0.02 seconds."""
    neighbours = KNeighborsRegressor().fit(WIDE, WIDE.sum(axis=1))
    monkeypatch.setattr(methods, "measure_prediction", measured(1e-5))
    model = load(neighbours, samples=True, data=WIDE)
    model.prepare_explanations(Budget(10, 0.04))
    assert explain(model, WIDE.head(1), None).standard_error is None


def test_what_was_proven_of_another_file_is_not_taken(tmp_path: Path) -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(DATA, IS_LARGE)
    names = []
    for estimator in (forest, Ridge().fit(DATA, TARGET)):
        model = load(estimator, samples=True)
        model.prepare_explanations(verdicts=tmp_path)
        names.append(model.info()["explanation_method"])
    assert names == ["tree path-dependent", "linear"]
