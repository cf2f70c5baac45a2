"""Every law over every model."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.laws import LAWS, ask
from tests.models import EXAMPLE_NAMES, NAMES, build
from tests.serving import Client, served

# Boosters predict one record fast by themselves; the others call many estimators, or go through
# all the training data.
WITHOUT_A_COPY = {
    "build_lgbm_binary",
    "lightgbm",
    "lightgbm of three",
    "lightgbm regression",
    "xgboost",
    "catboost",
    "catboost of three",
    "linear margin",
    "calibrated",
    "neighbours",
    "neighbours of a search",
    "voting",
    "stacking",
    "several outputs",
    "several labels",
}
WITH_A_COPY = [name for name in NAMES if name not in WITHOUT_A_COPY]
# One of each kind is enough for `make test-quick`.
QUICK = {
    "build_rf_binary",
    "build_rf_multiclass",
    "build_linear_binary",
    "build_lgbm_binary",
    "xgboost",
    "catboost",
    "linear pipeline",
    "several outputs",
}


def mark_slow_names() -> list[Any]:
    """Return all names, those that are not quick with the mark that says so."""
    names = []
    for name in NAMES:
        marks = () if name in QUICK else pytest.mark.slow
        names.append(pytest.param(name, marks=marks))
    return names


@pytest.mark.parametrize("name", mark_slow_names())
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Callable[..., None], name: str, client: Client) -> None:
    law(client(name), build(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_A_COPY)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_without_a_compiled_copy(
    law: Callable[..., None], name: str, client: Client
) -> None:
    law(client(name, fast_predict=False), build(name))


@pytest.mark.slow
def test_most_models_have_a_copy() -> None:
    """A change that loses a copy is seen here."""
    without_a_copy = set()
    for name in NAMES:
        if not served(name).info()["fast_predict"]:
            without_a_copy.add(name)
    assert without_a_copy == WITHOUT_A_COPY


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLE_NAMES)
def test_every_example_is_explained_without_samples(
    name: str, client: Client
) -> None:
    answer: Any = ask(
        client(name), "/predict?explain=1", build(name).records(1)[0]
    )
    assert list(answer) == [
        "prediction",
        "explanation",
        "base_value",
        "explained_output",
    ]
