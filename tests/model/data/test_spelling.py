"""Values and names as sentences show them."""

from typing import Any

import pytest

from python.model.data.spelling import shorten, suggest


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
