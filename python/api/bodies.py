"""Bodies: from bytes to validated columns, once, or every fault with a pointer to it."""

from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from python.errors import BadRequest, Fault, Unprocessable, pointer
from python.model.data.features import shown
from python.model.data.records import Records
from python.model.data.schema import RESERVED, Schema

ANYTHING = msgspec.json.Decoder(
    float_hook=float
)  # 1e400 becomes infinite, a fault that can be pointed at
EXPECTED = 'expected a record, a list of records or {"_data": records, "_samples": records}'

MAX_BACKGROUNDS, MAX_BACKGROUND_BYTES = 8, 1024 * 1024
ABSENT = msgspec.Raw(b"")

At = tuple[str | int, ...]


class Envelope(msgspec.Struct, gc=False):
    """The two members of an envelope, not yet parsed; false where absent."""

    data: msgspec.Raw = msgspec.field(name="_data", default=ABSENT)
    samples: msgspec.Raw = msgspec.field(name="_samples", default=ABSENT)


class StrictEnvelope(Envelope, forbid_unknown_fields=True, gc=False):
    """An envelope with nothing else in it."""


ENVELOPE = msgspec.json.Decoder(Envelope)
STRICT_ENVELOPE = msgspec.json.Decoder(StrictEnvelope)


class Reader:
    """Reads the bodies meant for one schema."""

    def __init__(self, schema: Schema, *, reject_unknown: bool) -> None:
        """`reject_unknown` makes an unknown feature a fault; otherwise it is passed over."""
        self._schema = schema
        self._reject_unknown = reject_unknown
        record = schema.record_type(reject_unknown=reject_unknown)
        self._one = msgspec.json.Decoder(record) if record else None
        self._many = msgspec.json.Decoder(list[record]) if record else None  # type: ignore[valid-type]
        # The same background sent again is the same object, and what was made for it is found again.
        self._background = lru_cache(maxsize=MAX_BACKGROUNDS)(self._records)
        self._nothing = (
            record() if record and all(feature.optional for feature in schema.features) else None
        )

    def read(self, body: bytes) -> tuple[Records, Records | None]:
        """The records of a body, and its background rows where it has some.

        Raises BadRequest for what is not JSON, not records and not an envelope, Unprocessable for values that do not fit.
        """
        try:
            if not body.isascii():
                body.decode()  # msgspec does not look into what it passes over
            try:
                return self._parts(body)
            except (msgspec.ValidationError, KeyError):
                return self._thorough(ANYTHING.decode(body))
        except UnicodeDecodeError as error:
            raise BadRequest(f"the body is not JSON: byte {error.start} is not UTF-8") from error
        except RecursionError as error:
            raise BadRequest("the body is JSON nested too deeply") from error
        except msgspec.ValidationError as error:
            raise BadRequest("the body holds a number of more digits than can be read") from error
        except msgspec.DecodeError as error:
            raise BadRequest(f"the body is not JSON: {error}") from error

    def _parts(self, body: bytes) -> tuple[Records, Records | None]:
        if body.lstrip()[:1] == b"{":
            envelope = ENVELOPE.decode(body)
            if envelope.data:
                envelope = STRICT_ENVELOPE.decode(body)
                text = bytes(envelope.samples)
                keep = len(text) <= MAX_BACKGROUND_BYTES
                samples = (
                    (self._background if keep else self._records)(text, ("_samples",))
                    if text
                    else None
                )
                return self._records(bytes(envelope.data), ("_data",)), samples
            if envelope.samples:
                raise msgspec.ValidationError
        return self._records(body, ()), None

    def _records(self, text: bytes, at: At) -> Records:
        if self._one is None or self._many is None:
            raise msgspec.ValidationError
        single = text.lstrip()[:1] == b"{"
        found = [self._one.decode(text)] if single else self._many.decode(text)
        # A record without any value may be without any feature.
        if not found or self._nothing in found:
            raise msgspec.ValidationError
        return Records(
            self._schema.read([msgspec.structs.astuple(record) for record in found]), at, single
        )

    def _thorough(self, payload: Any) -> tuple[Records, Records | None]:
        """The records of a payload that was not taken at first sight; raises an error that names every fault."""
        parts = _split(payload)
        taken = [
            self._schema.faults(part, at, reject_unknown=self._reject_unknown)
            for at, part in parts.items()
        ]
        if faults := list(chain.from_iterable(taken)):
            raise Unprocessable("the records do not fit the features of the model", faults)
        data, *samples = [self._schema.records(part, at) for at, part in parts.items()]
        return data, samples[0] if samples else None


def _split(payload: Any) -> dict[At, Any]:
    """The data and the background of a payload by where they are; raises an error where they are not records."""
    parts: dict[At, Any] = {(): payload}
    if isinstance(payload, dict) and any(key in payload for key in RESERVED):
        if stray := [key for key in payload if key not in RESERVED]:
            raise BadRequest(
                EXPECTED, (Fault(pointer(key), "not a member of an envelope") for key in stray)
            )
        if "_data" not in payload:
            raise BadRequest(EXPECTED, [Fault(pointer("_data"), "missing: an envelope needs it")])
        parts = {(key,): payload[key] for key in RESERVED if key in payload}
    if wrong := {at: part for at, part in parts.items() if not isinstance(part, dict | list)}:
        raise BadRequest(
            EXPECTED, (Fault(pointer(*at), f"got {shown(part)}") for at, part in wrong.items())
        )
    if empty := [at for at, part in parts.items() if part == []]:
        raise Unprocessable(
            "there are no records", (Fault(pointer(*at), "the list is empty") for at in empty)
        )
    return parts


@lru_cache(maxsize=4)
def reader(schema: Schema, *, reject_unknown: bool) -> Reader:
    """The reader for the schema, made once."""
    return Reader(schema, reject_unknown=reject_unknown)
