"""Decoders: what they take, and in which order values come out."""

from typing import Any

import msgspec
import pytest

from python.api.decoders import (
    RecordDecoders,
    is_object,
    is_plain,
    make_decoders,
)
from python.model.data.schema import Schema

NUMBER = {"name": "x", "type": "numeric"}
TEXT = {"name": "y", "type": "string", "default": ""}


def decoders(
    *features: dict[str, Any], reject_unknown: bool = True
) -> RecordDecoders:
    schema = Schema.from_metadata({"features": features})
    record_decoders = make_decoders(schema, reject_unknown=reject_unknown)
    assert record_decoders
    return record_decoders


def test_rows_have_the_order_of_the_features() -> None:
    both = decoders(NUMBER, TEXT)
    assert both.decode(b'{"y": "a", "x": 1}', single=True) == [(1.0, "a")]
    text = b'[{"x": 1, "y": null}, {"x": 2}]'
    assert both.decode(text, single=False) == [(1.0, None), (2.0, None)]


@pytest.mark.parametrize(
    "text", [b"{}", b'{"x": "1"}', b'{"x": true}', b'{"x": 1, "z": 2}', b"[]"]
)
def test_what_does_not_fit_raises(text: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        decoders(NUMBER, TEXT).decode(text, single=True)


def test_what_the_schema_does_not_know_is_dropped_if_it_may_be_there() -> None:
    lenient = decoders(NUMBER, reject_unknown=False)
    assert lenient.decode(b'{"x": 1, "z": [{}]}', single=True) == [(1.0,)]


def test_a_record_can_be_empty_where_every_value_may_be_missing() -> None:
    assert decoders(NUMBER, TEXT).empty_row is None
    assert decoders(TEXT).empty_row == (None,)


@pytest.mark.parametrize("name", ['"', "a\\b", "\n", "\x1f"])
def test_there_are_none_for_a_name_that_json_escapes(name: str) -> None:
    assert not is_plain(name)
    schema = Schema.from_metadata(
        {"features": [NUMBER, {**TEXT, "name": name}]}
    )
    assert make_decoders(schema, reject_unknown=True) is None


@pytest.mark.parametrize("name", ["größe", "a/b ~c", " ", "'", "\x7f"])
def test_there_are_some_for_any_other_name(name: str) -> None:
    assert decoders({**TEXT, "name": name}).empty_row == (None,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b" \n{", True), (b"[{", False), (b"", False), (b"1", False)],
)
def test_an_object_is_told_by_its_brace(text: bytes, expected: bool) -> None:
    assert is_object(text) == expected
