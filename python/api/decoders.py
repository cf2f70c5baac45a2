"""Decoders: they check the form of a body, and the types of its values, while they parse it.

Whatever they do not take raises msgspec.ValidationError, which does not say every fault.
"""

import json
from typing import Any, NamedTuple

import msgspec

from python.model.data.schema import Row, Schema

ABSENT = msgspec.Raw(b"")


class Envelope(msgspec.Struct, gc=False):
    """The two members of an envelope, not yet parsed; false where absent."""

    data: msgspec.Raw = msgspec.field(name="_data", default=ABSENT)
    samples: msgspec.Raw = msgspec.field(name="_samples", default=ABSENT)


class StrictEnvelope(Envelope, forbid_unknown_fields=True, gc=False):
    """An envelope with nothing else in it."""


ENVELOPE = msgspec.json.Decoder(Envelope)
STRICT_ENVELOPE = msgspec.json.Decoder(StrictEnvelope)
# 1e400 becomes infinite, a fault to which a pointer can point.
ANYTHING = msgspec.json.Decoder(float_hook=float)


class RecordDecoders(NamedTuple):
    """The decoders of a record and of a list of records, for one schema.

    `empty_row` is the row of a record without any value; None where there can be no such record.
    """

    one: msgspec.json.Decoder[Any]
    many: msgspec.json.Decoder[Any]
    empty_row: Row | None

    def decode(self, text: bytes, *, single: bool) -> list[Row]:
        """Return the rows of the records in the text; raise msgspec.ValidationError."""
        if single:
            record = self.one.decode(text)
            return [msgspec.structs.astuple(record)]
        records = self.many.decode(text)
        return [msgspec.structs.astuple(record) for record in records]


def make_decoders(
    schema: Schema,
    *,
    reject_unknown: bool,
) -> RecordDecoders | None:
    """Return the decoders for a schema; None if msgspec cannot look for one of its names.

    With `reject_unknown`, they do not take a feature that the schema does not have.
    """
    if not all(map(is_plain, schema.names)):
        return None
    record_type = make_record_type(schema, reject_unknown=reject_unknown)
    empty_row = None
    if all(feature.optional for feature in schema.features):
        empty_row = (None,) * len(schema.features)
    one = msgspec.json.Decoder(record_type)
    many = msgspec.json.Decoder(list[record_type])  # type: ignore[valid-type]
    return RecordDecoders(one, many, empty_row)


def make_record_type(
    schema: Schema,
    *,
    reject_unknown: bool,
) -> type[msgspec.Struct]:
    """Return a struct with a field for each feature, in their order, that msgspec can parse."""
    fields: list[Any] = []
    names = {}
    for number, feature in enumerate(schema.features):
        field = f"f{number}"
        names[field] = feature.name
        value_type = feature.value_type
        if feature.optional:
            fields.append((field, value_type | None, None))
        else:
            fields.append((field, value_type))
    return msgspec.defstruct(
        "Record",
        fields,
        rename=names,
        kw_only=True,
        forbid_unknown_fields=reject_unknown,
        gc=False,
    )


def is_plain(name: str) -> bool:
    """Return whether a name stands in JSON as it is.

    Quotation marks, backslashes and control characters do not.
    """
    return json.dumps(name, ensure_ascii=False) == f'"{name}"'


def is_object(text: bytes) -> bool:
    """Return whether the text, if it is JSON at all, is an object."""
    return text.lstrip()[:1] == b"{"
