"""Values and names as sentences show them."""

import json
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from typing import Any

import numpy as np
import pytest

from python.model.data.spelling import (
    Guesses,
    one_line,
    shorten,
    suggest,
    tell_apart,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ("größe", '"größe"'),
        ([1, 2], "a list"),
        ({}, "an object"),
        ("a" * 60, '"' + "a" * 60 + '"'),
        (
            "a" * 50 + "b" * 50,
            '"' + "a" * 45 + "…" + "b" * 15 + '" (100 characters)',
        ),
        (10**99, "1" + "0" * 44 + "…" + "0" * 15 + " (100 characters)"),
    ],
)
def test_a_sentence_shows_a_value_as_json_and_cuts_it_in_its_middle(
    value: Any, text: str
) -> None:
    assert shorten(value) == text


def measure(call: Callable[[], object]) -> float:
    """Return the seconds of a processor that a call takes."""
    started = time.thread_time()
    call()
    return time.thread_time() - started


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("sise", '; did you mean "size"?'),
        ("Size", '; did you mean "size"?'),
        ("weigth", '; did you mean "weight"?'),
        ("colour", ""),
        ("", ""),
    ],
)
def test_a_name_is_suggested_where_one_is_close(
    name: str, suggestion: str
) -> None:
    assert suggest(name, ["size", "weight"]) == suggestion


@pytest.mark.parametrize("text", ["x", "\u200b\u00e9", '"', "\ud800"])
def test_a_long_text_is_compared_with_nothing(text: str) -> None:
    """It takes less time than to read its letters once, as every comparison begins."""
    long = text * 1_000_000
    seconds_to_read = measure(lambda: SequenceMatcher(b=long))
    assert measure(lambda: suggest(long, ["size"])) < seconds_to_read
    assert measure(lambda: tell_apart(long, ["size"])) < seconds_to_read
    assert measure(lambda: shorten(long)) < seconds_to_read
    assert suggest(long, [long + "x", "size"]) == ""
    assert tell_apart(long, [f"{long} "]) == ""
    assert len(shorten(long).encode()) < 500


def test_names_are_guessed_at_until_it_takes_too_much() -> None:
    names = [f"feature_number_{number}" for number in range(1000)]
    guesses = Guesses(names)
    suggestions = [guesses.suggest("faeture_number_7") for _ in range(100)]
    assert suggestions[0] == '; did you mean "feature_number_7"?'
    assert suggestions[-1] == ""
    # What takes no time is said all the same.
    assert "looks the same" in guesses.suggest("feature_number_7 ")
    few = Guesses(["size", "weight"])
    assert all(few.suggest("sise") for _ in range(100))


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Unshowable(), "a value of type Unshowable"),
        ({1, 2}, "{1, 2}"),
        ("\ud800", '"\\ud800"'),
        (np.array([1, 2]), "array([1, 2])"),
        (np.float32(1.5), "1.5"),
        (range(10**9), "range(0, 1000000000)"),
    ],
)
def test_every_value_can_be_shown(value: Any, text: str) -> None:
    assert shorten(value) == text
    assert shorten(value).encode()


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("gr\u00f6\u00dfe", "gro\u0308\u00dfe"),
        ("gro\u0308\u00dfe", "gr\u00f6\u00dfe"),
        ("\ufeffsize", "size"),
        ("size ", "size"),
        ("a\u00a0b", "a b"),
        ("si\u200bze", "size"),
    ],
)
def test_a_text_that_looks_the_same_is_told_apart_by_its_code_points(
    text: str, other: str
) -> None:
    difference = tell_apart(text, ["weight", other])
    escaped = json.dumps(other)
    assert difference == (
        f"; it looks the same but has other code points: write it as {escaped}"
    )
    assert suggest(text, ["weight", other]) == difference


@pytest.mark.parametrize("text", ["size", "Size", "sizes", ""])
def test_a_text_that_looks_different_is_not_told_apart(text: str) -> None:
    assert tell_apart(text, ["size"]) == ""


def test_an_error_is_one_line_of_300_characters_at_most() -> None:
    assert one_line(ValueError("a\n  b")) == "ValueError: a b"
    assert one_line(KeyError()) == "KeyError"
    assert len(one_line(ValueError("x" * 999))) == 300 + len("ValueError: ")
    words = "a " * 10_000_000
    error = ValueError(words)
    assert len(one_line(error)) <= 300 + len("ValueError: ")
    assert measure(lambda: one_line(error)) < measure(words.split)
