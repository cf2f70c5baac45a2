"""Bodies: from bytes to validated records, or to a list of every fault.

A body is read at once where all of it fits. Otherwise it is read thoroughly, to find every fault.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple, TypeAlias

import msgspec

from python.api.decoders import (
    ANYTHING,
    ENVELOPE,
    STRICT_ENVELOPE,
    StrictEnvelope,
    is_object,
    make_decoders,
)
from python.api.hints import (
    EXPECTED,
    SEE_FEATURES,
    explain_encoding,
    explain_form,
    explain_syntax,
)
from python.api.problems import ErrorMember, fault_at
from python.errors import (
    MAX_FAULTS,
    BadRequest,
    Fault,
    MisfitRecords,
    Unprocessable,
)
from python.model.data.features import Value
from python.model.data.metadata import RESERVED_NAMES
from python.model.data.records import Records
from python.model.data.schema import Row, Schema
from python.model.data.spelling import shorten

MAX_KEPT_READERS = 4
MAX_KEPT_BACKGROUNDS = 8
MAX_KEPT_BACKGROUND_BYTES = (
    1024 * 1024
)  # of one; a larger one is read anew each time

BodyPath: TypeAlias = tuple[str, ...]
"""Where in a body its records stand: `()`, `("_data",)` or `("_samples",)`."""

Parts: TypeAlias = Mapping[BodyPath, Value]
"""Records, and perhaps a background, by where in a body they stand."""


class SentRecords(Records):
    """Records that know where in the body they stood."""

    def __init__(
        self,
        schema: Schema,
        rows: Sequence[Row],
        path: BodyPath,
        *,
        single: bool,
    ) -> None:
        """Take rows that fit; `single` says that one record came alone, and not in a list."""
        super().__init__(schema, rows)
        self.path = path
        self.single = single

    def locate(self, fault: Fault) -> ErrorMember:
        """Return a fault with the pointer to the record, or to its value."""
        return locate(fault, self.path, single=self.single)


class Body(NamedTuple):
    """What a body holds: records, and perhaps a background to explain them against."""

    records: SentRecords
    background: SentRecords | None = None


class Reader:
    """Reads the bodies that are meant for one schema."""

    def __init__(self, schema: Schema, *, reject_unknown: bool) -> None:
        """Make a feature that the schema does not know a fault, or drop it."""
        self._schema = schema
        self._reject_unknown = reject_unknown
        self._decoders = make_decoders(schema, reject_unknown=reject_unknown)
        # A background that is sent again is the same object. The methods that `Explainer` made
        # for it are found again, and go when the object does.
        self._read_background = lru_cache(MAX_KEPT_BACKGROUNDS)(
            self._read_records
        )

    def read(self, body: bytes) -> Body:
        """Return the records in a body, and the background where it has one.

        Raises BadRequest for what is not JSON, not records and not an envelope, Unprocessable for
        values that do not fit.
        """
        try:
            if not body.isascii():
                # RFC 8259, section 8.1, lets a parser ignore a byte order mark.
                body = body.removeprefix(BOM_UTF8)
                body.decode()  # msgspec does not look into what it passes over
            return self._read_at_once(body) or self._read_thoroughly(body)
        except UnicodeDecodeError as error:
            raise BadRequest(explain_encoding(body, error.start)) from error
        except RecursionError as error:
            raise BadRequest("the body is JSON nested too deeply") from error
        except msgspec.ValidationError as error:
            detail = "the body holds a number of more digits than can be read"
            raise BadRequest(detail) from error
        except msgspec.DecodeError as error:
            raise BadRequest(explain_syntax(body, str(error))) from error

    def _read_at_once(self, body: bytes) -> Body | None:
        """Return what the body holds; None where something does not fit."""
        try:
            if is_object(body):
                envelope = ENVELOPE.decode(body)
                if envelope.data:
                    return self._read_envelope(STRICT_ENVELOPE.decode(body))
                if envelope.samples:
                    return None
            records = self._read_records(body, ())
        except msgspec.ValidationError:
            return None
        return None if records is None else Body(records)

    def _read_envelope(self, envelope: StrictEnvelope) -> Body | None:
        records = self._read_records(bytes(envelope.data), ("_data",))
        if records is None:
            return None
        if not envelope.samples:
            return Body(records)
        samples = bytes(envelope.samples)
        read_samples = self._read_records
        if len(samples) <= MAX_KEPT_BACKGROUND_BYTES:
            read_samples = self._read_background
        background = read_samples(samples, ("_samples",))
        return None if background is None else Body(records, background)

    def _read_records(self, text: bytes, path: BodyPath) -> SentRecords | None:
        """Return the records in the text; None where something does not fit.

        Raises msgspec.ValidationError where a value has another type than its feature.
        """
        if self._decoders is None:
            return None
        single = is_object(text)
        rows = self._decoders.decode(text, single=single)
        if not rows or not self._schema.accepts(rows):
            return None
        # A record without any value may have no features at all, which is a fault.
        empty_row = self._decoders.empty_row
        if empty_row is not None and empty_row in rows:
            return None
        return SentRecords(self._schema, rows, path, single=single)

    def _read_thoroughly(self, body: bytes) -> Body:
        """Return what the body holds; raise an error that names every fault."""
        parts = split_body(ANYTHING.decode(body))
        faults = self._find_faults(parts)
        if any(faults.values()):
            raise self._refuse(parts, faults)
        sent_records = []
        for path, part in parts.items():
            sent_records.append(self._take_records(path, part))
        return Body(*sent_records)

    def _refuse(
        self, parts: Parts, faults: Mapping[BodyPath, Sequence[Fault]]
    ) -> MisfitRecords:
        errors = []
        form = ""
        for path, part in parts.items():
            if faults[path]:
                form = form or explain_form(part, self._schema.names)
            errors += locate_all(faults[path], path, part)
        detail = f"the records do not fit the features of the model{form}"
        all_faults = [*chain.from_iterable(faults.values())]
        return MisfitRecords(detail, errors, all_faults[:MAX_FAULTS])

    def _find_faults(self, parts: Parts) -> dict[BodyPath, list[Fault]]:
        faults = {}
        for path, part in parts.items():
            records, _ = list_records(part)
            faults[path] = self._schema.faults(
                records, reject_unknown=self._reject_unknown
            )
        return faults

    def _take_records(self, path: BodyPath, part: Value) -> SentRecords:
        records, single = list_records(part)
        rows = [self._schema.row(record) for record in records]
        return SentRecords(self._schema, rows, path, single=single)


# A service has one schema; to make the decoders for 30 features takes 130 microseconds.
@lru_cache(maxsize=MAX_KEPT_READERS)
def reader(schema: Schema, *, reject_unknown: bool) -> Reader:
    """Return the reader for the schema, made once."""
    return Reader(schema, reject_unknown=reject_unknown)


def locate(fault: Fault, path: BodyPath, *, single: bool) -> ErrorMember:
    """Return a fault in the records at `path`, with the pointer to the record or to its value."""
    steps: list[str | int] = list(path)
    if not single:
        steps.append(fault.row)
    if fault.feature is not None:
        steps.append(fault.feature)
    return fault_at(steps, fault.detail)


def locate_all(
    faults: Sequence[Fault], path: BodyPath, part: Value
) -> list[ErrorMember]:
    """Return faults in the part of a body at `path`, each with its pointer."""
    _, single = list_records(part)
    return [locate(fault, path, single=single) for fault in faults]


def list_records(part: Value) -> tuple[list[Value], bool]:
    """Return the records in a list, and whether it was one that came alone."""
    if isinstance(part, list):
        return part, False
    return [part], True


def split_body(payload: Value) -> dict[BodyPath, Value]:
    """Return the records, and the background if there is one, by where they stand in the payload.

    Raises BadRequest where they are no records, and Unprocessable where there are none.
    """
    parts = _find_parts(payload)
    wrong_parts = []
    empty_parts = []
    for path, part in parts.items():
        if not isinstance(part, dict | list):
            wrong_parts.append(fault_at(path, f"got {shorten(part)}"))
        elif part == []:
            empty_parts.append(fault_at(path, "the list is empty"))
    if wrong_parts:
        raise BadRequest(f"{EXPECTED}; {SEE_FEATURES}", wrong_parts)
    if empty_parts:
        raise Unprocessable("there are no records", empty_parts)
    return parts


def _find_parts(payload: Value) -> dict[BodyPath, Value]:
    """Return the members of an envelope; of anything else, that itself."""
    if not isinstance(payload, dict) or payload.keys().isdisjoint(
        RESERVED_NAMES
    ):
        return {(): payload}
    _check_envelope(payload)
    parts: dict[BodyPath, Value] = {}
    for name in RESERVED_NAMES:
        if name in payload:
            parts[(name,)] = payload[name]
    return parts


def _check_envelope(payload: dict[str, Value]) -> None:
    strangers = (name for name in payload if name not in RESERVED_NAMES)
    errors = []
    for name in islice(strangers, MAX_FAULTS):
        errors.append(fault_at([name], "not a member of an envelope"))
    if not errors and "_data" not in payload:
        errors.append(fault_at(["_data"], "missing: an envelope needs it"))
    if errors:
        raise BadRequest(EXPECTED, errors)
