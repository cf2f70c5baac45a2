"""Categories that have an order, and thousands of them: saved, proven and predicted."""

import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor

from python.errors import ArtifactError
from python.loading import load_checked
from python.model.base import Model
from python.model.data import spelling
from python.model.data.records import Records
from python.model.saving.artifacts import Wishes, make_artifact
from python.proving import prove
from python.settings import Settings
from tests.artifacts import load
from tests.models import lightgbm

ROWS = 60
SIZES = ["S", "M", "L"]
X = pd.DataFrame(
    {
        "size": pd.Categorical(SIZES * 20, SIZES, ordered=True),
        "weight": np.arange(ROWS) % 7 / 4,
    }
)
MANY = 10_000
WISHES = Wishes(None, None, {}, 20, 20)


class Comparing:
    """Compares the sizes, which pandas does with ordered categories alone."""

    def predict(self, data: Any) -> Any:
        is_large = data["size"] >= "M"
        return is_large.to_numpy() * 10.0 + data["weight"].to_numpy()


class Lengths:
    """Predicts the length of each category."""

    def predict(self, data: Any) -> Any:
        return data["c"].astype(str).str.len().to_numpy()


def save_and_load(estimator: Any, frame: pd.DataFrame, folder: Path) -> Model:
    """Return the model in a file that is proven, in this process."""
    content, trials = make_artifact(estimator, frame, WISHES)
    path = folder / "model.joblib"
    joblib.dump(content, path)
    assert prove(path, io.BytesIO(pickle.dumps(trials))) is None
    return load_checked(path, Settings())


def predict(model: Model, frame: pd.DataFrame) -> Any:
    rows = list(map(tuple, frame.astype(object).to_numpy().tolist()))
    return model.predictions(Records(model.schema, rows)).prediction


@pytest.mark.parametrize("name", ["own", "lightgbm"])
def test_ordered_categories_stay_ordered(name: str, elsewhere: Path) -> None:
    estimator: Any = Comparing()
    if name == "lightgbm":
        estimator = lightgbm(LGBMRegressor).fit(X, Comparing().predict(X))
    model = save_and_load(estimator, X, elsewhere)
    entry = model.features()[0]
    assert entry["ordered"] is True
    assert entry["categories"] == SIZES
    assert np.array_equal(predict(model, X), estimator.predict(X))


def artifact(**changes: Any) -> dict[str, Any]:
    """Return one that is written by hand, without examples."""
    size = {"name": "size", "type": "category", "categories": SIZES}
    weight = {"name": "weight", "type": "numeric"}
    features = [size | changes, weight]
    return {"model": Comparing(), "metadata": {"features": features}}


def test_ordered_by_hand_needs_no_examples() -> None:
    model = load(artifact(ordered=True, accepts_missing=False))
    assert np.array_equal(predict(model, X), Comparing().predict(X))


def test_who_forgets_the_order_is_told_what_to_write() -> None:
    with pytest.raises(ArtifactError, match='write "ordered": True into'):
        load(artifact(accepts_missing=False))


class Sorting:
    """Works with other categories as well, and predicts something else for them."""

    def predict(self, data: Any) -> Any:
        return data["weight"] + data["size"].cat.ordered


def test_samples_show_that_categories_are_ordered() -> None:
    content = artifact() | {"model": Sorting(), "samples": X}
    with pytest.raises(
        ArtifactError, match='"size" is an ordered category there: "type"'
    ):
        load(content)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"ordered": "yes"}, "ordered must be true or false"),
        (
            {"ordered": True, "dtype": "object"},
            "a column of object has no ordered categories",
        ),
        ({"orderd": True}, 'unknown key "orderd"; did you mean "ordered"?'),
        (
            {"categories": [1.0, float("inf")]},
            "and inf is among them, which JSON does not have: leave it out",
        ),
    ],
)
def test_an_order_that_does_not_fit(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ArtifactError) as caught:
        load(artifact(**changes))
    assert sentence in str(caught.value)


def test_ten_thousand_categories(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"größe {number:05d}" for number in range(MANY)]
    frame = pd.DataFrame({"c": pd.Categorical(names)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = save_and_load(Lengths(), frame, elsewhere)
    assert set(predict(model, frame)) == {11}
    looks = []
    visible = spelling._visible

    def count(text: str) -> str:
        looks.append(text)
        return visible(text)

    monkeypatch.setattr(spelling, "_visible", count)
    unknown: list[Any] = [{"c": f"größe {n}"} for n in range(1000)]
    faults = model.schema.faults(unknown, reject_unknown=True)
    # At most a hundred faults are told, and each category is looked at once.
    assert len(faults) == 100
    assert len(looks) <= MANY + len(faults)
    (fault,) = model.schema.faults(
        [{"c": "größe  00007"}], reject_unknown=True
    )
    assert "it looks the same but has other code points" in fault.detail
