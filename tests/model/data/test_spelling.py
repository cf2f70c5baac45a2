"""Values and names as sentences show them."""

import json
from typing import Any

import numpy as np
import pytest

from python.model.data.spelling import one_line, shorten, suggest, tell_apart


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ("größe", '"größe"'),
        ([1, 2], "a list"),
        ({}, "an object"),
        ("a" * 58, '"' + "a" * 58 + '"'),
        ("a" * 59, '"' + "a" * 59 + "…"),
    ],
)
def test_a_sentence_shows_a_value_as_json_and_cuts_it_at_60_characters(
    value: Any, text: str
) -> None:
    assert shorten(value) == text


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
