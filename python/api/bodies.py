"""Bodies: from bytes to validated records, once, or every fault with a pointer to it.

A body is read at once where all of it fits. Otherwise it is read thoroughly, to find every fault.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import msgspec

from python.api.problems import fault_at, pointer
from python.errors import BadRequest, Unprocessable
from python.model.data.features import Value
from python.model.data.metadata import RESERVED_NAMES
from python.model.data.records import Records
from python.model.data.schema import Row, Schema
from python.model.data.spelling import shorten

# 1e400 becomes infinite, a fault to which a pointer can point.
ANYTHING = msgspec.json.Decoder(float_hook=float)
EXPECTED = (
    'expected a record, a list of records or {"_data": records, "_samples": records}'
)

MAX_KEPT_BACKGROUNDS = 8
KEPT_BACKGROUND_BYTES = 1024 * 1024
ABSENT = msgspec.Raw(b"")

Path: TypeAlias = tuple[str, ...]
"""Where in a body its records stand: `()`, `("_data",)` or `("_samples",)`."""


class SentRecords(Records):
    """Records that know where in the body they stood."""

    def __init__(
        self, schema: Schema, rows: Sequence[Row], path: Path, *, single: bool
    ) -> None:
        """Take rows that fit; `single` says that one record came alone, and not in a list."""
        super().__init__(schema, rows)
        self.path = path
        self.single = single

    def pointer(self, row: int, feature: str | None) -> str:
        """Return the pointer to a record, or to one of its values."""
        return pointer(*_path_to(self.path, row, feature, single=self.single))


class Body(NamedTuple):
    """What a body holds: records, and perhaps a background to explain them against."""

    records: SentRecords
    background: SentRecords | None = None


class Envelope(msgspec.Struct, gc=False):
    """The two members of an envelope, not yet parsed; false where absent."""

    data: msgspec.Raw = msgspec.field(name="_data", default=ABSENT)
    samples: msgspec.Raw = msgspec.field(name="_samples", default=ABSENT)


class StrictEnvelope(Envelope, forbid_unknown_fields=True, gc=False):
    """An envelope with nothing else in it."""


ENVELOPE = msgspec.json.Decoder(Envelope)
STRICT_ENVELOPE = msgspec.json.Decoder(StrictEnvelope)


class Reader:
    """Reads the bodies that are meant for one schema."""

    def __init__(self, schema: Schema, *, reject_unknown: bool) -> None:
        """Make a feature that the schema does not know a fault, or drop it."""
        self._schema = schema
        self._reject_unknown = reject_unknown
        self._decoders = RecordDecoders.for_schema(
            schema, reject_unknown=reject_unknown
        )
        # A background that is sent again is the same object, so that what was made for it is
        # found again.
        self._read_background = lru_cache(maxsize=MAX_KEPT_BACKGROUNDS)(
            self._read_records
        )

    def read(self, body: bytes) -> Body:
        """Return the records in a body, and the background where it has one.

        Raises BadRequest for what is not JSON, not records and not an envelope, Unprocessable for
        values that do not fit.
        """
        try:
            if not body.isascii():
                body.decode()  # msgspec does not look into what it passes over
            return self._read_at_once(body) or self._read_thoroughly(body)
        except UnicodeDecodeError as error:
            raise BadRequest(
                f"the body is not JSON: byte {error.start} is not UTF-8"
            ) from error
        except RecursionError as error:
            raise BadRequest("the body is JSON nested too deeply") from error
        except msgspec.ValidationError as error:
            message = "the body holds a number of more digits than can be read"
            raise BadRequest(message) from error
        except msgspec.DecodeError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error

    def _read_at_once(self, body: bytes) -> Body | None:
        """Return what the body holds; None where something does not fit."""
        try:
            if not _is_object(body):
                return _body(self._read_records(body, ()))
            envelope = ENVELOPE.decode(body)
            if envelope.data:
                return self._read_envelope(STRICT_ENVELOPE.decode(body))
            if envelope.samples:
                return None
            return _body(self._read_records(body, ()))
        except msgspec.ValidationError:
            return None

    def _read_envelope(self, envelope: StrictEnvelope) -> Body | None:
        records = self._read_records(bytes(envelope.data), ("_data",))
        if records is None or not envelope.samples:
            return _body(records)
        samples = bytes(envelope.samples)
        is_kept = len(samples) <= KEPT_BACKGROUND_BYTES
        read_samples = self._read_background if is_kept else self._read_records
        background = read_samples(samples, ("_samples",))
        return None if background is None else Body(records, background)

    def _read_records(self, text: bytes, path: Path) -> SentRecords | None:
        """Return the records in the text; None where something does not fit.

        Raises msgspec.ValidationError where a value has another type than its feature.
        """
        if self._decoders is None:
            return None
        single = _is_object(text)
        rows = self._decoders.decode(text, single=single)
        if not rows or not self._schema.knows_categories(rows):
            return None
        # A record without any value may be one without any feature.
        if self._decoders.empty_row in rows:
            return None
        return SentRecords(self._schema, rows, path, single=single)

    def _read_thoroughly(self, body: bytes) -> Body:
        """Return what the body holds; raise an error that names every fault."""
        parts = _split(ANYTHING.decode(body))
        errors = []
        for path, part in parts.items():
            single = not isinstance(part, list)
            faults = self._schema.faults(
                [part] if single else part, reject_unknown=self._reject_unknown
            )
            for row, feature, detail in faults:
                place = pointer(*_path_to(path, row, feature, single=single))
                errors.append(fault_at(place, detail))
        if errors:
            raise Unprocessable(
                "the records do not fit the features of the model", errors
            )
        return Body(*(self._records(part, path) for path, part in parts.items()))

    def _records(self, part: Value, path: Path) -> SentRecords:
        single = not isinstance(part, list)
        records = [part] if single else part
        rows = [self._schema.row(record) for record in records]
        return SentRecords(self._schema, rows, path, single=single)


class RecordDecoders(NamedTuple):
    """msgspec's decoders for one schema: they check the types of all values while they parse."""

    one: msgspec.json.Decoder[Any]
    many: msgspec.json.Decoder[Any]
    empty_row: Row | None  # of a record without any value, where there can be one

    @classmethod
    def for_schema(
        cls, schema: Schema, *, reject_unknown: bool
    ) -> "RecordDecoders | None":
        """Return the decoders; None for a name that msgspec cannot look for.

        These are names with a quotation mark, a backslash or a control character.
        """
        fields: list[Any] = []
        names = {}
        for number, feature in enumerate(schema.features):
            if json.dumps(feature.name, ensure_ascii=False) != f'"{feature.name}"':
                return None
            field = f"f{number}"
            names[field] = feature.name
            if feature.optional:
                fields.append((field, feature.value_type | None, None))
            else:
                fields.append((field, feature.value_type))
        record = msgspec.defstruct(
            "Record",
            fields,
            rename=names,
            kw_only=True,
            forbid_unknown_fields=reject_unknown,
            gc=False,
        )
        can_be_empty = all(feature.optional for feature in schema.features)
        return cls(
            msgspec.json.Decoder(record),
            msgspec.json.Decoder(list[record]),  # type: ignore[valid-type]
            (None,) * len(fields) if can_be_empty else None,
        )

    def decode(self, text: bytes, *, single: bool) -> list[Row]:
        """Return the rows of the records in the text; raise msgspec.ValidationError."""
        records = [self.one.decode(text)] if single else self.many.decode(text)
        return [msgspec.structs.astuple(record) for record in records]


