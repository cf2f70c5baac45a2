"""What is printed of each feature, and which columns are warned of."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from python.model.saving.artifacts import Wishes, make_artifact

ROWS = 200
RANDOM = np.random.default_rng(0)


class Anything:
    def predict(self, data: Any) -> Any:
        return np.zeros(len(data))


def described(values: Any, target: Any = None) -> dict[str, Any]:
    """Return what a file says of the column `x`."""
    wishes = Wishes(target, None, {}, 10, 10)
    content, _ = make_artifact(Anything(), pd.DataFrame({"x": values}), wishes)
    (entry,) = content["metadata"]["features"]
    assert isinstance(entry, dict)
    return entry


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            np.arange(ROWS) % 40,
            "x: 40 distinct whole numbers, taken for quantities; if not, "
            "make the column a category and fit again",
        ),
        (
            np.arange(ROWS) % 2,
            "x: 0 and 1, taken for whole numbers; true and false are refused",
        ),
        (
            RANDOM.choice(["a", "b"], ROWS),
            "x: 2 distinct texts, and any other is taken as well; if "
            "not, make the column a category and fit again",
        ),
        (
            np.arange(ROWS) % 90 * 1.0,
            "x: whole numbers in a column of float64; decimals are taken "
            "as well",
        ),
        (
            np.where(np.arange(ROWS) % 4, 0.5, np.nan),
            "x: may be missing, as in 25.0% of X",
        ),
        (np.arange(ROWS) % 90 / 4, "never missing in X, and required: x"),
        (
            np.full(ROWS, np.nan),
            "x: no row has a value, so that nothing is assumed of it; may be "
            "missing, as in 100.0% of X",
        ),
        (
            pd.array([None] * ROWS, dtype="string"),
            "x: no row has a value, so that nothing is assumed of it; may be "
            "missing, as in 100.0% of X",
        ),
    ],
)
def test_what_is_assumed(
    values: Any, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    described(values)
    assert line in capsys.readouterr().out.splitlines()


def test_a_default_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    wishes = Wishes(None, None, {"x": -1}, 10, 10)
    frame = pd.DataFrame({"x": np.arange(ROWS) % 90 / 4})
    content, _ = make_artifact(Anything(), frame, wishes)
    assert content["metadata"]["features"] == [
        {"name": "x", "type": "numeric", "default": -1}
    ]
    assert "x: -1 stands in for a missing value" in capsys.readouterr().out


def test_a_name_does_not_tear_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame = pd.DataFrame({"a\nb": np.arange(ROWS) % 2})
    make_artifact(Anything(), frame, Wishes(None, None, {}, 10, 10))
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith('"a\\nb": 0 and 1, taken for whole numbers')
    assert second == 'never missing in X, and required: "a\\nb"'


def test_names_that_are_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    wishes = Wishes(None, None, {}, 10, 10)
    make_artifact(Anything(), RANDOM.random((ROWS, 3)), wishes)
    assert "they are called x0 to x2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        (np.arange(ROWS) + 7, '"x" numbers the rows, as an index does'),
        (
            RANDOM.permutation(ROWS),
            '"x" has another value in each row, as an id does',
        ),
        (
            [f"id{n}" for n in range(ROWS)],
            '"x" has another value in each row, as an id does',
        ),
        (
            pd.Categorical(range(0, 1200 * 2, 2)),
            '"x" has 1200 categories, each of which is in the file',
        ),
    ],
)
def test_what_looks_like_a_mistake(values: Any, warning: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        described(values)
    assert any(str(item.message).startswith(warning) for item in caught)


@pytest.mark.parametrize(
    "target",
    [np.arange(ROWS) % 2, np.where(np.arange(ROWS) % 2, "yes", "no")],
)
def test_the_target_among_the_features(target: Any) -> None:
    with pytest.warns(UserWarning, match='"x" is the target'):
        described(np.arange(ROWS) % 2, target)


def test_a_number_as_its_own_target() -> None:
    numbers = RANDOM.normal(size=ROWS)
    with pytest.warns(UserWarning, match='"x" is the target'):
        described(numbers, numbers)


@pytest.mark.parametrize(
    "values",
    [
        RANDOM.normal(size=ROWS),
        [f"a text of number {n}" for n in range(ROWS)],
        pd.date_range("2024", periods=ROWS),
        np.arange(ROWS) % 3,
    ],
)
def test_what_looks_right(values: Any) -> None:
    described(values, RANDOM.normal(size=ROWS))
