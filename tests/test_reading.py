"""docs/reading-explanations.md: what it shows are responses of the service, and they add up."""

import json
import re
from typing import Any

import pytest

from benchmarks.reading import PASSENGER, bars_of, responses
from tests.models import ROOT

PAGE = (ROOT / "docs" / "reading-explanations.md").read_text()
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL
)
JSON = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
SUMS = [text for kind, text in BLOCKS if kind == "text"]
ROUNDING = 0.5001e-4  # of four decimals


def check(printed: Any, returned: Any) -> None:
    """Check that what is printed is part of what is returned, in the same order of keys."""
    if isinstance(printed, dict):
        keys = [key for key in returned if key in printed]
        assert keys == list(printed)
        for key, value in printed.items():
            check(value, returned[key])
    elif isinstance(printed, list):
        assert len(printed) == len(returned)
        for one, other in zip(printed, returned, strict=True):
            check(one, other)
    elif isinstance(printed, float):
        assert printed == pytest.approx(returned, rel=0, abs=ROUNDING)
    else:
        assert printed == returned


@pytest.mark.slow
def test_the_page_shows_what_the_service_responds() -> None:
    request, *printed = JSON
    assert request == PASSENGER
    returned = responses()
    assert len(printed) == len(returned)
    for one, other in zip(printed, returned, strict=True):
        check(one, other)


def test_the_sums_on_the_page_are_right() -> None:
    for text in SUMS:
        lines = [line.split("   ")[0] for line in text.splitlines()]
        arithmetic = " ".join(lines).split(":")[-1].replace(" ", "")
        left, right = arithmetic.split("=")
        numbers = re.findall(r"[+-]?[\d.]+", left)
        total = sum(float(number) for number in numbers)
        assert total == pytest.approx(float(right), abs=1e-9), text


def test_the_picture_ends_at_the_prediction() -> None:
    (response,) = [shown for shown in JSON if "sex" in str(shown)][1:2]
    bars = bars_of(response, PASSENGER)
    assert [bar.label for bar in bars[1:-1]] == [
        'sex is "female"',
        "cabin_class is 2",
        "alone is true",
        "age is null",
    ]
    assert bars[-1].text == "0.6700"