def _is_object(text: bytes) -> bool:
    return text.lstrip()[:1] == b"{"


def _body(records: SentRecords | None) -> Body | None:
    return None if records is None else Body(records)


def _path_to(
    path: Path, row: int, feature: str | None, *, single: bool
) -> tuple[str | int, ...]:
    steps: list[str | int] = list(path)
    if not single:
        steps.append(row)
    if feature is not None:
        steps.append(feature)
    return tuple(steps)


def _split(payload: Value) -> dict[Path, Value]:
    """Return the data, and the background if there is one, by where they stand in the payload.

    Raises BadRequest or Unprocessable where they are no records.
    """
    parts: dict[Path, Value] = {(): payload}
    if isinstance(payload, dict) and not payload.keys().isdisjoint(RESERVED_NAMES):
        _check_envelope(payload)
        parts = {(name,): payload[name] for name in RESERVED_NAMES if name in payload}
    errors = []
    for path, part in parts.items():
        if not isinstance(part, dict | list):
            errors.append(fault_at(pointer(*path), f"got {shorten(part)}"))
    if errors:
        raise BadRequest(EXPECTED, errors)
    for path, part in parts.items():
        if part == []:
            errors.append(fault_at(pointer(*path), "the list is empty"))
    if errors:
        raise Unprocessable("there are no records", errors)
    return parts


def _check_envelope(payload: dict[str, Value]) -> None:
    strangers = [name for name in payload if name not in RESERVED_NAMES]
    if strangers:
        detail = "not a member of an envelope"
        raise BadRequest(
            EXPECTED, [fault_at(pointer(name), detail) for name in strangers]
        )
    if "_data" not in payload:
        detail = "missing: an envelope needs it"
        raise BadRequest(EXPECTED, [fault_at(pointer("_data"), detail)])


@lru_cache(maxsize=4)
def reader(schema: Schema, *, reject_unknown: bool) -> Reader:
    """Return the reader for the schema, made once."""
    return Reader(schema, reject_unknown=reject_unknown)
